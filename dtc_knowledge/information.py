"""Which check to do next: the one that tells most about the cause for the time it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from domain.findings import Check
from dtc_knowledge.pattern import Pattern

FINDS = 0.9
"""Chance that a check finds something where one of the causes that it tells of is the true one (estimate)."""
FALSELY_FINDS = 0.1
SETUP_MINUTES = 5
"""Every check costs at least this much beside its own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A check with `bits`, the expected gain of information about the cause, and `tells`, the causes that it confirms."""

    check: Check
    bits: float
    tells: tuple[str, ...]

    @property
    def worth(self) -> float:
        """Bits per minute."""
        return self.bits / (self.check.minutes + SETUP_MINUTES)


def ordered_steps(patterns: Sequence[Pattern], probabilities: Mapping[str, float]) -> tuple[Step, ...]:
    """The patterns' checks, the greatest expected gain per minute first; those that tell nothing follow in their order.

    A step that costs no time, such as keeping clear of a hot battery, comes before all others.

    Args:
        probabilities: cause id -> probability; the causes count as each excluding the others.
    """
    checks: dict[Check, set[str]] = {}
    for pattern in patterns:
        tells = dict(pattern.tells)
        for check in pattern.checks:
            checks.setdefault(check, set()).update(tells.get(check.id, ()))
    steps = [
        Step(check=check, bits=round(information_gain(probabilities, tells), 4), tells=tuple(sorted(tells)))
        for check, tells in checks.items()
    ]
    return tuple(sorted(steps, key=lambda step: (step.check.minutes > 0, -step.worth)))


def information_gain(probabilities: Mapping[str, float], tells: Iterable[str]) -> float:
    """Expected bits about the cause gained by a check that finds something mostly where one of `tells` is true."""
    total = sum(probabilities.values())
    if total <= 0:
        return 0.0
    told = min(1.0, sum(probabilities.get(cause, 0.0) for cause in set(tells)) / total)
    found = told * FINDS + (1 - told) * FALSELY_FINDS
    return max(0.0, _entropy(found) - told * _entropy(FINDS) - (1 - told) * _entropy(FALSELY_FINDS))


def _entropy(share: float) -> float:
    return -sum(p * log2(p) for p in (share, 1 - share) if p > 0)
