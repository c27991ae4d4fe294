"""Alerts and cases for tests of the knowledge, and the shipped knowledge, read once."""

from __future__ import annotations

from functools import cache

from domain.findings import (
    Alert,
    AlertState,
    Diagnosis,
    Evidence,
    Recommendation,
    Severity,
    Source,
    SourceKind,
    Text,
    Urgency,
)
from domain.fleet import Vehicle
from domain.records import VehicleCase
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.loading import load_knowledge

SECOND_NS = 1_000_000_000
CAR = Vehicle(id="car", powertrain="petrol")
EV = Vehicle(id="car", powertrain="ev")
TRUCK = Vehicle(id="car", powertrain="truck")


@cache
def knowledge() -> FaultKnowledge:
    return load_knowledge()


def code_alert(
    code: str,
    *,
    incident: str | None = None,
    note: str = "active, control unit 7E8",
    lamps: tuple[str, ...] = (),
    unit: str = "",
    at_s: int = 0,
    state: AlertState = AlertState.OPEN,
) -> Alert:
    info = knowledge().lookup(code)
    return Alert(
        id=f"alert-{code}{unit}",
        incident_id=incident or info.group_key,
        vehicle="car",
        source=Source(kind=SourceKind.DTC, id=code + unit),
        state=state,
        severity=info.severity,
        urgency=info.urgency,
        group_key=info.group_key,
        title=info.title,
        explanation=info.title,
        opened_ns=at_s * SECOND_NS,
        updated_ns=at_s * SECOND_NS,
        evidence=(
            Evidence(kind="dtc", signal=code, note=note),
            *(Evidence(kind="lamp", signal=lamp, value=1.0, note="on") for lamp in lamps),
        ),
        codes=(code,),
    )


def rule_alert(
    rule: str,
    urgency: Urgency,
    group: str,
    *,
    incident: str | None = None,
    kind: SourceKind = SourceKind.RULE,
    evidence: tuple[Evidence, ...] = (),
    codes: tuple[str, ...] = (),
    at_s: int = 0,
) -> Alert:
    words = Text(en=f"{rule} holds", zh=f"{rule} 成立")
    return Alert(
        id=f"alert-{rule}",
        incident_id=incident or group,
        vehicle="car",
        source=Source(kind=kind, id=rule),
        state=AlertState.OPEN,
        severity=Severity.HIGH,
        urgency=urgency,
        group_key=group,
        title=words,
        explanation=words,
        opened_ns=at_s * SECOND_NS,
        updated_ns=at_s * SECOND_NS,
        evidence=evidence,
        codes=codes,
    )


def case(*alerts: Alert) -> VehicleCase:
    return VehicleCase(vehicle="car", alerts=tuple(sorted(alerts, key=lambda a: (a.opened_ns, a.id))))


def answer(incident: str, *alerts: Alert, vehicle: Vehicle = CAR) -> tuple[Diagnosis, Recommendation]:
    found = case(*alerts)
    diagnosis = knowledge().diagnose(found, incident, vehicle)
    return diagnosis, knowledge().recommend(found, diagnosis, vehicle, 5 * SECOND_NS)


def codes_answer(*codes: str, vehicle: Vehicle = CAR) -> tuple[Diagnosis, Recommendation]:
    """All codes in one incident."""
    return answer("one", *(code_alert(code, incident="one") for code in codes), vehicle=vehicle)


def cause_ids(diagnosis: Diagnosis) -> list[str]:
    return [cause.id for cause in diagnosis.causes]


def probability(diagnosis: Diagnosis, cause_id: str) -> float:
    return next((cause.probability for cause in diagnosis.causes if cause.id == cause_id), 0.0)


def operations(recommendation: Recommendation) -> list[str]:
    return [line.operation for line in recommendation.plan]
