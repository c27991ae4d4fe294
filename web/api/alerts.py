"""`/api/v1/alerts`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from domain.findings import Alert, AlertState, Severity
from notifier.push.messages import alert_json
from web.api.access import Orderer, Reader
from web.api.paging import Limit, Offset, page
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


@router.get("")
def list_alerts(
    service: Served,
    _caller: Reader,
    state: Annotated[list[AlertState] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    vehicle: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Alerts, newest first; `state` and `severity` may be given several times."""
    found = service.store.alerts(
        vehicle=vehicle, state=state, severity=severity, newest_first=True, limit=limit + 1, offset=offset
    )
    return page("alerts", found, [alert_json(alert) for alert in found], limit=limit, offset=offset)


@router.get("/{alert_id}")
def show_alert(alert_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """One alert."""
    return alert_json(alert_of(service, alert_id))


@router.post("/{alert_id}/acknowledge")
def acknowledge_alert(alert_id: str, service: Served, _caller: Orderer) -> dict[str, Any]:
    """Somebody has seen an open alert; doing it again changes nothing, and a resolved alert answers 409."""
    return alert_json(acknowledge(service, alert_id))


def alert_of(service: Service, alert_id: str) -> Alert:
    """The alert of this id.

    Raises:
        Problem: 404.
    """
    alert = service.store.alert(alert_id)
    if alert is None:
        raise Problem(404, "alert_unknown", "There is no alert of this id.")
    return alert


def acknowledge(service: Service, alert_id: str) -> Alert:
    """Acknowledge an alert.

    Raises:
        Problem: 404 where there is none, 409 where it is resolved.
    """
    service.store.acknowledge_alert(alert_id)
    alert = alert_of(service, alert_id)
    if alert.state is AlertState.RESOLVED:
        raise Problem(409, "alert_resolved", "The alert is resolved: there is nothing to acknowledge.", state=alert.state.value)
    return alert
