"""What is done by the clock about orders that wait: dealers are reminded, owners called, offers expire, operations are told.

Also proposals go out whose owner has given a standing consent meanwhile. Everything is decided on what the store says now; who moves an
order in the same moment wins.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from domain.consents import Consent
from domain.fleet import Dealer, Vehicle
from domain.live import EventKind, FeedEvent
from domain.order_clocks import RUNNING, OrderClock, stopped
from domain.orders import ManualReason, Order, OrderKind
from domain.papers import Paper
from domain.records import OutboxEvent, VehicleCase
from domain.tickets import Ticket, TicketKind, ticket_id
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.orders.consent_gate import standing_consent
from notifier.orders.order_states import AWAITS_OWNER, OPEN_STATES, OrderEvent, TransitionOutcome, is_open, transition
from notifier.orders.redispatch import RedispatchOutcome, redispatch
from notifier.orders.service_levels import Escalation, ServiceLevel, ServiceLevels
from notifier.push.outbox import escalation_event, order_events

ESCALATED = "escalated"
AT_ONCE = 500
"""Clocks looked at in one round; the rest comes in the next."""


class ClockStore(Protocol):
    """What the clocks need of the store."""

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """One vehicle."""

    def consents(self, vehicle: str) -> tuple[Consent, ...]:
        """What the owner of one vehicle has agreed to."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything on one vehicle."""

    def order(self, identifier: str) -> Order | None:
        """One order."""

    def orders(self, *, state: str | Collection[str] | None = None) -> tuple[Order, ...]:
        """Orders in these states."""

    def papers(
        self, kind: type[OrderClock], *, state: str, due_by_ns: int | None = None, limit: int | None = None
    ) -> tuple[OrderClock, ...]:
        """Clocks that are due."""

    def paper(self, kind: type[OrderClock], identifier: str) -> OrderClock | None:
        """The clock of an order."""

    def change_paper(
        self,
        before: OrderClock | None,
        after: OrderClock,
        *,
        beside: Iterable[Paper] = (),
        outbox: Iterable[OutboxEvent] = (),
        events: Iterable[FeedEvent] = (),
    ) -> bool:
        """Replace a clock, if it is as it was seen."""

    def change_order(self, order: Order, expected_version: int, outbox: Sequence[OutboxEvent] = ()) -> bool:
        """Store a change made outside the pipeline, if the order is still of this version."""


@dataclass(slots=True, kw_only=True)
class ClockTally:
    """What one round did. `expired`: offers that went to the next dealer or a person. `given_up`: proposals nobody answered."""

    reminded: int = 0
    calls: int = 0
    told: int = 0
    expired: int = 0
    given_up: int = 0


def adopt_orders(store: ClockStore, now_ns: int) -> int:
    """Start a clock for every open order that has none, such as those of an earlier version of the service; gives how many."""
    without = (order for order in store.orders(state=OPEN_STATES) if store.paper(OrderClock, order.id) is None)
    return sum(
        store.change_paper(None, OrderClock(order=order.id, vehicle=order.vehicle, since_ns=now_ns, due_ns=now_ns))
        for order in without
    )


def run_clocks(store: ClockStore, levels: ServiceLevels, now_ns: int, *, routing: Routing = PLAIN_ROUTING) -> ClockTally:
    """Take the next step about every order whose time has come; each in a transaction of its own.

    Args:
        now_ns: wall time. routing: how the next dealer is chosen.

    Raises:
        StorageError: the database failed; what was done until then stands.
    """
    tally = ClockTally()
    due = store.papers(OrderClock, state=RUNNING, due_by_ns=now_ns, limit=AT_ONCE)
    dealers = {dealer.id: dealer for dealer in store.dealers()} if due else {}
    for clock in due:
        order = store.order(clock.order)
        level = levels.of(order) if order is not None and is_open(order) else None
        if order is None or level is None or clock.step >= len(level.steps):
            store.change_paper(clock, stopped(clock))
            continue
        dealer = dealers.get(order.choice.dealer) if order.choice else None
        scene = _Scene(store, clock, order, level, dealer, now_ns, routing)
        if scene.moment_ns(clock.step) > now_ns:
            store.change_paper(clock, scene.wound(clock.step))
        else:
            _escalate(scene, tally)
    return tally


@dataclass(frozen=True, slots=True)
class _Scene:
    """One clock that is due, and all it is about."""

    store: ClockStore
    clock: OrderClock
    order: Order
    level: ServiceLevel
    dealer: Dealer | None
    now_ns: int
    routing: Routing

    def moment_ns(self, step: int) -> int:
        return self.level.moment_ns(self.order, self.dealer, self.clock.since_ns, self.level.steps[step].at)

    def wound(self, step: int) -> OrderClock:
        """The clock set to this step."""
        late_ns = self.level.moment_ns(self.order, self.dealer, self.clock.since_ns)
        clock = replace(self.clock, step=step, late_ns=late_ns)
        return stopped(clock) if step >= len(self.level.steps) else replace(clock, due_ns=self.moment_ns(step))

    def vehicle(self) -> Vehicle:
        return self.store.vehicle(self.order.vehicle) or Vehicle(id=self.order.vehicle)


