"""One health score for each system of a vehicle, from rules, detectors, trouble codes, diagnosis and risk, with its reasons.

What tells of one incident is one matter, however many sources saw it: its loss is that of the worst word on it. A risk is a matter of its
own, unless an incident of its group is open: then it joins that. Matters multiply: `score = 100 (1 - a) (1 - b) …`, and the points that
each takes (in proportion to log(1 - loss)) sum to what is missing of 100.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import log1p, prod

from domain.findings import Alert, AlertState, Recommendation, Text, Urgency
from domain.risk import RiskAssessment

LOSSES: Mapping[Urgency, float] = {
    Urgency.STOP: 0.9,
    Urgency.TODAY: 0.6,
    Urgency.SOON: 0.35,
    Urgency.NEXT: 0.15,
    Urgency.MONITOR: 0.05,
}
"""Share of the health that an open incident takes."""
RISK_LOSS = 0.6
"""Share that a certain failure within the horizon would take."""
_LEAST = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReason:
    """What takes points. `kind`: "rule", "model", "dtc", "diagnosis" or "risk"; `id`: of the alert, incident or risk model."""

    kind: str
    id: str
    title: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthMatter:
    """One matter with all that tells of it, the strongest word first; `points` that it takes of 100."""

    points: float
    reasons: tuple[HealthReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemHealth:
    """`score`: 0 to 100; the points of `matters` sum to what is missing."""

    system: str
    score: float
    matters: tuple[HealthMatter, ...]


@dataclass(slots=True)
class _Matter:
    group_key: str
    words: list[tuple[float, HealthReason]] = field(default_factory=list)

    @property
    def loss(self) -> float:
        return max(loss for loss, _ in self.words)


def system_health(
    alerts: Iterable[Alert], recommendations: Iterable[Recommendation], risks: Iterable[RiskAssessment]
) -> tuple[SystemHealth, ...]:
    """Systems of which something is known, the worst first.

    Args:
        alerts: of one vehicle; resolved ones are passed over. recommendations: the diagnosis of each incident. risks: the champions' latest.
    """
    matters: dict[str, _Matter] = {}
    for alert in alerts:
        if alert.state is not AlertState.RESOLVED:
            matter = matters.setdefault(alert.incident_id, _Matter(alert.group_key))
            matter.words.append(
                (LOSSES[alert.urgency], HealthReason(kind=alert.source.kind.value, id=alert.id, title=alert.title))
            )
    for each in recommendations:
        if each.incident_id in matters:
            reason = HealthReason(kind="diagnosis", id=each.incident_id, title=each.title)
            matters[each.incident_id].words.append((LOSSES[each.urgency], reason))
    by_group = {matter.group_key: matter for matter in matters.values()}
    for risk in risks:
        matter = by_group.get(risk.group_key) or matters.setdefault(f"risk {risk.component}", _Matter(risk.group_key))
        title = risk.reasons[0] if risk.reasons else Text(en=risk.component, zh=risk.component)
        matter.words.append((RISK_LOSS * risk.probability, HealthReason(kind="risk", id=risk.model, title=title)))
    systems: dict[str, list[_Matter]] = defaultdict(list)
    for matter in matters.values():
        systems[matter.group_key.partition("/")[0]].append(matter)
    found = [_health(system, mine) for system, mine in systems.items()]
    return tuple(sorted(found, key=lambda each: (each.score, each.system)))


def champions(risks: Iterable[RiskAssessment]) -> tuple[RiskAssessment, ...]:
    """The latest risk of each component by a model that was active then, the greatest first."""
    latest: dict[str, RiskAssessment] = {}
    for risk in risks:
        if risk.champion and (risk.component not in latest or risk.day >= latest[risk.component].day):
            latest[risk.component] = risk
    return tuple(sorted(latest.values(), key=lambda each: (-each.probability, each.component)))


def _health(system: str, matters: list[_Matter]) -> SystemHealth:
    score = 100.0 * prod(1.0 - matter.loss for matter in matters)
    total = sum(log1p(-matter.loss) for matter in matters)
    told = [
        HealthMatter(
            points=(100.0 - score) * log1p(-matter.loss) / total,
            reasons=tuple(reason for _, reason in sorted(matter.words, key=lambda word: -word[0])),
        )
        for matter in matters
        if matter.loss >= _LEAST
    ]
    return SystemHealth(system=system, score=score, matters=tuple(sorted(told, key=lambda each: -each.points)))
