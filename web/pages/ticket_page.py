"""Gathers what the page of tickets shows."""

from __future__ import annotations

from dataclasses import dataclass

from domain.fleet import Vehicle
from domain.tickets import Ticket, TicketKind, TicketState
from web.api.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTicket:
    """A ticket with its vehicle."""

    id: str
    kind: TicketKind
    vehicle: Vehicle
    order: str
    reason: str
    text: str
    author: str
    due_ns: int
    result: str
    answer: str
    is_open: bool
    is_late: bool


def gather(service: Service, state: TicketState, offset: int, limit: int) -> list[ShownTicket]:
    """Tickets in one state: open ones by their due time, others newest first."""
    found = service.store.papers(Ticket, state=state, newest_first=True)
    if state is TicketState.OPEN:
        found = tuple(sorted(found, key=lambda ticket: (ticket.due_ns, ticket.id)))
    return [_shown(service, ticket) for ticket in found[offset : offset + limit]]


def _shown(service: Service, ticket: Ticket) -> ShownTicket:
    is_open = ticket.state is TicketState.OPEN
    return ShownTicket(
        id=ticket.id,
        kind=ticket.kind,
        vehicle=service.store.vehicle(ticket.vehicle) or Vehicle(id=ticket.vehicle),
        order=ticket.order,
        reason=ticket.reason,
        text=ticket.text,
        author=ticket.author,
        due_ns=ticket.due_ns,
        result=ticket.result,
        answer=ticket.answer,
        is_open=is_open,
        is_late=is_open and ticket.due_ns < service.clock(),
    )