def _escalate(scene: _Scene, tally: ClockTally) -> None:
    match scene.level.steps[scene.clock.step].do:
        case Escalation.NEXT_DEALER:
            tally.expired += _expire(scene)
        case Escalation.GIVE_UP:
            tally.given_up += _give_up(scene)
        case Escalation.CALL_OWNER:
            tally.calls += _take(scene, beside=[_call(scene)])
        case Escalation.REMIND_DEALER:
            case = scene.store.case(scene.order.vehicle)
            pushes = (
                [escalation_event(scene.order, case, scene.vehicle(), scene.dealer, "order.reminder")] if scene.dealer else []
            )
            tally.reminded += _take(scene, outbox=pushes)
        case Escalation.TELL_OPERATIONS:
            case = scene.store.case(scene.order.vehicle)
            tally.told += _take(scene, outbox=[escalation_event(scene.order, case, scene.vehicle(), None, "order.escalated")])


def _take(scene: _Scene, *, beside: Iterable[Paper] = (), outbox: Iterable[OutboxEvent] = ()) -> bool:
    after, event = scene.wound(scene.clock.step + 1), _feed_event(scene)
    return scene.store.change_paper(scene.clock, after, beside=beside, outbox=outbox, events=[event])


def _feed_event(scene: _Scene) -> FeedEvent:
    order = scene.order
    body = {
        "change": ESCALATED,
        "clock": scene.level.clock,
        "step": scene.level.steps[scene.clock.step].do.value,
        "kind": order.kind.value,
        "version": order.version,
        "state": order.state,
        "state_before": order.state,
        "priority": order.recommendation.urgency.priority,
        "dealer": order.choice.dealer if order.choice else None,
        "waited_s": round((scene.now_ns - scene.clock.since_ns) / 1e9),
    }
    return FeedEvent(
        kind=EventKind.ORDER,
        subject=order.id,
        vehicle=order.vehicle,
        body=json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    )


def _call(scene: _Scene) -> Ticket:
    reason, title = f"late_{scene.level.clock}", scene.order.recommendation.title
    return Ticket(
        id=ticket_id(TicketKind.CALL, scene.order.id, reason, str(scene.order.version)),
        kind=TicketKind.CALL,
        vehicle=scene.order.vehicle,
        order=scene.order.id,
        reason=reason,
        text=f"{title.zh}: 车主尚未回复 / {title.en}: the owner has not answered",
        author="system",
        created_ns=scene.now_ns,
        due_ns=scene.wound(scene.clock.step + 1).due_ns,
    )


def _expire(scene: _Scene) -> bool:
    refused = redispatch(
        scene.order,
        OrderEvent.EXPIRE,
        case=scene.store.case(scene.order.vehicle),
        vehicle=scene.vehicle(),
        dealers=scene.store.dealers(),
        orders=scene.store.orders(state=OPEN_STATES),
        time_ns=scene.now_ns,
        actor="system",
        reason="no answer in time",
        routing=scene.routing,
    )
    if refused.outcome is RedispatchOutcome.NOT_ALLOWED:
        return False
    return scene.store.change_order(refused.order, scene.order.version, refused.outbox)


def _give_up(scene: _Scene) -> bool:
    moved = transition(scene.order, OrderEvent.GIVE_UP, time_ns=scene.now_ns, actor="system", reason="the owner has not answered")
    if moved.outcome is not TransitionOutcome.CHANGED:
        return False
    after = replace(moved.order, manual=ManualReason.OWNER_SILENT)
    pushes = order_events(after, scene.store.case(after.vehicle), scene.vehicle(), None)
    return scene.store.change_order(after, scene.order.version, pushes)


def release_agreed(store: ClockStore, now_ns: int, *, routing: Routing = PLAIN_ROUTING) -> int:
    """Send out every proposal for whose purpose a standing consent was given meanwhile; gives how many.

    Raises:
        StorageError: the database failed; what was sent until then stands.
    """
    released = 0
    for order in store.orders(state=AWAITS_OWNER[OrderKind.SERVICE]):  # a rescue waits for a word of its own
        said = standing_consent(order.kind, order.group_key, store.consents(order.vehicle), now_ns)
        if not said.agrees:
            continue
        asked = redispatch(
            order,
            OrderEvent.DISPATCH,
            case=store.case(order.vehicle),
            vehicle=store.vehicle(order.vehicle) or Vehicle(id=order.vehicle),
            dealers=store.dealers(),
            orders=store.orders(state=OPEN_STATES),
            time_ns=now_ns,
            actor="system",
            reason=said.value,
            routing=routing,
        )
        released += store.change_order(asked.order, order.version, asked.outbox)
    return released
