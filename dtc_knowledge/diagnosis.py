"""From an incident to its probable root causes, checks, plan, urgency and advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.codes import CodeInfo
from domain.findings import (
    Alert,
    AlertState,
    Cause,
    Check,
    Diagnosis,
    Evidence,
    PlanLine,
    Recommendation,
    Source,
    SourceKind,
    Text,
    Urgency,
)
from domain.fleet import Vehicle
from domain.records import VehicleCase
from dtc_knowledge.code_table import CodeCatalogue
from dtc_knowledge.evidence import Observation, Standing, alert_codes, base_code, is_open, likely_powertrain, observe
from dtc_knowledge.files import KnowledgeFiles, source_titles
from dtc_knowledge.information import Step, ordered_steps
from dtc_knowledge.matching import FIRM, Match, RankedCause, match_patterns, rank_causes
from dtc_knowledge.offers import with_repairs
from dtc_knowledge.pattern import Pattern, Role
from dtc_knowledge.planning import Handling, Workshop, advice, handling, plan_lines, system_need
from dtc_knowledge.rejection import Rejected, rejected
from dtc_knowledge.urgency import Item, fuse

MOST_CAUSES = 8
MOST_CHECKS = 6
MILEAGE = "Vehicle.TraveledDistance"
GENERAL_CHECK = Check(
    id="read_codes",
    title=Text(
        en="Read all codes with freeze frames, then check connectors and supply", zh="读取全部故障码与冻结帧，检查插接件和供电"
    ),
    minutes=20,
)


NO_VALUES: Mapping[str, float] = {}
SOME_VEHICLE = Vehicle(id="")
"""A vehicle of which nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the signs say: patterns strongest first, causes with probabilities that add up to 1, checks in order.

    `unexplained`: codes that no pattern speaks of. `seen`, `powertrain`: what was judged.
    """

    matched: tuple[Match, ...]
    ranked: tuple[tuple[RankedCause, float], ...]
    steps: tuple[Step, ...]
    unexplained: tuple[str, ...]
    seen: Observation
    powertrain: str

    @property
    def checks(self) -> tuple[Check, ...]:
        """The steps without their figures, the most informative for its time first."""
        return tuple(step.check for step in self.steps) or (GENERAL_CHECK,)

    @property
    def pattern(self) -> Pattern | None:
        """The pattern of the leading cause."""
        return self.ranked[0][0].match.pattern if self.ranked else None


@dataclass(frozen=True, slots=True)
class FaultKnowledge:
    """A `domain.ports.Knowledge` over code tables and worked patterns: pure, deterministic, without state.

    Attributes:
        codes: what single codes say. files: patterns, operations and parts by id.
    """

    codes: CodeCatalogue
    files: KnowledgeFiles

    def workshop(self, model: str = "") -> Workshop:
        """Operations and parts, with what a maker adds for a model."""
        return Workshop(self.files.operations, self.files.parts, self.files.offers, model)

    def lookup(self, code: str) -> CodeInfo:
        """What the code says by itself."""
        return self.codes.lookup(code)

    def calibrated(self, found: Mapping[tuple[str, str], int]) -> FaultKnowledge:
        """The knowledge with its shares moved by repairs, (pattern, cause) -> how many found it; what it does not know is left out."""
        if not found:
            return self
        patterns = {id_: with_repairs(pattern, found) for id_, pattern in self.files.patterns.items()}
        return replace(self, files=replace(self.files, patterns=patterns))

    def of_maker(self, maker: str) -> FaultKnowledge:
        """The knowledge with the names that a maker gives to the codes of its own range; unchanged for an unknown maker."""
        codes = self.codes.for_maker(maker)
        return self if codes is self.codes else replace(self, codes=codes)

    def assess(self, seen: Observation, vehicle: Vehicle = SOME_VEHICLE) -> Assessment:
        """Patterns, causes and checks for a set of signs; the order in which signs came does not matter.

        A vehicle without a known powertrain ("") is judged by what its signs speak of.
        """
        seen = _known(seen, vehicle)
        powertrain = vehicle.powertrain or likely_powertrain(seen)
        fitting = [p for p in self.files.index.concerned(seen) if p.fits(powertrain, vehicle.model, vehicle.brand)]
        matched = match_patterns(fitting, seen)
        ranked = rank_causes(matched, seen)[:MOST_CAUSES]
        total = sum(cause.belief for cause in ranked)
        touched = {key for match in matched for key in match.touched}
        probabilities = tuple((cause, round(cause.belief / total, 4)) for cause in ranked)
        return Assessment(
            matched=matched,
            ranked=probabilities,
            steps=ordered_steps([match.pattern for match in matched], {c.cause.id: p for c, p in probabilities})[:MOST_CHECKS],
            seen=seen,
            powertrain=powertrain,
            unexplained=tuple(sorted((seen.codes.keys() if seen.own is None else seen.own) - touched)),
        )

    def named(self, codes: Mapping[str, Standing]) -> tuple[Alert, ...]:
        """Codes named by hand, as the alerts that they would be."""
        return tuple(_named_alert(code, self.codes.lookup(code), how) for code, how in codes.items())

    def explain(
        self,
        own: Sequence[Alert],
        signals: Mapping[str, float] = NO_VALUES,
        absent: Sequence[str] = (),
        vehicle: Vehicle = SOME_VEHICLE,
        context: Sequence[Alert] = (),
    ) -> Assessment:
        """Patterns, causes and checks for alerts and values.

        Args:
            signals: VSS path -> value. absent: codes that are not there although they were tested. context: what else is open.
        """
        seen = observe(own, context, self.codes.monitors)
        known = replace(
            seen,
            values={**seen.values, **signals},
            first_ns=seen.first_ns if all(alert.opened_ns for alert in own) else {},  # named by hand: nobody said when
            absent=(seen.absent | frozenset(map(base_code, absent))) - seen.codes.keys(),
            own=seen.own if context else None,
        )
        return self.assess(known, vehicle)

    def rejected(self, found: Assessment, vehicle: Vehicle = SOME_VEHICLE) -> tuple[Rejected, ...]:
        """Faults that the signs bring to mind and that are not believed, with the reason."""
        fitting = [p for p in self.files.patterns.values() if p.fits(found.powertrain, vehicle.model, vehicle.brand)]
        return rejected(fitting, found.seen, found.matched, self.codes)

    def diagnose(self, case: VehicleCase, incident_id: str, vehicle: Vehicle) -> Diagnosis:
        """Probable causes of one incident; the vehicle's other open incidents count as context, and may be merged."""
        own, others = _split(case, incident_id)
        found = self.assess(observe(own, others, self.codes.monitors), vehicle)
        return Diagnosis(
            incident_id=incident_id,
            system=found.pattern.system if found.pattern else _group(own),
            causes=self.causes(found),
            checks=found.checks,
            patterns=tuple(match.pattern.id for match in found.matched),
            unexplained=found.unexplained,
            merges=_merges(found, own, others),
        )

    def causes(self, found: Assessment) -> tuple[Cause, ...]:
        """The ranked causes as records."""
        return tuple(
            Cause(
                id=ranked.cause.id,
                pattern=ranked.match.pattern.id,
                title=ranked.cause.title,
                probability=probability,
                explains=ranked.touched,
                sources=source_titles((*ranked.match.pattern.sources, ranked.cause.source), self.codes.sources),
            )
            for ranked, probability in found.ranked
        )

    def recommend(self, case: VehicleCase, diagnosis: Diagnosis, vehicle: Vehicle, time_ns: int) -> Recommendation:
        """What to do about a diagnosed incident, how soon and why."""
        own, others = _split(case, diagnosis.incident_id)
        found = self.assess(observe(own, others, self.codes.monitors), vehicle)
        codes = self.codes.for_maker(vehicle.brand)
        decided = fuse(own, others, found.matched, codes, explained_by_others(found, own))
        plan, needs = self.plan(found, _group(own), _is_truck(own, vehicle), vehicle.model)
        way = handling(found.pattern, decided.urgency)
        if found.ranked and way.action == "dealer" and self.workshop(vehicle.model).remote(found.ranked[0][0].cause):
            way = replace(way, action="remote")
        worst = max(own, key=lambda alert: alert.urgency, default=None)
        return Recommendation(
            incident_id=diagnosis.incident_id,
            vehicle=case.vehicle,
            group_key=_group(own),
            time_ns=time_ns,
            title=found.pattern.title if found.pattern else worst.title if worst else _NOTHING,
            urgency=decided.urgency,
            urgency_reason=decided.reason,
            action=way.action,
            drive=way.drive,
            safety=way.safety,
            advice=advice(found.pattern, decided.urgency),
            causes=diagnosis.causes,
            checks=diagnosis.checks,
            plan=plan,
            alerts=tuple(alert.id for alert in own),
            codes=tuple(dict.fromkeys(code for alert in own for code in alert_codes(alert))),
            capabilities=needs,
            patterns=diagnosis.patterns,
            merges=diagnosis.merges,
        )

    def plan(self, found: Assessment, group: str, truck: bool, model: str = "") -> tuple[tuple[PlanLine, ...], tuple[str, ...]]:
        """Plan lines, and what a workshop must be able to do."""
        needs = set(found.pattern.needs) if found.pattern else {system_need(group)}
        shop = self.workshop(model)
        lines = plan_lines(found.ranked, shop, needs)
        needs |= shop.needs(lines) | ({"truck"} if truck else set())
        return lines, tuple(sorted(needs))

    def judge(self, found: Assessment, own: Sequence[Alert], context: Sequence[Alert] = ()) -> tuple[Item, Handling, Text]:
        """Urgency, handling and advice for alerts and for values named by hand."""
        decided = fuse(own, context, found.matched, self.codes, explained_by_others(found, own) if context else frozenset())
        pattern = found.pattern
        keys = _keys(own)
        for match in found.matched:
            shown = [predicate for predicate in match.measured if predicate.role is Role.TRIGGER]
            concerned = not context or _own_ground(match, keys)
            if shown and concerned and match.belief >= FIRM and match.pattern.urgency > decided.urgency:
                en, zh = ", ".join(p.text.en for p in shown), "，".join(p.text.zh for p in shown)
                decided = Item(urgency=match.pattern.urgency, reason=Text(en=f"measured: {en}", zh=f"实测：{zh}"))
                pattern = match.pattern
        return decided, handling(pattern, decided.urgency), advice(pattern, decided.urgency)


