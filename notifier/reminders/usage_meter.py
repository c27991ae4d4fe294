"""Days of use from samples: distance, engine time, oil wear, braking, idling, trips, and what the vehicle tells of its parts.

A stage of the line. It gives a vehicle's day whenever a drive ends and when the day is over, each time the whole day as it stands;
so whoever stores the latest word of each day has the same days however the samples were cut.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from domain.care import DayUsage, OwnKind, OwnValue, Reading, ReadingField, Statistic
from domain.ports import Jit, no_jit
from domain.signals import SampleBatch
from notifier.reminders import usage_kernel as kernel

SPEED, RPM = "Vehicle.Speed", "Vehicle.Powertrain.CombustionEngine.Speed"
OIL_C, OUTSIDE_C = "Vehicle.Powertrain.CombustionEngine.EngineOil.Temperature", "Vehicle.Exterior.AirTemperature"
PEDAL_ON, PEDAL_POSITION = "Vehicle.Chassis.Brake.IsPedalPressed", "Vehicle.Chassis.Brake.PedalPosition"
TRACTION_V, TRACTION_A = (f"Vehicle.Powertrain.TractionBattery.{name}" for name in ("CurrentVoltage", "CurrentCurrent"))
ODOMETER = "Vehicle.TraveledDistance"
CARRIED = (SPEED, RPM, OIL_C, OUTSIDE_C, PEDAL_ON, PEDAL_POSITION, TRACTION_V, TRACTION_A)
"""In the order of the kernel's columns."""
_STATISTIC = {Statistic.LAST: kernel.LAST, Statistic.MAX: kernel.MAX, Statistic.REST: kernel.REST}

VehicleDays = tuple[tuple[str, DayUsage], ...]
"""(vehicle, day of use)."""


