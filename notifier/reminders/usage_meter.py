"""Days of use from samples: distance, engine time, oil wear, idling, trips, and what the vehicle says of its own service.

A stage like the finders, with whole numbers inside, so that sums do not depend on how the samples were cut into batches.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.care import DayUsage, OwnValue
from domain.signals import TICK_SIGNAL, SampleBatch
from notifier.reminders.severity import COLD_C, HOT_C, SHORT_TRIP_KM

DAY_NS = 86_400 * 1_000_000_000
LONGEST_GAP_NS = 10 * 1_000_000_000
"""Between two samples of a signal further apart nothing is known."""
KEPT_DAYS = 14
STANDING_KMH, RUNNING_RPM = 1.0, 300.0
OIL_PENALTY = ((20.0, 4.0), (60.0, 2.0), (120.0, 1.0), (float("inf"), 3.0))
"""Below so many °C oil ages so many times as fast; estimates in the range of the published oil life models."""

SPEED, RPM = "Vehicle.Speed", "Vehicle.Powertrain.CombustionEngine.Speed"
OIL_C, OUTSIDE_C = "Vehicle.Powertrain.CombustionEngine.EngineOil.Temperature", "Vehicle.Exterior.AirTemperature"
ODOMETER = "Vehicle.TraveledDistance"
OWN = {
    "Vehicle.Service.DistanceToService": ("service", "remaining_km", 1.0, 0.0),
    "Vehicle.Service.TimeToService": ("service", "remaining_days", 1 / 86_400, 0.0),
    "Vehicle.Powertrain.CombustionEngine.EngineOil.LifeRemainingPercent": ("engine_oil_life", "remaining_share", 0.01, 0.0),
    "Vehicle.Powertrain.Transmission.OilLifeRemaining": ("transmission_oil_life", "remaining_share", 0.01, 0.0),
}
"""Path -> (own value, its field, factor, offset)."""
_CARRIED = (SPEED, RPM, OIL_C, OUTSIDE_C)
_UNITS = {"distance_mm": 1e6, "engine_ms": 3.6e6, "oil_mrev": 1e3, "driving_ms": 1e3, "idle_ms": 1e3, "extreme_ms": 1e3}

Times = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(slots=True)
class _Meter:
    """One vehicle: sums by day, last (time, value) of the signals that are carried on, distance since the last trip's end."""

    days: dict[int, dict[str, float]] = field(default_factory=dict)
    last: dict[str, tuple[int, float]] = field(default_factory=dict)
    trip_mm: int = 0

    def add(self, days: Times, name: str, amounts: Times) -> None:
        for day in np.unique(days):
            sums = self.days.setdefault(int(day), {})
            sums[name] = sums.get(name, 0) + int(amounts[days == day].sum())


class UsageMeter:
    """Reads samples of many vehicles; `days` gives what came of them."""

    name = "usage"
    version = "1"

    def __init__(self) -> None:
        self._meters: dict[str, _Meter] = {}

    def read(self, samples: SampleBatch) -> None:
        """Samples in order, as `SampleBatch` promises."""
        for slot in np.unique(samples.vehicle):
            mine = samples.vehicle == slot
            meter = self._meters.setdefault(samples.vehicles[int(slot)], _Meter())
            _read(meter, samples.paths, samples.time_ns[mine], samples.signal[mine], samples.value[mine])

    def days(self, vehicle: str) -> tuple[DayUsage, ...]:
        """The latest days of use, oldest first; the last one may go on."""
        meter = self._meters.get(vehicle)
        return () if meter is None else tuple(_usage(day, meter.days[day]) for day in sorted(meter.days))

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's sums as JSON, None where it has none."""
        meter = self._meters.get(vehicle)
        if meter is None:
            return None
        return json.dumps([sorted(meter.days.items()), meter.last, meter.trip_mm]).encode()

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's sums from `snapshot`."""
        days, last, trip_mm = json.loads(state)
        meter = _Meter(days={day: sums for day, sums in days}, trip_mm=trip_mm)  # noqa: C416 - pairs from JSON are lists
        meter.last = {path: (time_ns, value) for path, (time_ns, value) in last.items()}
        self._meters[vehicle] = meter

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's sums."""
        self._meters.pop(vehicle, None)


def _read(meter: _Meter, paths: tuple[str, ...], times: Times, signals: NDArray[np.int32], values: Values) -> None:
    rows = {path: signals == number for number, path in enumerate(paths)}
    series: dict[str, tuple[Times, Values]] = {}
    for path in _CARRIED:
        where = rows.get(path, np.zeros(len(times), bool)) & np.isfinite(values)
        before = [meter.last[path]] if path in meter.last else []
        known_times = np.array([each[0] for each in before], np.int64)
        known_values = np.array([each[1] for each in before], np.float64)
        series[path] = np.concatenate([known_times, times[where]]), np.concatenate([known_values, values[where]])
    ticks = times[signals == TICK_SIGNAL]
    _drive(meter, series, ticks)
    _engine(meter, series, ticks)
    for path, (name, key, factor, offset) in OWN.items():
        _latest(meter, f"{name}.{key}", times, values * factor + offset, rows.get(path))
    _latest(meter, "odometer_km", times, values, rows.get(ODOMETER))
    for path, (known_times, known_values) in series.items():
        if len(known_times):
            meter.last[path] = int(known_times[-1]), float(known_values[-1])
            if path in (SPEED, RPM) and len(ticks) and known_times[-1] < ticks[-1]:
                del meter.last[path]  # nothing was driven from before the end of a drive until after it
    for day in sorted(meter.days)[:-KEPT_DAYS]:
        del meter.days[day]


