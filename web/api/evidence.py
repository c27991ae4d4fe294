"""`/api/v1/alerts/ID/evidence`: all that an alert stands on, in one document."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domain.findings import Alert, AlertState, SourceKind
from domain.records import VehicleCase
from notifier.push.messages import alert_json, rfc3339
from web.api.access import Reader
from web.api.alerts import alert_of
from web.api.service import Served

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])
BEFORE_NS, AFTER_NS = 300_000_000_000, 60_000_000_000
"""Of the window of the signal history around what was measured."""


@router.get("/{alert_id}/evidence")
def show_evidence(alert_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """Rule and version, vehicle profile, measured values, the window of the history, the trouble codes that were held then."""
    alert = alert_of(service, alert_id)
    vehicle = service.store.vehicle(alert.vehicle)
    case = service.store.case(alert.vehicle)
    start_ns, end_ns = window(alert)
    document = alert_json(alert)
    return {
        "alert": alert.id,
        "source": document["source"],
        "profile": vehicle.profile if vehicle else "",
        "values": document["evidence"],
        "window": {"start": rfc3339(start_ns), "end": rfc3339(end_ns)},
        "codes": [_code_json(other) for other in held_codes(case, alert)],
        "standing": document["standing"],
        "labels": [
            {"verdict": label.verdict.value, "author": label.author, "created": rfc3339(label.created_ns)}
            for label in service.store.labels(alert.id)
        ],
    }


def window(alert: Alert) -> tuple[int, int]:
    """Event times of the signal history around what was measured."""
    measured = [each.window_start_ns for each in alert.evidence if each.window_start_ns is not None]
    return max(0, min([alert.opened_ns, *measured]) - BEFORE_NS), alert.updated_ns + AFTER_NS


def held_codes(case: VehicleCase, alert: Alert) -> tuple[Alert, ...]:
    """The alerts of trouble codes that were held when this alert opened."""
    return tuple(other for other in case.alerts if _held_at(other, alert.opened_ns))


def _held_at(alert: Alert, time_ns: int) -> bool:
    """A trouble code that was reported at this event time."""
    if alert.source.kind is not SourceKind.DTC or alert.opened_ns > time_ns:
        return False
    return alert.state is not AlertState.RESOLVED or alert.updated_ns >= time_ns


def _code_json(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.id,
        "codes": list(alert.codes),
        "since": rfc3339(alert.opened_ns),
        "state": alert.evidence[0].note if alert.evidence else "",
    }
