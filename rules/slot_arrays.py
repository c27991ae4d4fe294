"""Arrays with one row (slot) per vehicle that grow together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

FIRST_SLOTS = 16


class SlotArrays:
    """Named arrays, slots × their own shape; a fresh slot holds the initial values.

    Args:
        arrays: name -> (shape of one slot, type, initial value).
    """

    def __init__(self, **arrays: tuple[tuple[int, ...], DTypeLike, float]) -> None:
        self._initial = {name: initial for name, (_, _, initial) in arrays.items()}
        self._arrays: dict[str, NDArray[Any]] = {name: np.empty((0, *shape), kind) for name, (shape, kind, _) in arrays.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    @property
    def bytes_per_slot(self) -> int:
        """Memory of one vehicle."""
        return sum(array.itemsize * int(np.prod(array.shape[1:], dtype=np.int64)) for array in self._arrays.values())

    def grow(self, slots: int) -> None:
        """Make room for that many slots."""
        for name, array in self._arrays.items():
            grown = np.empty((slots, *array.shape[1:]), array.dtype)
            grown[: len(array)] = array
            self._arrays[name] = grown

    def reset(self, slot: int) -> None:
        """Set the initial values."""
        for name, array in self._arrays.items():
            array[slot] = self._initial[name]
