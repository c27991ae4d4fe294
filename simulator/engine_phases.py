"""Key on, cranking, running: which step of a drive is what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.drive_cycle import DriveCycle
from simulator.drive_spec import STEP_S, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """Which step is what: 0.0 or 1.0 each."""

    key_on: FloatArray
    cranking: FloatArray
    running: FloatArray


def phases(cycle: DriveCycle, crank_s: float) -> Phases:
    """Key on, then the starter for `crank_s`, then the engine runs until key off."""
    time_s, fires_s = cycle.time_s + STEP_S / 2, cycle.start_s + crank_s
    return Phases(
        key_on=((time_s >= cycle.ready_s) & (time_s < cycle.off_s)).astype(np.float64),
        cranking=((time_s >= cycle.start_s) & (time_s < fires_s)).astype(np.float64),
        running=((time_s >= fires_s) & (time_s < cycle.off_s)).astype(np.float64),
    )
