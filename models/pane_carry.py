"""What open trips need to go on in the next batch, as columns with one row per vehicle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_ROW = -1
FIRST_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneCarry:
    """What an open trip needs to go on in the next batch.

    Attributes:
        last_ns: time of its last record. next_grid: first grid step not yet read.
        held_ns, held: last time and value of each column. sums, counts: readings of the pane that is being filled.
    """

    last_ns: int
    next_grid: int
    held_ns: Ints
    held: Floats
    sums: Floats
    counts: Ints


class PaneCarries:
    """The carries of all vehicles under way; the attributes of `PaneCarry` are columns, rows × their own shape.

    Args:
        width: how many columns a pane has.
    """

    def __init__(self, width: int) -> None:
        self._row_of: dict[str, int] = {}
        self._free: list[int] = []
        self.last_ns: Ints = np.empty(0, np.int64)
        self.next_grid: Ints = np.empty(0, np.int64)
        self.held_ns: Ints = np.empty((0, width), np.int64)
        self.held: Floats = np.empty((0, width))
        self.sums: Floats = np.empty((0, width))
        self.counts: Ints = np.empty((0, width), np.int64)

    def rows(self, vehicles: Sequence[str]) -> Ints:
        """The row of each vehicle, NO_ROW where none of its trips is open."""
        return np.array([self._row_of.get(vehicle, NO_ROW) for vehicle in vehicles], np.int64)

    def made_rows(self, vehicles: Sequence[str]) -> Ints:
        """The row of each vehicle, a fresh one (of any content) where it has none."""
        return np.array([self._made_row(vehicle) for vehicle in vehicles], np.int64)

    def _made_row(self, vehicle: str) -> int:
        row = self._row_of.get(vehicle)
        if row is None:
            if not self._free:
                self._grow()
            row = self._row_of[vehicle] = self._free.pop()
        return row

    def get(self, vehicle: str) -> PaneCarry | None:
        """A copy of the vehicle's carry; None where none of its trips is open."""
        row = self._row_of.get(vehicle)
        if row is None:
            return None
        return PaneCarry(
            last_ns=int(self.last_ns[row]),
            next_grid=int(self.next_grid[row]),
            held_ns=self.held_ns[row].copy(),
            held=self.held[row].copy(),
            sums=self.sums[row].copy(),
            counts=self.counts[row].copy(),
        )

    def set(self, vehicle: str, carry: PaneCarry) -> None:
        """Open a trip of the vehicle that goes on from there."""
        row = self._made_row(vehicle)
        for name in PaneCarry.__slots__:
            getattr(self, name)[row] = getattr(carry, name)

    def drop(self, vehicle: str) -> None:
        """No trip of the vehicle is open."""
        row = self._row_of.pop(vehicle, None)
        if row is not None:
            self._free.append(row)

    def _grow(self) -> None:
        old = len(self.last_ns)
        new = max(FIRST_ROWS, 2 * old)
        for name in PaneCarry.__slots__:
            column: NDArray[Any] = getattr(self, name)
            grown = np.empty((new, *column.shape[1:]), column.dtype)
            grown[:old] = column
            setattr(self, name, grown)
        self._free += range(new - 1, old - 1, -1)