_NOTHING = Text(en="No open alert", zh="无未关闭的告警")


def _split(case: VehicleCase, incident_id: str) -> tuple[list[Alert], list[Alert]]:
    """Open alerts of the incident, and the vehicle's other open alerts, each in an order of their own."""
    alerts = sorted((a for a in case.alerts if is_open(a)), key=lambda a: (a.opened_ns, a.id))
    return [a for a in alerts if a.incident_id == incident_id], [a for a in alerts if a.incident_id != incident_id]


def _known(seen: Observation, vehicle: Vehicle) -> Observation:
    """The signs with the vehicle's mileage, where it is known and no signal said it."""
    if vehicle.odometer_km is None or MILEAGE in seen.values:
        return seen
    return replace(seen, values={**seen.values, MILEAGE: vehicle.odometer_km})


def _group(own: Sequence[Alert]) -> str:
    return own[0].group_key if own else ""


def _is_truck(own: Sequence[Alert], vehicle: Vehicle) -> bool:
    return vehicle.powertrain == "truck" or any(code.startswith("SPN") for alert in own for code in alert_codes(alert))


def _own_ground(match: Match, own_keys: set[str]) -> bool:
    """Whether the pattern rests on signs of the incident itself, not only on consequences or context."""
    return any(key in own_keys and not match.pattern.explains_code(key) for key in match.touched)


