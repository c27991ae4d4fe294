"""Orders that wait are placed together: the job of `pitcall serve`, and what `pitcall dispatch plan` shows of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from domain.consents import Consent
from domain.fleet import Dealer, Vehicle
from domain.orders import DealerChoice, Order
from domain.records import OutboxEvent, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.dealer_needs import DealerNeeds
from notifier.dealers.routing_policy import Routing
from notifier.dealers.working_hours import HOUR_NS
from notifier.dispatch.batch import BatchPlan, batch_needs, can_wait, plan_batch
from notifier.orders.consent_gate import standing_consent
from notifier.orders.order_states import OPEN_STATES, UNCOMMITTED, OrderEvent, OrderState, transition
from notifier.orders.ordering import manual_reason, with_decision
from notifier.push.messages import rfc3339
from notifier.push.outbox import order_events

UNCONFIRMED = frozenset({*UNCOMMITTED, OrderState.OFFERED})
"""No dealer has accepted: what the optimiser might move. Anything else is confirmed and never moves."""


class DispatchStore(Protocol):
    """What placing orders needs of the store."""

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """One vehicle."""

    def consents(self, vehicle: str) -> tuple[Consent, ...]:
        """What the owner of one vehicle has agreed to."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything on one vehicle."""

    def orders(self, *, state: str | Collection[str] | None = None) -> tuple[Order, ...]:
        """Orders in these states."""

    def change_order(self, order: Order, expected_version: int, outbox: Sequence[OutboxEvent] = ()) -> bool:
        """Store a change made outside the pipeline, if the order is still of this version."""


@dataclass(slots=True, kw_only=True)
class PlacedTally:
    """What one round did. `manual`: nobody is able, a person takes over. `put_off`: changed in the same moment, next round's.

    `proposed`: the consent has ended meanwhile, so the owner is asked.
    """

    placed: int = 0
    proposed: int = 0
    manual: int = 0
    put_off: int = 0


def place_waiting(store: DispatchStore, routing: Routing, now_ns: int) -> PlacedTally:
    """Give every draft its dealer and day, all of them together, and tell the dealers; each order in a transaction of its own.

    Raises:
        StorageError: the database failed; what was placed until then stands, the rest waits for the next round.
    """
    tally, drafts = PlacedTally(), []
    for order in store.orders(state=OrderState.DRAFT):
        said = standing_consent(order.kind, order.group_key, store.consents(order.vehicle), now_ns)
        if said.agrees:
            drafts.append(order)
        else:
            tally.proposed += _propose(store, order, said.value, now_ns)
    if not drafts:
        return tally
    dealers = store.dealers()
    by_id = {dealer.id: dealer for dealer in dealers}
    vehicles = {order.vehicle: store.vehicle(order.vehicle) or Vehicle(id=order.vehicle) for order in drafts}
    network = DealerNetwork.from_orders(dealers, store.orders(state=OPEN_STATES), routing=routing)
    plan = plan_batch({order.id: batch_needs(order, vehicles[order.vehicle], now_ns) for order in drafts}, network, now_ns)
    for order in drafts:
        decision = plan.decisions[order.id]
        event = OrderEvent.GIVE_UP if decision.choice is None else OrderEvent.DISPATCH
        moved = transition(order, event, time_ns=now_ns, actor="system", reason=decision.outcome.value).order
        after = with_decision(moved, decision)
        if decision.choice is None:
            after = replace(after, manual=manual_reason(decision))
        dealer = by_id[decision.choice.dealer] if decision.choice else None
        pushes = order_events(after, store.case(order.vehicle), vehicles[order.vehicle], dealer)
        if not store.change_order(after, order.version, pushes):
            tally.put_off += 1
        elif dealer is None:
            tally.manual += 1
        else:
            tally.placed += 1
    return tally


def _propose(store: DispatchStore, order: Order, reason: str, now_ns: int) -> bool:
    asked = transition(order, OrderEvent.PROPOSE, time_ns=now_ns, actor="system", reason=reason).order
    vehicle = store.vehicle(order.vehicle) or Vehicle(id=order.vehicle)
    return store.change_order(asked, order.version, order_events(asked, store.case(order.vehicle), vehicle, None))


