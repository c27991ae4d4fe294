"""Recency, frequency and money of owners' visits (RFM), each scored 1 to 5 among all who have come, and the segment they make.

A score is 1 + the fifth in which the owner's mid-rank lies (equal values get equal scores); 5 is latest, most often, most money.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.campaigns import Segment
from domain.orders import Order
from domain.quotes import Quote
from notifier.owners.pricing import NOTHING, total_amounts

DAY_NS = 86_400 * 1_000_000_000
VISITED = frozenset({"settled", "closed"})
"""States of service orders whose work was done."""
COUNTED_DAYS = 730
"""Visits and money of so long count for frequency and money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """What the owner of one vehicle has had done: last visit (None = none), how often and for how much (due) lately."""

    vehicle: str
    last_ns: int | None = None
    count: int = 0
    spent: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Rfm:
    """Scores 1 to 5 (0 where the owner has never come) and the segment; `recency_days` None for never."""

    vehicle: str
    recency_days: int | None
    frequency: int
    money: Decimal
    scores: tuple[int, int, int]
    segment: Segment


def visits_of(vehicles: Iterable[str], orders: Iterable[Order], quotes: Mapping[str, Quote], now_ns: int) -> tuple[Visits, ...]:
    """What each vehicle has had done.

    Args:
        orders: service orders in `VISITED` states. quotes: by id; the accepted lines of an order's quote are its money.
    """
    found = {vehicle: Visits(vehicle=vehicle) for vehicle in vehicles}
    for order in orders:
        before = found.get(order.vehicle)
        if before is None or order.state not in VISITED:
            continue
        lately = order.updated_ns >= now_ns - COUNTED_DAYS * DAY_NS
        found[order.vehicle] = Visits(
            vehicle=order.vehicle,
            last_ns=max(order.updated_ns, before.last_ns or 0),
            count=before.count + lately,
            spent=before.spent + (_paid(order, quotes) if lately else NOTHING),
        )
    return tuple(found[vehicle] for vehicle in sorted(found))


def rfm(visits: Sequence[Visits], now_ns: int) -> tuple[Rfm, ...]:
    """The scores and segments of all, in the order given."""
    came = [each for each in visits if each.last_ns is not None]
    recency = _scorer([each.last_ns or 0 for each in came])
    frequency = _scorer([each.count for each in came])
    money = _scorer([each.spent for each in came])
    made = []
    for each in visits:
        scores = (0, 0, 0)
        if each.last_ns is not None:
            scores = (recency(each.last_ns), frequency(each.count), money(each.spent))
        made.append(
            Rfm(
                vehicle=each.vehicle,
                recency_days=None if each.last_ns is None else max(0, (now_ns - each.last_ns) // DAY_NS),
                frequency=each.count,
                money=each.spent,
                scores=scores,
                segment=segment_of(scores, each.count),
            )
        )
    return tuple(made)


def segment_of(scores: tuple[int, int, int], count: int) -> Segment:
    """The segment of (recency, frequency, money); `count`: visits lately."""
    recency, frequency, money = scores
    if not recency:
        return Segment.NEVER
    if recency >= 4 and frequency >= 4 and money >= 4:
        return Segment.CHAMPION
    if recency >= 4 and count == 1:
        return Segment.NEW
    if recency >= 3 and frequency >= 4:
        return Segment.LOYAL
    if recency <= 2:
        return Segment.AT_RISK if frequency >= 3 else Segment.LOST
    return Segment.REGULAR


def _paid(order: Order, quotes: Mapping[str, Quote]) -> Decimal:
    quote = None if order.quote is None else quotes.get(f"{order.id}:{order.quote.version}")
    if quote is None or order.quote is None or not order.quote.signed_by:
        return NOTHING
    return total_amounts(quote, order.quote.accepted).due


def _scorer(values: Sequence[int | Decimal]) -> Callable[[int | Decimal], int]:
    ordered = sorted(values)

    def score(value: int | Decimal) -> int:
        less, upto = bisect_left(ordered, value), bisect_right(ordered, value)
        return 1 + min(4, 5 * (less + upto) // (2 * len(ordered)))

    return score
