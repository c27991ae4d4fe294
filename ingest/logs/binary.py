"""What readers of binary recordings share: fields of many records at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_STAMP_NS = 9_000_000_000_000_000_000
FD_LENGTH = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64], np.uint8)
"""Data length code -> payload bytes (ISO 11898-1)."""
_KEPT = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)


def records_at(data: NDArray[np.uint8], start: NDArray[np.int64], layout: np.dtype[Any]) -> NDArray[Any]:
    """The records that begin at these bytes of `data`, wherever they lie: copies of the layout's item size, as fast as memory.

    `data` must be contiguous and reach as far as each record.
    """
    base, shape = layout.base, layout.shape
    count = len(data) - layout.itemsize + 1
    whole = np.dtype((np.void, layout.itemsize))
    if count <= 0 or not len(start):
        return np.empty((0, *shape), base)
    windows: NDArray[np.void] = np.ndarray((count,), whole, data.data, strides=(1,))
    return windows[start].view(base).reshape(len(start), *shape)


def first_bytes(payload: NDArray[np.uint64], length: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The first `length` bytes (at most 8) of little-endian loads, the others zero."""
    kept: NDArray[np.uint64] = payload & _KEPT[np.minimum(length, 8)]
    return kept
