"""What an owner does through a link: agree to a proposal, choose an appointment, ask, rate, complain, ask for a visit.

Each is one transaction with the link that allowed it: what changes an order uses the link up.
"""

from __future__ import annotations

from dataclasses import replace

from domain.orders import Order
from domain.owners import LinkState, OwnerLink, Rating
from domain.tickets import Ticket, TicketKind, TicketState, ticket_id
from notifier.orders.appointments import SlotVerdict
from notifier.orders.order_states import OrderEvent, TransitionOutcome, transition
from web.api.orders import conflict_with, consequences_of, diary_of, not_allowed
from web.api.problems import Problem
from web.api.service import Service

HOUR_NS = 3600 * 1_000_000_000
FREE_SHOWN = 6
"""Free appointments beside those that are offered."""
MOST_OPEN = 3
"""Questions of one order that wait for an answer at once."""
ANSWER_WITHIN_H = {TicketKind.QUESTION: 4, TicketKind.COMPLAINT: 24, TicketKind.BOOKING: 4}
"""Hours in which somebody should see to it."""
RATED_STATES = frozenset({"settled", "delivered", "closed"})
"""A visit is rated when it is over."""
CHOOSES_SLOT = frozenset({"accepted", "scheduled", "no_show"})
"""States in which the owner may choose or move the appointment."""


def slot_choices(service: Service, order: Order) -> tuple[tuple[int, int], ...]:
    """Appointments that the owner may choose: what is offered or suggested, and the next free ones of the dealer; soonest first."""
    diary = diary_of(service, order)
    if diary is None or order.state not in CHOOSES_SLOT:
        return ()
    known = (slot for slot in (*order.slots, *order.suggested) if diary.verdict(order, slot[0]) is SlotVerdict.FREE)
    return tuple(sorted({*known, *diary.free(order, FREE_SHOWN)}))


def slot_chosen(service: Service, order: Order, start_ns: int, link: OwnerLink) -> None:
    """Book the appointment that begins then, if it can be had.

    Raises:
        Problem: 409 or 412, and nothing is stored.
    """
    asked = transition(order, OrderEvent.SCHEDULE, time_ns=service.clock(), actor="owner", reason="appointment chosen")
    if asked.outcome is not TransitionOutcome.CHANGED:
        raise not_allowed(order, asked)
    after, pushes = consequences_of(service, order, asked, starts_ns=[start_ns])
    if not service.store.change_order(after, order.version, pushes, papers=[replace(link, state=LinkState.USED)]):
        raise conflict_with(order)


def answered(service: Service, order: Order, agrees: bool, link: OwnerLink) -> None:
    """The owner's word on a proposed order: a dealer is asked, or it is called off.

    Raises:
        Problem: 409 or 412, and nothing is stored.
    """
    event = OrderEvent.DISPATCH if agrees else OrderEvent.CANCEL
    reason = "the owner agrees" if agrees else "the owner does not want it"
    asked = transition(order, event, time_ns=service.clock(), actor="owner", reason=reason)
    if asked.outcome is not TransitionOutcome.CHANGED:
        raise not_allowed(order, asked)
    after, pushes = consequences_of(service, order, asked, "")
    if not service.store.change_order(after, order.version, pushes, papers=[replace(link, state=LinkState.USED)]):
        raise conflict_with(order)


def rated(service: Service, order: Order, stars: int, nps: int, comment: str, link: OwnerLink) -> Rating:
    """Keep what the owner says of the visit; once.

    Raises:
        Problem: 409 where the visit is not over or was rated already.
    """
    if order.state not in RATED_STATES:
        raise Problem(409, "not_over", "A visit is rated when it is over.")
    rating = Rating(
        order=order.id,
        vehicle=order.vehicle,
        dealer=order.choice.dealer if order.choice else "",
        stars=stars,
        nps=nps,
        comment=comment,
        created_ns=service.clock(),
    )
    if not service.store.change_paper(None, rating, beside=[replace(link, state=LinkState.USED)]):
        raise Problem(409, "rated_already", "This visit has been rated.")
    return rating


def ticket_opened(service: Service, kind: TicketKind, *, vehicle: str, order: str, text: str, link: OwnerLink | None) -> Ticket:
    """Keep a question, complaint or wish for a visit for somebody to see to.

    Args:
        link: used up by it; None where it is not.

    Raises:
        Problem: 409 where the same was said before, or too many wait.
    """
    waiting = service.store.papers(Ticket, vehicle=vehicle, order=order, state=TicketState.OPEN)
    if sum(each.kind is kind for each in waiting) >= MOST_OPEN:
        raise Problem(409, "too_many_open", "Several wait for an answer already.")
    now_ns = service.clock()
    ticket = Ticket(
        id=ticket_id(kind, vehicle, order, text),
        kind=kind,
        vehicle=vehicle,
        order=order,
        reason="owner",
        text=text,
        author="owner",
        created_ns=now_ns,
        due_ns=now_ns + ANSWER_WITHIN_H[kind] * HOUR_NS,
    )
    used = [] if link is None else [replace(link, state=LinkState.USED)]
    if not service.store.change_paper(None, ticket, beside=used):
        raise Problem(409, "said_already", "That has been said before.")
    return ticket
