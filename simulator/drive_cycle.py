"""Where and how fast a vehicle drives: speed, slope and position over one drive, from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from domain.errors import InputError
from simulator.drive_spec import MINIMUM_DURATION_S, STEP_S, DriveSpec, FloatArray

METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleStyle:
    """Ranges that a manoeuvre is drawn from: speeds km/h, accelerations m/s², times s; `stop_share` of them end in a stop."""

    speed_kmh: tuple[float, float]
    cruise_s: tuple[float, float]
    stop_s: tuple[float, float]
    stop_share: float
    acceleration: tuple[float, float]


CITY = CycleStyle(speed_kmh=(28, 58), cruise_s=(8, 35), stop_s=(6, 35), stop_share=0.75, acceleration=(0.8, 1.5))
RURAL = CycleStyle(speed_kmh=(60, 90), cruise_s=(40, 120), stop_s=(5, 20), stop_share=0.3, acceleration=(0.7, 1.2))
HIGHWAY = CycleStyle(speed_kmh=(96, 120), cruise_s=(60, 200), stop_s=(0, 0), stop_share=0.0, acceleration=(0.4, 0.9))
TRUCK_SPEED_SHARE = 0.74
TRUCK_ACCELERATION_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveCycle:
    """One drive, every `STEP_S`; times in seconds from the first record.

    Attributes:
        speed_mps, acceleration, slope (rise over run), latitude, longitude: arrays of one length.
        ready_s: key on. start_s: the driver starts the vehicle. pull_away_s, park_s: first and last wheel turn. off_s: key off.
    """

    time_s: FloatArray
    speed_mps: FloatArray
    acceleration: FloatArray
    slope: FloatArray
    distance_km: FloatArray
    latitude: FloatArray
    longitude: FloatArray
    ready_s: float
    start_s: float
    pull_away_s: float
    park_s: float
    off_s: float


def drive_cycle(spec: DriveSpec, rng: np.random.Generator) -> DriveCycle:
    """The drive of a spec.

    Raises:
        InputError: unknown cycle, or a duration too short for a drive.
    """
    moving_s = spec.duration_s - spec.charge_s
    if moving_s < MINIMUM_DURATION_S:
        raise InputError(f"a drive of {moving_s:g} s is too short", mend=f"give at least {MINIMUM_DURATION_S:g} s")
    time_s = np.arange(round(spec.duration_s / STEP_S), dtype=np.float64) * STEP_S
    ready_s = spec.charge_s + rng.uniform(3.0, 5.0)
    start_s = round(ready_s + rng.uniform(5.0, 8.0), 1)
    pull_away_s = start_s + rng.uniform(18.0, 35.0)
    off_s = spec.duration_s - rng.uniform(4.0, 6.0)
    park_s = off_s - rng.uniform(12.0, 20.0)
    speed = np.zeros(len(time_s))
    first, last = int(pull_away_s / STEP_S), int(park_s / STEP_S)
    speed[first:last] = _speeds(spec, last - first, rng)
    latitude, longitude = _positions(spec, speed, rng)
    slope = _wander(len(time_s), 40.0, 0.012, rng) * (speed > 1.0)
    return DriveCycle(
        time_s=time_s,
        speed_mps=speed,
        acceleration=np.gradient(speed, STEP_S),
        slope=slope,
        distance_km=np.cumsum(speed) * STEP_S / 1000.0,
        latitude=latitude,
        longitude=longitude,
        ready_s=ready_s,
        start_s=start_s,
        pull_away_s=pull_away_s,
        park_s=park_s,
        off_s=off_s,
    )


def _styles(spec: DriveSpec, moving_s: float, elapsed_s: float) -> CycleStyle:
    if spec.cycle == "city":
        return CITY
    if spec.cycle == "highway":
        return CITY if elapsed_s < 60 or elapsed_s > moving_s - 45 else HIGHWAY
    if spec.cycle == "mixed":
        return (CITY, RURAL, CITY, HIGHWAY)[min(int(4 * elapsed_s / moving_s), 3)] if elapsed_s < moving_s - 45 else CITY
    raise InputError(f"unknown drive cycle {spec.cycle!r}", mend="use city, mixed or highway")


def _speeds(spec: DriveSpec, count: int, rng: np.random.Generator) -> FloatArray:
    """Manoeuvres (accelerate, hold, brake, perhaps wait) until the time is used up; ends at rest."""
    truck = spec.powertrain == "truck"
    moving_s = count * STEP_S
    pieces: list[FloatArray] = []
    current, length = 0.0, 0
    while length < count:
        style = _styles(spec, moving_s, length * STEP_S)
        target = rng.uniform(*style.speed_kmh) / 3.6 * (TRUCK_SPEED_SHARE if truck else 1.0)
        rate = rng.uniform(*style.acceleration) * (TRUCK_ACCELERATION_SHARE if truck else 1.0)
        added = [_ramp(current, target, rate), _cruise(target, rng.uniform(*style.cruise_s), rng)]
        current = target
        if rng.random() < style.stop_share:
            added += [
                _ramp(current, 0.0, rng.uniform(0.9, 1.6) * (0.7 if truck else 1.0)),
                np.zeros(int(rng.uniform(*style.stop_s) / STEP_S)),
            ]
            current = 0.0
        pieces += added
        length += sum(len(piece) for piece in added)
    speeds = np.concatenate(pieces)[:count]
    # brake to rest within the time that is left
    braking = min(int(3.5 + speeds.max() / 0.9) * 20, count)
    from_here = speeds[count - braking]
    final = _ramp(from_here, 0.0, 1.0)[:braking]
    speeds[count - braking :] = 0.0
    speeds[count - braking : count - braking + len(final)] = final
    return np.maximum(speeds, 0.0)


def _ramp(start: float, end: float, rate: float) -> FloatArray:
    """From one speed to another without a jerk; `rate` is the greatest acceleration."""
    steps = max(int(abs(end - start) / rate * np.pi / 2 / STEP_S), 1)
    share = (1 - np.cos(np.pi * (np.arange(steps) + 1) / steps)) / 2
    return start + (end - start) * share


def _cruise(speed: float, seconds: float, rng: np.random.Generator) -> FloatArray:
    steps = max(int(seconds / STEP_S), 2)
    taper = np.minimum(1.0, np.minimum(np.arange(steps), np.arange(steps)[::-1]) * STEP_S / 4.0)
    return speed + _wander(steps, 12.0, 0.025 * speed, rng) * taper


def _wander(count: int, seconds: float, spread: float, rng: np.random.Generator) -> FloatArray:
    """A smooth random walk around zero with this time constant and standard deviation."""
    keep = np.exp(-STEP_S / seconds)
    rough = lfilter([np.sqrt(1 - keep * keep)], [1.0, -keep], rng.standard_normal(count))
    soften = np.exp(-STEP_S / 2.0)
    return np.asarray(spread * lfilter([1 - soften], [1.0, -soften], rough), np.float64)


def _positions(spec: DriveSpec, speed: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0.0, 0.004, len(speed)) * np.minimum(speed, 10.0)) * 0.3
    north, east = np.cumsum(speed * np.cos(heading)) * STEP_S, np.cumsum(speed * np.sin(heading)) * STEP_S
    latitude = spec.latitude + north / METRES_PER_DEGREE
    return latitude, spec.longitude + east / (METRES_PER_DEGREE * np.cos(np.radians(spec.latitude)))
