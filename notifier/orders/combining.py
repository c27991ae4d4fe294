"""Several recommendations for one vehicle as one: what an order says that answers more than one incident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain.findings import Cause, Check, PlanLine, Recommendation


def combine(incidents: Sequence[str], recommendations: Iterable[Recommendation]) -> Recommendation:
    """What to do about these incidents together; depends on the set of recommendations only, not on how it came about.

    The most urgent recommendation leads (the earliest of `incidents` among equals); safety words and urgency are those of the most
    urgent one of all. Work, causes and checks of the others are added to the leader's, but not of an incident that another one
    explains: that one's repair takes it away; nor care that a repair does on the way. Probabilities stay as each diagnosis gave them.

    Args:
        incidents: at least one of them has a recommendation.
        recommendations: the latest of each incident of the vehicle.
    """
    known = {recommendation.incident_id: recommendation for recommendation in recommendations}
    answered = [known[incident] for incident in incidents if incident in known]
    explained = {incident for one in answered for incident in one.merges if incident != one.incident_id}
    causal = [one for one in answered if one.incident_id not in explained] or answered
    lead = max(causal, key=lambda one: one.urgency)
    worst = max((lead, *answered), key=lambda one: one.urgency)
    causal = [lead, *(one for one in causal if one is not lead)]
    return replace(
        lead,
        urgency=worst.urgency,
        urgency_reason=worst.urgency_reason,
        action=worst.action,
        drive=worst.drive,
        safety=worst.safety,
        advice=worst.advice,
        causes=_joined_causes(causal),
        checks=_joined_checks(causal),
        plan=_joined_plan(causal),
        alerts=_joined(one.alerts for one in answered),
        codes=_joined(one.codes for one in answered),
        capabilities=_joined(one.capabilities for one in causal),
        patterns=_joined(one.patterns for one in causal),
        merges=_joined(one.merges for one in causal),
    )


def _joined(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))


def _joined_causes(recommendations: Sequence[Recommendation]) -> tuple[Cause, ...]:
    by_id: dict[str, Cause] = {}
    for recommendation in recommendations:
        for cause in recommendation.causes:
            by_id.setdefault(cause.id, cause)
    return tuple(by_id.values())


def _joined_checks(recommendations: Sequence[Recommendation]) -> tuple[Check, ...]:
    by_id: dict[str, Check] = {}
    for recommendation in recommendations:
        for check in recommendation.checks:
            by_id.setdefault(check.id, check)
    return tuple(by_id.values())


def _joined_plan(recommendations: Sequence[Recommendation]) -> tuple[PlanLine, ...]:
    """The leader's lines, then others' operations that are not among them, numbered through; no work and no part of care twice."""
    if len(recommendations) == 1:
        return recommendations[0].plan
    by_operation: dict[str, PlanLine] = {}
    for line in (line for recommendation in recommendations for line in recommendation.plan):
        known = by_operation.get(line.operation)
        if known is None or (known.optional and not line.optional):  # what is to be done anyway is no option
            by_operation[line.operation] = line
    sure = {line.operation for line in by_operation.values() if not line.optional}
    needed = [line for line in by_operation.values() if sure.isdisjoint(line.covered_by)]
    return tuple(replace(_with_own_parts(line, needed), line=number) for number, line in enumerate(needed, start=1))


def _with_own_parts(line: PlanLine, visit: Sequence[PlanLine]) -> PlanLine:
    """The line without the parts that other work of the visit brings; among lines that share, the first one brings them."""
    if not line.shares_parts:
        return line
    brought: Counter[str] = Counter()
    before = True
    for other in visit:
        before = before and other is not line
        if other is not line and not other.optional and (before or not other.shares_parts):
            brought.update({part.number: part.quantity for part in other.parts})
    parts = (replace(part, quantity=part.quantity - brought[part.number]) for part in line.parts)
    return replace(line, parts=tuple(part for part in parts if part.quantity > 0))
