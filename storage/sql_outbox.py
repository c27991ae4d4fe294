"""The event feed and the outbox on SQLite or PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Select, exists, func, insert, select, update

from domain.errors import StorageError
from domain.live import FeedEvent
from domain.records import DeliveryAttempt, OutboxEvent, PushResult
from storage import rows, schema
from storage.feed import FRESH_TRY_NS, delivery_event
from storage.sql_base import IDS_AT_ONCE, SqlBase, insert_absent, is_postgresql, replace_rows, transaction

_FEED_LOCK = 0x70697463666565
"""Key of PostgreSQL's advisory lock that makes feed ids appear in the order of their commits ("pitcfee")."""
_NOTICES_READ = "notices_read"
"""Row of `meta`."""


class SqlOutbox(SqlBase):
    """Pushes that must get through, the attempts to deliver them, and the feed that tells of every change."""

    def __init__(self, engine: Engine, *, clock: Callable[[], int] = time.time_ns) -> None:
        super().__init__(engine)
        self._clock = clock

    def append_event(self, event: FeedEvent) -> None:
        """Append to the feed what is no change of a record (the pipeline started …); id and time are given here."""
        with transaction(self._writes) as connection:
            self._append_events(connection, [event])

    def _append_events(self, connection: Connection, events: Iterable[FeedEvent | None]) -> None:
        """Last in its transaction: who tails the feed by id must not find a smaller id later, so writers take turns from here on."""
        new = [event for event in events if event is not None]
        if not new:
            return
        take_turns(connection)
        now_ns = self._clock()
        connection.execute(insert(schema.event), [rows.feed_row(replace(event, time_ns=now_ns)) for event in new])

    def _write_pushes(self, connection: Connection, events: Iterable[OutboxEvent]) -> None:
        """Insert what is not there; earlier versions that wait long for their next attempt get a fresh try, so that these need not."""
        table, now_ns = schema.outbox, self._clock()
        new = list(events)
        insert_absent(connection, table, [rows.outbox_row(event, now_ns) for event in new])
        for event in new:
            if event.version:
                before = (table.c.subject == event.subject, table.c.recipient == event.recipient, table.c.version < event.version)
                waits_long = (table.c.state == "pending", table.c.due_ns > now_ns + FRESH_TRY_NS)
                connection.execute(update(table).where(*before, *waits_long).values(due_ns=now_ns, attempts=0))

    def notices_read(self) -> int:
        """The last feed event that notices were made of, -1 where they begin with what comes next."""
        found = self._fetch(select(schema.meta.c.value).where(schema.meta.c.name == _NOTICES_READ))
        return int(found[0]["value"]) if found else -1

    def write_notices(self, notices: Iterable[OutboxEvent], read: int) -> None:
        """Write notices, and how far the feed was read for them, in one transaction."""
        with transaction(self._writes) as connection:
            self._write_pushes(connection, notices)
            replace_rows(connection, schema.meta, [{"name": _NOTICES_READ, "value": str(read)}])

    def outbox_events(self) -> tuple[OutboxEvent, ...]:
        """Every push, delivered or not, by (due_ns, id)."""
        table = schema.outbox
        return tuple(rows.outbox_event_of(row) for row in self._fetch(select(table).order_by(table.c.due_ns, table.c.id)))

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]:
        """At most `limit` pending events whose time has come and that wait for no earlier version, the longest due first."""
        table = schema.outbox
        waiting = _due(now_ns)
        found = self._fetch(waiting.order_by(table.c.due_ns, table.c.id).limit(limit))
        return tuple(rows.outbox_event_of(row) for row in found)

    def claim_due(self, now_ns: int, limit: int, until_ns: int, *, critical_only: bool = False) -> tuple[OutboxEvent, ...]:
        """Due events, critical ones first, that nobody else is given before `until_ns`: their due time is moved there.

        An event is left where one of the same subject to the same recipient, of an earlier version, is still pending.
        `record` ends the claim, `release` gives it back; the claim of a worker that died ends by itself at `until_ns`. The events
        come with the due time that they had.
        """
        table = schema.outbox
        waiting = _due(now_ns)
        if critical_only:
            waiting = waiting.where(table.c.critical)
        waiting = waiting.order_by(table.c.critical.desc(), table.c.due_ns, table.c.id).limit(limit)
        with transaction(self._writes) as connection:
            found = connection.execute(waiting.with_for_update(skip_locked=True, of=table)).mappings().all()
            if found:
                ids = [row["id"] for row in found]
                connection.execute(update(table).where(table.c.id.in_(ids)).values(due_ns=until_ns))
        return tuple(rows.outbox_event_of(row) for row in found)

    def release(self, events: Iterable[OutboxEvent], until_ns: int) -> None:
        """Give claimed events back unattempted, due as they were; those whose claim has ended meanwhile stay as they are."""
        table = schema.outbox
        with transaction(self._writes) as connection:
            for event in sorted(events, key=lambda each: each.id):
                mine = (table.c.id == event.id, table.c.state == "pending", table.c.due_ns == until_ns)
                connection.execute(update(table).where(*mine).values(due_ns=event.due_ns))

    def record(self, event: OutboxEvent) -> None:
        """Write an event's delivery (due_ns, attempts, state, last_error) and nothing else of it; what is delivered stays delivered.

        Raises:
            StorageError: no such event was ever committed.
        """
        table = schema.outbox
        delivery = {"due_ns": event.due_ns, "attempts": event.attempts, "state": event.state, "last_error": event.last_error}
        with transaction(self._writes) as connection:
            query = select(table).where(table.c.id == event.id).with_for_update()
            stored = connection.execute(query).mappings().first()
            if stored is None:
                raise StorageError(f"outbox event {event.id} is not in the database; commit it before it is delivered")
            if stored["state"] == "delivered":
                return
            connection.execute(update(table).where(table.c.id == event.id).values(delivery))
            known = rows.outbox_event_of(stored)
            told = replace(known, attempts=event.attempts, state=event.state)
            if (known.attempts, known.state) != (told.attempts, told.state):
                self._append_events(connection, [delivery_event(told)])
                self._note_attempt(connection, told, event.last_error)

    def _note_attempt(self, connection: Connection, event: OutboxEvent, error: str) -> None:
        table = schema.delivery_attempt
        made = connection.execute(select(func.max(table.c.number)).where(table.c.event == event.id)).scalar()
        attempt = {"event": event.id, "number": (made or 0) + 1, "time_ns": self._clock(), "state": event.state, "error": error}
        connection.execute(insert(table), attempt)

    def send_again(self, identifiers: Collection[str], now_ns: int) -> int:
        """Make pushes due anew, delivered or not, with the ids that they had and their whole schedule; gives how many."""
        table, wanted = schema.outbox, sorted(set(identifiers))
        again = {"state": "pending", "attempts": 0, "due_ns": now_ns, "last_error": ""}
        found: list[OutboxEvent] = []
        with transaction(self._writes) as connection:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                chosen = table.c.id.in_(wanted[start : start + IDS_AT_ONCE])
                stored = connection.execute(select(table).where(chosen).order_by(table.c.id).with_for_update()).mappings()
                found += [rows.outbox_event_of(row) for row in stored]
                connection.execute(update(table).where(chosen).values(again))
            self._append_events(connection, [delivery_event(replace(event, state="pending", attempts=0)) for event in found])
        return len(found)

    def delivery_attempts(self, event: str) -> tuple[DeliveryAttempt, ...]:
        """The attempts to deliver one push, first one first."""
        table = schema.delivery_attempt
        found = self._fetch(select(table).where(table.c.event == event).order_by(table.c.number))
        return tuple(DeliveryAttempt(**row) for row in found)

    def outbox_written(self, since_ns: int = 0) -> dict[str, str]:
        """Id -> recipient of the pushes that were written at this wall time or after it."""
        table = schema.outbox
        found = self._fetch(select(table.c.id, table.c.recipient).where(table.c.created_ns >= since_ns).order_by(table.c.id))
        return {row["id"]: row["recipient"] for row in found}

    def push_results(self, since_ns: int = 0) -> tuple[PushResult, ...]:
        """What has become of the pushes that were written at this wall time or after it, by id."""
        table = schema.outbox.c
        columns = (table.id, table.recipient, table.channel, table.created_ns.label("written_ns"), table.attempts, table.state)
        found = self._fetch(select(*columns).where(table.created_ns >= since_ns).order_by(table.id))
        return tuple(PushResult(**row) for row in found)


def _due(now_ns: int) -> Select[Any]:
    """Pending events whose time has come; none while an earlier version of its subject is still to be delivered to its recipient."""
    table, earlier = schema.outbox, schema.outbox.alias("earlier")
    same = (earlier.c.subject == table.c.subject, earlier.c.recipient == table.c.recipient)
    waits = exists().where(*same, earlier.c.state == "pending", earlier.c.version < table.c.version)
    return select(table).where(table.c.state == "pending", table.c.due_ns <= now_ns, ~waits)


def take_turns(connection: Connection) -> None:
    """Wait until no other transaction appends to a table that is numbered in the order of commits; last in a transaction."""
    if is_postgresql(connection):  # SQLite has one writer at a time
        connection.execute(select(func.pg_advisory_xact_lock(_FEED_LOCK)))
