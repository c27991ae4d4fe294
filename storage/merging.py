"""What the pipeline wants to store meets what people did meanwhile: people win. Pure, and shared by all stores.

The pipeline decides on a case as it was when it loaded it. Until it commits, a person may have acknowledged an alert or moved an
order on. The rules, applied inside the commit's transaction:

1. An acknowledged alert stays acknowledged while it is open; resolving it goes through. An alert that a confirmed repair has ended
   stays ended: if the fault is still there it is raised anew.
2. An order that was changed outside the pipeline since the pipeline saw it (`Order.people_version` is greater in the database)
   keeps what people made of it. `Settle` may lay the pipeline's new contents over it as a next version; the pushes that the
   pipeline had written for its own version are dropped, and those of the settled version are written instead.
3. An older version of an order never replaces a newer one: that is a commit done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from domain.findings import Alert, AlertState
from domain.fleet import Dealer, Vehicle
from domain.live import Settle
from domain.orders import Order
from domain.records import Commit, OutboxEvent, VehicleCase
from domain.repair import is_repaired


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What to write: changed alerts and orders (with what stood there before), and the pushes."""

    alerts: tuple[tuple[Alert | None, Alert], ...]
    orders: tuple[tuple[Order | None, Order], ...]
    outbox: tuple[OutboxEvent, ...]


def merge(
    changes: Commit,
    *,
    alerts: Mapping[str, Alert],
    orders: Mapping[str, Order],
    vehicle_of: Callable[[str], Vehicle | None],
    dealer_of: Callable[[str], Dealer | None],
    settle: Settle,
) -> Merged:
    """Merge a commit's cases with the stored alerts and orders of the same ids."""
    to_write: list[tuple[Order | None, Order]] = []
    overruled: set[str] = set()
    told: list[OutboxEvent] = []
    for case in changes.cases:
        for ours in case.orders:
            stored = orders.get(ours.id)
            if stored is None or (stored.people_version <= ours.people_version and stored.version <= ours.version):
                to_write.append((stored, ours))
            elif stored.people_version > ours.people_version:
                overruled.add(ours.id)
                settled, events = _settle(stored, ours, case, vehicle_of, dealer_of, settle)
                to_write.append((stored, settled))
                told += events
    seen = [(alerts.get(alert.id), alert) for case in changes.cases for alert in case.alerts]
    kept = [(before, _keep_said(before, after)) for before, after in seen]
    return Merged(
        alerts=tuple(pair for pair in kept if pair[0] != pair[1]),
        orders=tuple(pair for pair in to_write if pair[0] != pair[1]),
        outbox=(*(event for event in changes.outbox if event.subject not in overruled), *told),
    )


def _settle(
    stored: Order,
    ours: Order,
    case: VehicleCase,
    vehicle_of: Callable[[str], Vehicle | None],
    dealer_of: Callable[[str], Dealer | None],
    settle: Settle,
) -> tuple[Order, tuple[OutboxEvent, ...]]:
    vehicle = vehicle_of(stored.vehicle) or Vehicle(id=stored.vehicle)
    dealer = dealer_of(stored.choice.dealer) if stored.choice else None
    return settle(stored, ours, case, vehicle, dealer)


def _keep_said(before: Alert | None, after: Alert) -> Alert:
    if before is not None and is_repaired(before):
        return before
    if before is not None and before.state is AlertState.ACKNOWLEDGED and after.state is AlertState.OPEN:
        return replace(after, state=AlertState.ACKNOWLEDGED)
    return after
