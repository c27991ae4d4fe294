"""What each key figure is made of: single observations, each at a time and at a dealer. `docs/guides/kpis.md` defines them in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.orders import Order, OrderKind
from domain.owners import Rating
from domain.records import PushResult
from domain.repairs import RepairOutcome, RepairResult, latest_outcomes
from notifier.kpis.order_lives import Moment, OrderLife
from notifier.orders.consent_gate import CARE_GROUP

DAY_NS = 86_400_000_000_000
COMEBACK_NS = 30 * DAY_NS
"""A repair whose fault has not come back by then has held."""
LOYALTY_NS = 365 * DAY_NS
"""A visit later than this after the one before is no return."""
_PROMOTER, _DETRACTOR = 9, 6
"""Of the answers 0 to 10: promoters from here up, detractors from here down."""


class Kpi(StrEnum):
    """The key figures."""

    ACCEPTANCE_TIME = "acceptance_time"
    APPOINTMENT_LEAD = "appointment_lead_time"
    RETURN_TO_SHOP = "return_to_shop_rate"
    RETENTION = "retention"
    FIRST_TIME_FIX = "first_time_fix"
    NO_FAULT_FOUND = "no_fault_found"
    DELIVERY_SUCCESS = "delivery_success"
    NPS = "nps"
    ORDER_AGE = "order_age"


@dataclass(frozen=True, slots=True)
class Observation:
    """One case: a duration in seconds, 0 or 1 of a share, or -1, 0, 1 of the promoter score. `time_ns`: wall time that it counts for."""

    kpi: Kpi
    time_ns: int
    dealer: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkHistory:
    """What the figures are made of.

    Attributes:
        lives, orders: by order id. outcomes: all, of which the latest of an order counts. until_ns: now.
    """

    lives: Mapping[str, OrderLife]
    orders: Mapping[str, Order]
    outcomes: Sequence[RepairOutcome] = ()
    pushes: Sequence[PushResult] = ()
    ratings: Sequence[Rating] = ()
    until_ns: int


def observe(history: WorkHistory, ages_at: Iterable[int]) -> Iterator[Observation]:
    """Every observation of the history; orders are aged at each of these wall times."""
    for name, life in history.lives.items():
        order = history.orders.get(name)
        if order is not None:
            yield from _of_order(life, order)
    yield from _returns(history)
    for time_ns in ages_at:
        for life in history.lives.values():
            if life.open_at(time_ns) and life.told is not None:
                age_s = (time_ns - life.told.time_ns) / 1e9
                yield Observation(Kpi.ORDER_AGE, time_ns, life.dealer_at(time_ns), age_s)
    for outcome in latest_outcomes(history.outcomes):
        dealer = history.lives[outcome.order].dealer_at(outcome.created_ns) if outcome.order in history.lives else ""
        yield Observation(Kpi.NO_FAULT_FOUND, outcome.created_ns, dealer, outcome.result is RepairResult.NO_FAULT)
    for push in history.pushes:
        if push.state != "pending" and push.channel != "log":
            yield Observation(Kpi.DELIVERY_SUCCESS, push.written_ns, push.recipient, push.state == "delivered")
    for rating in history.ratings:
        value = (rating.nps >= _PROMOTER) - (rating.nps <= _DETRACTOR)
        yield Observation(Kpi.NPS, rating.created_ns, rating.dealer, value)


def _of_order(life: OrderLife, order: Order) -> Iterator[Observation]:
    for accepted, waited_s in life.acceptances:
        yield Observation(Kpi.ACCEPTANCE_TIME, accepted.time_ns, accepted.dealer, waited_s)
    if order.kind is not OrderKind.SERVICE:
        return
    if life.booked is not None and order.slots:
        lead_s = (order.slots[0][0] - order.created_ns) / 1e9
        yield Observation(Kpi.APPOINTMENT_LEAD, life.booked.time_ns, life.booked.dealer, lead_s)
    if life.arrived is not None:
        yield Observation(Kpi.RETURN_TO_SHOP, life.arrived.time_ns, life.arrived.dealer, 1)
    elif life.ended is not None and life.told is not None and not life.merged:
        yield Observation(Kpi.RETURN_TO_SHOP, life.ended.time_ns, life.ended.dealer, 0)


def _returns(history: WorkHistory) -> Iterator[Observation]:
    """Retention and first-time fix: what the vehicle did afterwards."""
    of_vehicle: dict[str, list[tuple[Order, OrderLife]]] = {}
    for name, life in history.lives.items():
        order = history.orders.get(name)
        if order is not None and order.kind is OrderKind.SERVICE and not life.merged:
            of_vehicle.setdefault(order.vehicle, []).append((order, life))
    for known in of_vehicle.values():
        visits = sorted((life.arrived for _, life in known if life.arrived is not None), key=_time)
        for before, after in itertools.pairwise(visits):
            if after.time_ns - before.time_ns <= LOYALTY_NS:
                yield Observation(Kpi.RETENTION, after.time_ns, before.dealer, after.dealer == before.dealer)
        for order, life in known:
            if life.mended is not None and life.mended.time_ns + COMEBACK_NS <= history.until_ns:
                held = not life.reworked and not _came_back(order, life.mended, known)
                yield Observation(Kpi.FIRST_TIME_FIX, life.mended.time_ns, life.mended.dealer, held)


def _came_back(order: Order, mended: Moment, known: Sequence[tuple[Order, OrderLife]]) -> bool:
    """Whether the vehicle needed another order for the same system within the time; care is no fault."""
    if order.group_key == CARE_GROUP:
        return False
    return any(
        other.group_key == order.group_key and 0 < life.began_ns - mended.time_ns <= COMEBACK_NS
        for other, life in known
        if other.id != order.id
    )


def _time(moment: Moment) -> int:
    return moment.time_ns