class UsageMeter:
    """Carries, per vehicle, the sums of the day at hand and the last values (`domain.ports.Stage`).

    Args:
        readings: signals that tell of the condition of parts. jit: compiles the arithmetic.
    """

    name = "usage"

    def __init__(self, readings: Sequence[Reading] = (), *, jit: Jit = no_jit) -> None:
        self._readings = tuple(readings)
        told = (ODOMETER, *(reading.path for reading in self._readings))
        self._columns = {path: number for number, path in enumerate((*CARRIED, *dict.fromkeys(told)))}
        statistics = {ODOMETER: Statistic.LAST} | {reading.path: reading.statistic for reading in self._readings}
        self._statistic = np.array([_STATISTIC[statistics[path]] for path in list(self._columns)[len(CARRIED) :]], np.int64)
        said = "\n".join(("3", *self._columns, repr(self._statistic.tolist())))
        self.version = hashlib.sha256(said.encode()).hexdigest()[:16]
        self._count: Callable[..., int] = jit(kernel.count_use)
        readings_of_day = len(self._statistic)
        self._row = np.dtype(
            [
                ("day", "<i8"),
                ("trip_um", "<i8"),
                ("sums", "<i8", (kernel.SUMS,)),
                ("last_ns", "<i8", (len(CARRIED),)),
                ("last", "<f8", (len(CARRIED),)),
                ("told_ns", "<i8", (readings_of_day,)),
                ("told", "<f8", (readings_of_day,)),
            ]
        )
        fresh = np.zeros((), self._row)
        fresh["day"], fresh["last_ns"], fresh["told_ns"], fresh["told"] = kernel.NO_DAY, kernel.NEVER, kernel.NEVER, np.nan
        self._fresh = fresh
        self._rows = np.empty(0, self._row)
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._lookup_of: tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int64]]] | None = None

    @property
    def paths(self) -> frozenset[str]:
        """VSS paths that are read."""
        return frozenset(self._columns)

    def read(self, samples: SampleBatch) -> VehicleDays:
        """Samples in order, as `SampleBatch` promises; gives the days that are over or stand at the end of a drive, as they are now."""
        bounds = np.searchsorted(samples.vehicle, np.arange(len(samples.vehicles) + 1))
        present = np.flatnonzero(np.diff(bounds)).tolist()
        slots = np.full(len(samples.vehicles), -1, np.int64)
        for number in present:
            slots[number] = self._slot(samples.vehicles[number])
        name_of = {int(slots[number]): samples.vehicles[number] for number in present}
        ended = np.zeros(len(self._rows), np.bool_)
        given = samples.time_ns, samples.vehicle, samples.signal, samples.value, slots, self._lookup(samples.paths)
        state = [self._rows[name] for name in ("day", "trip_um", "sums", "last_ns", "last", "told_ns", "told")]
        days: list[tuple[str, DayUsage]] = []
        begin = 0
        while True:
            begin = self._count(begin, *given, self._statistic, *state, ended)
            if begin == len(samples):
                break
            turned = int(slots[samples.vehicle[begin]])
            days += self._told(name_of[turned], turned)
            row = self._rows[turned]
            row["day"], row["sums"], row["told"] = int(samples.time_ns[begin]) // kernel.DAY_NS, 0, np.nan
        for number in np.flatnonzero(ended).tolist():
            days += self._told(name_of[number], number)
        return tuple(days)

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's row, None where it has none."""
        slot = self._slots.get(vehicle)
        return None if slot is None else self._rows[slot].tobytes()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's row from `snapshot`."""
        slot = self._slot(vehicle)  # first, since it may make room
        self._rows[slot] = np.frombuffer(state, self._row)[0]

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle."""
        slot = self._slots.pop(vehicle, None)
        if slot is not None:
            self._free.append(slot)

    def _lookup(self, paths: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Signal -> column; the last entry, which a tick's -1 finds, is the tick's."""
        if self._lookup_of is None or self._lookup_of[0] is not paths:
            columns = [self._columns.get(path, kernel.NOT_READ) for path in paths]
            self._lookup_of = paths, np.array([*columns, kernel.TICK], np.int64)
        return self._lookup_of[1]

    def _slot(self, vehicle: str) -> int:
        slot = self._slots.get(vehicle)
        if slot is None:
            if not self._free:
                size = len(self._rows)
                grown = np.empty(max(16, 2 * size), self._row)
                grown[:size] = self._rows
                self._rows, self._free = grown, list(range(size, len(grown)))[::-1]
            slot = self._slots[vehicle] = self._free.pop()
            self._rows[slot] = self._fresh
        return slot

    def _told(self, vehicle: str, slot: int) -> VehicleDays:
        row = self._rows[slot]
        amounts, told = row["sums"].tolist(), row["told"].tolist()
        values = {path: told[number - len(CARRIED)] for path, number in self._columns.items() if number >= len(CARRIED)}
        odometer = values[ODOMETER]
        usage = DayUsage(
            day=int(row["day"]),
            distance_km=amounts[kernel.DISTANCE_UM] / 1e9,
            engine_h=amounts[kernel.ENGINE_NS] / 3.6e12,
            oil_wear_rev=amounts[kernel.OIL_UREV] / 1e6,
            energy_kwh=amounts[kernel.ENERGY_MILLIJOULE] / 3.6e9,
            brake_mj=amounts[kernel.BRAKE_UJ] / 1e9,
            driving_s=amounts[kernel.DRIVING_NS] / 1e9,
            idle_s=amounts[kernel.IDLE_NS] / 1e9,
            extreme_s=amounts[kernel.EXTREME_NS] / 1e9,
            odometer_km=odometer if odometer >= 0 else None,
            trips=amounts[kernel.TRIPS],
            short_trips=amounts[kernel.SHORT_TRIPS],
            own_values=self._own_values(values),
        )
        return ((vehicle, usage),) if usage != DayUsage(day=usage.day) else ()

    def _own_values(self, values: dict[str, float]) -> tuple[OwnValue, ...]:
        """What the readings say; of several of one part (its wheels) the one that is worn most."""
        said: dict[tuple[str, OwnKind], dict[str, float]] = defaultdict(dict)
        for reading in self._readings:
            value = values[reading.path]
            if reading.low <= value <= reading.high:  # not NaN
                remaining = (reading.worn - value) / (reading.worn - reading.new)
                fields, field = said[reading.name, reading.kind], _FIELDS[reading.field]
                fields[field] = min(remaining, fields.get(field, remaining))
        return tuple(OwnValue(name=name, kind=kind, **said[name, kind]) for name, kind in sorted(said))


_FIELDS = {
    ReadingField.KM: "remaining_km",
    ReadingField.DAYS: "remaining_days",
    ReadingField.SHARE: "remaining_share",
}
