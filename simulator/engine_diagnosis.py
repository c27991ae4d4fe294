"""The petrol engine's own on-board diagnosis: which codes it stores when, judged from what its sensors measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import STEP_S, Trace

MISFIRES_PER_1000 = 20.0
"""Of one cylinder: 4 % of its ignitions, enough to harm the catalyst."""
CONFIRMED_AFTER_S = 45.0
OVERHEATED_CELSIUS, COLD_CELSIUS, WARM_BY_S = 118.0, 70.0, 1320.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCode:
    """A code and since when it is pending (service 07) and confirmed (service 03); infinity = not in this drive."""

    code: str
    pending_s: float
    confirmed_s: float


def diagnose_engine(trace: Trace) -> tuple[StoredCode, ...]:
    """Codes of one drive in order of time.

    Misfire of one cylinder gives P0300, P030n and, since it is the coil that fails, P035n, confirmed within the drive;
    overheating P0217 at once; a cold engine after 22 minutes P0128, pending only (two trips confirm it).
    """
    values, codes = trace.values, []
    for cylinder in range(1, 5):
        since = _held_since(values[f"MisfireCount{cylinder}"] >= MISFIRES_PER_1000, 10.0)
        if np.isfinite(since):
            confirmed = since + CONFIRMED_AFTER_S
            codes += [
                StoredCode(code=f"P030{cylinder}", pending_s=since, confirmed_s=confirmed),
                StoredCode(code="P0300", pending_s=confirmed, confirmed_s=confirmed),
                StoredCode(code=f"P035{cylinder}", pending_s=confirmed, confirmed_s=confirmed),
            ]
    hot = _held_since(values["CoolantTemperature"] >= OVERHEATED_CELSIUS, 10.0)
    if np.isfinite(hot):
        codes.append(StoredCode(code="P0217", pending_s=hot, confirmed_s=hot))
    running_s = np.cumsum(values["EngineRunning"]) * STEP_S
    late = running_s >= WARM_BY_S
    if late.any() and values["CoolantTemperature"][: int(np.argmax(late)) + 1][-600:].max() < COLD_CELSIUS:
        codes.append(StoredCode(code="P0128", pending_s=float(trace.time_s[np.argmax(late)]), confirmed_s=np.inf))
    return tuple(codes)


def _held_since(condition: NDArray[np.bool_], seconds: float) -> float:
    """The first time at which the condition has held for so long, infinity where it never has."""
    steps = round(seconds / STEP_S)
    held = np.convolve(condition, np.ones(steps), "valid") >= steps - 0.5
    return float((np.argmax(held) + steps) * STEP_S) if held.any() else np.inf
