"""The life of service and rescue orders as two tables; a transition is a pure decision with a named outcome.

The words map outward to STAR's repair-order and service-appointment states; an illegal event names those allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.orders import ManualReason, Order, OrderChange, OrderKind
from domain.rescue import Rescue


class OrderState(StrEnum):
    """Where an order stands."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    """Waits for the owner to agree."""
    REQUESTED = "requested"
    """A rescue is asked for, and waits for the word of the driver or of who speaks for the owner."""
    DISPATCHING = "dispatching"
    """A dealer is chosen, the offer is on its way."""
    OFFERED = "offered"
    MANUAL = "manual"
    """A person must see to it: the order says why, and which desk's."""
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    NO_SHOW = "no_show"
    CHECKED_IN = "checked_in"
    DIAGNOSING = "diagnosing"
    QUOTED = "quoted"
    PARTIALLY_APPROVED = "partially_approved"
    APPROVED = "approved"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    QUALITY_CHECK = "quality_check"
    READY = "ready"
    SETTLED = "settled"
    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    TOWING = "towing"
    DELIVERED = "delivered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class OrderEvent(StrEnum):
    """What happens to an order."""

    PROPOSE = "propose"
    DISPATCH = "dispatch"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    EXPIRE = "expire"
    GIVE_UP = "give_up"
    """No dealer is able or willing: over to a person."""
    SCHEDULE = "schedule"
    SUGGEST = "suggest"
    """Owner or dealer would like another appointment; the one that is agreed holds until the other agrees."""
    MISS = "miss"
    """The vehicle did not come."""
    CHECK_IN = "check_in"
    DIAGNOSE = "diagnose"
    QUOTE = "quote"
    APPROVE = "approve"
    APPROVE_PARTLY = "approve_partly"
    REJECT = "reject"
    """The owner wants none of the quoted work: the vehicle goes back as it is."""
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    INSPECT = "inspect"
    REWORK = "rework"
    PASS = "pass"  # noqa: S105 - an inspection passed, no password
    SETTLE = "settle"
    DEPART = "depart"
    ARRIVE = "arrive"
    TOW = "tow"
    DELIVER = "deliver"
    CLOSE = "close"
    CANCEL = "cancel"


_S, _E = OrderState, OrderEvent
Table = Mapping[OrderState, Mapping[OrderEvent, OrderState]]

