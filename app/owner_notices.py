"""Tells owners of what becomes of their orders: made from the feed, and from messages that are due.

A change is in the feed by the transaction that made it. What it calls for is written together with how far the feed was read, so that
each change is told once, whatever dies in between.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from domain.consents import Consent
from domain.findings import AlertState
from domain.fleet import Dealer, Vehicle
from domain.live import EventKind, FeedEvent
from domain.notices import DueNotice, DueState, FeedMark, NoticeKind
from domain.orders import Order
from domain.owners import Owner
from domain.papers import Paper
from domain.quotes import Quote
from domain.records import OutboxEvent, VehicleCase
from notifier.owners.notices import HOUR_NS, Notice, NoticeOutcome, Owners, Reader, kind_at, order_notice
from notifier.owners.quoting import declined_work

P = TypeVar("P", bound=Paper)
READER = "owner_notices"
AT_ONCE = 200
FOLLOW_UP_NS = 30 * 24 * HOUR_NS
"""So long after needed work was declined, the owner is asked again."""
REMIND_BEFORE_NS = 24 * HOUR_NS
NOTHING = Notice(outcome=NoticeOutcome.NOTHING)
TOLD_AGAIN = frozenset({"scheduled", "quoted"})
"""States in which another appointment or quote is told; the same one is not."""


class OwnerNoticeStore(Protocol):
    """What the messages need of the store."""

    def events(self, after_id: int, limit: int) -> tuple[FeedEvent, ...]:
        """The feed after an id."""

    def last_event_id(self) -> int:
        """The end of the feed."""

    def order(self, identifier: str) -> Order | None:
        """One order."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything on one vehicle."""

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """One vehicle."""

    def consents(self, vehicle: str) -> tuple[Consent, ...]:
        """What its owner has agreed to."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def paper(self, kind: type[P], identifier: str) -> P | None:
        """One paper."""

    def papers(
        self, kind: type[P], *, state: str | Collection[str] | None = None, due_by_ns: int | None = None, limit: int | None = None
    ) -> tuple[P, ...]:
        """Papers of one kind."""

    def change_paper(
        self, before: Paper | None, after: Paper, *, beside: Iterable[Paper] = (), outbox: Iterable[OutboxEvent] = ()
    ) -> bool:
        """Compare and set, with what goes with it."""


def relay_owner_notices(store: OwnerNoticeStore, owners: Owners) -> int:
    """Tell owners of everything new in the feed; gives how many messages were written. The first time it begins with what comes next.

    Raises:
        StorageError: the database failed; what was written until then is not made again.
    """
    mark = store.paper(FeedMark, READER)
    if mark is None:
        store.change_paper(None, FeedMark(id=READER, read=store.last_event_id()))
        return 0
    made = 0
    while events := store.events(mark.read, AT_ONCE):
        dealers = {dealer.id: dealer for dealer in store.dealers()}
        found = [_of_event(store, owners, event, dealers) for event in events if event.kind is EventKind.ORDER]
        after = replace(mark, read=events[-1].id)
        outbox = [event for notice, _ in found for event in notice.outbox]
        if not store.change_paper(
            mark, after, beside=[paper for each in found for paper in _papers(store, *each)], outbox=outbox
        ):
            return made  # another process is at it
        mark, made = after, made + len(outbox)
    return made


def send_due_notices(store: OwnerNoticeStore, owners: Owners) -> int:
    """Tell what is due now and still wanted; gives how many messages were written.

    Raises:
        StorageError: the database failed; what was written until then is not made again.
    """
    made = 0
    dealers = {dealer.id: dealer for dealer in store.dealers()}
    for due in store.papers(DueNotice, state=DueState.OPEN, due_by_ns=owners.clock(), limit=AT_ONCE):
        order = store.order(due.order)
        wanted = order is not None and _still_holds(store, due, order)
        notice = _notice(store, owners, due.kind, order, dealers) if order is not None and wanted else NOTHING
        done = replace(due, state=DueState.DONE)
        if store.change_paper(due, done, beside=_papers(store, notice, ()), outbox=notice.outbox):
            made += len(notice.outbox)
    return made


def _of_event(
    store: OwnerNoticeStore, owners: Owners, event: FeedEvent, dealers: Mapping[str, Dealer]
) -> tuple[Notice, tuple[DueNotice, ...]]:
    """The message that a change calls for, and those to come; nothing where the order has moved on meanwhile."""
    said = json.loads(event.body)
    order = store.order(event.subject)
    moved = said["state"] != said["state_before"] or said["state"] in TOLD_AGAIN
    if order is None or not moved or order.state != said["state"]:
        return NOTHING, ()
    kind = kind_at(order, order.state)
    notice = NOTHING if kind is None else _notice(store, owners, kind, order, dealers)
    return notice, _to_come(store, order, said["state_before"], owners.clock())


def _to_come(store: OwnerNoticeStore, order: Order, came_from: str | None, now_ns: int) -> tuple[DueNotice, ...]:
    if order.state == "scheduled" and order.slots and order.slots[0][0] - now_ns > REMIND_BEFORE_NS:
        start_ns = order.slots[0][0]
        return (_due(NoticeKind.REMINDER, order, start_ns, now_ns, start_ns - REMIND_BEFORE_NS),)
    quote = _quote(store, order)
    if came_from == "quoted" and quote is not None and declined_work(order, quote):
        return (_due(NoticeKind.FOLLOW_UP, order, quote.version, now_ns, now_ns + FOLLOW_UP_NS),)
    return ()


def _due(kind: NoticeKind, order: Order, about: int, now_ns: int, due_ns: int) -> DueNotice:
    return DueNotice(
        id=f"{kind.value}:{order.id}:{about}",
        kind=kind,
        vehicle=order.vehicle,
        order=order.id,
        about=about,
        created_ns=now_ns,
        due_ns=due_ns,
    )


def _still_holds(store: OwnerNoticeStore, due: DueNotice, order: Order) -> bool:
    """A reminder: the appointment is still that one. A follow-up: the fault is still there, and nobody has been asked since."""
    if due.kind is NoticeKind.REMINDER:
        return order.state == "scheduled" and bool(order.slots) and order.slots[0][0] == due.about
    if order.quote is None or order.quote.version != due.about:
        return False
    case = store.case(order.vehicle)
    open_still = any(alert.incident_id in order.incidents and alert.state is not AlertState.RESOLVED for alert in case.alerts)
    return open_still or not any(alert.incident_id in order.incidents for alert in case.alerts)


def _notice(store: OwnerNoticeStore, owners: Owners, kind: NoticeKind, order: Order, dealers: Mapping[str, Dealer]) -> Notice:
    reader = Reader(
        vehicle=store.vehicle(order.vehicle) or Vehicle(id=order.vehicle),
        owner=store.paper(Owner, order.vehicle) or Owner(vehicle=order.vehicle),
        consents=store.consents(order.vehicle),
        ways=owners.ways,
    )
    return order_notice(
        kind,
        order,
        reader,
        owners.words[kind],
        dealer=dealers.get(order.choice.dealer) if order.choice else None,
        quote=_quote(store, order),
        address_of=owners.address_of,
        now_ns=owners.clock(),
    )


def _quote(store: OwnerNoticeStore, order: Order) -> Quote | None:
    return None if order.quote is None else store.paper(Quote, f"{order.id}:{order.quote.version}")


def _papers(store: OwnerNoticeStore, notice: Notice, due: Iterable[DueNotice]) -> list[Paper]:
    """What is written with a message; a task or a message to come that is there already stays as it is."""
    new: list[Paper] = [each for each in due if store.paper(DueNotice, each.id) is None]
    if notice.link is not None:
        new.append(notice.link)
    if notice.call is not None and store.paper(type(notice.call), notice.call.id) is None:
        new.append(notice.call)
    return new
