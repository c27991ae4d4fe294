"""`pitcall dtc explain`: what codes and measured values mean, as a JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from domain.findings import Alert, PlanLine, SourceKind, Text
from domain.fleet import Vehicle
from domain.orders import Order
from domain.records import VehicleCase
from domain.vss import catalogue
from dtc_knowledge.code_table import CodeCatalogue
from dtc_knowledge.diagnosis import SOME_VEHICLE, Assessment, FaultKnowledge
from dtc_knowledge.evidence import Standing, alert_codes, base_code, is_open, standing
from dtc_knowledge.matching import FIRM
from dtc_knowledge.offers import PRIOR_WEIGHT
from dtc_knowledge.pattern import Role

MOST_VALUES = 5
"""Measured values named as worth knowing."""


def say(text: Text, lang: str) -> str:
    """The words in a language, "en" or "zh"."""
    return text.zh if lang == "zh" else text.en


def explain(
    knowledge: FaultKnowledge,
    codes: Sequence[str],
    signals: Mapping[str, float],
    lang: str,
    absent: Sequence[str] = (),
    *,
    held: Mapping[str, Standing] | None = None,
    vehicle: Vehicle = SOME_VEHICLE,
    case: VehicleCase | None = None,
    incident: str = "",
) -> dict[str, Any]:
    """The JSON document of `pitcall dtc explain`: codes named, causes ranked and rejected, checks, plan, urgency with its reason.

    Args:
        codes: as reported, "P0301", "P0117:16", "SPN100/FMI3", "GB11"; active where `held` does not say otherwise.
        signals: VSS path -> measured value. lang: "en" or "zh".
        absent: codes that are not there although their monitors have run to the end.
        vehicle: whose model, mileage and powertrain count. case: what is known of it; its other open alerts are context, and
            without `codes` its own open alerts are explained, or those of one `incident`.
    """
    knowledge = knowledge.of_maker(vehicle.brand)
    names = {code.strip().upper(): (held or {}).get(code, Standing.ACTIVE) for code in codes}
    own, context = _split(knowledge, names, case, incident)
    if not names:
        names = {code: standing(alert) for alert in own for code in alert_codes(alert)}
    named = list(names)
    found = knowledge.explain(own, signals, absent, vehicle, context)
    decided, way, words = knowledge.judge(found, own, context)
    infos = [knowledge.lookup(code) for code in named]
    truck = vehicle.powertrain == "truck" or any(code.startswith("SPN") for code in named)
    plan, needs = knowledge.plan(found, infos[0].system if infos else "", truck, vehicle.model)
    currency = knowledge.files.offers.currency
    return {
        "codes": [_code(knowledge.codes, code, how, lang) for code, how in names.items()],
        "signals": [_signal(path, lang) | {"value": value} for path, value in _measured(found)],
        "vehicle": _vehicle(vehicle, case, lang) if case else None,
        "title": say(found.pattern.title, lang) if found.pattern else None,
        "patterns": [match.pattern.id for match in found.matched],
        "causes": [
            {
                "id": cause.id,
                "title": say(cause.title, lang),
                "probability": cause.probability,
                "pattern": cause.pattern,
                "explains": list(cause.explains),
                "sources": list(cause.sources),
            }
            for cause in knowledge.causes(found)
        ],
        "symptoms": [
            {"id": row.id, "title": say(row.text, lang)}
            for row in (knowledge.files.notes.symptoms_of(found.pattern.id) if found.pattern else ())
        ],
        "bulletins": _bulletins(knowledge, found, vehicle, lang),
        "evidence": _evidence(found, own, lang),
        "rejected": [
            {
                "pattern": other.pattern.id,
                "title": say(other.pattern.title, lang),
                "belief": round(other.belief, 4),
                "reason": say(other.reason, lang),
            }
            for other in knowledge.rejected(found, vehicle)
        ],
        "checks": [{"id": c.id, "title": say(c.title, lang), "minutes": c.minutes} for c in found.checks],
        "information": [{"check": s.check.id, "bits": s.bits, "tells": list(s.tells)} for s in found.steps],
        "unknown": _unknown(found, lang),
        "absent": list(absent),
        "prior": {"weight": PRIOR_WEIGHT, "repairs": {ranked.cause.id: ranked.cause.repairs for ranked, _ in found.ranked}},
        "plan": [_plan_line(line, lang) for line in plan],
        "parts": _parts(plan, lang, currency),
        "totals": _totals(plan, currency),
        "urgency": decided.urgency.name,
        "urgency_reason": say(decided.reason, lang),
        "action": way.action,
        "drive": way.drive,
        "safety": way.safety,
        "advice": say(words, lang),
        "capabilities": list(needs),
        "unexplained": list(found.unexplained),
        "lang": lang,
    }


def _split(
    knowledge: FaultKnowledge, names: Mapping[str, Standing], case: VehicleCase | None, incident: str
) -> tuple[Sequence[Alert], Sequence[Alert]]:
    """The alerts to explain, and what else is open on the vehicle."""
    known = [alert for alert in case.alerts if is_open(alert)] if case else []
    if names:
        told = {base_code(code) for code in names}
        return knowledge.named(names), [alert for alert in known if told.isdisjoint(alert_codes(alert))]
    own = [alert for alert in known if incident in ("", alert.incident_id)]
    return own, [alert for alert in known if alert not in own]


def _vehicle(vehicle: Vehicle, case: VehicleCase, lang: str) -> dict[str, Any]:
    """What the store knows of the vehicle, without anything personal."""
    return {
        "id": vehicle.id,
        "brand": vehicle.brand,
        "model": vehicle.model,
        "year": vehicle.year or None,
        "powertrain": vehicle.powertrain,
        "odometer_km": vehicle.odometer_km,
        "open": [
            {"title": say(alert.title, lang), "urgency": alert.urgency.name, "codes": list(alert_codes(alert))}
            for alert in case.alerts
            if is_open(alert)
        ],
        "orders": [_order(order, lang) for order in case.orders],
    }


def _order(order: Order, lang: str) -> dict[str, Any]:
    return {"id": order.id, "state": order.state, "title": say(order.recommendation.title, lang)}


def _signal(path: str, lang: str) -> dict[str, Any]:
    signal = catalogue().get(path)
    return {"signal": path, "name": say(signal.name, lang) if signal else path, "unit": signal.unit if signal else ""}


def _evidence(found: Assessment, own: Sequence[Alert], lang: str) -> list[dict[str, Any]]:
    """What each believed pattern rests on; a rule or model by its title."""
    titles = {alert.source.id: say(alert.title, lang) for alert in own if alert.source.kind is not SourceKind.DTC}
    return [
        {
            "pattern": match.pattern.id,
            "title": say(match.pattern.title, lang),
            "belief": round(match.belief, 4),
            "signs": [titles.get(key, key) for key in match.touched],
            "measured": [say(predicate.text, lang) for predicate in match.measured],
            "against": list(match.contrary),
        }
        for match in found.matched
        if match.belief >= FIRM or match is found.matched[0]
    ]


def _bulletins(knowledge: FaultKnowledge, found: Assessment, vehicle: Vehicle, lang: str) -> list[dict[str, Any]]:
    """What makers publish about the causes listed, for such a vehicle."""
    causes = {ranked.cause.id for ranked, _ in found.ranked}
    return [
        {"id": row.bulletin, "kind": row.kind, "title": say(row.text, lang), "cause": row.cause, "applies_to": row.applies_to}
        for row in knowledge.files.notes.bulletins_for(causes, vehicle)
    ]


def _measured(found: Assessment) -> list[tuple[str, float]]:
    """Values named by hand, measured by rules, or frozen with a code."""
    return sorted((path, value) for path, value in found.seen.values.items() if path in catalogue())


def _unknown(found: Assessment, lang: str) -> dict[str, Any]:
    """Codes that nothing explains, and values that the leading patterns would use and nobody has named."""
    paths = [
        path
        for match in found.matched[:2]
        for predicate in match.pattern.predicates
        if predicate.role is not Role.AGAINST
        for path in predicate.missing(found.seen.values)
    ]
    return {"codes": list(found.unexplained), "signals": [_signal(path, lang) for path in dict.fromkeys(paths)][:MOST_VALUES]}


def _code(codes: CodeCatalogue, code: str, how: Standing, lang: str) -> dict[str, Any]:
    info = codes.lookup(code)
    system = codes.systems.get(info.system)
    return {
        "code": info.code,
        "title": say(info.title, lang),
        "state": how.value,
        "system": info.system,
        "system_name": say(system, lang) if system else "",
        "component": info.component,
        "group_key": info.group_key,
        "severity": info.severity.value,
        "urgency": info.urgency.name,
        "known": info.known,
        "source": _source(codes, info.source),
        "category": info.category,
        "confidence": info.confidence,
    }


def _source(codes: CodeCatalogue, id_: str) -> str:
    """The title of a source; a maker's table names its own source in words."""
    known = codes.sources.get(id_)
    return known.title if known else id_