def _spans(times: Times, values: Values, ticks: Times) -> tuple[Times, Times, Values]:
    """(begin, length in ns, value) of every stretch between two samples of one drive that are near enough; the earlier value counts."""
    length = np.diff(times)
    one_drive = np.searchsorted(ticks, times[:-1], side="right") == np.searchsorted(ticks, times[1:], side="left")
    near = (length > 0) & (length <= LONGEST_GAP_NS) & one_drive
    return times[:-1][near], length[near], values[:-1][near]


def _drive(meter: _Meter, series: Mapping[str, tuple[Times, Values]], ticks: Times) -> None:
    begin, length, speed = _spans(*series[SPEED], ticks)
    days, moving = begin // DAY_NS, speed >= STANDING_KMH
    distance_mm = np.where(moving, np.rint(speed * length / 3.6e6), 0).astype(np.int64)
    length_ms = np.rint(length / 1e6).astype(np.int64)
    outside = _as_of(series[OUTSIDE_C], begin)
    meter.add(days, "distance_mm", distance_mm)
    meter.add(days, "driving_ms", length_ms * moving)
    meter.add(days, "idle_ms", length_ms * ~moving)
    meter.add(days, "extreme_ms", length_ms * (moving & ((outside < COLD_C) | (outside > HOT_C))))
    place = 0
    for tick in ticks:
        until = int(np.searchsorted(begin, tick))
        trip_mm = meter.trip_mm + int(distance_mm[place:until].sum())
        place, meter.trip_mm = until, 0
        if trip_mm:
            sums = meter.days.setdefault(int(tick) // DAY_NS, {})
            sums["trips"] = sums.get("trips", 0) + 1
            sums["short_trips"] = sums.get("short_trips", 0) + (trip_mm < SHORT_TRIP_KM * 1e6)
    meter.trip_mm += int(distance_mm[place:].sum())


def _engine(meter: _Meter, series: Mapping[str, tuple[Times, Values]], ticks: Times) -> None:
    begin, length, rpm = _spans(*series[RPM], ticks)
    days, running = begin // DAY_NS, rpm >= RUNNING_RPM
    oil = _as_of(series[OIL_C], begin)
    penalty = np.array([factor for _, factor in OIL_PENALTY])[
        np.minimum(np.searchsorted([limit for limit, _ in OIL_PENALTY], oil, side="right"), len(OIL_PENALTY) - 1)
    ]
    wear = np.where(running & np.isfinite(oil), rpm * length / 6e10 * penalty * 1000, 0.0)
    meter.add(days, "engine_ms", np.rint(length / 1e6).astype(np.int64) * running)
    meter.add(days, "oil_mrev", np.rint(wear).astype(np.int64))


def _as_of(known: tuple[Times, Values], when: Times) -> Values:
    """The last value at or before each time, NaN before the first."""
    times, values = known
    place = np.searchsorted(times, when, side="right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], np.nan) if len(times) else np.full(len(when), np.nan)


def _latest(meter: _Meter, name: str, times: Times, values: Values, where: NDArray[np.bool_] | None) -> None:
    """The last value of each day."""
    if where is None:
        return
    where = where & np.isfinite(values)
    for time_ns, value in zip(times[where].tolist(), values[where].tolist(), strict=True):
        meter.days.setdefault(time_ns // DAY_NS, {})[name] = value


def _usage(day: int, sums: Mapping[str, float]) -> DayUsage:
    told: dict[str, dict[str, float]] = {}
    for name, value in sums.items():
        own, dot, key = name.partition(".")
        if dot:
            told.setdefault(own, {})[key] = value
    amount = {name: sums.get(name, 0) / unit for name, unit in _UNITS.items()}
    return DayUsage(
        day=day,
        distance_km=amount["distance_mm"],
        engine_h=amount["engine_ms"],
        oil_wear_rev=amount["oil_mrev"],
        driving_s=amount["driving_ms"],
        idle_s=amount["idle_ms"],
        extreme_s=amount["extreme_ms"],
        odometer_km=sums.get("odometer_km"),
        trips=int(sums.get("trips", 0)),
        short_trips=int(sums.get("short_trips", 0)),
        own_values=tuple(OwnValue(name=name, **values) for name, values in sorted(told.items())),
    )
