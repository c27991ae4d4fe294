"""`/api/v1/rescues`: stopped vehicles, from the first word of driver or agent until they are brought in. It is no eCall."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import AwareDatetime, BaseModel, Field

from domain.consents import ConsentBasis
from domain.orders import Order, OrderKind
from domain.rescue import ConfirmedBy, ReplacementCar
from notifier.orders.order_states import OPEN_STATES
from notifier.rescue.confirming import TOLD_PRECISION_M, ConfirmOutcome, SaidPosition
from notifier.rescue.helping import Word, send_help, tell_progress
from web.api.access import Orderer, OrderMover, OrderReader
from web.api.moments import moment_ns
from web.api.orders import conflict_with, document_of, order_answer, order_for, seen_version
from web.api.paging import Limit, Offset, page
from web.api.problems import Problem
from web.api.service import Served

router = APIRouter(prefix="/api/v1/rescues", tags=["rescues"])
LONGEST_DELAY_NS, LONGEST_ETA_NS = 3600 * 10**9, 2 * 86_400 * 10**9
"""How far back and ahead help may be expected."""
_PROBLEMS: dict[ConfirmOutcome, tuple[str, str]] = {
    ConfirmOutcome.NOT_WAITING: ("rescue_not_waiting", "It is confirmed already, or over."),
    ConfirmOutcome.POSITION_UNKNOWN: (
        "position_unknown",
        "The vehicle's place is not known, or too old: ask for it and send it.",
    ),
    ConfirmOutcome.NO_BASIS: (
        "basis_missing",
        "The owner has not agreed to the use of the vehicle's place: name the basis, 'consent' if the driver agrees, or 'vital_interest'.",
    ),
}


class Place(BaseModel, extra="forbid"):
    """Where the vehicle is (WGS84), and within how many metres."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    precision_m: Annotated[int, Field(ge=1, le=100_000)] = TOLD_PRECISION_M


class ConfirmRequest(BaseModel, extra="forbid", json_schema_extra={"examples": [{"basis": "vital_interest"}]}):
    """What an agent has learned from the driver. Without a place the vehicle's latest one counts, if it is fresh."""

    location: Place | None = None
    basis: ConsentBasis | None = None
    replacement_car: ReplacementCar = ReplacementCar.NOT_ASKED


class ProgressRequest(BaseModel, extra="forbid", json_schema_extra={"examples": [{"expected": "2026-11-22T21:40:00Z"}]}):
    """When the partner will be there, or how the people go on."""

    expected: AwareDatetime | None = None
    replacement_car: ReplacementCar | None = None


@router.get("")
def list_rescues(service: Served, caller: OrderReader, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Rescues under way, the oldest first; a dealer's key is given its own."""
    found = service.store.orders(
        state=OPEN_STATES, kind=OrderKind.RESCUE, dealer=caller.dealer or None, limit=limit + 1, offset=offset
    )
    return page("rescues", found, [document_of(service, order, None) for order in found[:limit]], limit=limit, offset=offset)


@router.post(
    "/{order_id}/confirm",
    responses={
        409: {"description": "not waiting, its place not known, or no basis for using it"},
        404: {"description": "no such rescue"},
    },
)
def confirm_rescue(
    order_id: str, request: ConfirmRequest, service: Served, response: Response, caller: Orderer
) -> dict[str, Any]:
    """An agent has spoken with the driver: the nearest partner is asked at once."""
    order = _rescue(order_for(service, order_id, caller))
    place = request.location
    word = Word(
        by=ConfirmedBy.AGENT,
        agent=caller.name,
        said=None if place is None else SaidPosition(location=(place.lat, place.lon), precision_m=place.precision_m),
        stated=request.basis,
        replacement=request.replacement_car,
    )
    outcome, after = send_help(
        service.store, order.id, word, now_ns=service.clock(), fresh_ns=service.position_fresh_ns, routing=service.routing
    )
    if outcome in _PROBLEMS or after is None:
        code, detail = _PROBLEMS.get(outcome, _PROBLEMS[ConfirmOutcome.NOT_WAITING])
        raise Problem(409, code, detail, state=(after or order).state)
    return order_answer(service, order_for(service, order_id, caller), response)


@router.post(
    "/{order_id}/progress",
    responses={409: {"description": "nobody has confirmed it"}, 412: {"description": "changed meanwhile"}},
)
def report_progress(
    order_id: str,
    request: ProgressRequest,
    service: Served,
    response: Response,
    caller: OrderMover,
    if_match: Annotated[str | None, Header(description="the version that was seen, as in the ETag")] = None,
) -> dict[str, Any]:
    """Say when help will be there, or that a replacement car is arranged; the driver's display is told."""
    expected = seen_version(if_match)
    order = _rescue(order_for(service, order_id, caller))
    if order.version != expected:
        raise conflict_with(order)
    if order.rescue is None or order.state not in OPEN_STATES:
        raise Problem(409, "rescue_unconfirmed", "Nobody has confirmed this rescue, or it is over.", state=order.state)
    if request.expected is None and request.replacement_car is None:
        raise Problem(422, "nothing_told", "Say when help is expected, or how the people go on.")
    now_ns = service.clock()
    eta_ns = None if request.expected is None else moment_ns(request.expected)
    if eta_ns is not None and not now_ns - LONGEST_DELAY_NS <= eta_ns <= now_ns + LONGEST_ETA_NS:
        raise Problem(422, "expected_out_of_range", "Help is expected within two days from now.")
    after = tell_progress(
        service.store, order, actor=caller.name, now_ns=now_ns, eta_ns=eta_ns, replacement=request.replacement_car
    )
    if after is None:
        raise conflict_with(order_for(service, order_id, caller))
    return order_answer(service, order_for(service, order_id, caller), response)


def _rescue(order: Order) -> Order:
    if order.kind is not OrderKind.RESCUE:
        raise Problem(404, "rescue_unknown", "There is no rescue of this id.")
    return order
