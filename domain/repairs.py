"""What repairs found: the label that comes back from the workshop to the fault knowledge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class RepairResult(StrEnum):
    """What the technician says of the diagnosis."""

    FOUND = "found"
    """The cause was found: the leading one, or the one that is named."""
    OTHER_CAUSE = "other_cause"
    """Something was wrong that was not among the causes."""
    NO_FAULT = "no_fault"
    """Nothing was found to be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairOutcome:
    """A workshop's result for one order. Every one is kept; the latest of an order counts.

    Attributes:
        pattern, cause: of the knowledge, what was found; "" where `result` is not FOUND.
        author: who reported it. note: in the author's words. created_ns: wall time.
    """

    order: str
    result: RepairResult
    pattern: str
    cause: str
    author: str
    note: str
    created_ns: int


def latest_outcomes(outcomes: Iterable[RepairOutcome]) -> list[RepairOutcome]:
    """The latest outcome of each order, by order; of equals the last one."""
    latest: dict[str, RepairOutcome] = {}
    for outcome in outcomes:
        if outcome.order not in latest or outcome.created_ns >= latest[outcome.order].created_ns:
            latest[outcome.order] = outcome
    return [latest[order] for order in sorted(latest)]


def cause_counts(outcomes: Iterable[RepairOutcome]) -> dict[tuple[str, str], int]:
    """(pattern, cause) -> repairs that found it, by the latest outcome of each order."""
    found = Counter((each.pattern, each.cause) for each in latest_outcomes(outcomes) if each.result is RepairResult.FOUND)
    return dict(sorted(found.items()))
