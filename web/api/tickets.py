"""`/api/v1/tickets`: calls to make, questions, complaints, wishes for a visit and follow-ups, with their results."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.consents import Consent, ConsentChannel, Purpose
from domain.records import Commit
from domain.tickets import Ticket, TicketKind, TicketState, closed, ticket_id
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.order_states import OPEN_STATES
from notifier.orders.ordering import update_orders
from notifier.owners.wishes import wished_visit
from notifier.push.messages import rfc3339
from web.api.access import Orderer, OrderReader, Scope
from web.api.orders import order_for
from web.api.owner_actions import HOUR_NS
from web.api.paging import Limit, Offset, page
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/tickets", tags=["tickets"])


class TicketRequest(BaseModel):
    """A new task about a vehicle, and about an order where one is named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "call", "vehicle": "a7c31f0e…", "reason": "no_answer", "text": "Ask for Friday"}]
        },
    )

    kind: TicketKind
    vehicle: Annotated[str, Field(min_length=1, max_length=100)]
    order: Annotated[str, Field(max_length=100)] = ""
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")] = "asked"
    text: Annotated[str, Field(max_length=1000)] = ""
    due: AwareDatetime | None = None


class ResultRequest(BaseModel):
    """What came of it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"result": "reached", "answer": "comes on Friday at nine"}]}
    )

    result: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
    answer: Annotated[str, Field(max_length=1000)] = ""
    cancelled: bool = False


@router.get("")
def list_tickets(
    service: Served,
    caller: OrderReader,
    kind: TicketKind | None = None,
    state: Annotated[list[TicketState] | None, Query()] = None,
    order: str | None = None,
    vehicle: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Tickets, newest first; a dealer's key names an order of the dealer and is given its questions."""
    if caller.dealer:
        order_for(service, order or "", caller)
        kind = TicketKind.QUESTION
    found = service.store.papers(Ticket, order=order, vehicle=vehicle, state=state, newest_first=True)
    wanted = [ticket for ticket in found if kind in (None, ticket.kind)][offset : offset + limit + 1]
    return page("tickets", tuple(wanted), [ticket_json(ticket) for ticket in wanted[:limit]], limit=limit, offset=offset)


@router.post("", status_code=201)
def open_ticket(request: TicketRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """Put a task on the list; the same one twice is one."""
    if service.store.vehicle(request.vehicle) is None:
        raise Problem(404, "vehicle_unknown", "There is no vehicle of this id.")
    if request.order and order_for(service, request.order, caller).vehicle != request.vehicle:
        raise Problem(422, "other_vehicle", "The order is of another vehicle.")
    now_ns = service.clock()
    ticket = Ticket(
        id=ticket_id(request.kind, request.vehicle, request.order, request.reason, request.text),
        kind=request.kind,
        vehicle=request.vehicle,
        order=request.order,
        reason=request.reason,
        text=request.text,
        author=caller.name,
        created_ns=now_ns,
        due_ns=now_ns + 24 * HOUR_NS if request.due is None else int(request.due.timestamp()) * 1_000_000_000,
    )
    if not service.store.change_paper(None, ticket):
        ticket = _ticket(service, ticket.id)
    return ticket_json(ticket)


@router.post("/{ticket_id}/result", responses={409: {"description": "it has a result already"}})
def close_ticket(ticket_id: str, request: ResultRequest, service: Served, caller: OrderReader) -> dict[str, Any]:
    """Say what came of a task; a dealer answers the questions on its own orders."""
    ticket = _ticket(service, ticket_id)
    if caller.dealer:
        order_for(service, ticket.order, caller)
    if not caller.may(Scope.ORDERS) and not (caller.dealer and ticket.kind is TicketKind.QUESTION):
        raise Problem(403, "scope_missing", "This key lacks the scope 'orders'.", needed="orders")
    return ticket_json(with_result(service, ticket, request, caller.name))


@router.post("/{ticket_id}/visit", status_code=201, responses={409: {"description": "no open wish for a visit"}})
def order_visit(ticket_id: str, service: Served, caller: Orderer) -> dict[str, Any]:
    """Make an owner's wish for a visit an order, which joins a visit that is open anyway; the wish is the owner's consent to it."""
    ticket, now_ns = _ticket(service, ticket_id), service.clock()
    vehicle = service.store.vehicle(ticket.vehicle)
    if ticket.kind is not TicketKind.BOOKING or ticket.state is not TicketState.OPEN or vehicle is None:
        raise Problem(409, "no_open_wish", "This is no open wish for a visit.")
    advice = wished_visit(ticket, now_ns)
    network = DealerNetwork.from_orders(service.store.dealers(), service.store.orders(state=OPEN_STATES), routing=service.routing)
    wish = Consent(
        vehicle=vehicle.id, purpose=Purpose.MAINTENANCE, channel=ConsentChannel.ORDER, given=True, time_ns=ticket.created_ns
    )
    case, outbox = update_orders(
        service.store.open_case(vehicle.id, OPEN_STATES), advice, vehicle, network, vehicle.home, now_ns, [wish]
    )
    service.store.commit(Commit(cases=(case,), outbox=outbox))
    order = next(each for each in service.store.orders(vehicle=vehicle.id) if advice.incident_id in each.incidents)
    done = ResultRequest(result="ordered", answer=order.id[:12])
    return {"order": order.id, "ticket": ticket_json(with_result(service, ticket, done, caller.name))}


def with_result(service: Service, ticket: Ticket, request: ResultRequest, by: str) -> Ticket:
    """Close a ticket, unless somebody has.

    Raises:
        Problem: 409.
    """
    done = closed(
        ticket,
        result=request.result,
        answer=request.answer,
        by=by,
        time_ns=service.clock(),
        state=TicketState.CANCELLED if request.cancelled else TicketState.DONE,
    )
    if ticket.state is not TicketState.OPEN or not service.store.change_paper(ticket, done):
        raise Problem(409, "ticket_closed", "This ticket has a result already.")
    return done


def _ticket(service: Service, identifier: str) -> Ticket:
    ticket = service.store.paper(Ticket, identifier)
    if ticket is None:
        raise Problem(404, "ticket_unknown", "There is no ticket of this id.")
    return ticket


def ticket_json(ticket: Ticket) -> dict[str, Any]:
    """A ticket as a document."""
    return {
        "id": ticket.id,
        "kind": ticket.kind,
        "state": ticket.state,
        "vehicle": ticket.vehicle,
        "order": ticket.order or None,
        "reason": ticket.reason,
        "text": ticket.text,
        "author": ticket.author,
        "created": rfc3339(ticket.created_ns),
        "due": rfc3339(ticket.due_ns),
        "result": ticket.result or None,
        "answer": ticket.answer,
        "closed_by": ticket.closed_by or None,
        "closed": rfc3339(ticket.closed_ns) if ticket.closed_ns else None,
    }
