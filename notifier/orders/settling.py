"""Where the pipeline changed an order that a person had moved on meanwhile: people keep the say, the contents are brought up to date."""

from __future__ import annotations

from dataclasses import replace

from domain.fleet import Dealer, Vehicle
from domain.orders import Order, OrderChange
from domain.records import OutboxEvent, VehicleCase
from notifier.orders.order_states import is_open
from notifier.push.outbox import order_events


def settle_order(
    stored: Order, ours: Order, case: VehicleCase, vehicle: Vehicle, dealer: Dealer | None
) -> tuple[Order, tuple[OutboxEvent, ...]]:
    """The order to store and the pushes that tell of it; a `domain.live.Settle`.

    State, dealer, slots and transport stay as people made them. Incidents and recommendation become what the pipeline found, as
    one version more, which is pushed to the order's dealer. An order that has ended stays as it is: the next finding of the
    incident makes another one.

    Args:
        stored: as people made it. ours: as the pipeline wanted it, on top of an older version.
        case: as the pipeline decided it. dealer: the stored order's.
    """
    incidents = tuple(dict.fromkeys((*stored.incidents, *ours.incidents)))
    settled = replace(stored, incidents=incidents, recommendation=ours.recommendation)
    if settled == stored or not is_open(stored):
        return stored, ()
    settled = replace(
        settled,
        version=stored.version + 1,
        updated_ns=max(stored.updated_ns, ours.updated_ns),
        change=OrderChange(reason="contents"),
    )
    return settled, order_events(settled, case, vehicle, dealer)
