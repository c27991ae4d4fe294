"""Findings, recommendations, dealers and vehicles for these tests, with every field set to something plain."""

from __future__ import annotations

from domain.consents import ConsentBasis
from domain.findings import (
    Cause,
    Check,
    Finding,
    Part,
    PlanLine,
    Recommendation,
    Severity,
    Source,
    SourceKind,
    Text,
    Transition,
    Urgency,
)
from domain.fleet import Dealer, Vehicle
from domain.rescue import ConfirmedBy, Position, PositionSource, Rescue

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
WEDNESDAY_10_UTC_NS = 1_750_240_800 * SECOND_NS
"""2025-06-18T10:00:00Z, 18 o'clock in China."""
SHANGHAI = (31.2304, 121.4737)


def text(words: str) -> Text:
    return Text(en=words, zh=f"中文 {words}")


def finding(
    transition: Transition = Transition.RAISED,
    *,
    at_s: float = 0,
    source: str = "coolant_hot",
    kind: SourceKind = SourceKind.RULE,
    group: str = "engine.cooling/thermostat",
    vehicle: str = "v1",
    severity: Severity = Severity.MEDIUM,
    urgency: Urgency = Urgency.SOON,
    **more: object,
) -> Finding:
    return Finding(
        vehicle=vehicle,
        source=Source(kind=kind, id=source),
        transition=transition,
        time_ns=round(at_s * SECOND_NS),
        group_key=group,
        severity=severity,
        urgency=urgency,
        title=text(f"{source} {severity}"),
        explanation=text(f"{source} at {at_s}"),
        **more,  # type: ignore[arg-type]
    )


def plan_line(
    line: int = 1,
    operation: str = "replace thermostat",
    hours: str = "1.5",
    parts: tuple[Part, ...] | None = None,
    **more: object,
) -> PlanLine:
    if parts is None:
        parts = (Part(number="PC-THERMOSTAT", name=text("thermostat"), quantity=1, price="180.00"),)
    return PlanLine(line=line, operation=operation, description=text(operation), labour_hours=hours, parts=parts, **more)  # type: ignore[arg-type]


def recommendation(incident: str = "i1", urgency: Urgency = Urgency.SOON, **more: object) -> Recommendation:
    fields: dict[str, object] = {
        "incident_id": incident,
        "vehicle": "v1",
        "group_key": "engine.cooling/thermostat",
        "time_ns": WEDNESDAY_10_UTC_NS,
        "title": text("thermostat stuck open"),
        "urgency": urgency,
        "urgency_reason": text(f"because {urgency.name}"),
        "action": "dealer",
        "drive": "ok",
        "safety": "low",
        "advice": text("drive on"),
        "causes": (Cause(id="thermostat_open", pattern="RC01", title=text("thermostat"), probability=0.8),),
        "checks": (Check(id="watch_warm_up", title=text("watch the warm-up"), minutes=15),),
        "plan": (plan_line(),),
        "alerts": (),
    }
    return Recommendation(**(fields | more))  # type: ignore[arg-type]


def roadside(incident: str = "i1", **more: object) -> Recommendation:
    fields = {"action": "roadside", "drive": "no", "safety": "high", "advice": text("stop now")} | more
    return recommendation(incident, Urgency.STOP, **fields)


def dealer(identity: str = "d1", north_km: float = 1.0, **more: object) -> Dealer:
    """A dealer north of Shanghai's centre, open every day around the clock unless said otherwise."""
    fields: dict[str, object] = {
        "id": identity,
        "name": text(identity),
        "latitude": SHANGHAI[0] + north_km / 111.195,
        "longitude": SHANGHAI[1],
        "opens_hour": 0,
        "closes_hour": 24,
        "days_open": (1, 2, 3, 4, 5, 6, 7),
        "labour_rate": "200.00",
        "endpoint": f"https://{identity}.example/hook",
        "secret_name": "SECRET",
    }
    return Dealer(**(fields | more))  # type: ignore[arg-type]


def confirmed(location: tuple[float, float] = SHANGHAI, *, precision_m: int = 10) -> Rescue:
    """What a rescue order knows once its driver has said that help is needed."""
    return Rescue(
        confirmed_by=ConfirmedBy.DRIVER,
        confirmed_ns=WEDNESDAY_10_UTC_NS,
        position=Position(
            location=location,
            precision_m=precision_m,
            time_ns=WEDNESDAY_10_UTC_NS,
            source=PositionSource.DISPLAY,
            basis=ConsentBasis.CONSENT,
        ),
    )


def vehicle(**more: object) -> Vehicle:
    fields: dict[str, object] = {"id": "v1", "brand": "BYD", "model": "Han", "year": 2023, "powertrain": "ev", "home": SHANGHAI}
    return Vehicle(**(fields | more))  # type: ignore[arg-type]
