"""Appointments of an order at its dealer: which are free, and what accepting, scheduling and suggesting make of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.fleet import Dealer
from domain.orders import Order
from domain.slots import SlotStatus, place_is_taken, slot_status, takes
from notifier.dealers import working_hours
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.working_hours import HOUR_NS
from notifier.orders.order_states import OrderEvent, OrderState

BOOKS = frozenset({OrderEvent.ACCEPT, OrderEvent.SCHEDULE, OrderEvent.SUGGEST})
"""Events that say something of appointments."""
MOST_SUGGESTED = 3
LOOKS_AHEAD_H = 30 * 24


class SlotVerdict(StrEnum):
    """Whether an appointment can be had."""

    FREE = "free"
    NO_WHOLE_HOUR = "no_whole_hour"
    """Appointments begin with an hour of the dealer's clock."""
    PAST = "past"
    CLOSED = "closed"
    FULL = "full"
    """No bay, no technician who can do it, or no capacity of the day is left."""
    MISSING = "missing"
    """None is named and none is held."""
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """The order with its appointments, or why not (the order is as it was then)."""

    verdict: SlotVerdict
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Diary:
    """One dealer and what else is booked there.

    Attributes:
        others: open orders of the dealer; the order at hand may be among them. now_ns: wall time.
    """

    dealer: Dealer
    others: tuple[Order, ...]
    now_ns: int

    def verdict(self, order: Order, start_ns: int, *, firm_only: bool = False) -> SlotVerdict:
        """Whether this order can have the appointment that begins then; `firm_only`: offers that nobody has accepted do not count."""
        if (start_ns + working_hours.offset_ns(self.dealer)) % HOUR_NS:
            return SlotVerdict.NO_WHOLE_HOUR
        if start_ns < self.now_ns:
            return SlotVerdict.PAST
        hour = working_hours.local_hour(self.dealer, start_ns)
        if hour not in working_hours.hours_between(self.dealer, hour, hour):
            return SlotVerdict.CLOSED
        free = self._network(order, firm_only=firm_only).is_free(self.dealer, hour, takes(order))
        return SlotVerdict.FREE if free else SlotVerdict.FULL

    def free(self, order: Order, limit: int) -> tuple[tuple[int, int], ...]:
        """The next appointments that this order can have."""
        network, found = self._network(order, firm_only=False), list[tuple[int, int]]()
        first = -(-(self.now_ns + working_hours.offset_ns(self.dealer)) // HOUR_NS)
        for hour in working_hours.hours_between(self.dealer, first, first + LOOKS_AHEAD_H):
            if network.is_free(self.dealer, hour, takes(order)):
                found.append(working_hours.slot(self.dealer, hour))
            if len(found) == limit:
                break
        return tuple(found)

    def _network(self, order: Order, *, firm_only: bool) -> DealerNetwork:
        at_work = (other for other in self.others if other.id != order.id)
        counted = (other for other in at_work if not (firm_only and slot_status(other) is SlotStatus.TENTATIVE))
        return DealerNetwork.from_orders([self.dealer], counted)


def booked(order: Order, event: OrderEvent, starts_ns: Sequence[int], diary: Diary, *, held: Order) -> Booked:
    """What an event of `BOOKS` makes of the order's appointments.

    Accepting keeps the first offered appointment that nobody else holds firmly. Scheduling takes the one that is named, else the one
    that is held. Suggesting asks for others and leaves what is agreed.

    Args:
        order: after the transition. starts_ns: the appointments that are named. held: the order before.
    """
    refused = next((verdict for start in starts_ns if (verdict := diary.verdict(order, start)) is not SlotVerdict.FREE), None)
    if refused is not None:
        return Booked(verdict=refused, order=held)
    named = tuple((start, start + HOUR_NS) for start in starts_ns)
    if event is OrderEvent.SUGGEST:
        fits = 0 < len(named) <= MOST_SUGGESTED
        verdict = SlotVerdict.FREE if fits else SlotVerdict.TOO_MANY if named else SlotVerdict.MISSING
        return Booked(verdict=verdict, order=replace(order, suggested=named) if fits else held)
    if len(named) > 1:
        return Booked(verdict=SlotVerdict.TOO_MANY, order=held)
    if named:
        return Booked(verdict=SlotVerdict.FREE, order=replace(order, slots=named, suggested=()))
    left = _left(order, held, diary)
    if event is OrderEvent.SCHEDULE and (not left or held.state == OrderState.NO_SHOW):
        return Booked(verdict=SlotVerdict.FULL if order.slots and not left else SlotVerdict.MISSING, order=held)
    return Booked(verdict=SlotVerdict.FREE, order=replace(order, slots=left))


def _left(order: Order, held: Order, diary: Diary) -> tuple[tuple[int, int], ...]:
    """What of the offered appointments can still be had: the first one was held for the order, so only firm ones stand against it.

    Whether their time has come, or the dealer is open then, is the dealer's business.
    """
    undated = replace(diary, now_ns=0)
    return tuple(
        slot
        for number, slot in enumerate(order.slots)
        if undated.verdict(order, slot[0], firm_only=number == 0) is not SlotVerdict.FULL
        and not place_is_taken(held, replace(order, slots=(slot,)), diary.dealer, diary.others)
    )
