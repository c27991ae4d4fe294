"""`/api/v1/orders`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from domain.fleet import Dealer, Vehicle
from domain.live import AnsweredRequest
from domain.order_audit import AuditEntry
from domain.orders import Order, OrderKind, Wish
from domain.records import OutboxEvent
from domain.slots import SLOT_STATES
from notifier.orders.appointments import BOOKS, Diary, SlotVerdict, booked
from notifier.orders.order_states import (
    OPEN_STATES,
    TABLES,
    OrderEvent,
    OrderState,
    OrderTransition,
    TransitionOutcome,
    confirms_repair,
    transition,
)
from notifier.orders.redispatch import ASKS, RedispatchOutcome, redispatch
from notifier.owners.quoting import SIGNED_EVENTS
from notifier.push.messages import order_json, rfc3339, slot_json
from notifier.push.outbox import order_events
from web.api.access import Caller, OrderMover, OrderReader, OrderViewer
from web.api.benefits import used_benefits
from web.api.moments import moment_ns
from web.api.paging import Limit, Offset, page
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/orders", tags=["orders"])
NOT_A_DEALERS = frozenset(
    {OrderEvent.PROPOSE, OrderEvent.DISPATCH, OrderEvent.OFFER, OrderEvent.EXPIRE, OrderEvent.GIVE_UP, *SIGNED_EVENTS}
)
"""What happens to an order on our side, and what the owner decides."""


class TransitionRequest(
    BaseModel,
    extra="forbid",
    json_schema_extra={"examples": [{"event": "accept", "reason": "free on Friday"}, {"event": "schedule", "slot": 0}]},
):
    """What happens to an order, and why in the actor's words."""

    event: OrderEvent
    reason: Annotated[str, Field(max_length=500)] = ""
    dealer: Annotated[str, Field(max_length=64, description="with dispatch: whom to ask, as the owner or a person wants")] = ""
    transport: Annotated[Wish | None, Field(description="with dispatch: what the dealer must offer, as the owner wants")] = None
    slot: Annotated[int, Field(ge=0, le=99, description="with schedule: which of the proposed appointments, from 0")] | None = (
        None
    )
    slots: Annotated[
        list[AwareDatetime],
        Field(max_length=3, description="begins of appointments: one with accept or schedule, up to three with suggest"),
    ] = []