def _keys(own: Sequence[Alert]) -> set[str]:
    keys = {code for alert in own for code in alert_codes(alert)}
    return keys | {alert.source.id for alert in own if alert.source.kind is not SourceKind.DTC}


def _merges(found: Assessment, own: Sequence[Alert], others: Sequence[Alert]) -> tuple[str, ...]:
    """Other incidents that this one answers: nothing but consequences of it, or later ones that share its leading pattern."""
    keys = _keys(own)
    parents = [m.pattern for m in found.matched if m.belief >= FIRM and m.pattern.explains and _own_ground(m, keys)]
    by_incident: dict[str, list[Alert]] = {}
    for alert in others:
        by_incident.setdefault(alert.incident_id, []).append(alert)
    return tuple(
        sorted(i for i, alerts in by_incident.items() if _consequence(alerts, parents) or _same_fault(found, keys, own, alerts))
    )


def _consequence(alerts: Sequence[Alert], parents: Sequence[Pattern]) -> bool:
    return all(
        alert.source.kind is SourceKind.DTC and all(any(p.explains_code(code) for p in parents) for code in alert_codes(alert))
        for alert in alerts
    )


def _same_fault(found: Assessment, keys: set[str], own: Sequence[Alert], later: Sequence[Alert]) -> bool:
    """Whether the leading pattern rests on both incidents, every sign of the other one triggers it, and this one came first."""
    if not own or not found.matched or found.matched[0].belief < FIRM or found.matched[0].pattern.fallback:
        return False
    leading = found.matched[0]
    first = min((a.opened_ns, a.id) for a in own) < min((a.opened_ns, a.id) for a in later)
    return first and _own_ground(leading, keys) and all(leading.pattern.triggered_by(key) for key in _keys(later))


def explained_by_others(found: Assessment, own: Sequence[Alert]) -> frozenset[str]:
    """Codes of the incident that a pattern resting on another incident's signs explains."""
    keys = _keys(own)
    parents = [m.pattern for m in found.matched if m.belief >= FIRM and m.pattern.explains and not _own_ground(m, keys)]
    return frozenset(key for key in keys if any(p.explains_code(key) for p in parents))


def _named_alert(code: str, info: CodeInfo, how: Standing) -> Alert:
    return Alert(
        id=code,
        incident_id="",
        vehicle="",
        source=Source(kind=SourceKind.DTC, id=code),
        state=AlertState.OPEN,
        severity=info.severity,
        urgency=Urgency.MONITOR,
        group_key=info.group_key,
        title=info.title,
        explanation=info.title,
        opened_ns=0,
        updated_ns=0,
        evidence=(Evidence(kind="dtc", signal=code, note=how.value),),
        codes=(code,),
    )
