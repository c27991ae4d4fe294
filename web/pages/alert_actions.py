"""What the forms of an alert's page do: acknowledge, silence, end a silence, and say what it turned out to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qs

import pydantic
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from domain.fleet import Vehicle
from web.api.access import Caller, Scope
from web.api.alerts import acknowledge, alert_of
from web.api.labels import LabelRequest, label_of
from web.api.problems import Problem
from web.api.service import Served
from web.api.silences import SilenceRequest, ended_silence, silence_of
from web.pages import desk_words
from web.pages.visitors import Visitor

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
MOST_BYTES = 8192


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form, each once."""
    body = (await request.body())[:MOST_BYTES].decode("utf-8", "replace")
    return {name: values[0].strip() for name, values in parse_qs(body).items()}


def _orderer(visitor: Visitor) -> Caller:
    if not visitor.may(Scope.ORDERS):
        raise Problem(403, "scope_missing", "This key lacks the scope 'orders'.", needed=Scope.ORDERS.value)
    return visitor


Form = Annotated[Mapping[str, str], Depends(_form)]
Orderer = Annotated[Caller, Depends(_orderer)]


@router.post("/alerts/{alert_id}/acknowledge")
def acknowledge_alert(alert_id: str, service: Served, _orderer: Orderer) -> Response:
    """Somebody looks after it."""
    return _back(acknowledge(service, alert_id).id)


@router.post("/alerts/{alert_id}/silence")
def silence_alert(alert_id: str, service: Served, orderer: Orderer, form: Form) -> Response:
    """No orders of what the chosen scope matches, for the chosen time."""
    alert = alert_of(service, alert_id)
    vehicle = service.store.vehicle(alert.vehicle) or Vehicle(id=alert.vehicle)
    scope, hours = form.get("scope", ""), form.get("hours", "")
    if scope not in desk_words.SCOPES or hours not in map(str, desk_words.HOURS) or (scope == "model" and not vehicle.model):
        raise Problem(422, "form_invalid", "Choose which alerts, and for how long.")
    ends = datetime.fromtimestamp(service.clock() // 1_000_000_000, UTC) + timedelta(hours=int(hours))
    try:
        request = SilenceRequest(
            vehicle="" if scope == "model" else alert.vehicle,
            source="" if scope == "vehicle" else _exactly(alert.source.id),
            model=_exactly(vehicle.model) if scope == "model" else "",
            ends=ends,
            reason=form.get("reason", ""),
        )
    except pydantic.ValidationError as problem:
        raise Problem(422, "form_invalid", "Say why, in at most 500 characters.") from problem
    silence_of(request, service, orderer)
    return _back(alert.id)


@router.post("/alerts/{alert_id}/silences/{silence_id}/end")
def end_silence(alert_id: str, silence_id: str, service: Served, orderer: Orderer) -> Response:
    """The silence ends now."""
    ended_silence(silence_id, service, orderer)
    return _back(alert_of(service, alert_id).id)


@router.post("/alerts/{alert_id}/label")
def label_alert(alert_id: str, service: Served, orderer: Orderer, form: Form) -> Response:
    """What it turned out to be."""
    try:
        request = LabelRequest.model_validate({"verdict": form.get("verdict", ""), "note": form.get("note", "")})
    except pydantic.ValidationError as problem:
        raise Problem(422, "form_invalid", "Choose false alarm or confirmed; a note has at most 500 characters.") from problem
    return _back(label_of(alert_id, request, service, orderer).alert)


def _exactly(text: str) -> str:
    """A pattern that matches this text alone: what stands for any character in patterns stands for itself in brackets."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)


def _back(alert_id: str) -> Response:
    return RedirectResponse(f"/alerts/{alert_id}", 303)
