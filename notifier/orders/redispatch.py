"""An order asks its first dealer once its owner has agreed, and the next one after a refusal; after some offers a person takes over.

Pure: whoever records the answer (the API, the scheduler) stores what comes back in the same transaction, so that no order is ever
seen without either a dealer at work on an answer or a person in charge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.fleet import Dealer, Vehicle
from domain.orders import ManualReason, Order, OrderKind
from domain.records import OutboxEvent, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.dealer_needs import DealerDecision
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.orders.order_states import OrderEvent, OrderState, TransitionOutcome, transition
from notifier.orders.ordering import dealer_needs, manual_reason, with_decision
from notifier.push.outbox import order_events

MOST_OFFERS = 3
"""So many dealers are asked before a person takes over."""
REFUSALS = frozenset({OrderEvent.DECLINE, OrderEvent.EXPIRE})
"""Events after which another dealer is asked."""
ASKS = frozenset({OrderEvent.DISPATCH, *REFUSALS})
"""Events after which a dealer is asked."""


class RedispatchOutcome(StrEnum):
    """What became of an order."""

    ASKED_NEXT = "asked_next"
    MANUAL_NONE_ABLE = "manual_none_able"
    """No (further) dealer is able, or nobody knows where the vehicle is."""
    MANUAL_TOO_MANY_OFFERS = "manual_too_many_offers"
    NAMED_NOT_ABLE = "named_not_able"
    """The dealer that a person has named cannot do it: nothing changes."""
    NOT_ALLOWED = "not_allowed"
    """The order's state does not allow this event, it asks nobody, or it is a rescue that nobody has confirmed: nothing changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redispatch:
    """The order as it stands now (one version on, where anything changes), and the pushes that tell of it.

    `rejected`: why a named dealer is not able.
    """

    outcome: RedispatchOutcome
    order: Order
    outbox: tuple[OutboxEvent, ...] = ()
    rejected: tuple[tuple[str, int], ...] = ()


def redispatch(
    order: Order,
    event: OrderEvent,
    *,
    case: VehicleCase,
    vehicle: Vehicle,
    dealers: Iterable[Dealer],
    orders: Iterable[Order],
    time_ns: int,
    actor: str,
    reason: str = "",
    most_offers: int = MOST_OFFERS,
    routing: Routing = PLAIN_ROUTING,
    named: str = "",
) -> Redispatch:
    """Take note of a release or refusal and ask the next able dealer that has not refused this order yet.

    Event and new choice are one version. The dealer whose offer expired is told that the order is withdrawn; one that declined
    knows.

    Args:
        order: as it stands.
        event: one of `ASKS`.
        case: of its vehicle, for the alerts in the pushes.
        vehicle: of the order.
        dealers: all there are.
        orders: all open ones, for what is booked.
        time_ns: when.
        actor: who released or refused it. reason: in the actor's words.
        most_offers: dealers asked before a person takes over; what a person dispatches by hand is offered all the same.
        routing: how dealers are chosen.
        named: the dealer that a person wants, "" for the best.
    """
    asked = transition(order, event, time_ns=time_ns, actor=actor, reason=reason)
    unconfirmed = order.kind is OrderKind.RESCUE and order.rescue is None and event is OrderEvent.DISPATCH
    if event not in ASKS or asked.outcome is not TransitionOutcome.CHANGED or unconfirmed:
        return Redispatch(outcome=RedispatchOutcome.NOT_ALLOWED, order=order)
    by_id = {dealer.id: dealer for dealer in dealers}
    former = by_id.get(order.choice.dealer) if order.choice else None
    names = (order.choice.dealer,) if order.choice and event in REFUSALS else ()
    after = replace(asked.order, refused_by=tuple(dict.fromkeys((*order.refused_by, *names))), choice=None, slots=())
    outcome, after = RedispatchOutcome.MANUAL_TOO_MANY_OFFERS, replace(after, manual=ManualReason.TOO_MANY_OFFERS)
    if event is OrderEvent.DISPATCH or len(after.refused_by) < most_offers:
        others = (each for each in orders if each.id != order.id)
        decision = _decision(after, vehicle, DealerNetwork.from_orders(by_id.values(), others, routing=routing), named)
        if named and decision.choice is None:
            return Redispatch(outcome=RedispatchOutcome.NAMED_NOT_ABLE, order=order, rejected=decision.rejected)
        outcome = RedispatchOutcome.ASKED_NEXT if decision.choice else RedispatchOutcome.MANUAL_NONE_ABLE
        after = replace(with_decision(after, decision), manual=None if decision.choice else manual_reason(decision))
    if after.choice is None:
        after = replace(after, state=OrderState.MANUAL.value)
    dealer = by_id[after.choice.dealer] if after.choice else None
    withdrawn = former if event is OrderEvent.EXPIRE else None
    return Redispatch(outcome=outcome, order=after, outbox=order_events(after, case, vehicle, dealer, withdrawn_from=withdrawn))


def _decision(order: Order, vehicle: Vehicle, network: DealerNetwork, named: str) -> DealerDecision:
    needs = replace(dealer_needs(order, vehicle), time_ns=order.updated_ns, location=order.location or vehicle.home)
    return network.decide_for(replace(needs, excluded=frozenset()), named) if named else network.decide(needs)
