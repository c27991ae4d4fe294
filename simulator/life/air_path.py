"""Turbocharger and exhaust gas recirculation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.drive_spec import FloatArray
from simulator.life.streams import Topic, stream

if TYPE_CHECKING:
    from simulator.life.driving import Moments
    from simulator.life.vehicle_life import VehicleLife


def boost(life: VehicleLife, moments: Moments, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Wanted and actual boost, kPa over atmosphere; the actual lags while the load changes, and falls short in thin air."""
    most = 170.0 if life.vehicle.powertrain == "diesel" else 95.0
    wanted = most * np.clip((moments.load_percent - 22.0) / 78.0, 0.0, 1.0) * np.minimum(moments.engine_rpm / 1700.0, 1.0)
    own = stream(life.seed, life.vehicle.number, Topic.ENGINE, 2).normal(0.99, 0.012)
    thin = 1.0 - 0.02 * life.vehicle.city.altitude_m / 1000.0 * moments.load_percent / 100.0
    leak = 1.0 - life.effect("boost_leak", moments.time_s) * (0.5 + 0.5 * wanted / most)
    actual = wanted * (own + 0.03 * noise) * thin * leak
    return wanted, np.maximum(actual, 0.0)


def exhaust_gas_recirculation(
    life: VehicleLife, moments: Moments, coolant_c: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Commanded opening and error, percent; a valve full of soot gives less than is asked, and sticks."""
    commanded = np.clip(40.0 - 0.45 * moments.load_percent, 0.0, 40.0) * (coolant_c > 40.0)
    lost = life.effect("egr_clogging", moments.time_s)
    error = np.where(commanded > 2.0, -lost * (0.7 + 0.3 * commanded / 40.0) * (1.0 + 0.35 * noise), 0.0)
    return commanded, np.clip(error, -100.0, 99.0)