@router.get("")
def list_orders(
    service: Served,
    caller: OrderViewer,
    state: Annotated[list[OrderState] | None, Query()] = None,
    kind: OrderKind | None = None,
    dealer: str | None = None,
    vehicle: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Orders, newest first; `state` may be given several times. A dealer's or owner's key is given its own."""
    if caller.vehicle:
        if vehicle not in (None, caller.vehicle):
            raise Problem(403, "other_vehicle", "This key is of the owner of another vehicle.")
        vehicle = caller.vehicle
    if caller.dealer:
        if dealer not in (None, caller.dealer):
            raise Problem(403, "other_dealer", f"This key is of dealer {caller.dealer!r} only.")
        dealer = caller.dealer
    found = service.store.orders(
        vehicle=vehicle, state=state, dealer=dealer, kind=kind, newest_first=True, limit=limit + 1, offset=offset
    )
    dealers = {each.id: each for each in service.store.dealers()}
    documents = [document_of(service, order, dealers) for order in found[:limit]]
    return page("orders", found, documents, limit=limit, offset=offset)


@router.get("/{order_id}")
def show_order(order_id: str, service: Served, response: Response, caller: OrderViewer) -> dict[str, Any]:
    """One order; its `ETag` is the version that a transition's `If-Match` names."""
    return order_answer(service, order_for(service, order_id, caller), response)


@router.post("/{order_id}/transitions", responses={409: {"description": "not allowed in this state; `allowed` names what is"}})
def move_order(
    order_id: str,
    request: TransitionRequest,
    service: Served,
    response: Response,
    caller: OrderMover,
    if_match: Annotated[str | None, Header(description="the version that was seen, as in the ETag")] = None,
    idempotency_key: Annotated[
        str | None, Header(description="the same for a request that is sent again", max_length=200)
    ] = None,
) -> dict[str, Any]:
    """Accept, decline, schedule … an order as it was seen at a version.

    A request sent again with its `Idempotency-Key` changes nothing and is answered with the order as it stands (header
    `Idempotency-Replayed`). A dealer that has declined is not told who is asked next: `order` is null in its answer.
    """
    expected = seen_version(if_match)
    asking = _request(service, caller, idempotency_key, order_id, f"{expected}\n{request.model_dump_json()}")
    if asking is not None and _answered(service, asking):
        return _replayed(service, order_id, caller, response)
    order = order_for(service, order_id, caller)
    if request.dealer and request.event is not OrderEvent.DISPATCH:
        raise Problem(422, "dealer_not_asked_for", "A dealer is named with 'dispatch' only.")
    if request.transport and request.event is not OrderEvent.DISPATCH:
        raise Problem(422, "transport_not_asked_for", "A way of transport is named with 'dispatch' only.")
    if request.slots and request.event not in BOOKS:
        raise Problem(422, "slot_not_asked_for", "An appointment is named with 'accept', 'schedule' or 'suggest' only.")
    if caller.dealer and request.event in NOT_A_DEALERS:
        raise Problem(403, "not_a_dealers", f"A dealer cannot {request.event.value!r} an order.")
    if request.event is OrderEvent.DISPATCH and order.kind is OrderKind.RESCUE and order.rescue is None:
        raise Problem(409, "rescue_unconfirmed", "Nobody has said that help is needed: confirm the rescue instead.")
    if request.event in SIGNED_EVENTS and order.quote is not None:
        raise Problem(409, "sign_off_needed", f"Sign off version {order.quote.version} of the quote instead.")
    asked = transition(
        order, request.event, time_ns=service.clock(), actor=caller.name, reason=request.reason, expected_version=expected
    )
    if asked.outcome is TransitionOutcome.VERSION_CONFLICT:
        raise conflict_with(order)
    if asked.outcome is TransitionOutcome.ILLEGAL:
        raise not_allowed(order, asked)
    if request.slot is not None:
        if request.event is not OrderEvent.SCHEDULE or request.slot >= len(order.slots) or request.slots:
            raise Problem(422, "slot_unknown", "With 'schedule' one of the proposed appointments may be named.")
        asked = replace(asked, order=replace(asked.order, slots=(order.slots[request.slot],)))
    wished = replace(order, wish=request.transport) if request.transport else order
    after, pushes = consequences_of(service, wished, asked, request.dealer, [moment_ns(start) for start in request.slots])
    mended = after.incidents if confirms_repair(order, request.event) else ()
    papers = used_benefits(service, after) if request.event is OrderEvent.SETTLE else ()
    if not service.store.change_order(after, order.version, pushes, asking, mended, papers):
        if asking is not None and _answered(service, asking):
            return _replayed(service, order_id, caller, response)  # its twin was quicker
        stored = order_for(service, order_id, caller)
        raise _lost_place(service, stored) if stored.version == expected and request.event in BOOKS else conflict_with(stored)
    return _answer_to(service, order_id, caller, response)


@router.get("/{order_id}/slots")
def free_slots(
    order_id: str, service: Served, caller: OrderReader, limit: Annotated[int, Query(ge=1, le=50)] = 12
) -> dict[str, Any]:
    """The next appointments that the order can have at its dealer; one of them is named with `schedule`."""
    order = order_for(service, order_id, caller)
    diary = diary_of(service, order)
    return {"slots": [] if diary is None else [slot_json(slot) for slot in diary.free(order, limit)]}


@router.get("/{order_id}/history")
def order_history(order_id: str, service: Served, caller: OrderReader) -> dict[str, Any]:
    """Every stored version: who made it, by which event and why. A dealer sees what happened while the order was its own."""
    order_for(service, order_id, caller)
    entries = service.store.order_audit(order=order_id)
    return {"history": [_entry_json(entry) for entry in entries if not caller.dealer or entry.dealer == caller.dealer]}


def _entry_json(entry: AuditEntry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "time": rfc3339(entry.time_ns),
        "event": entry.event,
        "actor": entry.actor,
        "reason": entry.reason,
        "state_before": entry.came_from or None,
        "state": entry.state,
        "hash": entry.hash,
    }


def _request(service: Service, caller: Caller, key: str | None, order_id: str, asked: str) -> AnsweredRequest | None:
    if key is None:
        return None
    content = hashlib.sha256(f"{order_id}\n{asked}".encode("utf-8", "surrogatepass")).hexdigest()
    return AnsweredRequest(caller=caller.name, key=key, content=content, order=order_id, time_ns=service.clock())


def _answered(service: Service, asking: AnsweredRequest) -> bool:
    """Whether the very same request has been answered before."""
    known = service.store.answered_request(asking.caller, asking.key)
    if known is not None and known.content != asking.content:
        raise Problem(422, "idempotency_key_reused", "This Idempotency-Key was sent with another request: take a new one.")
    return known is not None


def _replayed(service: Service, order_id: str, caller: Caller, response: Response) -> dict[str, Any]:
    response.headers["Idempotency-Replayed"] = "true"
    return _answer_to(service, order_id, caller, response)


def _answer_to(service: Service, order_id: str, caller: Caller, response: Response) -> dict[str, Any]:
    """The order as it stands; nothing of it to a dealer that has lost it."""
    order = stored_order(service, order_id)
    if not _concerns(order, caller):
        return {"order": None, "allowed": []}
    return order_answer(service, order, response)


def diary_of(service: Service, order: Order) -> Diary | None:
    """Of the order's dealer, None without one."""
    _, dealer = parties_of(service, order, None)
    if dealer is None:
        return None
    others = service.store.orders(dealer=dealer.id, state=SLOT_STATES)
    return Diary(dealer=dealer, others=others, now_ns=service.clock())


def _booked(service: Service, order: Order, asked: OrderTransition, starts_ns: Sequence[int]) -> Order:
    """The order with its appointment, or with those suggested."""
    diary = diary_of(service, order)
    if diary is None:
        return asked.order
    found = booked(asked.order, asked.event, starts_ns, diary, held=order)
    if found.verdict is not SlotVerdict.FREE:
        free = [slot_json(slot) for slot in diary.free(order, 3)]
        raise Problem(409, f"slot_{found.verdict}", f"That appointment cannot be had: {found.verdict}.", free=free)
    return found.order


def consequences_of(
    service: Service, order: Order, asked: OrderTransition, named: str = "", starts_ns: Sequence[int] = ()
) -> tuple[Order, tuple[OutboxEvent, ...]]:
    """The order to store and the pushes that tell of it; a release or refusal asks the next dealer in the same step.

    Args:
        named: the dealer that is to be asked. starts_ns: the appointments that are named.
    """
    if asked.event in BOOKS and order.kind is OrderKind.SERVICE:
        asked = replace(asked, order=_booked(service, order, asked, starts_ns))
    case, (vehicle, dealer) = service.store.case(order.vehicle), parties_of(service, asked.order, None)
    if asked.event not in ASKS:
        return asked.order, order_events(asked.order, case, vehicle, dealer)
    found = redispatch(
        order,
        asked.event,
        case=case,
        vehicle=vehicle,
        dealers=service.store.dealers(),
        orders=service.store.orders(state=OPEN_STATES),
        time_ns=service.clock(),
        actor=asked.actor,
        reason=asked.reason,
        routing=service.routing,
        named=named,
    )
    if found.outcome is RedispatchOutcome.NAMED_NOT_ABLE:
        why = dict(found.rejected)
        raise Problem(
            409, "dealer_not_able", f"Dealer {named!r} cannot take this order: {', '.join(why) or 'unknown'}.", rejected=why
        )
    return found.order, found.outbox


def _lost_place(service: Service, order: Order) -> Problem:
    """Somebody was quicker with the place at the order's appointment."""
    diary = diary_of(service, order)
    free = [] if diary is None else [slot_json(slot) for slot in diary.free(order, 3)]
    return Problem(409, "slot_full", "Somebody else has got the place at that appointment just now.", free=free)


def seen_version(if_match: str | None) -> int:
    """The version of an order that its caller has seen."""
    if if_match is None:
        raise Problem(428, "version_missing", "Send If-Match with the version of the order that you saw.")
    named = re.fullmatch(r'\s*(?:W/)?"?(\d{1,9})"?\s*', if_match)
    if named is None:
        raise Problem(400, "version_malformed", 'If-Match takes one version, such as "3".')
    return int(named[1])


def conflict_with(order: Order) -> Problem:
    """Somebody else has changed the order meanwhile."""
    return Problem(
        412, "version_conflict", f"The order has changed meanwhile: look at version {order.version}.", version=order.version
    )


def not_allowed(order: Order, asked: OrderTransition) -> Problem:
    """The order's state does not allow the event."""
    allowed = [event.value for event in asked.allowed]
    return Problem(
        409,
        "transition_not_allowed",
        f"An order that is {order.state!r} cannot {asked.event.value!r}; allowed: {', '.join(allowed) or 'nothing'}.",
        state=order.state,
        allowed=allowed,
    )


def order_for(service: Service, order_id: str, caller: Caller) -> Order:
    """The order; of another's a dealer or owner does not learn that there is one."""
    order = stored_order(service, order_id)
    if not _concerns(order, caller):
        raise _unknown()
    return order


def stored_order(service: Service, order_id: str) -> Order:
    """The order; 404 where there is none."""
    order = service.store.order(order_id)
    if order is None:
        raise _unknown()
    return order


def _concerns(order: Order, caller: Caller) -> bool:
    if caller.vehicle:
        return order.vehicle == caller.vehicle
    return not caller.dealer or (order.choice is not None and order.choice.dealer == caller.dealer)


def _unknown() -> Problem:
    return Problem(404, "order_unknown", "There is no order of this id.")


def order_answer(service: Service, order: Order, response: Response) -> dict[str, Any]:
    """The order with what is allowed now; its version goes into the ETag."""
    response.headers["ETag"] = f'"{order.version}"'
    allowed = [event.value for event in TABLES[order.kind][OrderState(order.state)]]
    return {"order": document_of(service, order, None), "allowed": allowed}


def document_of(service: Service, order: Order, dealers: dict[str, Dealer] | None) -> dict[str, Any]:
    """The ORDER document; `dealers` by id where the caller has them at hand."""
    vehicle, dealer = parties_of(service, order, dealers)
    return order_json(order, service.store.case(order.vehicle), vehicle, dealer)


def parties_of(service: Service, order: Order, dealers: dict[str, Dealer] | None) -> tuple[Vehicle, Dealer | None]:
    """The order's vehicle and its dealer; `dealers`: all by id where they are at hand."""
    known = {each.id: each for each in service.store.dealers()} if dealers is None else dealers
    dealer = known.get(order.choice.dealer) if order.choice else None
    return service.store.vehicle(order.vehicle) or Vehicle(id=order.vehicle), dealer
