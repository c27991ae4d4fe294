"""Two-sided cumulative sum over standardised trip statistics (Page, Biometrika 41:100, 1954): finds small lasting shifts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

ALLOWANCE = 0.5
"""k, in standard deviations: half of the shift that is found soonest."""
RETURN_TRIPS = 3
"""Consecutive trips near the baseline that end an episode."""
RETURN_WITHIN = 1.5
"""What near means, in standard deviations towards the side of the alarm."""


class Verdict(Enum):
    """What one more trip changed."""

    QUIET = "quiet"
    RAISED = "raised"
    REPEATED = "repeated"
    RETURNING = "returning"
    """Within the episode, but this trip was near the baseline."""
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When to speak: the sum beyond `threshold` (h) and a mean drift of at least `smallest_drift`, in the target's unit."""

    threshold: float
    smallest_drift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One side of the sum since it last was zero.

    Attributes:
        total: the sum. trips: trips in it. deviation: sum of their signed deviations in the target's unit. since_ns: start of the first.
    """

    total: float = 0.0
    trips: int = 0
    deviation: float = 0.0
    since_ns: int = 0

    @property
    def mean(self) -> float:
        """Estimate of the shift in the target's unit, negative downwards."""
        return self.deviation / self.trips if self.trips else 0.0

    def add(self, standardised: float, deviation: float, start_ns: int) -> Drift:
        """With one more trip; `standardised` is positive in the direction of this side, `deviation` upwards."""
        total = self.total + standardised - ALLOWANCE
        if total <= 0:
            return Drift()
        since_ns = self.since_ns if self.trips else start_ns
        return Drift(total=total, trips=self.trips + 1, deviation=self.deviation + deviation, since_ns=since_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class CusumState:
    """Both sides, the side of the open episode (+1 high, -1 low, 0 none), and trips near the baseline in a row within it."""

    high: Drift = Drift()
    low: Drift = Drift()
    side: int = 0
    returned: int = 0

    @property
    def drift(self) -> Drift:
        """The side that the episode is about, else the greater one."""
        if self.side:
            return self.high if self.side > 0 else self.low
        return self.high if self.high.total >= self.low.total else self.low


def advance(state: CusumState, deviation: float, scale: float, start_ns: int, limits: Limits) -> tuple[CusumState, Verdict]:
    """Take in one trip that deviates from its baseline by `deviation`, with standard deviation `scale`."""
    standardised = deviation / scale
    high = state.high.add(standardised, deviation, start_ns)
    low = state.low.add(-standardised, deviation, start_ns)
    state = replace(state, high=high, low=low)
    if state.side:
        return _within_episode(state, standardised)
    for side, drift in ((1, high), (-1, low)):
        if drift.total > limits.threshold and abs(drift.mean) >= limits.smallest_drift:
            return replace(state, side=side, returned=0), Verdict.RAISED
    return state, Verdict.QUIET


def _within_episode(state: CusumState, standardised: float) -> tuple[CusumState, Verdict]:
    if standardised * state.side >= RETURN_WITHIN:
        return replace(state, returned=0), Verdict.REPEATED
    returned = state.returned + 1
    if returned < RETURN_TRIPS:
        return replace(state, returned=returned), Verdict.RETURNING
    # what lies on the other side meanwhile is kept: a repair may have gone too far
    other = CusumState(low=state.low) if state.side > 0 else CusumState(high=state.high)
    return other, Verdict.CLEARED
