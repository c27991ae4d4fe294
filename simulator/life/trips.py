"""When a vehicle is driven, how far and how: every trip of its life, in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import FloatArray
from simulator.life.fleet_plan import LifeVehicle
from simulator.life.streams import Topic, stream
from simulator.life.weather import DAY_S, Weather

SHORTEST_S, LAST_HOUR = 180.0, 23.75
FIRST_DAY_IS = 2
"""1 January 2025 is a Wednesday (Monday = 0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A trip that may happen each day: hour it starts, how likely on workdays and at weekends, median minutes, how likely on the motorway."""

    hour: float
    workday: float
    weekend: float
    minutes: float
    motorway: float


SLOTS: Mapping[str, tuple[Slot, ...]] = {
    "commuter": (
        Slot(hour=7.6, workday=0.92, weekend=0.1, minutes=28, motorway=0.25),
        Slot(hour=12.2, workday=0.12, weekend=0.45, minutes=14, motorway=0.0),
        Slot(hour=17.8, workday=0.92, weekend=0.35, minutes=30, motorway=0.25),
    ),
    "family": (
        Slot(hour=9.2, workday=0.55, weekend=0.6, minutes=16, motorway=0.05),
        Slot(hour=14.5, workday=0.45, weekend=0.5, minutes=24, motorway=0.25),
        Slot(hour=18.6, workday=0.35, weekend=0.35, minutes=18, motorway=0.05),
    ),
    "short": (
        Slot(hour=8.0, workday=0.8, weekend=0.3, minutes=9, motorway=0.0),
        Slot(hour=11.5, workday=0.5, weekend=0.5, minutes=7, motorway=0.0),
        Slot(hour=17.0, workday=0.8, weekend=0.4, minutes=10, motorway=0.0),
        Slot(hour=20.0, workday=0.05, weekend=0.15, minutes=35, motorway=0.5),
    ),
    "motorway": (
        Slot(hour=7.0, workday=0.9, weekend=0.2, minutes=55, motorway=0.8),
        Slot(hour=16.5, workday=0.9, weekend=0.25, minutes=60, motorway=0.8),
    ),
    "seldom": (
        Slot(hour=10.5, workday=0.12, weekend=0.5, minutes=22, motorway=0.2),
        Slot(hour=15.5, workday=0.1, weekend=0.35, minutes=25, motorway=0.3),
    ),
    "delivery": (
        Slot(hour=7.0, workday=0.95, weekend=0.35, minutes=25, motorway=0.3),
        Slot(hour=9.0, workday=0.9, weekend=0.3, minutes=22, motorway=0.05),
        Slot(hour=11.0, workday=0.85, weekend=0.3, minutes=22, motorway=0.05),
        Slot(hour=14.0, workday=0.9, weekend=0.25, minutes=25, motorway=0.1),
        Slot(hour=16.5, workday=0.95, weekend=0.3, minutes=30, motorway=0.3),
    ),
    "haulage": (
        Slot(hour=6.0, workday=0.92, weekend=0.25, minutes=100, motorway=0.75),
        Slot(hour=12.5, workday=0.9, weekend=0.2, minutes=95, motorway=0.75),
    ),
}
"""What a day holds, by how a vehicle is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    """k trips in order of time; times in seconds since day 0.

    Attributes:
        start_s, duration_s, park_s: park_s is the time since the trip before (a day before the first).
        day: which day each lies in. speed_kmh: mean while moving. motorway: whether most of it is. burden: of the load, 1 = ordinary.
        km: length. ambient_c: air at the start. wet: how wet it is.
    """

    start_s: FloatArray
    duration_s: FloatArray
    park_s: FloatArray
    day: NDArray[np.int64]
    speed_kmh: FloatArray
    motorway: NDArray[np.bool_]
    burden: FloatArray
    km: FloatArray
    ambient_c: FloatArray
    wet: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def end_s(self) -> FloatArray:
        """When each ends."""
        return self.start_s + self.duration_s


def plan_trips(seed: int, vehicle: LifeVehicle, days: int, weather: Weather) -> Trips:
    """All trips that the vehicle would make if nothing ever failed."""
    rng = stream(seed, vehicle.number, Topic.USAGE)
    slots = SLOTS[vehicle.usage]
    weekend = ((np.arange(days) + FIRST_DAY_IS) % 7 >= 5)[:, None]
    likely = np.where(weekend, [slot.weekend for slot in slots], [slot.workday for slot in slots])
    drives = (rng.random((days, len(slots))) < likely) & ~_absences(seed, vehicle, days)[:, None]
    hours = np.array([slot.hour for slot in slots]) + rng.normal(0.0, 0.4, drives.shape)
    own = np.exp(rng.normal(0.0, 0.2))
    minutes = np.array([slot.minutes for slot in slots]) * own * np.exp(rng.normal(0.0, 0.25, drives.shape))
    start, duration = _in_turn(hours * 3600.0, np.maximum(minutes * 60.0, SHORTEST_S), drives)
    motorway = rng.random(drives.shape) < np.array([slot.motorway for slot in slots])
    limit = 78.0 if vehicle.is_truck else 108.0
    speed = np.where(motorway, limit, 42.0 if vehicle.is_truck else 36.0) * np.exp(rng.normal(0.0, 0.12, drives.shape))
    tows = vehicle.towing & (rng.random(drives.shape) < 0.25)
    laden = rng.uniform(0.7, 1.35, drives.shape) if vehicle.is_truck else 1.0 + rng.normal(0.0, 0.05, drives.shape)
    made = drives & (start + duration < LAST_HOUR * 3600.0)
    day, _ = np.nonzero(made)
    start_s, duration_s = day * DAY_S + start[made], duration[made]
    return Trips(
        start_s=np.round(start_s),
        duration_s=np.round(duration_s),
        park_s=np.diff(start_s, prepend=start_s[:1] - DAY_S) - np.concatenate(([0.0], duration_s[:-1]))[: len(start_s)],
        day=day.astype(np.int64),
        speed_kmh=speed[made],
        motorway=motorway[made],
        burden=(laden + 0.35 * tows)[made],
        km=duration_s / 3600.0 * speed[made] * np.where(motorway[made], 0.92, 0.72),
        ambient_c=weather.temperature(start_s),
        wet=weather.wetness(start_s),
    )


def _absences(seed: int, vehicle: LifeVehicle, days: int) -> NDArray[np.bool_]:
    """Days on which the vehicle stands: holidays, illness, no work."""
    rng = stream(seed, vehicle.number, Topic.ABSENCE)
    away = np.zeros(days, np.bool_)
    for year in range(-(-days // 365)):
        for _ in range(int(rng.poisson(3.0 if vehicle.usage == "seldom" else 1.3))):
            first, length = year * 365 + int(rng.integers(0, 365)), int(rng.integers(4, 26))
            away[first : first + length] = True
    return away


def _in_turn(start: FloatArray, duration: FloatArray, drives: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Starts of the day's trips put off until ten minutes after the one before has ended."""
    free = np.full(len(start), 4.0 * 3600.0)
    started = np.empty_like(start)
    for slot in range(start.shape[1]):
        started[:, slot] = np.maximum(start[:, slot], free)
        free = np.where(drives[:, slot], started[:, slot] + duration[:, slot] + 600.0, free)
    return started, duration
