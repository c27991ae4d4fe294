"""Coolant and oil: warm-up, thermostat, radiator, and the oil's pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.drive_spec import FloatArray
from simulator.life.driving import Moments, lagged
from simulator.life.streams import Topic, stream
from simulator.life.trips import Trips

if TYPE_CHECKING:
    from simulator.life.vehicle_life import VehicleLife

REGULATED_C, BOILING_C = 90.0, 124.0
SOAK_S = 2.6 * 3600.0
"""Time constant of an engine that cools down."""
SURFACE, SURFACE_PER_MPS = 12.0, 1.0
RADIATOR, RADIATOR_PER_MPS, FAN_MPS = 90.0, 30.0, 9.0
"""W/K, as simulator/petrol.py has them; larger engines have larger radiators, in proportion to their heat."""
HOTTER_AT_OUTLET_K, HEAT_OF_TOWN_W = 10.0, 9_000.0
"""What less coolant through the engine adds where the sensor sits, at the heat of driving in town."""
HEAT_AT_IDLE_W, HEAT_AT_FULL_W = 3_500.0, 42_000.0


def start_temperature(trips: Trips) -> FloatArray:
    """°C of the engine at the start of each trip: what is left of the heat of the trip before."""
    ended_c = np.minimum(REGULATED_C, np.roll(trips.ambient_c, 1) + 0.13 * np.roll(trips.duration_s, 1))
    kept = np.exp(-np.maximum(trips.park_s, 0.0) / SOAK_S)
    kept[:1] = 0.0
    return np.asarray(trips.ambient_c + np.maximum(ended_c - trips.ambient_c, 0.0) * kept, np.float64)


def coolant(life: VehicleLife, moments: Moments) -> FloatArray:
    """Coolant temperature °C.

    The thermostat holds the engine near its rating. What a valve that stays open lets through sets a steady temperature of its own, and so does
    what radiator and pump can carry at most; the colder of the first two holds, unless the last is hotter still.
    """
    heat = HEAT_AT_IDLE_W + (HEAT_AT_FULL_W - HEAT_AT_IDLE_W) * (moments.load_percent / 100.0) * moments.engine_rpm / 3000.0
    smooth = lagged(heat, moments.step_s, 60.0)
    mps = lagged(moments.speed_kmh, moments.step_s, 60.0) / 3.6
    surface = SURFACE + SURFACE_PER_MPS * mps
    radiator = RADIATOR + RADIATOR_PER_MPS * mps
    open_c = moments.ambient_c + smooth / (surface + life.effect("thermostat_open", moments.time_s) * radiator)
    carried = RADIATOR + RADIATOR_PER_MPS * np.maximum(mps, FAN_MPS)
    lost = life.effect("cooling_weak", moments.time_s)
    limit_c = moments.ambient_c + smooth / (surface + carried * (1.0 - lost))
    own = stream(life.seed, life.vehicle.number, Topic.ENGINE).normal(0.0, 1.2)
    regulated = REGULATED_C + own + 4.0 * (moments.load_percent - 30.0) / 70.0 + 0.8 * moments.mood
    regulated = regulated + HOTTER_AT_OUTLET_K * lost * np.minimum(smooth / HEAT_OF_TOWN_W, 2.5)
    warmed = life.start_c[moments.trip] + moments.over_trips(heat) * moments.step_s / 75_000.0
    settled = np.maximum(np.minimum(regulated, open_c), limit_c)
    return np.minimum(np.minimum(warmed, settled), BOILING_C)


def oil(life: VehicleLife, moments: Moments, coolant_c: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Oil temperature °C and pressure kPa: thick when cold, thinner as it ages."""
    share = 1.0 - np.exp(-moments.since_s / 420.0)
    oil_c = life.start_c[moments.trip] + (coolant_c + 12.0 * moments.load_percent / 100.0 - life.start_c[moments.trip]) * share
    thickness = np.clip(np.exp(-(oil_c - 95.0) / 55.0), 0.6, 4.0)
    pressure = np.minimum(40.0 + 0.135 * moments.engine_rpm * np.sqrt(thickness), 430.0 + 20.0 * (thickness - 1.0))
    aged = 1.0 - 0.06 * np.clip(life.oil.used_at(moments.time_s), 0.0, 2.0)
    return oil_c, pressure * aged * (1.0 - life.effect("oil_pressure_low", moments.time_s))
