"""Gathers what the overview shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from domain.findings import Alert, AlertState, Text, Urgency
from domain.fleet import Dealer, Vehicle
from domain.live import FunnelCounts
from domain.order_clocks import OrderClock
from domain.orders import Order, OrderKind
from notifier.orders.order_states import ENDED_STATES, OPEN_STATES, OrderState
from notifier.orders.service_levels import ServiceLevels
from web.api.ports import WebStore
from web.pages.attention import UNACCEPTED, Ages, NextAction, StuckReason, next_action, stuck
from web.pages.world_map import NARROW, WIDE, WorldMap, draw_map
from web.report import IncidentView, ReplayReport, arrange

SILENT_NS = 5 * 60 * 1_000_000_000
_SHOWN = 6
"""Cars and orders shown before the rest is only counted."""
_FEED = 8
_OPEN_ALERTS = (AlertState.OPEN, AlertState.ACKNOWLEDGED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRow:
    """An incident that stops a car. `data_s` is None for a car that was never heard of live."""

    alert: Alert
    vehicle: Vehicle
    title: Text
    open_s: float
    data_s: float | None
    action: NextAction
    order: Order | None
    dealer: Dealer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRow:
    """An order that no dealer has accepted in time, or can; `alert` is one that it answers, "" where none is known.

    `step`: what was done about it last, "" for nothing.
    """

    order: Order
    vehicle: Vehicle
    dealer: Dealer | None
    waited_s: float
    reason: StuckReason
    alert: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """A step by its label, how many came so far, and what share of the first order step that is."""

    label: str
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataHealth:
    """Whether data comes and can be read; None where nobody has said."""

    cars: int
    reporting: int
    silent: int
    decode_share: float | None
    lag_s: float | None
    frames: float | None
    connected: bool | None
    dead_letters: int
    pushes_waiting: int
    pushes_failed: int
    pipeline_age_s: float | None
    pipeline_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """An alert in the feed and its car."""

    alert: Alert
    vehicle: Vehicle


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that the overview's template shows. `stops_left_out` and `late_left_out` count what is not listed; `maps` are (style, map) for each size of screen, () without places."""

    now_ns: int
    stops: tuple[StopRow, ...]
    stops_left_out: int
    today_cars: int
    soon_cars: int
    funnel: tuple[FunnelStep, ...]
    stuck: tuple[tuple[StuckReason, int], ...]
    late: tuple[LateRow, ...]
    late_left_out: int
    health: DataHealth
    maps: tuple[tuple[str, WorldMap], ...]
    feed: tuple[FeedRow, ...]


def gather(store: WebStore, now_ns: int, utc_offset_hours: float, levels: ServiceLevels) -> Overview:
    """The overview at a wall time; the day begins at midnight of a zone so many hours ahead of UTC, `levels` say what is late.

    Raises:
        StorageError: the database failed.
    """
    scene = _Scene(store, now_ns, levels)
    stops = sorted(_stops(scene), key=lambda row: (-row.open_s, row.alert.id))
    waiting = [
        (order, reason, waited)
        for order, waited in scene.waiting()
        if (reason := stuck(order, late=scene.late(order, waited))) is not None
    ]
    late = [_late(scene, order, reason, waited) for order, reason, waited in waiting if reason in UNACCEPTED]
    late.sort(key=lambda row: (-row.order.recommendation.urgency, -row.waited_s, row.order.id))
    funnel = store.funnel(_midnight_ns(now_ns, utc_offset_hours))
    urgencies = Counter(summary.urgency for summary in scene.summaries.values())
    return Overview(
        now_ns=now_ns,
        stops=tuple(stops[:_SHOWN]),
        stops_left_out=max(0, len(stops) - _SHOWN),
        today_cars=urgencies[Urgency.TODAY],
        soon_cars=urgencies[Urgency.SOON],
        funnel=funnel_steps(funnel),
        stuck=tuple(sorted(Counter(reason for _, reason, _ in waiting).items(), key=lambda pair: (-pair[1], pair[0]))),
        late=tuple(replace(row, step=_last_step(scene, row.order)) for row in late[:_SHOWN]),
        late_left_out=max(0, len(late) - _SHOWN),
        health=_health(scene, store.figures()),
        maps=tuple(_maps(scene)),
        feed=tuple(
            FeedRow(alert=alert, vehicle=scene.vehicle(alert.vehicle)) for alert in store.alerts(newest_first=True, limit=_FEED)
        ),
    )


class _Scene:
    """What several parts of the overview need, read once."""

    def __init__(self, store: WebStore, now_ns: int, levels: ServiceLevels) -> None:
        self.store, self.now_ns, self.levels = store, now_ns, levels
        self.summaries = {summary.vehicle: summary for summary in store.vehicle_summaries()}
        self.vehicles = {vehicle.id: vehicle for vehicle in store.vehicles()}
        self.dealers = {dealer.id: dealer for dealer in store.dealers()}
        self.orders = store.orders(state=OPEN_STATES)

    def vehicle(self, identifier: str) -> Vehicle:
        return self.vehicles.get(identifier) or Vehicle(id=identifier)

    def dealer(self, order: Order | None) -> Dealer | None:
        return self.dealers.get(order.choice.dealer) if order and order.choice else None

    def ages(self, vehicle: str) -> Ages:
        return Ages.of(self.summaries.get(vehicle), self.now_ns)

    def waiting(self) -> Iterator[tuple[Order, int]]:
        """Open orders and how long they have stood as they are."""
        return ((order, self.ages(order.vehicle).since_ns(order.updated_ns)) for order in self.orders)

    def late(self, order: Order, waited_ns: int) -> bool:
        """Whether an order has stood as it is for longer than its service level allows."""
        late_ns = self.levels.late_ns(order, self.dealer(order), self.now_ns - waited_ns)
        return late_ns is not None and late_ns < self.now_ns


