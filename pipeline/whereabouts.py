"""Where a vehicle was when something was found."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.findings import Finding
from domain.signals import SampleBatch

LATITUDE = "Vehicle.CurrentLocation.Latitude"
LONGITUDE = "Vehicle.CurrentLocation.Longitude"

_State = tuple[float, float]
_UNKNOWN: _State = (float("nan"), float("nan"))


class Whereabouts:
    """Carries each vehicle's last position and writes it into findings (the position at or before the finding)."""

    name = "whereabouts"
    version = "1"
    paths = frozenset({LATITUDE, LONGITUDE})

    def __init__(self) -> None:
        self._last: dict[str, _State] = {}

    def position(self, vehicle: str) -> tuple[float, float] | None:
        """(latitude, longitude) where both are known."""
        place = self._last.get(vehicle, _UNKNOWN)
        return None if np.isnan(place).any() else place

    def locate(self, samples: SampleBatch, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings with `location` filled in where a position is known; afterwards carries the batch's last positions."""
        columns = [self._column(samples, path) for path in (LATITUDE, LONGITUDE)]
        numbers = {vehicle: number for number, vehicle in enumerate(samples.vehicles)}
        located = tuple(self._with_location(finding, samples, columns, numbers) for finding in findings)
        for axis, rows in enumerate(columns):
            lasts = rows[np.flatnonzero(np.diff(samples.vehicle[rows], append=-1))]
            for number, value in zip(samples.vehicle[lasts].tolist(), samples.value[lasts].tolist(), strict=True):
                latitude, longitude = self._last.get(samples.vehicles[number], _UNKNOWN)
                self._last[samples.vehicles[number]] = (latitude, value) if axis else (value, longitude)
        return located

    def _with_location(
        self,
        finding: Finding,
        samples: SampleBatch,
        columns: list[np.ndarray[tuple[int], np.dtype[np.intp]]],
        numbers: dict[str, int],
    ) -> Finding:
        number = numbers.get(finding.vehicle)
        place = (
            self._last.get(finding.vehicle, _UNKNOWN) if number is None else self._at(samples, columns, number, finding.time_ns)
        )
        return finding if np.isnan(place).any() else replace(finding, location=place)

    def _at(
        self, samples: SampleBatch, columns: list[np.ndarray[tuple[int], np.dtype[np.intp]]], number: int, time_ns: int
    ) -> _State:
        known = list(self._last.get(samples.vehicles[number], _UNKNOWN))
        for axis, rows in enumerate(columns):
            first, end = np.searchsorted(samples.vehicle[rows], [number, number + 1])
            own = rows[first:end]
            past = int(np.searchsorted(samples.time_ns[own], time_ns, side="right"))
            if past:
                known[axis] = float(samples.value[own[past - 1]])
        return known[0], known[1]

    @staticmethod
    def _column(samples: SampleBatch, path: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        if path not in samples.paths:
            return np.empty(0, np.intp)
        return np.flatnonzero(samples.signal == samples.paths.index(path))

    def snapshot(self, vehicle: str) -> bytes | None:
        """Two float64."""
        place = self._last.get(vehicle)
        return None if place is None else struct.pack("<dd", *place)

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's position from `snapshot`."""
        latitude, longitude = struct.unpack("<dd", state)
        self._last[vehicle] = (latitude, longitude)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's position."""
        self._last.pop(vehicle, None)
