"""Makes notices of what the feed tells, and puts them into the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from domain.findings import Alert
from domain.fleet import Dealer, Vehicle
from domain.live import EventKind, FeedEvent
from domain.orders import Order
from domain.records import OutboxEvent, VehicleCase
from notifier.push.notices import Route, alert_notices, order_notices

AT_ONCE = 200
NOTHING_READ = -1


class NoticeStore(Protocol):
    """What notices need of the store."""

    def events(self, after_id: int, limit: int) -> tuple[FeedEvent, ...]:
        """The feed after an id."""

    def last_event_id(self) -> int:
        """The end of the feed."""

    def notices_read(self) -> int:
        """How far the feed was read for notices."""

    def write_notices(self, notices: Iterable[OutboxEvent], read: int) -> None:
        """Write notices, and how far the feed was read."""

    def alert(self, identifier: str) -> Alert | None:
        """One alert."""

    def order(self, identifier: str) -> Order | None:
        """One order."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything on one vehicle."""

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """One vehicle."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""


def relay_notices(store: NoticeStore, routes: Sequence[Route]) -> int:
    """Make the notices of everything new in the feed; gives how many.

    The first time, and after a time without any route, they begin with what comes next: nobody is told of history.

    Raises:
        StorageError: the database failed; what was written until then is not made again.
    """
    read = store.notices_read()
    if not routes or read == NOTHING_READ:
        begin = store.last_event_id() if routes else NOTHING_READ
        if begin != read:
            store.write_notices((), begin)
        return 0
    made = 0
    while events := store.events(read, AT_ONCE):
        dealers = {dealer.id: dealer for dealer in store.dealers()}
        notices = [notice for event in events for notice in _notices(store, event, routes, dealers)]
        read = events[-1].id
        store.write_notices(notices, read)
        made += len(notices)
    return made


def _notices(
    store: NoticeStore, event: FeedEvent, routes: Sequence[Route], dealers: dict[str, Dealer]
) -> tuple[OutboxEvent, ...]:
    if event.kind is EventKind.ALERT:
        alert = store.alert(event.subject)
        return () if alert is None else alert_notices(event, alert, routes)
    order = store.order(event.subject) if event.kind is EventKind.ORDER else None
    if order is None:
        return ()
    vehicle = store.vehicle(order.vehicle) or Vehicle(id=order.vehicle)
    dealer = dealers.get(order.choice.dealer) if order.choice else None
    return order_notices(event, order, store.case(order.vehicle), vehicle, dealer, routes)
