"""State of many vehicles as rows of a few arrays, so that kernels can carry it on, and its form as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import StorageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FORMAT = b"trip1"
FIRST_ROWS = 16


class Slots:
    """Tables that have a row for each vehicle of which anything is known.

    Args:
        fresh: name of each table -> what a row of it holds at first.
    """

    def __init__(self, fresh: Mapping[str, NDArray[Any]]) -> None:
        self._fresh = dict(fresh)
        self.tables = {name: np.tile(row, (FIRST_ROWS, 1)) for name, row in fresh.items()}
        self._slot_of: dict[str, int] = {}
        self._free = list(range(FIRST_ROWS - 1, -1, -1))
        self._name_of: dict[int, str] = {}

    def made(self, vehicles: Sequence[str]) -> Ints:
        """The row number of each vehicle, of fresh rows where it has none; `tables` may hold other arrays afterwards."""
        return np.array([self._made(vehicle) for vehicle in vehicles], np.int64)

    def vehicle(self, slot: int) -> str:
        """Whose row this is."""
        return self._name_of[slot]

    def row(self, table: str, vehicle: str) -> NDArray[Any] | None:
        """A row to read or to write to, None where the vehicle has none."""
        slot = self._slot_of.get(vehicle)
        return None if slot is None else self.tables[table][slot]

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's rows to the last bit, None where it has none or they are fresh."""
        slot = self._slot_of.get(vehicle)
        if slot is None:
            return None
        content = b"".join(table[slot].tobytes() for table in self.tables.values())
        if content == b"".join(row.tobytes() for row in self._fresh.values()):
            return None
        return FORMAT + zlib.compress(content, 1)

    def restore(self, vehicle: str, content: bytes) -> None:
        """Set the vehicle's rows from `snapshot`.

        Raises:
            StorageError: not a state of this format.
        """
        sizes = [row.nbytes for row in self._fresh.values()]
        try:
            state = zlib.decompress(content.removeprefix(FORMAT))
        except zlib.error as problem:
            raise StorageError("state of the trip detectors is damaged") from problem
        if not content.startswith(FORMAT) or len(state) != sum(sizes):
            raise StorageError("state of the trip detectors is damaged, or of another version")
        slot = self._made(vehicle)
        for (name, row), place in zip(self._fresh.items(), np.cumsum([0, *sizes]), strict=False):
            self.tables[name][slot] = np.frombuffer(state, row.dtype, len(row), int(place))

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's rows."""
        slot = self._slot_of.pop(vehicle, None)
        if slot is not None:
            del self._name_of[slot]
            self._free.append(slot)
            for name, row in self._fresh.items():
                self.tables[name][slot] = row

    def _made(self, vehicle: str) -> int:
        slot = self._slot_of.get(vehicle)
        if slot is None:
            if not self._free:
                self._grow()
            slot = self._slot_of[vehicle] = self._free.pop()
            self._name_of[slot] = vehicle
        return slot

    def _grow(self) -> None:
        size = len(self._slot_of)
        for name, row in self._fresh.items():
            self.tables[name] = np.concatenate((self.tables[name], np.tile(row, (size, 1))))
        self._free = list(range(2 * size - 1, size - 1, -1))
