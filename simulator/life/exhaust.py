"""Diesel aftertreatment: particulate filter with soot, ash and regenerations; catalytic reduction of NOx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.drive_spec import FloatArray
from simulator.life.driving import Moments, lagged
from simulator.life.streams import Topic, stream

if TYPE_CHECKING:
    from simulator.life.vehicle_life import VehicleLife

REGENERATION_FROM_S, REGENERATION_S = 480.0, 780.0
REGENERATES_AT_PERCENT = 45.0
LIGHT_OFF_C, LIGHT_OFF_WIDTH_K = 205.0, 18.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterStates:
    """At the start of each trip: soot load in percent of what starts a regeneration; whether this trip has one."""

    soot: FloatArray
    regenerates: FloatArray


def filter_states(life: VehicleLife) -> FilterStates:
    """Soot grows with distance, faster in town; long enough trips burn it when it is due, a clogged filter not wholly."""
    trips = life.trips
    every_km = stream(life.seed, life.vehicle.number, Topic.ENGINE, 3).uniform(380.0, 520.0)
    clogged = np.broadcast_to(life.severity("dpf_clogging", trips.start_s), len(trips))
    gained = trips.km / every_km * 100.0 * np.where(trips.motorway, 0.8, 1.3) * (1.0 + 1.2 * clogged)
    soot, soots, burns = 40.0, [], []
    rows = zip(gained.tolist(), (trips.duration_s > REGENERATION_FROM_S + REGENERATION_S).tolist(), clogged.tolist(), life.driven.tolist(), strict=True)  # fmt: skip
    for more, long_enough, bad, driven in rows:
        burn = soot >= 100.0 and long_enough and driven
        soots.append(soot)
        burns.append(float(burn))
        if driven:
            soot = min(soot + more, 165.0 + 60.0 * bad)
        if burn:
            soot = 6.0 + 30.0 * bad
    return FilterStates(soot=np.array(soots), regenerates=np.array(burns))


def regenerating(life: VehicleLife, moments: Moments) -> FloatArray:
    """1 while soot is burnt."""
    within = (moments.since_s >= REGENERATION_FROM_S) & (moments.since_s < REGENERATION_FROM_S + REGENERATION_S)
    return life.filter.regenerates[moments.trip] * within


def soot_load(life: VehicleLife, moments: Moments) -> FloatArray:
    """Percent, as the engine unit reckons it: it regenerates at 45, and asks for a workshop over 80."""
    burnt = life.filter.regenerates[moments.trip] * np.clip((moments.since_s - REGENERATION_FROM_S) / REGENERATION_S, 0.0, 1.0)
    return REGENERATES_AT_PERCENT / 100.0 * life.filter.soot[moments.trip] * (1.0 - 0.9 * burnt)


def exhaust_flow(life: VehicleLife, moments: Moments) -> FloatArray:
    """kg/h."""
    litres = 7.7 if life.vehicle.is_truck else 2.0
    return litres / 2.0 * moments.engine_rpm * 60.0 * 1.15e-3 * (0.85 + 0.9 * moments.load_percent / 100.0)


def filter_pressure(life: VehicleLife, moments: Moments, flow_kg_h: FloatArray) -> FloatArray:
    """Pa over the filter: with the flow, with soot, with the ash of a filter's age."""
    relative = flow_kg_h / (3.85 if life.vehicle.is_truck else 1.0)
    ash = 0.25 * np.minimum(life.odometer_km[moments.trip] / 300_000.0, 1.5)
    hot = 1.0 + 0.5 * regenerating(life, moments)
    load = 0.55 + 0.5 * soot_load(life, moments) / REGENERATES_AT_PERCENT + ash
    clogged = 1.0 + life.effect("dpf_clogging", moments.time_s)
    return (6.0 * relative + 0.02 * relative**2) * load * hot * clogged


def nox(life: VehicleLife, moments: Moments, noise: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """NOx before and after the catalyst, ppm, and the catalyst's temperature, °C."""
    settled = 165.0 + 290.0 * moments.load_percent / 100.0 + 90.0 * regenerating(life, moments)
    slow = lagged(settled, moments.step_s, 160.0)
    warm = life.start_c[moments.trip] + 0.45 * moments.since_s
    temperature = np.minimum(slow, warm)
    less_recirculated = 1.0 + 0.012 * life.effect("egr_clogging", moments.time_s)
    raw = (170.0 + 480.0 * moments.load_percent / 100.0) * (1.0 + 0.08 * noise) * less_recirculated
    aged = 1.0 - 0.03 * np.minimum(life.odometer_km[moments.trip] / 300_000.0, 1.5)
    converts = 0.96 * aged / (1.0 + np.exp(-(temperature - LIGHT_OFF_C) / LIGHT_OFF_WIDTH_K))
    return raw, raw * (1.0 - converts * (1.0 - life.effect("scr_weak", moments.time_s))), temperature


def delivery_pressure(life: VehicleLife, moments: Moments) -> FloatArray:
    """Fuel delivery pressure, kPa: a weak pump or full filter loses it under load."""
    own = stream(life.seed, life.vehicle.number, Topic.ENGINE, 4).normal(0.0, 15.0)
    healthy = 480.0 + own + 0.03 * (moments.engine_rpm - 1500.0)
    return healthy * (1.0 - life.effect("fuel_supply_weak", moments.time_s) * (0.35 + 0.65 * moments.load_percent / 100.0))
