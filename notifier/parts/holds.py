"""An order waits while parts for it are on their way, and goes on when the last of them has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.fleet import Dealer, Vehicle
from domain.order_audit import AuditEntry
from domain.orders import Order
from domain.parts import AWAITED, LotState, PartLot
from domain.records import OutboxEvent, VehicleCase
from notifier.orders.order_states import OrderEvent, OrderState, TransitionOutcome, transition
from notifier.parts.desk import arrived
from notifier.push.outbox import order_events

FOR_PARTS = "parts"
"""The reason with which an order is held, by us or by its workshop; holds for other reasons are the workshop's to end."""
MAY_WAIT = (OrderState.APPROVED, OrderState.PARTIALLY_APPROVED, OrderState.ON_HOLD)


class HoldStore(Protocol):
    """What holding and going on needs of the store."""

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """One vehicle."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything on one vehicle."""

    def order(self, identifier: str) -> Order | None:
        """One order."""

    def orders(self, *, state: str | Collection[str] | None = None) -> tuple[Order, ...]:
        """Orders in these states."""

    def order_audit(self, *, order: str | None = None) -> tuple[AuditEntry, ...]:
        """The entries of one order."""

    def part_lots(self, *, order: str | None = None, state: Collection[LotState] | None = None) -> tuple[PartLot, ...]:
        """Lots of one order, in these states."""

    def move_lot(self, before: PartLot, after: PartLot) -> bool:
        """Store a lot with the stock that it moves, if what is stored is still `before`."""

    def change_order(self, order: Order, expected_version: int, outbox: Sequence[OutboxEvent] = ()) -> bool:
        """Store a change made outside the pipeline, if the order is still of this version."""


@dataclass(slots=True, kw_only=True)
class HoldTally:
    """How many orders were held, and how many went on."""

    held: int = 0
    resumed: int = 0


def review_holds(store: HoldStore, now_ns: int) -> HoldTally:
    """Hold what is approved but waits for parts, and let go on what waits for nothing more; each order in a transaction of its own.

    An order that somebody changes in the same moment is left to the next look.

    Raises:
        StorageError: the database failed; what was changed until then is stored.
    """
    tally, waiting = HoldTally(), {lot.order for lot in store.part_lots(state=AWAITED)}
    for order in store.orders(state=MAY_WAIT):
        _review(store, order, order.id in waiting, now_ns, tally)
    return tally


def receive_lot(store: HoldStore, lot: PartLot, now_ns: int) -> bool:
    """Note that awaited pieces have come; their order goes on if it waited for nothing else. False where they came before, or are not awaited.

    Raises:
        StorageError: the database failed; if the pieces are noted, the next look lets the order go on.
    """
    if lot.state not in AWAITED or not store.move_lot(lot, arrived(lot, now_ns)):
        return False
    order = store.order(lot.order)
    if order is not None and order.state in MAY_WAIT:
        _review(store, order, bool(store.part_lots(order=order.id, state=AWAITED)), now_ns, HoldTally())
    return True


def _review(store: HoldStore, order: Order, waits: bool, now_ns: int, tally: HoldTally) -> None:
    held = order.state == OrderState.ON_HOLD
    if held == waits or (held and not _held_for_parts(store.order_audit(order=order.id))):
        return
    event, reason = (OrderEvent.HOLD, FOR_PARTS) if waits else (OrderEvent.RESUME, "parts have come")
    moved = transition(order, event, time_ns=now_ns, actor="system", reason=reason)
    if moved.outcome is not TransitionOutcome.CHANGED:
        return
    dealer = next((each for each in store.dealers() if order.choice and each.id == order.choice.dealer), None)
    vehicle = store.vehicle(order.vehicle) or Vehicle(id=order.vehicle)
    if store.change_order(moved.order, order.version, order_events(moved.order, store.case(order.vehicle), vehicle, dealer)):
        tally.held += waits
        tally.resumed += not waits


def _held_for_parts(entries: Sequence[AuditEntry]) -> bool:
    """Whether the latest hold names parts as its reason."""
    reasons = [entry.reason for entry in entries if entry.event == OrderEvent.HOLD]
    return bool(reasons) and reasons[-1].casefold().startswith(FOR_PARTS)
