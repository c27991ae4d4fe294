"""Rescues that wait: an agent is asked to ring the driver, and people find a partner where none takes it in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from domain.order_audit import AuditEntry
from domain.orders import Order, OrderKind
from domain.tickets import Ticket, TicketState, closed
from notifier.orders.order_states import OrderEvent, OrderState, TransitionOutcome, transition
from notifier.rescue.confirming import WAITING
from notifier.rescue.helping import HelpStore, ask_agent, told

RINGS = ("stop", "call_me", "position", "late_answer")
"""Reasons of tasks that have done their work when the rescue is confirmed or over."""
ASKED = (OrderState.DISPATCHING, OrderState.OFFERED)


class WatchStore(HelpStore, Protocol):
    """What the watch needs of the store besides."""

    def order_audit(self, *, order: str | None = None) -> tuple[AuditEntry, ...]:
        """The entries of one order."""

    def papers(self, kind: type[Ticket], *, state: str) -> tuple[Ticket, ...]:
        """Tickets in this state."""


@dataclass(slots=True, kw_only=True)
class WatchTally:
    """What one look did: tasks made and ended, rescues that went over to people."""

    asked: int = 0
    ended: int = 0
    given_up: int = 0


def watch_rescues(store: WatchStore, *, call_after_s: float, accept_within_s: float, now_ns: int) -> WatchTally:
    """One look at all open rescues.

    Every rescue that waits for a word has a task for the call centre, due `call_after_s` after the order was stored; it ends when the
    rescue is confirmed or over. A confirmed one that nobody has taken within `accept_within_s` of its confirmation goes over to the people of the
    rescue desk; whatever dealer was asked is told that it is withdrawn.

    Raises:
        StorageError: the database failed; what was done until then stands, the next look does the rest.
    """
    tally = WatchTally()
    waiting = [order for order in store.orders(state=WAITING) if order.kind is OrderKind.RESCUE and order.rescue is None]
    for order in waiting:
        entries = store.order_audit(order=order.id)
        since_ns = entries[0].time_ns if entries else now_ns
        text = "A vehicle must not be driven on. Ring its driver: is everybody safe, is help needed, and where?"
        tally.asked += ask_agent(store, order, "stop", text, now_ns=now_ns, due_ns=since_ns + round(call_after_s * 1e9))
    tally.ended += _end_tasks(store, {order.id for order in waiting}, now_ns)
    for order in store.orders(state=ASKED):
        confirmed = order.kind is OrderKind.RESCUE and order.rescue is not None
        if confirmed and order.rescue and now_ns - order.rescue.confirmed_ns > accept_within_s * 1e9:
            tally.given_up += _to_people(store, order, now_ns)
    return tally


def _end_tasks(store: WatchStore, waiting: set[str], now_ns: int) -> int:
    ended = 0
    for ticket in store.papers(Ticket, state=TicketState.OPEN):
        if ticket.reason not in RINGS or ticket.order in waiting:
            continue
        order = store.order(ticket.order)
        result = "confirmed" if order is not None and order.rescue is not None else "over"
        after = closed(ticket, result=result, answer="", by="system", time_ns=now_ns)
        ended += store.change_paper(ticket, after)
    return ended


def _to_people(store: WatchStore, order: Order, now_ns: int) -> bool:
    moved = transition(order, OrderEvent.GIVE_UP, time_ns=now_ns, actor="system", reason="nobody has taken it in time")
    if moved.outcome is not TransitionOutcome.CHANGED:
        return False
    names = (order.choice.dealer,) if order.choice else ()
    after = replace(moved.order, choice=None, refused_by=tuple(dict.fromkeys((*order.refused_by, *names))))
    return store.change_order(after, order.version, told(store, after, withdrawn_from=order))
