"""Appointments as places at a dealer: who holds one, how firmly, and how many there are at once."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from domain.fleet import Dealer
from domain.orders import Order, Wish


class SlotStatus(StrEnum):
    """How firmly an order holds its first slot: STAR's words."""

    TENTATIVE = "TENTATIVE"
    """With the offer, until it is answered or expires."""
    RESERVED = "RESERVED"
    """The dealer has accepted."""
    CONFIRMED = "CONFIRMED"
    RELEASED = "RELEASED"


_HOLDS = {"dispatching": SlotStatus.TENTATIVE, "offered": SlotStatus.TENTATIVE, "accepted": SlotStatus.RESERVED} | dict.fromkeys(
    (
        "scheduled",
        "checked_in",
        "diagnosing",
        "quoted",
        "partially_approved",
        "approved",
        "in_progress",
        "on_hold",
        "quality_check",
        "ready",
    ),
    SlotStatus.CONFIRMED,
)
"""By state of the order; any other state holds nothing."""
SLOT_STATES = tuple(sorted(_HOLDS))


def slot_status(order: Order) -> SlotStatus:
    """How firmly the order holds its first slot; the others are only proposed."""
    return _HOLDS.get(order.state, SlotStatus.RELEASED) if order.choice and order.slots else SlotStatus.RELEASED


def holds_slot(order: Order) -> bool:
    """Whether its first slot counts against its dealer's capacity."""
    return slot_status(order) is not SlotStatus.RELEASED


def places(dealer: Dealer) -> int:
    """Orders that may begin in the same hour: its bays, or as many as its capacity spread over the day needs."""
    return dealer.bays or max(1, -(-dealer.capacity_per_day // max(1, dealer.closes_hour - dealer.opens_hour)))


def takes(order: Order) -> tuple[str, ...]:
    """What an appointment takes besides its place: technicians by skill for that hour, a car to lend for that day."""
    capabilities = order.recommendation.capabilities
    return (*capabilities, Wish.LOANER) if order.transport == Wish.LOANER else capabilities


def skilled(dealer: Dealer, capability: str) -> int | None:
    """Technicians who can do it (of a loaner: cars), None where the dealer names none at all."""
    if capability == Wish.LOANER:
        return dealer.loaners
    return dict(dealer.technicians).get(capability, 0) if dealer.technicians else None


def asks_for_place(before: Order, after: Order) -> bool:
    """Whether a change takes an appointment, or holds the one that it had more firmly."""
    status = slot_status(after)
    return status is not SlotStatus.RELEASED and (status is not slot_status(before) or _held(before) != _held(after))


def place_is_taken(before: Order, after: Order, dealer: Dealer | None, others: Iterable[Order]) -> bool:
    """Whether a change would put an order on an appointment that others have filled.

    A slot that is newly held must have a place beside every other holder; one that only becomes firmer, beside those who hold it firmly.

    Args:
        before, after: the change. dealer: of `after`. others: open orders of that dealer at least.
    """
    if dealer is None or not asks_for_place(before, after):
        return False
    there = [other for other in others if other.id != after.id and holds_slot(other) and _held(other)[0] == dealer.id]
    if holds_slot(before) and _held(before) == _held(after):
        there = [other for other in there if slot_status(other) is not SlotStatus.TENTATIVE]
    at_once = [other for other in there if _held(other) == _held(after)]
    if len(at_once) >= places(dealer):
        return True
    for name in takes(after):
        most, rivals = skilled(dealer, name), at_once
        if name == Wish.LOANER:
            rivals = [other for other in there if _day(other, dealer) == _day(after, dealer)]
        if most is not None and sum(name in takes(other) for other in rivals) >= most:
            return True
    return False


def _day(order: Order, dealer: Dealer) -> int:
    return (order.slots[0][0] + round(dealer.utc_offset_hours * 3600) * 1_000_000_000) // 86_400_000_000_000


def _held(order: Order) -> tuple[str, int]:
    assert order.choice is not None
    return order.choice.dealer, order.slots[0][0]
