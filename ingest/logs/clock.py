"""Time that goes on over clock resets, for drives that are replayed as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESET_STEP_NS = 1_000_000_000
"""A step back by more than this is a clock that was set anew; anything smaller is disorder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """What `continuous_time` carries: the last stamp as recorded, and what is added to stamps since the last reset."""

    last_ns: int | None = None
    offset_ns: int = 0


def continuous_time(time_ns: NDArray[np.int64], state: ClockState) -> tuple[NDArray[np.int64], ClockState]:
    """Stamps of one vehicle, in file order, rebased so that time goes on from the last stamp at every reset.

    Smaller disorder stays as it is, for the hold-back stage. The result does not depend on how the stamps were cut into calls.
    """
    if not len(time_ns):
        return time_ns, state
    before = np.empty_like(time_ns)
    before[0] = time_ns[0] if state.last_ns is None else state.last_ns
    before[1:] = time_ns[:-1]
    step = time_ns - before
    offset = np.cumsum(np.where(step < -RESET_STEP_NS, -step, 0)) + state.offset_ns
    return time_ns + offset, ClockState(last_ns=int(time_ns[-1]), offset_ns=int(offset[-1]))
