"""How likely a component of a vehicle is to fail, and why."""

from __future__ import annotations

from dataclasses import dataclass

from domain.findings import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one feature adds to the score, in log-odds. `value`: None where the feature was missing."""

    feature: str
    value: float | None
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAssessment:
    """One model's view of one component of one vehicle on one day.

    Attributes:
        model: id of the version. component, group_key: what may fail, and how alerts of it group.
        day: days since 1970-01-01 (UTC) at whose end it was decided. champion: the version was active then.
        probability: of a failure within `horizon_days` after the next `gap_days`, given that there was none before.
        remaining_days: (earliest, likely, latest) where the failure comes within the model's reach; None where that is unlikely.
        score: log-odds = `base` + the sum of all contributions; `contributions` holds every one, the greatest first, or none where the
            risk is too small to be explained.
        reasons: the strongest contributions in words. act: worth a visit, and within what workshops can take.
        avoided_cost: expected cost that a visit avoids, in the currency of the cost table (negative: not worth it).
    """

    vehicle: str
    model: str
    component: str
    group_key: str
    day: int
    champion: bool
    probability: float
    gap_days: int
    horizon_days: int
    remaining_days: tuple[float, float, float] | None
    score: float
    base: float
    contributions: tuple[Contribution, ...]
    reasons: tuple[Text, ...]
    act: bool
    avoided_cost: float
