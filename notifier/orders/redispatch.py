"""After a dealer has declined an offer or let it expire: the next one is asked, and after some offers a person takes over.

Pure: whoever records the answer (the API, the scheduler) stores what comes back in the same transaction, so that no order is ever
seen without either a dealer at work on an answer or a person in charge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.fleet import Dealer, Vehicle
from domain.orders import Order
from domain.records import OutboxEvent, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.orders.order_states import OrderEvent, OrderState, TransitionOutcome, transition
from notifier.orders.ordering import dealer_needs, with_decision
from notifier.push.outbox import order_events

MOST_OFFERS = 3
"""So many dealers are asked before a person takes over."""
REFUSALS = frozenset({OrderEvent.DECLINE, OrderEvent.EXPIRE})
"""Events after which another dealer is asked."""


class RedispatchOutcome(StrEnum):
    """What became of an order after a refusal."""

    ASKED_NEXT = "asked_next"
    MANUAL_NONE_ABLE = "manual_none_able"
    """No further dealer is able."""
    MANUAL_TOO_MANY_OFFERS = "manual_too_many_offers"
    NOT_REFUSED = "not_refused"
    """The order's state does not allow this event, or it is no refusal: nothing changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redispatch:
    """The order as it stands now (one version on, unless NOT_REFUSED), and the pushes that tell of it."""

    outcome: RedispatchOutcome
    order: Order
    outbox: tuple[OutboxEvent, ...] = ()


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
) -> Redispatch:
    """Take note of a refusal and ask the next able dealer that has not refused this order yet.

    Refusal and new choice are one version. The dealer whose offer expired is told that the order is withdrawn; one that declined
    knows.

    Args:
        order: as offered.
        event: DECLINE or EXPIRE.
        case: of its vehicle, for the alerts in the pushes.
        vehicle: of the order.
        dealers: all there are.
        orders: all open ones, for what is booked.
        time_ns: when.
        actor: who refused. reason: in the actor's words.
        most_offers: dealers asked before a person takes over.
        routing: how dealers are chosen.
    """
    refused = transition(order, event, time_ns=time_ns, actor=actor, reason=reason)
    if event not in REFUSALS or refused.outcome is not TransitionOutcome.CHANGED:
        return Redispatch(outcome=RedispatchOutcome.NOT_REFUSED, order=order)
    by_id = {dealer.id: dealer for dealer in dealers}
    former = by_id.get(order.choice.dealer) if order.choice else None
    names = (order.choice.dealer,) if order.choice else ()
    after = replace(refused.order, refused_by=tuple(dict.fromkeys((*order.refused_by, *names))), choice=None, slots=())
    outcome = RedispatchOutcome.MANUAL_TOO_MANY_OFFERS
    if len(after.refused_by) < most_offers:
        others = (each for each in orders if each.id != order.id)
        needs = replace(dealer_needs(after, vehicle), time_ns=after.updated_ns, location=after.location)
        decision = DealerNetwork.from_orders(by_id.values(), others, routing=routing).decide(needs)
        outcome = RedispatchOutcome.ASKED_NEXT if decision.choice else RedispatchOutcome.MANUAL_NONE_ABLE
        after = with_decision(after, decision)
    if after.choice is None:
        after = replace(after, state=OrderState.MANUAL.value)
    dealer = by_id[after.choice.dealer] if after.choice else None
    withdrawn = former if event is OrderEvent.EXPIRE else None
    return Redispatch(outcome=outcome, order=after, outbox=order_events(after, case, vehicle, dealer, withdrawn_from=withdrawn))
