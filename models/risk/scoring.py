"""Assessments of vehicles by a hazard: probability, remaining life, decision and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.findings import Text
from domain.risk import Contribution, RiskAssessment
from models.risk.components import Component
from models.risk.decision import chosen
from models.risk.hazard import Hazard
from models.risk.words import reasons

Floats = NDArray[np.float64]

EXPLAINED_FROM = 0.25
"""Share of the probability at which a visit pays, from which a risk is explained: most vehicles have nothing to be explained."""
TOLD_FROM = 0.2
"""A remaining life is told where a failure within the model's reach is at least so likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Vehicles with the features known of each at one time [vehicles, features]; `workshop`: the region that would take the visit."""

    vehicles: Sequence[str]
    workshop: Sequence[str]
    values: Floats


def assess(
    hazard: Hazard,
    component: Component,
    asked: Asked,
    *,
    day: int,
    model: str,
    champion: bool,
    capacity: int | None,
    explain_all: bool = False,
    names: Mapping[str, Text] | None = None,
) -> list[RiskAssessment]:
    """One assessment for each vehicle, in their order; at most `capacity` visits of each workshop.

    Risks too small to matter are only explained with `explain_all`: without, their whole score is base.
    """
    if not len(asked.vehicles):
        return []
    odds = hazard.odds(asked.values)
    probability = hazard.risk(odds)
    within, likely = hazard.likely_days(odds)
    explained = np.flatnonzero(explain_all | (probability >= EXPLAINED_FROM * component.threshold))
    scores = odds[:, : hazard.windows.horizon].mean(axis=1)
    base = scores.copy()
    shares = dict[int, Floats]()
    if len(explained):
        _, base[explained], parts_of = hazard.explain(asked.values[explained])
        shares = dict(zip(explained.tolist(), parts_of, strict=True))
    avoided = component.avoided(probability)
    act = chosen(avoided, np.unique(np.array(asked.workshop), return_inverse=True)[1], capacity)
    usual = dict(zip(hazard.features, hazard.usual.tolist(), strict=True))
    low = high = likely
    if hazard.margins is not None:
        low, high = hazard.margins.around(likely, hazard.windows.gap_days, hazard.windows.reach_days)
    found = []
    for number, vehicle in enumerate(asked.vehicles):
        parts = _contributions(hazard, asked.values[number], shares[number]) if number in shares else ()
        told = within[number] >= TOLD_FROM and hazard.margins is not None
        found.append(
            RiskAssessment(
                vehicle=vehicle,
                model=model,
                component=component.id,
                group_key=component.group_key,
                day=day,
                champion=champion,
                probability=float(probability[number]),
                gap_days=hazard.windows.gap_days,
                horizon_days=hazard.windows.horizon_days,
                remaining_days=(float(low[number]), float(likely[number]), float(high[number])) if told else None,
                score=float(scores[number]),
                base=float(base[number]),
                contributions=parts,
                reasons=reasons(parts, usual, names or {}) if parts else (),
                act=bool(act[number]),
                avoided_cost=float(avoided[number]),
            )
        )
    return found


def _contributions(hazard: Hazard, values: Floats, shares: Floats) -> tuple[Contribution, ...]:
    """Every feature's, the greatest by size first."""
    order = np.argsort(-np.abs(shares), kind="stable").tolist()
    return tuple(
        Contribution(
            feature=hazard.features[place],
            value=None if np.isnan(values[place]) else float(values[place]),
            contribution=float(shares[place]),
        )
        for place in order
    )
