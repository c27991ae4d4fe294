"""The clock that runs while an order waits for somebody's next step; a row of the store, so that a restart forgets none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.orders import Order

RUNNING, STOPPED = "running", "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClock:
    """One of each order. It starts anew whenever the order's state, dealer or appointment changes, in the same transaction.

    Attributes:
        since_ns: start (wall time). step: so many escalation steps have been taken. due_ns: when the next one comes; the start
            itself where nobody has looked yet. late_ns: when the limit is over, 0 where there is none or nobody has looked yet.
        state: "running", or "stopped" where nothing is to be escalated (any more).
    """

    order: str
    vehicle: str
    since_ns: int
    due_ns: int
    late_ns: int = 0
    step: int = 0
    state: str = RUNNING

    @property
    def id(self) -> str:
        """One of each order."""
        return self.order

    @property
    def created_ns(self) -> int:
        """When it started."""
        return self.since_ns


def restarted(before: Order | None, after: Order, time_ns: int) -> OrderClock | None:
    """The clock that a change of an order starts, None where the one that runs goes on."""
    if before is not None and _waits_for(before) == _waits_for(after):
        return None
    return OrderClock(order=after.id, vehicle=after.vehicle, since_ns=time_ns, due_ns=time_ns)


def stopped(clock: OrderClock) -> OrderClock:
    """The clock when nothing more is to be escalated."""
    return replace(clock, state=STOPPED)


def _waits_for(order: Order) -> tuple[str, str, tuple[int, int] | None]:
    return order.state, order.choice.dealer if order.choice else "", order.slots[0] if order.slots else None