def _plan_line(line: PlanLine, lang: str) -> dict[str, Any]:
    return {
        "line": line.line,
        "operation": line.operation,
        "description": say(line.description, lang),
        "labour_hours": line.labour_hours,
        "optional": line.optional,
        "pay_type": line.pay_type,
        "parts": [{"number": p.number, "name": say(p.name, lang), "quantity": p.quantity, "price": p.price} for p in line.parts],
    }


def _parts(plan: Iterable[PlanLine], lang: str, currency: str) -> list[dict[str, Any]]:
    """Every part once, with the greatest quantity that one line needs."""
    parts = sorted((part for line in plan for part in line.parts), key=lambda part: part.quantity)
    latest = {
        p.number: {"number": p.number, "name": say(p.name, lang), "quantity": p.quantity, "price": p.price, "currency": currency}
        for p in parts
    }
    return [latest[number] for number in sorted(latest)]


def _totals(plan: Iterable[PlanLine], currency: str) -> dict[str, str]:
    """Hours and parts of the lines that are not optional."""
    lines = [line for line in plan if not line.optional]
    parts = sum((Decimal(part.price) * part.quantity for line in lines for part in line.parts), Decimal("0.00"))
    hours = sum((Decimal(line.labour_hours) for line in lines), Decimal("0.0"))
    return {"labour_hours": str(hours), "parts": str(parts), "currency": currency}
