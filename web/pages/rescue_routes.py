"""The pages of rescues (for agents) and of an order's statement (for printing)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import pydantic
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Template

from domain.findings import Text
from domain.fleet import Dealer, Vehicle
from domain.orders import Order, OrderKind
from domain.rescue import ReplacementCar
from notifier.orders.order_states import OPEN_STATES
from notifier.owners.statements import statement_json
from notifier.rescue.helping import end_call
from web.api.access import SESSION_COOKIE, Caller, Scope
from web.api.orders import order_for, parties_of
from web.api.problems import Problem
from web.api.rescues import ConfirmRequest, confirm_rescue
from web.api.service import Served, Service
from web.api.statements import signed_quote, stated
from web.pages import rescue_words, words
from web.pages.alert_actions import Form, Orderer
from web.pages.routes import SECURITY_HEADERS
from web.pages.visitors import Visitor
from web.report.markup import both, environment

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rescue:
    """One rescue with whom it concerns; `workshop`: where the vehicle is brought."""

    order: Order
    vehicle: Vehicle
    partner: Dealer | None
    workshop: Dealer | None


@router.get("/rescues")
def list_rescues(request: Request, service: Served, visitor: Visitor) -> Response:
    """Who waits for help, the oldest first."""
    orders = service.store.orders(state=OPEN_STATES, kind=OrderKind.RESCUE, limit=_MOST)
    dealers = {dealer.id: dealer for dealer in service.store.dealers()} if orders else {}
    rescues = [_rescue(service, order, dealers) for order in orders]
    return _page("rescues.html.j2", request, visitor, rescues=rescues, may_act=visitor.may(Scope.ORDERS))


@router.post("/rescues/{order_id}/confirm")
def confirm(order_id: str, service: Served, orderer: Orderer, form: Form) -> Response:
    """Help is sent."""
    place = {"lat": form.get("lat", ""), "lon": form.get("lon", "")}
    asked = {
        "location": place if any(place.values()) else None,
        "basis": form.get("basis") or None,
        "replacement_car": ReplacementCar.WANTED if form.get("car") else ReplacementCar.NOT_ASKED,
    }
    try:
        wanted = ConfirmRequest.model_validate(asked)
    except pydantic.ValidationError as problem:
        raise Problem(422, "form_invalid", "Latitude and longitude are decimal degrees, both or neither.") from problem
    confirm_rescue(order_id, wanted, service, Response(), orderer)
    return RedirectResponse("/rescues", 303)


@router.post("/rescues/{order_id}/end")
def end(order_id: str, service: Served, orderer: Orderer) -> Response:
    """The driver needs no help."""
    if not end_call(service.store, order_id, actor=orderer.name, reason="no help needed", now_ns=service.clock()):
        raise Problem(409, "rescue_not_waiting", "It is confirmed already, or over.")
    return RedirectResponse("/rescues", 303)


@router.get("/orders/{order_id}/statement")
def show_statement(order_id: str, request: Request, service: Served, visitor: Visitor) -> Response:
    """What an order comes to, fit for printing."""
    order = order_for(service, order_id, visitor)
    _, dealer = parties_of(service, order, None)
    statement = statement_json(stated(service, order), order, signed_quote(service, order))
    return _page("statement.html.j2", request, visitor, statement=statement, dealer=dealer)


def _rescue(service: Service, order: Order, dealers: dict[str, Dealer]) -> _Rescue:
    service_orders = (
        each
        for each in service.store.case(order.vehicle).orders
        if each.kind is OrderKind.SERVICE and each.choice and each.state != "cancelled"
    )
    joined = next((each for each in service_orders if not set(each.incidents).isdisjoint(order.incidents)), None)
    return _Rescue(
        order=order,
        vehicle=service.store.vehicle(order.vehicle) or Vehicle(id=order.vehicle),
        partner=dealers.get(order.choice.dealer) if order.choice else None,
        workshop=dealers.get(joined.choice.dealer) if joined and joined.choice else None,
    )


@cache
def _template(name: str) -> Template:
    own = {
        "say": lambda key: both(words.LABELS[key]),
        "rescue_words": rescue_words,
        "rescue": lambda key: both(rescue_words.LABELS[key]),
        "rescued": lambda key, *values: both(_filled(rescue_words.LABELS[key], *values)),
        "stated": lambda key, *values: both(_filled(rescue_words.STATEMENT[key], *values)),
        "pair": lambda text: both(Text(**text)),
        "percent": lambda share: f"{(Decimal(share) * 100).normalize():f}",
    }
    return environment().get_template(f"pages/{name}", globals=own)


def _filled(text: Text, *values: Any) -> Text:
    return Text(en=text.en.format(*values), zh=text.zh.format(*values))


def _page(name: str, request: Request, visitor: Caller, **shown: Any) -> Response:
    context = {"path": request.url.path, "session": SESSION_COOKIE in request.cookies, "visitor": visitor}
    return HTMLResponse(_template(name).render(**context, **shown), headers=SECURITY_HEADERS)
