"""`/api/v1/vehicles` and `/api/v1/rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from fastapi import APIRouter

from domain.fleet import Vehicle
from domain.live import VehicleSummary
from domain.risk import RiskAssessment
from models.health import SystemHealth, champions, system_health
from notifier.push.messages import alert_json, recommendation_json, rfc3339, text_json
from rules.rule import Rule, RuleStatus
from web.api.access import Reader
from web.api.paging import Limit, Offset, page
from web.api.problems import Problem
from web.api.service import Served

router = APIRouter(prefix="/api/v1", tags=["fleet"])
_EPOCH = date(1970, 1, 1).toordinal()


@router.get("/vehicles")
def list_vehicles(service: Served, _caller: Reader, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Vehicles by pseudonym, with when they were last heard of and what is open on them."""
    found = service.store.vehicle_summaries(limit=limit + 1, offset=offset)
    return page("vehicles", found, [_summary_json(summary) for summary in found], limit=limit, offset=offset)


@router.get("/vehicles/{vehicle_id}")
def show_vehicle(vehicle_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """One vehicle with the health of its systems, its risks, alerts, recommendations and the ids of its orders."""
    vehicle, case = service.store.vehicle(vehicle_id), service.store.case(vehicle_id)
    risks = champions(service.store.latest_assessments(vehicle_id))
    if vehicle is None and not case.alerts:
        raise Problem(404, "vehicle_unknown", "There is no vehicle of this id.")
    return {
        **_vehicle_json(vehicle or Vehicle(id=vehicle_id)),
        "health": [_health_json(each) for each in system_health(case.alerts, case.recommendations, risks)],
        "risks": [_risk_json(risk) for risk in risks],
        "alerts": [alert_json(alert) for alert in case.alerts],
        "recommendations": [recommendation_json(recommendation) for recommendation in case.recommendations],
        "orders": [order.id for order in case.orders],
    }


@router.get("/rules")
def list_rules(service: Served, _caller: Reader) -> dict[str, Any]:
    """The rules in use; `shadow` tells how often a shadow rule would have raised and cleared since the pipeline began."""
    shadow = service.store.figures().get("shadow") or {}
    return {"rules": [_rule_json(rule, shadow.get(rule.id, {})) for rule in service.rules()]}


def _summary_json(summary: VehicleSummary) -> dict[str, Any]:
    return {
        "id": summary.vehicle,
        "registered": summary.registered,
        "event_time": None if summary.event_ns is None else rfc3339(summary.event_ns),
        "received": None if summary.received_ns is None else rfc3339(summary.received_ns),
        "location": None
        if summary.location is None
        else {"lat": round(summary.location[0], 2), "lon": round(summary.location[1], 2), "crs": "WGS84", "precision_m": 1000},
        "open_alerts": summary.open_alerts,
        "urgency": None if summary.urgency is None else summary.urgency.name,
    }


def _vehicle_json(vehicle: Vehicle) -> dict[str, Any]:
    return {
        "id": vehicle.id,
        "brand": vehicle.brand,
        "model": vehicle.model,
        "year": vehicle.year or None,
        "powertrain": vehicle.powertrain,
        "profile": vehicle.profile,
        "odometer_km": vehicle.odometer_km,
    }


def _health_json(health: SystemHealth) -> dict[str, Any]:
    return {
        "system": health.system,
        "score": round(health.score, 1),
        "matters": [
            {
                "points": round(matter.points, 1),
                "reasons": [{"kind": each.kind, "id": each.id, "title": text_json(each.title)} for each in matter.reasons],
            }
            for matter in health.matters
        ],
    }


def _risk_json(risk: RiskAssessment) -> dict[str, Any]:
    remaining = risk.remaining_days
    return {
        "component": risk.component,
        "group_key": risk.group_key,
        "model": risk.model,
        "day": date.fromordinal(_EPOCH + risk.day).isoformat(),
        "probability": risk.probability,
        "gap_days": risk.gap_days,
        "horizon_days": risk.horizon_days,
        "remaining_days": None if remaining is None else dict(zip(("low", "likely", "high"), remaining, strict=True)),
        "score": risk.score,
        "base": risk.base,
        "contributions": [asdict(each) for each in risk.contributions],
        "reasons": [text_json(reason) for reason in risk.reasons],
        "act": risk.act,
    }


def _rule_json(rule: Rule, shadow: Mapping[str, int]) -> dict[str, Any]:
    counts = {"raised": shadow.get("raised", 0), "cleared": shadow.get("cleared", 0)}
    return {
        "id": rule.id,
        "version": str(rule.version),
        "status": rule.status.value,
        "system": rule.system,
        "component": rule.component,
        "group_key": rule.group_key,
        "severity": rule.severity.value,
        "urgency": rule.urgency.name,
        "title": text_json(rule.title),
        "signals": sorted(rule.paths),
        "codes": list(rule.codes),
        "applies_to": list(rule.applies_to),
        "sources": list(rule.sources),
        "shadow": counts if rule.status is RuleStatus.SHADOW else None,
    }
