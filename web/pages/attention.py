"""What an operator has to look at: how long things have been open, what comes next, and which orders are stuck and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.live import VehicleSummary
from domain.orders import ManualReason, Order
from notifier.orders.order_states import OrderState

_S = OrderState


class NextAction(StrEnum):
    """What an operator does about a car that must stop."""

    CALL_OWNER = "call_owner"
    """There is no order: nobody but us knows."""
    FIND_DEALER = "find_dealer"
    """No dealer is able or willing."""
    ASK_OWNER = "ask_owner"
    """The order waits for the owner to agree."""
    AWAIT_DISPATCH = "await_dispatch"
    AWAIT_ANSWER = "await_answer"
    CALL_DEALER = "call_dealer"
    """The dealer has been asked and does not answer in time."""
    CONFIRM_STOPPED = "confirm_stopped"
    """Help is arranged: see that the car has stopped."""
    AWAIT_ARRIVAL = "await_arrival"
    BEING_HELPED = "being_helped"
    FOLLOW_UP = "follow_up"
    """The order has ended, the alert has not."""


class StuckReason(StrEnum):
    """Why an order does not move."""

    AWAITS_OWNER = "awaits_owner"
    REVIEW = "review"
    """A person must look at what it stands on."""
    NO_DEALER = "no_dealer"
    NOT_OFFERED = "not_offered"
    """A dealer is chosen, and the offer has not reached it."""
    NOT_ACCEPTED = "not_accepted"
    NOT_BOOKED = "not_booked"
    NO_SHOW = "no_show"
    ON_HOLD = "on_hold"
    NOT_COME = "not_come"
    """Its appointment is over, and nobody says whether the vehicle came."""
    NOT_QUOTED = "not_quoted"
    NOT_SIGNED = "not_signed"
    NOT_REPAIRED = "not_repaired"
    NOT_COLLECTED = "not_collected"
    NOT_HELPED = "not_helped"


UNACCEPTED = frozenset(
    {StuckReason.AWAITS_OWNER, StuckReason.REVIEW, StuckReason.NO_DEALER, StuckReason.NOT_OFFERED, StuckReason.NOT_ACCEPTED}
)
"""Reasons for which no dealer has accepted."""

_MANUAL = {ManualReason.REVIEW: StuckReason.REVIEW, ManualReason.OWNER_SILENT: StuckReason.AWAITS_OWNER}
_STUCK_AT_ONCE = {_S.MANUAL: StuckReason.NO_DEALER, _S.NO_SHOW: StuckReason.NO_SHOW, _S.ON_HOLD: StuckReason.ON_HOLD}
_STUCK_WHEN_LATE = {
    _S.DRAFT: StuckReason.NOT_OFFERED,
    _S.PROPOSED: StuckReason.AWAITS_OWNER,
    _S.REQUESTED: StuckReason.AWAITS_OWNER,
    _S.DISPATCHING: StuckReason.NOT_OFFERED,
    _S.OFFERED: StuckReason.NOT_ACCEPTED,
    _S.ACCEPTED: StuckReason.NOT_BOOKED,
    _S.SCHEDULED: StuckReason.NOT_COME,
    _S.CHECKED_IN: StuckReason.NOT_QUOTED,
    _S.DIAGNOSING: StuckReason.NOT_QUOTED,
    _S.QUOTED: StuckReason.NOT_SIGNED,
    _S.PARTIALLY_APPROVED: StuckReason.NOT_REPAIRED,
    _S.APPROVED: StuckReason.NOT_REPAIRED,
    _S.IN_PROGRESS: StuckReason.NOT_REPAIRED,
    _S.QUALITY_CHECK: StuckReason.NOT_REPAIRED,
    _S.READY: StuckReason.NOT_COLLECTED,
    _S.ASSIGNED: StuckReason.NOT_HELPED,
    _S.EN_ROUTE: StuckReason.NOT_HELPED,
    _S.ON_SITE: StuckReason.NOT_HELPED,
    _S.TOWING: StuckReason.NOT_HELPED,
}
_ACTIONS = {
    _S.DRAFT: NextAction.AWAIT_DISPATCH,
    _S.PROPOSED: NextAction.ASK_OWNER,
    _S.MANUAL: NextAction.FIND_DEALER,
    _S.REQUESTED: NextAction.ASK_OWNER,
    _S.DISPATCHING: NextAction.AWAIT_DISPATCH,
    _S.OFFERED: NextAction.AWAIT_ANSWER,
    _S.ACCEPTED: NextAction.CONFIRM_STOPPED,
    _S.SCHEDULED: NextAction.CONFIRM_STOPPED,
    _S.NO_SHOW: NextAction.CALL_OWNER,
    _S.ASSIGNED: NextAction.CONFIRM_STOPPED,
    _S.EN_ROUTE: NextAction.AWAIT_ARRIVAL,
    _S.SETTLED: NextAction.FOLLOW_UP,
    _S.CLOSED: NextAction.FOLLOW_UP,
    _S.DELIVERED: NextAction.FOLLOW_UP,
    _S.CANCELLED: NextAction.CALL_OWNER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Reads ages of one vehicle's event times at a wall time.

    The vehicle's clock need not be ours (it may be ahead, or run faster in a demonstration), so an age is what has passed on the
    vehicle's clock until its last message, and on ours since.
    """

    now_ns: int
    event_ns: int | None = None
    received_ns: int | None = None

    @classmethod
    def of(cls, summary: VehicleSummary | None, now_ns: int) -> Ages:
        """Of a vehicle at a glance; of one that was never heard of live its times are taken for wall time."""
        known = summary is not None
        return cls(
            now_ns=now_ns,
            event_ns=summary.event_ns if known and summary else None,
            received_ns=summary.received_ns if known and summary else None,
        )

    def since_ns(self, time_ns: int) -> int:
        """How long ago an event time was, at least 0."""
        if self.event_ns is None or self.received_ns is None:
            return max(0, self.now_ns - time_ns)
        return max(0, self.event_ns - time_ns) + max(0, self.now_ns - self.received_ns)

    @property
    def data_ns(self) -> int | None:
        """How old the last message is, None where there never was one."""
        return None if self.received_ns is None else max(0, self.now_ns - self.received_ns)


def next_action(order: Order | None, *, late: bool) -> NextAction:
    """What comes next for a car that must stop, given its order (None for none) and whether that has stood too long as it is."""
    if order is None:
        return NextAction.CALL_OWNER
    action = _ACTIONS.get(OrderState(order.state), NextAction.BEING_HELPED)
    return NextAction.CALL_DEALER if late and action in (NextAction.AWAIT_ANSWER, NextAction.AWAIT_DISPATCH) else action


def stuck(order: Order, *, late: bool) -> StuckReason | None:
    """Why an order does not move, None where it does; `late`: it has stood too long as it is."""
    if order.manual in _MANUAL:
        return _MANUAL[order.manual]
    state = OrderState(order.state)
    return _STUCK_AT_ONCE.get(state) or (_STUCK_WHEN_LATE.get(state) if late else None)