SERVICE: Table = {
    _S.DRAFT: {_E.PROPOSE: _S.PROPOSED, _E.DISPATCH: _S.DISPATCHING, _E.GIVE_UP: _S.MANUAL, _E.CANCEL: _S.CANCELLED},
    _S.PROPOSED: {_E.DISPATCH: _S.DISPATCHING, _E.GIVE_UP: _S.MANUAL, _E.CANCEL: _S.CANCELLED},
    _S.DISPATCHING: {_E.OFFER: _S.OFFERED, _E.GIVE_UP: _S.MANUAL, _E.CANCEL: _S.CANCELLED},
    _S.OFFERED: {
        _E.ACCEPT: _S.ACCEPTED,
        _E.DECLINE: _S.DISPATCHING,
        _E.EXPIRE: _S.DISPATCHING,
        _E.GIVE_UP: _S.MANUAL,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.MANUAL: {_E.DISPATCH: _S.DISPATCHING, _E.PROPOSE: _S.PROPOSED, _E.CANCEL: _S.CANCELLED},
    _S.ACCEPTED: {_E.SCHEDULE: _S.SCHEDULED, _E.SUGGEST: _S.ACCEPTED, _E.CANCEL: _S.CANCELLED},
    _S.SCHEDULED: {
        _E.CHECK_IN: _S.CHECKED_IN,
        _E.MISS: _S.NO_SHOW,
        _E.SCHEDULE: _S.SCHEDULED,
        _E.SUGGEST: _S.SCHEDULED,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.NO_SHOW: {_E.SCHEDULE: _S.SCHEDULED, _E.SUGGEST: _S.NO_SHOW, _E.CANCEL: _S.CANCELLED},
    _S.CHECKED_IN: {_E.DIAGNOSE: _S.DIAGNOSING, _E.CANCEL: _S.CANCELLED},
    _S.DIAGNOSING: {_E.QUOTE: _S.QUOTED, _E.CANCEL: _S.CANCELLED},
    _S.QUOTED: {
        _E.APPROVE: _S.APPROVED,
        _E.APPROVE_PARTLY: _S.PARTIALLY_APPROVED,
        _E.REJECT: _S.READY,
        _E.QUOTE: _S.QUOTED,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.PARTIALLY_APPROVED: {_E.START: _S.IN_PROGRESS, _E.HOLD: _S.ON_HOLD, _E.QUOTE: _S.QUOTED, _E.CANCEL: _S.CANCELLED},
    _S.APPROVED: {_E.START: _S.IN_PROGRESS, _E.HOLD: _S.ON_HOLD, _E.QUOTE: _S.QUOTED, _E.CANCEL: _S.CANCELLED},
    _S.IN_PROGRESS: {_E.INSPECT: _S.QUALITY_CHECK, _E.HOLD: _S.ON_HOLD, _E.QUOTE: _S.QUOTED, _E.CANCEL: _S.CANCELLED},
    _S.ON_HOLD: {_E.RESUME: _S.IN_PROGRESS, _E.QUOTE: _S.QUOTED, _E.CANCEL: _S.CANCELLED},
    _S.QUALITY_CHECK: {_E.PASS: _S.READY, _E.REWORK: _S.IN_PROGRESS, _E.CANCEL: _S.CANCELLED},
    _S.READY: {_E.SETTLE: _S.SETTLED, _E.CANCEL: _S.CANCELLED},
    _S.SETTLED: {_E.CLOSE: _S.CLOSED},
    _S.CLOSED: {},
    _S.CANCELLED: {},
}
"""Every state of a service order, and where each event allowed there leads."""

RESCUE: Table = {
    _S.REQUESTED: {_E.DISPATCH: _S.DISPATCHING, _E.GIVE_UP: _S.MANUAL, _E.CANCEL: _S.CANCELLED},
    _S.DISPATCHING: {_E.OFFER: _S.OFFERED, _E.ACCEPT: _S.ASSIGNED, _E.GIVE_UP: _S.MANUAL, _E.CANCEL: _S.CANCELLED},
    _S.OFFERED: {
        _E.ACCEPT: _S.ASSIGNED,
        _E.DECLINE: _S.DISPATCHING,
        _E.EXPIRE: _S.DISPATCHING,
        _E.GIVE_UP: _S.MANUAL,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.MANUAL: {_E.DISPATCH: _S.DISPATCHING, _E.CANCEL: _S.CANCELLED},
    _S.ASSIGNED: {_E.DEPART: _S.EN_ROUTE, _E.DECLINE: _S.DISPATCHING, _E.CANCEL: _S.CANCELLED},
    _S.EN_ROUTE: {_E.ARRIVE: _S.ON_SITE, _E.CANCEL: _S.CANCELLED},
    _S.ON_SITE: {_E.TOW: _S.TOWING, _E.CLOSE: _S.CLOSED, _E.CANCEL: _S.CANCELLED},
    _S.TOWING: {_E.DELIVER: _S.DELIVERED},
    _S.DELIVERED: {_E.CLOSE: _S.CLOSED},
    _S.CLOSED: {},
    _S.CANCELLED: {},
}
"""Every state of a rescue order; a vehicle mended on site is closed without a tow."""

TABLES: Mapping[OrderKind, Table] = {OrderKind.SERVICE: SERVICE, OrderKind.RESCUE: RESCUE}

AWAITS_OWNER = {OrderKind.SERVICE: _S.PROPOSED, OrderKind.RESCUE: _S.REQUESTED}
"""Where an order waits for its owner's word."""

UNCOMMITTED = frozenset({_S.DRAFT, _S.PROPOSED, _S.REQUESTED, _S.DISPATCHING, _S.MANUAL})
"""No dealer has been bound or asked in earnest: the choice may still be made anew."""


ENDED_STATES = frozenset({_S.SETTLED, _S.DELIVERED, _S.CLOSED, _S.CANCELLED})
OPEN_STATES = tuple(sorted({state.value for table in TABLES.values() for state in table} - ENDED_STATES))
"""States of orders on which work is still to come."""


def is_open(order: Order) -> bool:
    """Whether work is still to come: an open order absorbs further incidents, a settled or ended one does not."""
    return order.state not in ENDED_STATES


def confirms_repair(order: Order, event: OrderEvent) -> bool:
    """The workshop's word that the fault is mended: the repair has passed its inspection, or the rescue has mended it on site."""
    if order.kind is OrderKind.RESCUE:
        return event is OrderEvent.CLOSE and order.state == OrderState.ON_SITE
    return event is OrderEvent.PASS


class TransitionOutcome(StrEnum):
    """What became of an event."""

    CHANGED = "changed"
    ILLEGAL = "illegal"
    """Not allowed in this state; the transition names those that are (HTTP 409)."""
    VERSION_CONFLICT = "version_conflict"
    """The order has changed since the actor saw it (HTTP 412)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTransition:
    """One event applied to an order, or why it was not.

    Attributes:
        order: afterwards (unchanged unless the outcome is CHANGED). event, actor, reason: who wanted what, and why.
        came_from: the state before. allowed: events that the state before allows.
    """

    outcome: TransitionOutcome
    order: Order
    event: OrderEvent
    actor: str
    reason: str
    came_from: OrderState
    allowed: tuple[OrderEvent, ...]


def transition(
    order: Order, event: OrderEvent, *, time_ns: int, actor: str, reason: str = "", expected_version: int | None = None
) -> OrderTransition:
    """Apply an event to an order.

    Args:
        order: as stored.
        event: what happens.
        time_ns: when.
        actor: who does it (dealer id, "owner", "system" …).
        reason: why, in the actor's words.
        expected_version: the version that the actor saw; None where it does not matter.
    """
    state = OrderState(order.state)
    allowed = TABLES[order.kind][state]
    outcome, after = TransitionOutcome.CHANGED, order
    if expected_version is not None and expected_version != order.version:
        outcome = TransitionOutcome.VERSION_CONFLICT
    elif event not in allowed:
        outcome = TransitionOutcome.ILLEGAL
    else:
        after = replace(
            order,
            rescue=_expected(order, event, time_ns),
            manual=ManualReason.GIVEN_UP if allowed[event] is OrderState.MANUAL else None,
            state=allowed[event].value,
            version=order.version + 1,
            updated_ns=max(time_ns, order.updated_ns),
            change=OrderChange(event=event.value, actor=actor, reason=reason),
        )
    return OrderTransition(
        outcome=outcome, order=after, event=event, actor=actor, reason=reason, came_from=state, allowed=tuple(allowed)
    )


def _expected(order: Order, event: OrderEvent, time_ns: int) -> Rescue | None:
    """The rescue with the time at which its partner is expected: of the way from now on when it takes the order and sets out; none after
    it has given the order back.
    """
    if order.rescue is None or order.kind is not OrderKind.RESCUE:
        return order.rescue
    if event in (OrderEvent.DECLINE, OrderEvent.EXPIRE, OrderEvent.DISPATCH):
        return replace(order.rescue, eta_ns=None, eta_from="")
    if event not in (OrderEvent.ACCEPT, OrderEvent.DEPART) or order.rescue.eta_from == "partner":
        return order.rescue
    minutes = order.choice.drive_min if order.choice else None
    return order.rescue if minutes is None else replace(order.rescue, eta_ns=time_ns + round(minutes * 60e9), eta_from="estimate")