def _last_step(scene: _Scene, order: Order) -> str:
    clock, level = scene.store.paper(OrderClock, order.id), scene.levels.of(order)
    return "" if clock is None or level is None or not clock.step else level.steps[clock.step - 1].do.value


def _stops(scene: _Scene) -> Iterator[StopRow]:
    """Incidents that stop a car, by what the alerts or the diagnosis say."""
    named = {summary.vehicle for summary in scene.summaries.values() if summary.urgency is Urgency.STOP}
    named |= {order.vehicle for order in scene.orders if order.recommendation.urgency is Urgency.STOP}
    for name in sorted(named):
        case, ages = scene.store.case(name), scene.ages(name)
        for incident in arrange(ReplayReport(drives=(), cases=(case,), vehicles=(scene.vehicle(name),))).incidents:
            alerts = [view.alert for view in incident.alerts if view.alert.state in _OPEN_ALERTS]
            if incident.urgency is not Urgency.STOP or not alerts:
                continue
            order = _help(incident)
            waited = 0 if order is None else ages.since_ns(order.updated_ns)
            yield StopRow(
                alert=alerts[0],
                vehicle=incident.vehicle,
                title=incident.title,
                open_s=ages.since_ns(min(alert.opened_ns for alert in alerts)) / 1e9,
                data_s=None if ages.data_ns is None else ages.data_ns / 1e9,
                action=next_action(order, late=order is not None and scene.late(order, waited)),
                order=order,
                dealer=scene.dealer(order),
            )


def _help(incident: IncidentView) -> Order | None:
    """The order that brings help: a rescue before a service, the latest of each; one that has ended only where there is no other."""
    orders = [view.order for view in incident.orders]
    return max(
        orders,
        key=lambda o: (OrderState(o.state) not in ENDED_STATES, o.kind is OrderKind.RESCUE, o.created_ns, o.id),
        default=None,
    )


def _late(scene: _Scene, order: Order, reason: StuckReason, waited_ns: int) -> LateRow:
    return LateRow(
        order=order,
        vehicle=scene.vehicle(order.vehicle),
        dealer=scene.dealer(order),
        waited_s=waited_ns / 1e9,
        reason=reason,
        alert=order.recommendation.alerts[0] if order.recommendation.alerts else "",
    )


def funnel_steps(funnel: FunnelCounts) -> tuple[FunnelStep, ...]:
    """Alerts, then how many of their orders came how far; a rescue counts as booked when it sets out and as repaired on site."""
    reached = dict(funnel.reached)

    def ever(*states: OrderState) -> int:
        return sum(reached.get(state.value, 0) for state in states)

    counts = {
        "alerts": funnel.alerts,
        "orders": funnel.orders,
        "owners_told": funnel.owners_told,
        "told": funnel.told,
        "accepted": ever(OrderState.ACCEPTED, OrderState.ASSIGNED),
        "booked": ever(OrderState.SCHEDULED, OrderState.EN_ROUTE),
        "repaired": ever(OrderState.READY, OrderState.ON_SITE),
        "confirmed": ever(OrderState.CLOSED),
    }
    most = max(1, *counts.values())
    return tuple(FunnelStep(label=label, count=count, share=count / most) for label, count in counts.items())


def _health(scene: _Scene, figures: Mapping[str, Any]) -> DataHealth:
    heard = [now for summary in scene.summaries.values() if (now := Ages.of(summary, scene.now_ns).data_ns) is not None]
    pushes = scene.store.outbox_counts()
    reported_ns = figures.get("reported_ns")
    return DataHealth(
        cars=len(scene.summaries),
        reporting=sum(age <= SILENT_NS for age in heard),
        silent=sum(age > SILENT_NS for age in heard),
        decode_share=_figure(figures, "decode_share"),
        lag_s=_figure(figures, "lag_s"),
        frames=_figure(figures, "frames"),
        connected=bool(figures["connected"]) if "connected" in figures else None,
        dead_letters=sum(scene.store.dead_letter_counts().values()),
        pushes_waiting=pushes.get("pending", 0),
        pushes_failed=pushes.get("failed", 0),
        pipeline_age_s=max(0.0, (scene.now_ns - reported_ns) / 1e9) if isinstance(reported_ns, int) else None,
        pipeline_known=bool(figures),
    )


def _maps(scene: _Scene) -> Iterator[tuple[str, WorldMap]]:
    """The map in both sizes, each under the name of its style; none where nothing has a place."""
    homes = {vehicle.id: vehicle.home for vehicle in scene.vehicles.values() if vehicle.home is not None}
    for style, size in (("wide", WIDE), ("narrow", NARROW)):
        drawn = draw_map(tuple(scene.summaries.values()), homes, tuple(scene.dealers.values()), size)
        if drawn is not None:
            yield style, drawn


def _figure(figures: Mapping[str, Any], name: str) -> float | None:
    value = figures.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _midnight_ns(now_ns: int, utc_offset_hours: float) -> int:
    zone = timezone(timedelta(hours=utc_offset_hours))
    local = (_EPOCH + timedelta(microseconds=now_ns // 1000)).astimezone(zone)
    return round(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1_000_000_000
