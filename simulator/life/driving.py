"""The instants at which a unit sends while its vehicle is driven, and how it moves then."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from simulator.drive_spec import FloatArray
from simulator.life.fleet_plan import LifeVehicle
from simulator.life.trips import Trips

PULL_AWAY_S = 25.0
PERSISTS_S = 45.0
"""How long traffic and the driver's foot stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """n instants of driving, in order of time.

    Attributes:
        trip: which trip of the vehicle's life. time_s: since day 0. since_s: since the trip began. step_s: between instants.
        first: bool, the first of its trip. speed_kmh, engine_rpm, load_percent: as named (the last two 0 for electric cars).
        effort: -3..3, how hard the driver accelerates or brakes. mood: standard normal and slow: what else varies while driving.
        ambient_c: air outside. wet: 0..1.
    """

    trip: NDArray[np.intp]
    time_s: FloatArray
    since_s: FloatArray
    first: NDArray[np.bool_]
    speed_kmh: FloatArray
    engine_rpm: FloatArray
    load_percent: FloatArray
    effort: FloatArray
    mood: FloatArray
    ambient_c: FloatArray
    wet: FloatArray
    step_s: float

    def __len__(self) -> int:
        return len(self.time_s)

    def at(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Moments:
        """The chosen instants only."""
        columns: dict[str, Any] = {each.name: getattr(self, each.name)[chosen] for each in fields(self) if each.name != "step_s"}
        return Moments(step_s=self.step_s, **columns)

    def over_trips(self, values: FloatArray) -> FloatArray:
        """Running sum of per-instant values within each trip, up to and with each instant."""
        total = np.cumsum(values)
        starts = np.flatnonzero(self.first)
        before = np.repeat(total[starts] - values[starts], np.diff(np.append(starts, len(values))))
        return np.asarray(total - before, np.float64)


def drive(vehicle: LifeVehicle, trips: Trips, chosen: NDArray[np.intp], step_s: float, rng: np.random.Generator) -> Moments:
    """The instants of the chosen trips, `step_s` apart."""
    counts = (trips.duration_s[chosen] / step_s).astype(np.intp) + 1
    trip = np.repeat(chosen, counts)
    starts = np.cumsum(counts) - counts
    since = np.asarray((np.arange(len(trip)) - np.repeat(starts, counts)) * step_s, np.float64)
    keep = np.exp(-step_s / PERSISTS_S)
    flow, effort, mood = lfilter([np.sqrt(1.0 - keep**2)], [1.0, -keep], rng.standard_normal((3, len(trip))), axis=-1)
    first = np.zeros(len(trip), np.bool_)
    first[starts] = True
    speed = _speed(92.0 if vehicle.is_truck else 140.0, trips, trip, since, flow)
    moving = speed > 2.0
    burden = trips.burden[trip]
    load = 19.0 + (0.0016 * speed**2 + (8.0 * effort + 3.5 * effort * np.abs(effort)) * moving) * burden
    load = np.clip(load + 6.0 * (burden - 1.0) * moving, 5.0, 100.0)
    return Moments(
        trip=trip,
        time_s=trips.start_s[trip] + since,
        since_s=since,
        first=first,
        speed_kmh=speed,
        engine_rpm=_engine_rpm(vehicle, trips, trip, since, speed, load),
        load_percent=load,
        effort=effort,
        mood=mood,
        ambient_c=trips.ambient_c[trip],
        wet=trips.wet[trip],
        step_s=step_s,
    )


def lagged(values: FloatArray, step_s: float, seconds: float) -> FloatArray:
    """A first-order lag behind `values`, over the stops between trips too."""
    keep = float(np.exp(-step_s / seconds))
    return np.asarray(lfilter([1.0 - keep], [1.0, -keep], values, zi=keep * values[:1])[0], np.float64)


def _speed(fastest_kmh: float, trips: Trips, trip: NDArray[np.intp], since: FloatArray, flow: FloatArray) -> FloatArray:
    """Steady on the motorway, with stops in town; from a stand to a stand."""
    swing = np.where(trips.motorway[trip], 0.14, 0.65)
    speed = trips.speed_kmh[trip] * np.maximum(1.0 + swing * np.clip(flow, -2.5, 2.0), 0.0)
    speed = np.where(speed < 0.35 * trips.speed_kmh[trip], 0.0, speed)
    left = trips.duration_s[trip] - since
    return np.asarray(np.minimum(speed, fastest_kmh) * np.clip(np.minimum(since, left) / PULL_AWAY_S, 0.0, 1.0), np.float64)


def _engine_rpm(
    vehicle: LifeVehicle, trips: Trips, trip: NDArray[np.intp], since: FloatArray, speed: FloatArray, load: FloatArray
) -> FloatArray:
    if vehicle.powertrain == "ev":
        return np.zeros(len(trip))
    idle, base, slope, pull = (600.0, 900.0, 5.0, 3.0) if vehicle.is_truck else (780.0, 1250.0, 8.5, 7.0)
    fast_idle = 6.0 * np.maximum(20.0 - trips.ambient_c[trip], 0.0) * np.exp(-since / 120.0)
    driving = base + slope * speed + pull * np.maximum(load - 25.0, 0.0)
    return np.asarray(np.where(speed > 2.0, driving, idle + fast_idle), np.float64)
