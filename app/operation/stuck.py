"""Open orders at the end of the year: which of them do not move, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.fleet import Dealer
from domain.orders import Order
from notifier.orders.order_states import OPEN_STATES, OrderState
from notifier.orders.service_levels import ServiceLevels
from web.pages.attention import stuck

DAY_NS = 86_400_000_000_000
STANDS_NS = 3 * DAY_NS
"""What has stood as it is for longer, with no appointment still to come, does not move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckOrder:
    """An order that does not move; `reason` "" where nobody can name why."""

    order: str
    state: str
    days: float
    reason: str


def stuck_orders(orders: Iterable[Order], levels: ServiceLevels, dealers: Mapping[str, Dealer], now_ns: int) -> list[StuckOrder]:
    """The orders among these that have stood still, longest first. An order that waits for its appointment is not one.

    The reason is that of the human queue or of the operators' page.
    """
    found = []
    for order in orders:
        stood_ns = now_ns - order.updated_ns
        to_come = order.state == OrderState.SCHEDULED and any(start > now_ns - DAY_NS for start, _ in order.slots)
        if order.state in OPEN_STATES and stood_ns > STANDS_NS and not to_come:
            reason = _reason(order, levels, dealers, now_ns)
            found.append(StuckOrder(order=order.id, state=order.state, days=round(stood_ns / DAY_NS, 1), reason=reason))
    return sorted(found, key=lambda each: (-each.days, each.order))


def _reason(order: Order, levels: ServiceLevels, dealers: Mapping[str, Dealer], now_ns: int) -> str:
    dealer = dealers.get(order.choice.dealer) if order.choice else None
    late_ns = levels.late_ns(order, dealer, order.updated_ns)
    reason = order.manual or stuck(order, late=late_ns is not None and late_ns <= now_ns)
    return "" if reason is None else reason.value
