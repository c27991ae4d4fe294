"""Channel numbers of a recording -> rows of its table of bus names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_BUSES = 256
_UNKNOWN = -1


class BusNumbers:
    """Gives every channel number (0 to 65535) the next free row when it first comes; the number is the bus name."""

    def __init__(self) -> None:
        self._row = np.full(1 << 16, _UNKNOWN, np.int16)
        self._channels: list[int] = []

    def numbers(self, channel: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """(rows, known): not known is what comes after 256 other channels."""
        row = self._row[channel]
        if (row == _UNKNOWN).any():
            for fresh in np.unique(channel[row == _UNKNOWN]).tolist():
                if len(self._channels) < MOST_BUSES:
                    self._row[fresh] = len(self._channels)
                    self._channels.append(fresh)
            row = self._row[channel]
        return row.astype(np.uint8), row != _UNKNOWN

    def names(self) -> tuple[str, ...]:
        """The table so far."""
        return tuple(map(str, self._channels))
