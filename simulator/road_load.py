"""Force at the wheels."""

from __future__ import annotations

import numpy as np

from simulator.drive_cycle import DriveCycle
from simulator.drive_spec import FloatArray


def wheel_force(cycle: DriveCycle, mass_kg: float, drag_area: float, rolling: float) -> FloatArray:
    """Newtons at the wheels: inertia (rotating parts 5 %), slope, rolling and air resistance."""
    moving = cycle.speed_mps > 0.1
    resistance = mass_kg * 9.81 * (rolling * moving + cycle.slope) + 0.6 * drag_area * cycle.speed_mps**2
    return np.asarray(1.05 * mass_kg * cycle.acceleration + resistance, np.float64)
