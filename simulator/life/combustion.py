"""Petrol engines: fuel trims and misfires."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.drive_spec import FloatArray
from simulator.life.streams import Topic, stream
from simulator.life.weather import DAY_S

if TYPE_CHECKING:
    from simulator.life.driving import Moments
    from simulator.life.vehicle_life import VehicleLife

IGNITIONS = 500.0
"""Of one cylinder in 1000 revolutions."""
HEALTHY_SHARE = 0.0003


def fuel_trims(life: VehicleLife, moments: Moments, coolant_c: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean short-term and the long-term trim, percent; open loop (0) until the engine is luke-warm."""
    rng = stream(life.seed, life.vehicle.number, Topic.ENGINE, 1)
    base, amplitude, phase = rng.normal(0.0, 2.2), abs(rng.normal(0.0, 0.8)), rng.uniform(0.0, 2 * np.pi)
    fills = rng.normal(0.0, 0.7, 400)
    bad_fuel_day, bad_fuel = rng.uniform(0.0, 700.0), abs(rng.normal(3.0, 1.0))
    day = moments.time_s / DAY_S
    drift = amplitude * np.sin(2 * np.pi * day / 365.0 + phase) + fills[(day / 9.0).astype(np.intp) % len(fills)]
    drift += bad_fuel * ((day > bad_fuel_day) & (day < bad_fuel_day + 12.0))
    flow = moments.engine_rpm / 1000.0 * moments.load_percent / 25.0
    leak = life.effect("intake_air_leak", moments.time_s) * np.minimum(0.8 / np.maximum(flow, 0.4), 1.0)
    starved = life.effect("fuel_pump_weak", moments.time_s) * np.clip((moments.load_percent - 12.0) / 60.0, 0.0, 1.2)
    closed = coolant_c > 40.0
    lean = leak + starved
    return 0.15 * lean * closed, (base + drift + 0.5 * moments.mood + 0.85 * lean) * closed


def misfires(life: VehicleLife, moments: Moments, rng: np.random.Generator) -> list[FloatArray]:
    """Counts over the last 1000 revolutions of cylinders 1 to 4; a bad one fails in bouts, more under load and when cold."""
    counts = [each.astype(np.float64) for each in rng.poisson(IGNITIONS * HEALTHY_SHARE, (4, len(moments)))]
    episode = life.episode("misfire")
    if episode is None or not len(moments):
        return counts
    bouts = 0.5 + np.clip(moments.mood, 0.0, 2.0)
    strain = (0.4 + moments.load_percent / 60.0) * np.where(moments.since_s < 240.0, 1.5, 1.0)
    own = stream(life.seed, life.vehicle.number, Topic.FAULT_NOISE, int(moments.time_s[0]))
    share = np.clip(life.effect("misfire", moments.time_s) * bouts * strain, 0.0, 0.5)
    counts[episode.place - 1] += own.poisson(IGNITIONS * share)
    return counts