def dispatch_plan(store: DispatchStore, routing: Routing, now_ns: int, *, what_if: bool) -> dict[str, Any]:
    """What placing together would do now; nothing is written.

    Compared with where each order stands; for one that has no dealer yet, with what deciding one order after the other would give.

    Args:
        what_if: ask not only about drafts, but about every order that can wait and that no dealer has accepted.

    Returns:
        `dispatch plan --json`: counts, means now and planned over the orders that have a dealer in both, and the moves.
    """
    open_orders = store.orders(state=OPEN_STATES)
    states = UNCONFIRMED if what_if else frozenset({OrderState.DRAFT})
    asked = [order for order in open_orders if order.state in states and can_wait(order)]
    identities = {order.id for order in asked}
    fixed = [order for order in open_orders if order.id not in identities]
    needs = {
        order.id: batch_needs(order, store.vehicle(order.vehicle) or Vehicle(id=order.vehicle), now_ns)
        for order in sorted(asked, key=lambda order: (order.created_ns, order.id))
    }
    dealers = store.dealers()
    now = _as_it_stands(asked, needs, DealerNetwork.from_orders(dealers, fixed, routing=routing))
    plan = plan_batch(needs, DealerNetwork.from_orders(dealers, fixed, routing=routing), now_ns)
    return _document(asked, fixed, now, plan, now_ns, what_if=what_if)


Place = tuple[DealerChoice, tuple[tuple[int, int], ...]] | None


def _as_it_stands(asked: Sequence[Order], needs: dict[str, DealerNeeds], network: DealerNetwork) -> dict[str, Place]:
    """Dealer and slots of each order; those without one are decided in order of arrival, around the others."""
    places: dict[str, Place] = {}
    for order in asked:
        if order.choice is not None:
            places[order.id] = (order.choice, order.slots)
            network.hold(order)
    for identity, wanted in needs.items():
        if identity not in places:
            decision = network.decide(wanted)
            places[identity] = None if decision.choice is None else (decision.choice, decision.slots)
            if decision.choice is not None and decision.slots:
                network.book_slot(decision.choice.dealer, decision.slots[0][0], capabilities=wanted.takes)
    return places


def _document(
    asked: Sequence[Order],
    fixed: Sequence[Order],
    now: dict[str, Place],
    plan: BatchPlan,
    now_ns: int,
    *,
    what_if: bool,
) -> dict[str, Any]:
    planned: dict[str, Place] = {
        identity: None if decision.choice is None else (decision.choice, decision.slots)
        for identity, decision in plan.decisions.items()
    }
    pairs = [(before, after) for order in asked if (before := now[order.id]) and (after := planned[order.id])]
    befores, afters = [before for before, _ in pairs], [after for _, after in pairs]
    km_now, km_planned = _mean_km(befores), _mean_km(afters)
    moves = [
        {
            "order": order.id,
            "vehicle": order.vehicle,
            "state": order.state,
            "priority": order.recommendation.urgency.priority,
            "from": _place_json(now[order.id]),
            "to": _place_json(planned[order.id]),
        }
        for order in asked
        if _where(now[order.id]) != _where(planned[order.id])
    ]
    return {
        "what_if": what_if,
        "orders": len(asked),
        "confirmed": sum(order.state not in UNCONFIRMED for order in fixed),
        "together": plan.together,
        "proven_optimal": plan.proven,
        "placed": {"now": _placed(now), "planned": _placed(planned)},
        "mean_km": {"now": km_now, "planned": km_planned},
        "mean_wait_days": {"now": _mean_days(befores, now_ns), "planned": _mean_days(afters, now_ns)},
        "mean_km_gain": None if not km_now or km_planned is None else round(1 - km_planned / km_now, 4),
        "moves": moves,
    }


def _placed(places: dict[str, Place]) -> int:
    return sum(place is not None for place in places.values())


def _mean_km(places: Sequence[Place]) -> float | None:
    ways = [place[0].distance_km for place in places if place]
    return round(sum(ways) / len(ways), 2) if ways else None


def _mean_days(places: Sequence[Place], now_ns: int) -> float | None:
    waits = [(place[1][0][0] - now_ns) / (24 * HOUR_NS) for place in places if place and place[1]]
    return round(sum(waits) / len(waits), 2) if waits else None


def _where(place: Place) -> tuple[str, int | None] | None:
    return None if place is None else (place[0].dealer, place[1][0][0] // (24 * HOUR_NS) if place[1] else None)


def _place_json(place: Place) -> dict[str, Any] | None:
    if place is None:
        return None
    choice, slots = place
    return {"dealer": choice.dealer, "distance_km": choice.distance_km, "start": rfc3339(slots[0][0]) if slots else None}
