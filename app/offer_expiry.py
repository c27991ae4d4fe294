"""Offers that a dealer does not answer in time: the order goes to the next dealer, as if it had been declined."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from domain.findings import Urgency
from domain.fleet import Dealer, Vehicle
from domain.live import FeedEvent
from domain.orders import Order
from domain.records import OutboxEvent, VehicleCase
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.orders.order_states import OPEN_STATES, OrderEvent, OrderState
from notifier.orders.redispatch import RedispatchOutcome, redispatch


class ExpiryStore(Protocol):
    """What the expiry needs of the store."""

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """One vehicle."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything on one vehicle."""

    def orders(self, *, state: str | Collection[str] | None = None) -> tuple[Order, ...]:
        """Orders in these states."""

    def events_of(self, subject: str) -> tuple[FeedEvent, ...]:
        """The feed events of one order."""

    def change_order(self, order: Order, expected_version: int, outbox: Sequence[OutboxEvent] = ()) -> bool:
        """Store a change made outside the pipeline, if the order is still of this version."""


def expire_offers(store: ExpiryStore, after_s: Mapping[Urgency, float], now_ns: int, *, routing: Routing = PLAIN_ROUTING) -> int:
    """Ask the next dealer for every offer that has waited longer than its urgency allows; gives how many.

    Who answers in the same moment wins: the order has another version then, and stays as it is.

    Args:
        after_s: seconds by urgency; an urgency that is not there never expires. now_ns: wall time. routing: how dealers are chosen.

    Raises:
        StorageError: the database failed; what was changed until then is stored.
    """
    expired = 0
    for order in store.orders(state=OrderState.OFFERED):
        limit_s = after_s.get(order.recommendation.urgency)
        if limit_s is None or now_ns - offered_ns(store.events_of(order.id)) < limit_s * 1e9:
            continue
        refused = redispatch(
            order,
            OrderEvent.EXPIRE,
            case=store.case(order.vehicle),
            vehicle=store.vehicle(order.vehicle) or Vehicle(id=order.vehicle),
            dealers=store.dealers(),
            orders=store.orders(state=OPEN_STATES),
            time_ns=now_ns,
            actor="system",
            reason="no answer in time",
            routing=routing,
        )
        if refused.outcome is not RedispatchOutcome.NOT_ALLOWED:
            expired += store.change_order(refused.order, order.version, refused.outbox)
    return expired


def offered_ns(events: Sequence[FeedEvent]) -> int:
    """Wall time at which an order was last offered, 0 where the feed has forgotten it (so it was long ago).

    An order that the pipeline adds to meanwhile is still the same offer.
    """
    offered = 0
    for event in events:
        body = json.loads(event.body)
        if body.get("state") == OrderState.OFFERED and body.get("state_before") != OrderState.OFFERED:
            offered = event.time_ns
    return offered
