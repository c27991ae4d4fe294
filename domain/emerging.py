"""Fleet-level cases: a root cause that comes more often in one group of vehicles than in others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EmergingState(StrEnum):
    """Life of a case."""

    OPEN = "open"
    CLOSED = "closed"
    """A person has looked at it and ended it; its group raises no further case of this cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergingCase:
    """One cause in one group of vehicles of a model.

    Attributes:
        id: hash of cause, model and group. group: (attribute, value) pairs that all its vehicles share ("supplier_lot", "L7").
        opened_ns: time of the failure that raised it. updated_ns: of the latest one counted.
        vehicles: those that failed, in order of their failures. at_risk: vehicles of the group.
        expected: failures that the group would have had at the rate of the others of its model and age.
        ratio: (low, likely, high) observed rate over that rate, 95 %.
        evidence: log10 of the odds by which the failures speak for the group being worse (an e-value; 3 = 1000 : 1).
        weekly: failures in each of the latest weeks, the last one last. growth: of the rate, latest four weeks over the four before; None
            where those were empty. also: other groups that hold about the same vehicles.
    """

    id: str
    cause: str
    model: str
    group: tuple[tuple[str, str], ...]
    state: EmergingState
    opened_ns: int
    updated_ns: int
    vehicles: tuple[str, ...]
    at_risk: int
    expected: float
    ratio: tuple[float, float, float]
    evidence: float
    weekly: tuple[int, ...]
    growth: float | None
    also: tuple[tuple[tuple[str, str], ...], ...] = ()
    closed_by: str = ""
    note: str = ""
