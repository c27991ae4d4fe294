"""`/api/v1/alerts/ID/label` and `/api/v1/labels`: what alerts turned out to be."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from domain.silences import AlertLabel, Verdict
from notifier.push.messages import rfc3339
from web.api.access import Caller, Orderer, Reader
from web.api.alerts import alert_of
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1", tags=["alerts"])


class LabelRequest(
    BaseModel, extra="forbid", json_schema_extra={"examples": [{"verdict": "confirmed", "note": "thermostat was stuck"}]}
):
    """A verdict, and why in the author's words."""

    verdict: Verdict
    note: Annotated[str, Field(max_length=500)] = ""


@router.post("/alerts/{alert_id}/label")
def label_alert(alert_id: str, request: LabelRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """Say what an alert turned out to be. The alert itself stays as it is; the latest verdict counts, all are kept."""
    return _label_json(label_of(alert_id, request, service, caller))


def label_of(alert_id: str, request: LabelRequest, service: Service, caller: Caller) -> AlertLabel:
    """Keep the verdict.

    Raises:
        Problem: 404 where there is no such alert.
    """
    alert = alert_of(service, alert_id)
    label = AlertLabel(alert=alert.id, verdict=request.verdict, author=caller.name, note=request.note, created_ns=service.clock())
    service.store.label_alert(label)
    return label


@router.get("/labels")
def list_labels(service: Served, _caller: Reader, alert: str | None = None) -> dict[str, Any]:
    """Every verdict, by alert and time: the labels for measuring rules and training models."""
    return {"labels": [_label_json(label) for label in service.store.labels(alert)]}


def _label_json(label: AlertLabel) -> dict[str, Any]:
    return {
        "alert": label.alert,
        "verdict": label.verdict.value,
        "author": label.author,
        "note": label.note,
        "created": rfc3339(label.created_ns),
    }
