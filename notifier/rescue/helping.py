"""What people say of a rescue, done: help is sent, the call ends, or an agent is to ring.

Each change is one transaction with its pushes; where somebody changed the order in the same moment, what was said is applied to what
it is now.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from domain.consents import Consent, ConsentBasis
from domain.fleet import Dealer, Vehicle
from domain.live import VehicleSighting
from domain.orders import Order, OrderChange, OrderKind
from domain.records import OutboxEvent, VehicleCase
from domain.rescue import ConfirmedBy, ReplacementCar
from domain.tickets import Ticket, TicketKind, ticket_id
from notifier.dealers.routing_policy import Routing
from notifier.orders.order_states import OPEN_STATES, OrderEvent, TransitionOutcome, transition
from notifier.orders.redispatch import redispatch
from notifier.push.outbox import order_events
from notifier.rescue.confirming import WAITING, ConfirmOutcome, SaidPosition, confirm
from notifier.rescue.notices import EXPECTED

TRIES = 5
"""An order that changes more often than this while somebody confirms it is left to the next try."""
DRIVER = "driver"


class HelpStore(Protocol):
    """What helping needs of the store."""

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

    def consents(self, vehicle: str) -> tuple[Consent, ...]:
        """What the owner of one vehicle has agreed to."""

    def sighting(self, vehicle: str) -> VehicleSighting | None:
        """When and where one vehicle was last heard of."""

    def change_order(self, order: Order, expected_version: int, outbox: Sequence[OutboxEvent] = ()) -> bool:
        """Store a change made outside the pipeline, if the order is still of this version."""

    def paper(self, kind: type[Ticket], identifier: str) -> Ticket | None:
        """One ticket."""

    def change_paper(self, before: Ticket | None, after: Ticket) -> bool:
        """Put a ticket in the place of another; None = there is none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody says: whose word it is, where the vehicle is, why its place may be used, and whether the people need a car."""

    by: ConfirmedBy
    agent: str = ""
    said: SaidPosition | None = None
    stated: ConsentBasis | None = None
    replacement: ReplacementCar = ReplacementCar.NOT_ASKED

    @property
    def actor(self) -> str:
        """As the order's history names it."""
        return self.agent or DRIVER


def send_help(
    store: HelpStore, order_id: str, word: Word, *, now_ns: int, fresh_ns: int, routing: Routing
) -> tuple[ConfirmOutcome, Order | None]:
    """Send the nearest partner to a vehicle whose driver or agent says that help is needed; the order as it stands then.

    Where no partner is able the order waits for the people of the rescue desk, confirmed.

    Raises:
        StorageError: the database failed; nothing is changed.
    """
    order = store.order(order_id)
    for _ in range(TRIES):
        if order is None:
            break
        said = confirm(
            order,
            by=word.by,
            agent=word.agent,
            said=word.said,
            sighting=store.sighting(order.vehicle),
            consents=store.consents(order.vehicle),
            stated=word.stated,
            now_ns=now_ns,
            fresh_ns=fresh_ns,
            replacement=word.replacement,
        )
        if said.rescue is None:
            return said.outcome, order
        sent = redispatch(
            replace(order, rescue=said.rescue, location=said.rescue.position.location),
            OrderEvent.DISPATCH,
            case=store.case(order.vehicle),
            vehicle=store.vehicle(order.vehicle) or Vehicle(id=order.vehicle),
            dealers=store.dealers(),
            orders=store.orders(state=OPEN_STATES),
            time_ns=now_ns,
            actor=word.actor,
            reason=f"confirmed by the {word.by.value}",
            routing=routing,
        )
        if store.change_order(sent.order, order.version, sent.outbox):
            return ConfirmOutcome.CONFIRMED, sent.order
        order = store.order(order_id)
    return ConfirmOutcome.NOT_WAITING, order


def end_call(store: HelpStore, order_id: str, *, actor: str, reason: str, now_ns: int) -> bool:
    """The driver needs no help: an unconfirmed rescue is cancelled; False where it was confirmed before, or has ended."""
    for _ in range(TRIES):
        order = store.order(order_id)
        if order is None or order.kind is not OrderKind.RESCUE or order.rescue is not None or order.state not in WAITING:
            return False
        moved = transition(order, OrderEvent.CANCEL, time_ns=now_ns, actor=actor, reason=reason)
        if moved.outcome is not TransitionOutcome.CHANGED:
            return False
        if store.change_order(moved.order, order.version, told(store, moved.order)):
            return True
    return False


def ask_agent(store: HelpStore, order: Order, reason: str, text: str, *, now_ns: int, due_ns: int) -> bool:
    """A task for the call centre to ring the driver; made once for each reason. False where it is there already."""
    ticket = Ticket(
        id=ticket_id(TicketKind.CALL, order.id, reason),
        kind=TicketKind.CALL,
        vehicle=order.vehicle,
        order=order.id,
        reason=reason,
        text=text,
        author="system",
        created_ns=now_ns,
        due_ns=due_ns,
    )
    return store.paper(Ticket, ticket.id) is None and store.change_paper(None, ticket)


def tell_progress(
    store: HelpStore,
    order: Order,
    *,
    actor: str,
    now_ns: int,
    eta_ns: int | None = None,
    replacement: ReplacementCar | None = None,
) -> Order | None:
    """Note when the partner says that it will be there, or how the people go on; None where the order changed meanwhile.

    Args:
        order: confirmed, as its caller has seen it.
    """
    assert order.rescue is not None
    rescue = order.rescue
    if eta_ns is not None:
        rescue = replace(rescue, eta_ns=eta_ns, eta_from="partner")
    if replacement is not None:
        rescue = replace(rescue, replacement=replacement)
    after = replace(
        order,
        rescue=rescue,
        version=order.version + 1,
        updated_ns=max(now_ns, order.updated_ns),
        change=OrderChange(actor=actor, reason=EXPECTED if eta_ns is not None else "replacement_car"),
    )
    return after if store.change_order(after, order.version, told(store, after)) else None


def told(store: HelpStore, order: Order, *, withdrawn_from: Order | None = None) -> tuple[OutboxEvent, ...]:
    """The pushes that tell of this version; `withdrawn_from`: as the order was when another dealer had it."""
    dealers = {dealer.id: dealer for dealer in store.dealers()}
    dealer, former = (dealers.get(each.choice.dealer) if each and each.choice else None for each in (order, withdrawn_from))
    vehicle = store.vehicle(order.vehicle) or Vehicle(id=order.vehicle)
    return order_events(order, store.case(order.vehicle), vehicle, dealer, withdrawn_from=former)
