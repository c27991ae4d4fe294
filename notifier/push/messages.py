"""Alerts, recommendations and orders as JSON documents: the contract with dashboards, dealers and other programs.

Money is a decimal string, times are RFC 3339 in UTC with microseconds, numbers are finite or null. An order is a CloudEvents 1.0
structured document that carries neither the VIN nor the owner's contacts: a dealer gets those after accepting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.findings import Alert, Cause, Check, Evidence, PlanLine, Recommendation, Text
from domain.fleet import Dealer, Vehicle
from domain.money import cents
from domain.orders import Order, OrderKind
from domain.quotes import QuoteMark
from domain.records import VehicleCase
from domain.slots import slot_status
from domain.standing import Standing
from notifier.identity import event_id

Json = dict[str, Any]
OPERATIONS = "operations"
"""Recipient of orders that no dealer can take: the people who run the service."""
PAYLOAD_BYTES = 20_000
"""An order is pushed whole and stays under this size, as the Standard Webhooks specification recommends."""
COARSE_M = 100
"""Precision of a position: about three decimals of a degree."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time_ns: int) -> str:
    """Nanoseconds since the epoch as RFC 3339 in UTC with microseconds (rounded down)."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def alert_json(alert: Alert, *, vin: str | None = None) -> Json:
    """The ALERT document; with `vin` only where the reader may know it."""
    document: Json = {"id": alert.id, "vehicle": alert.vehicle}
    if vin is not None:
        document["vin"] = vin
    document |= {
        "title": alert.title.en,
        "titles": text_json(alert.title),
        "severity": alert.severity.value,
        "urgency": alert.urgency.name,
        "state": alert.state.value,
        "source": {"kind": alert.source.kind.value, "id": alert.source.id, "version": alert.source.version},
        "opened": rfc3339(alert.opened_ns),
        "updated": rfc3339(alert.updated_ns),
        "event_time": rfc3339(alert.opened_ns),
        "occurrences": alert.occurrences,
        "group_key": alert.group_key,
        "incident_id": alert.incident_id,
        "codes": list(alert.codes),
        "evidence": [_evidence_json(evidence) for evidence in alert.evidence],
        "explanation": text_json(alert.explanation),
        "late": alert.late,
        "standing": _standing_json(alert.standing),
    }
    if alert.location is not None:
        document["location"] = _location_json(alert.location, COARSE_M)
    return document


def alert_event_json(alert: Alert, event_type: str, identifier: str) -> Json:
    """An alert in a CloudEvents envelope, as dashboards are told of it; `identifier` is the same over all attempts."""
    return {
        "specversion": "1.0",
        "id": identifier,
        "source": "/pitcall/alerts",
        "type": event_type,
        "subject": alert.id,
        "time": rfc3339(alert.updated_ns),
        "datacontenttype": "application/json",
        "data": alert_json(alert),
    }


def recommendation_json(recommendation: Recommendation) -> Json:
    """What to do about one incident, before any dealer is known (so without rates and stock)."""
    return {
        "incident_id": recommendation.incident_id,
        "vehicle": recommendation.vehicle,
        "group_key": recommendation.group_key,
        "time": rfc3339(recommendation.time_ns),
        "title": text_json(recommendation.title),
        "priority": recommendation.urgency.priority,
        **_advice_json(recommendation),
        "checks": [_check_json(check) for check in recommendation.checks],
        "root_causes": [_cause_json(cause) for cause in recommendation.causes],
        "plan": [_plan_line_json(line, None) for line in recommendation.plan],
        "alerts": list(recommendation.alerts),
        "codes": list(recommendation.codes),
        "capabilities": list(recommendation.capabilities),
        "patterns": list(recommendation.patterns),
        "merges": list(recommendation.merges),
    }


def order_json(
    order: Order, case: VehicleCase, vehicle: Vehicle, dealer: Dealer | None, *, event_type: str = "", recipient: str = ""
) -> Json:
    """The ORDER document: a CloudEvents envelope around the order.

    Args:
        order: as it stands now.
        case: its vehicle's case, for the alerts of its incidents.
        vehicle: whose brand, model and year the dealer may know.
        dealer: the chosen one (rates, stock), None where there is none.
        event_type: "order.created" …; by default from version and state.
        recipient: whom it goes to; by default the dealer. The same recipient, version and type give the same event id.
    """
    event_type = event_type or order_event_type(order)
    recipient = recipient or (dealer.id if dealer else OPERATIONS)
    alerts = [alert for alert in case.alerts if alert.incident_id in order.incidents]
    document = {
        "specversion": "1.0",
        "id": event_id(order.id, order.version, recipient, event_type),
        "source": "/pitcall/orders",
        "type": event_type,
        "subject": order.id,
        "time": rfc3339(order.updated_ns),
        "datacontenttype": "application/json",
        "data": _order_data(order, vehicle, dealer) | _rescue_data(order, case),
    }
    return _with_alerts(document, alerts)


def order_event_type(order: Order) -> str:
    """The event that a version of an order is told by."""
    if order.state == "cancelled":
        return "order.cancelled"
    return "order.created" if order.version == 1 else "order.updated"


def slot_json(slot: tuple[int, int]) -> Json:
    """An appointment."""
    return {"start": rfc3339(slot[0]), "end": rfc3339(slot[1])}


def text_json(text: Text) -> Json:
    """Both languages."""
    return {"en": text.en, "zh": text.zh}


def _order_data(order: Order, vehicle: Vehicle, dealer: Dealer | None) -> Json:
    recommendation, rescue = order.recommendation, order.kind is OrderKind.RESCUE
    plan = () if rescue else recommendation.plan  # a rescue partner brings the vehicle in and repairs nothing
    return {
        "order_id": order.id,
        "kind": order.kind.value,
        "version": order.version,
        "state": order.state,
        "desk": None if order.desk is None else {"name": order.desk.value, "reason": order.manual},
        "priority": recommendation.urgency.priority,
        "created": rfc3339(order.created_ns),
        "updated": rfc3339(order.updated_ns),
        "vehicle": _vehicle_json(vehicle),
        "title": text_json(recommendation.title),
        **_advice_json(recommendation),
        "incidents": list(order.incidents),
        "alerts": [],
        "codes": list(recommendation.codes),
        "root_causes": [_cause_json(cause) for cause in recommendation.causes],
        "checks": [_check_json(check) for check in recommendation.checks],
        "plan": [_plan_line_json(line, dealer) for line in plan],
        "totals": _totals_json(plan, dealer),
        "location": None if order.location is None else _location_json(order.location, COARSE_M),
        "dealer": None if order.choice is None else _choice_json(order),
        "slots": [
            slot_json(slot) | {"status": slot_status(order).value if number == 0 else None}  # the others are only proposed
            for number, slot in enumerate(order.slots)
        ],
        "suggested_slots": [slot_json(slot) for slot in order.suggested],
        "transport": order.transport,
        "quote": None if order.quote is None else _quote_json(order.quote),
    }


def _quote_json(mark: QuoteMark) -> Json:
    """Which lines of which quote the owner has accepted; `signed` is null while the answer is awaited."""
    return {
        "version": mark.version,
        "content": mark.content,
        "accepted": list(mark.accepted),
        "declined": list(mark.declined),
        "signed": rfc3339(mark.signed_ns) if mark.signed_by else None,
    }


_ON_THE_WAY = frozenset({"assigned", "en_route", "on_site", "towing", "delivered", "closed"})
"""Only a partner that has taken a rescue learns the place to the metre."""


def _rescue_data(order: Order, case: VehicleCase) -> Json:
    """What an order for a rescue says besides: who confirmed it, what the place rests on, when help is expected, where the vehicle goes."""
    if order.kind is not OrderKind.RESCUE:
        return {}
    known = order.rescue
    goes_to = next((each for each in case.orders if each.kind is OrderKind.SERVICE and _answers_same(each, order)), None)
    said: Json = {
        "rescue": {
            "emergency_call": False,
            "confirmed": None,
            "expected": None if known is None or known.eta_ns is None else rfc3339(known.eta_ns),
            "expected_by": known.eta_from or None if known else None,
            "replacement_car": known.replacement.value if known else "not_asked",
            "tow_to": None
            if goes_to is None or goes_to.choice is None
            else {"order_id": goes_to.id, "dealer": goes_to.choice.dealer, "state": goes_to.state},
        }
    }
    if known is not None:
        place = known.position
        said["rescue"]["confirmed"] = {"by": known.confirmed_by.value, "time": rfc3339(known.confirmed_ns)}
        said["location"] = {
            **_location_json(
                place.location, place.precision_m if order.state in _ON_THE_WAY else max(place.precision_m, COARSE_M)
            ),
            "time": rfc3339(place.time_ns),
            "source": place.source.value,
            "basis": place.basis.value,
        }
    return said


def _answers_same(service: Order, rescue: Order) -> bool:
    return service.state != "cancelled" and not set(service.incidents).isdisjoint(rescue.incidents)


def _with_alerts(document: Json, alerts: Sequence[Alert]) -> Json:
    """The document with its alerts, in as much detail as the size of a push allows; `alerts_left_out` counts the rest."""
    full = [alert_json(alert) for alert in alerts]
    for alert in full:
        alert.pop("location", None)  # the order says where the vehicle is, as precisely as this recipient may know
    brief_keys = ("id", "title", "titles", "severity", "urgency", "state", "source", "event_time", "occurrences", "codes")
    brief = [{key: alert[key] for key in brief_keys} for alert in full]
    for shown in (full, brief, *(brief[-count:] for count in (50, 20, 5)), []):
        document["data"] |= {"alerts": shown, "alerts_left_out": len(alerts) - len(shown)}
        if len(json.dumps(document, ensure_ascii=False).encode()) < PAYLOAD_BYTES:
            break
    return document


def _advice_json(recommendation: Recommendation) -> Json:
    return {
        "urgency": recommendation.urgency.name,
        "urgency_reason": text_json(recommendation.urgency_reason),
        "action": recommendation.action,
        "drive": recommendation.drive,
        "safety": recommendation.safety,
        "advice": text_json(recommendation.advice),
        "review": recommendation.review.value or None,
    }


def _vehicle_json(vehicle: Vehicle) -> Json:
    return {
        "id": vehicle.id,
        "brand": vehicle.brand,
        "model": vehicle.model,
        "year": vehicle.year or None,
        "powertrain": vehicle.powertrain,
        "odometer_km": _finite(vehicle.odometer_km),
    }


def _standing_json(standing: Standing) -> Json:
    return {
        "holds": [hold.value for hold in standing.holds],
        "flapping": standing.flapping,
        "inhibited_by": standing.inhibited_by or None,
        "inhibition": standing.inhibition or None,
        "silenced_by": standing.silenced_by or None,
        "review": standing.review.value or None,
        "resolution": standing.resolution.value or None,
    }


def _evidence_json(evidence: Evidence) -> Json:
    start, end = evidence.window_start_ns, evidence.window_end_ns
    return {
        "kind": evidence.kind,
        "signal": evidence.signal,
        "value": _finite(evidence.value),
        "unit": evidence.unit,
        "threshold": _finite(evidence.threshold),
        "comparison": evidence.comparison,
        "duration_s": _finite(evidence.duration_s),
        "window": {"start": None if start is None else rfc3339(start), "end": None if end is None else rfc3339(end)},
        "note": evidence.note,
    }


def _cause_json(cause: Cause) -> Json:
    return {
        "id": cause.id,
        "title": text_json(cause.title),
        "probability": _finite(cause.probability),
        "pattern": cause.pattern,
        "explains": list(cause.explains),
    }


def _check_json(check: Check) -> Json:
    return {"id": check.id, "title": text_json(check.title), "minutes": check.minutes}


def _plan_line_json(line: PlanLine, dealer: Dealer | None) -> Json:
    stock = dict(dealer.stock) if dealer else None
    return {
        "line": line.line,
        "operation": line.operation,
        "description": text_json(line.description),
        "labour": {"hours": line.labour_hours, "rate": dealer.labour_rate if dealer else None},
        "parts": [
            {
                "number": part.number,
                "name": text_json(part.name),
                "quantity": part.quantity,
                "price": part.price,
                "stock": None if stock is None else stock.get(part.number, 0),
            }
            for part in line.parts
        ],
        "pay_type": line.pay_type,
        "optional": line.optional,
    }


def _totals_json(plan: Sequence[PlanLine], dealer: Dealer | None) -> Json:
    """Labour and parts before tax, without optional lines; labour and total are null where no dealer's rate is known."""
    lines = [line for line in plan if not line.optional]
    parts = sum((Decimal(part.price) * part.quantity for line in lines for part in line.parts), Decimal(0))
    labour = None
    if dealer is not None:
        labour = sum((cents(Decimal(line.labour_hours) * Decimal(dealer.labour_rate)) for line in lines), Decimal(0))
    return {
        "labour": None if labour is None else str(cents(labour)),
        "parts": str(cents(parts)),
        "total": None if labour is None else str(cents(labour + parts)),
        "currency": dealer.currency if dealer else "CNY",
        "tax_included": False,
    }


def _choice_json(order: Order) -> Json:
    assert order.choice is not None
    return {
        "id": order.choice.dealer,
        "distance_km": _finite(order.choice.distance_km),
        "score": _finite(order.choice.score),
        "why": [text_json(why) for why in order.choice.why],
        "rejected": dict(order.choice.rejected),
        "drive_minutes": order.choice.drive_min,
    }


def _location_json(location: tuple[float, float], precision_m: int) -> Json:
    decimals = 3 if precision_m >= COARSE_M else 6
    return {
        "lat": round(location[0], decimals),
        "lon": round(location[1], decimals),
        "crs": "WGS84",
        "precision_m": precision_m,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
