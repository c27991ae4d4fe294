"""Fleet-level cases: a root cause that comes more often in one group of vehicles than in others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.findings import Text

Group = tuple[tuple[str, str], ...]
"""(attribute, value) pairs, by attribute."""


class EmergingState(StrEnum):
    """Life of a case."""

    OPEN = "open"
    CLOSED = "closed"
    """A person has looked at it and ended it; its group raises no further case of this cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergingCase:
    """One root cause in one group of vehicles.

    Attributes:
        id: hash of cause and group. title: the cause in words. group: (attribute, value) pairs that all its vehicles share, such as ("lot.water_pump", "L7").
        opened_ns: time of the failure that raised it. updated_ns: of the latest one counted.
        vehicles: those that failed, in order of their failures. at_risk: vehicles of the group.
        expected: failures that the group would have had at the rate of others of the same model and age.
        ratio: (low, likely, high) rate of the group over that of the others, 95 %; infinite where the others had none.
        evidence: log10 of the e-value that the rate is more than the tolerated multiple (3 = 1000 : 1).
        weekly: failures in each of the latest weeks, the last one last. growth: failures of the latest four weeks over those of the four
            before, None where those had none. also: other groups that hold most of the same failures.
        closed_by, note: who ended it, and why.
    """

    id: str
    cause: str
    title: Text
    group: Group
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
    also: tuple[Group, ...] = ()
    closed_by: str = ""
    note: str = ""
