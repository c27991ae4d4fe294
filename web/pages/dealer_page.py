"""Gathers what a dealer's portal shows: its offers, what is to be booked, who comes today, and what may be done with each."""

from __future__ import annotations

from dataclasses import dataclass

from domain.fleet import Dealer, Vehicle
from domain.orders import Order
from domain.quotes import Quote, QuoteLine
from notifier.orders.order_states import OPEN_STATES, TABLES, OrderEvent, OrderState
from notifier.owners.quoting import plan_lines
from web.api.orders import NOT_A_DEALERS
from web.api.ports import WebStore
from web.pages.dealer_words import STEPS
from web.report import formats

DAY_NS = 86_400 * 1_000_000_000
HOUR_NS = 3600 * 1_000_000_000
OFFERED = frozenset({"dispatching", "offered"})
TO_BOOK = frozenset({"accepted", "no_show"})
FINDS = frozenset(
    {"diagnosing", "quoted", "partially_approved", "approved", "in_progress", "on_hold", "quality_check", "ready", "settled"}
)
"""States in which the workshop may say what it has found."""
MAIN_STEPS = 2
"""Steps that stand as buttons of their own; the others are folded away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One order on the page.

    Attributes:
        times: proposed appointments, or the booked one, in the dealer's local time. steps: by one button, the usual first.
        lines: to quote, of the last quote or the plan. quoted: the version of the last quote, 0 for none.
    """

    order: Order
    vehicle: Vehicle
    times: tuple[str, ...]
    steps: tuple[str, ...]
    may_quote: bool
    lines: tuple[QuoteLine, ...]
    quoted: int
    may_report: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerPage:
    """All that the page shows, each part in the order in which it is to be seen to."""

    dealer: Dealer
    offers: tuple[Job, ...]
    to_book: tuple[Job, ...]
    today: tuple[Job, ...]
    later: tuple[Job, ...]


def gather(store: WebStore, dealer_id: str, now_ns: int) -> DealerPage | None:
    """The portal of a dealer, None where there is no such dealer.

    Raises:
        StorageError: the database failed.
    """
    dealer = next((each for each in store.dealers() if each.id == dealer_id), None)
    if dealer is None:
        return None
    orders = sorted(
        store.orders(dealer=dealer_id, state=(*OPEN_STATES, OrderState.SETTLED)),
        key=lambda order: (-order.recommendation.urgency, order.slots[:1], order.created_ns, order.id),
    )
    jobs = [_job(store, order, dealer) for order in orders]
    coming = [job for job in jobs if job.order.state not in OFFERED | TO_BOOK]
    later = [job for job in coming if job.order.state == "scheduled" and not _is_today(job.order, dealer, now_ns)]
    return DealerPage(
        dealer=dealer,
        offers=tuple(job for job in jobs if job.order.state in OFFERED),
        to_book=tuple(job for job in jobs if job.order.state in TO_BOOK),
        today=tuple(job for job in coming if job not in later),
        later=tuple(sorted(later, key=lambda job: job.order.slots[:1])),
    )


def _is_today(order: Order, dealer: Dealer, now_ns: int) -> bool:
    """Booked for this day of the dealer's, or for one before it."""
    offset_ns = round(dealer.utc_offset_hours * HOUR_NS)
    return not order.slots or (order.slots[0][0] + offset_ns) // DAY_NS <= (now_ns + offset_ns) // DAY_NS


def _job(store: WebStore, order: Order, dealer: Dealer) -> Job:
    allowed = TABLES[order.kind][OrderState(order.state)]
    slots = order.slots if order.state in OFFERED | TO_BOOK else order.slots[:1]
    quote = None if order.quote is None else store.paper(Quote, f"{order.id}:{order.quote.version}")
    return Job(
        order=order,
        vehicle=store.vehicle(order.vehicle) or Vehicle(id=order.vehicle),
        times=tuple(formats.local_span(start, end, dealer.utc_offset_hours) for start, end in slots),
        steps=tuple(step for step in STEPS if OrderEvent(step) in allowed and OrderEvent(step) not in NOT_A_DEALERS),
        may_quote=OrderEvent.QUOTE in allowed,
        lines=quote.lines if quote else plan_lines(order, dealer),
        quoted=quote.version if quote else 0,
        may_report=order.state in FINDS,
    )
