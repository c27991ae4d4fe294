"""What operators, the web process and metrics ask a database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Select, Table, delete, distinct, func, select, tuple_

from domain.findings import Alert, AlertState, Severity, Urgency
from domain.live import AnsweredRequest, ApiKey, FeedEvent, FunnelCounts, VehicleSighting, VehicleSummary
from domain.notices import OWNER, ROUTE
from domain.order_audit import AuditEntry
from domain.orders import Order
from storage import rows, schema
from storage.sql_base import SqlBase, first, insert, is_postgresql, parse, transaction

FIGURES = "pipeline"


class SqlViews(SqlBase):
    """Queries over alerts, orders and vehicles, the event feed, figures, sightings and API keys."""

    def alert(self, identifier: str) -> Alert | None:
        """One alert."""
        return first(self._documents(schema.alert, Alert, schema.alert.c.id == identifier))

    def alerts(
        self,
        *,
        vehicle: str | None = None,
        state: AlertState | Collection[AlertState] | None = None,
        severity: Severity | Collection[Severity] | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Alert, ...]:
        """Alerts by (opened_ns, id), or the other way round: all, or those of one vehicle, of these states, of these severities."""
        table = schema.alert
        query = select(table.c.document)
        query = query if vehicle is None else query.where(table.c.vehicle == vehicle)
        query = query if state is None else query.where(table.c.state.in_(_values(state)))
        query = query if severity is None else query.where(table.c.severity.in_(_values(severity)))
        return parse(Alert, self._fetch(_page(query, table, "opened_ns", newest_first, limit, offset)))

    def order(self, identifier: str) -> Order | None:
        """One order."""
        return first(self._documents(schema.service_order, Order, schema.service_order.c.id == identifier))

    def orders(
        self,
        *,
        vehicle: str | None = None,
        state: str | Collection[str] | None = None,
        dealer: str | None = None,
        kind: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Order, ...]:
        """Orders by (created_ns, id), or the other way round: all, or those of one vehicle, of these states, of one dealer, of one kind."""
        table = schema.service_order
        query = select(table.c.document)
        query = query if vehicle is None else query.where(table.c.vehicle == vehicle)
        query = query if state is None else query.where(table.c.state.in_(_values(state)))
        query = query if dealer is None else query.where(table.c.dealer == dealer)
        query = query if kind is None else query.where(table.c.kind == kind)
        return parse(Order, self._fetch(_page(query, table, "created_ns", newest_first, limit, offset)))

    def network_mark(self) -> str:
        """Changes with every change of a dealer, its stock or an order, whoever made it; quick."""
        order = schema.service_order
        counted = self._fetch(
            select(func.count().label("orders"), func.coalesce(func.sum(order.c.version), 0).label("versions"))
        )[0]
        parts = schema.part_stock
        moved = self._fetch(select(func.coalesce(func.sum(parts.c.version), 0).label("versions")))[0]
        digest = hashlib.sha256()
        for row in self._fetch(select(schema.dealer.c.document).order_by(schema.dealer.c.id)):
            digest.update(row["document"].encode() + b"\0")
        return f"{counted['orders']}/{counted['versions']}/{moved['versions']}/{digest.hexdigest()}"

    def vehicle_summaries(self, *, limit: int | None = None, offset: int = 0) -> tuple[VehicleSummary, ...]:
        """Every vehicle that is registered, was heard of or has an alert, by id."""
        seen, alert, known = schema.vehicle_sighting, schema.alert, schema.vehicle
        every = select(known.c.id.label("vehicle")).union(select(seen.c.vehicle), select(alert.c.vehicle)).subquery()
        waiting = (
            select(alert.c.vehicle, func.count().label("open_alerts"), func.max(alert.c.urgency).label("urgency"))
            .where(alert.c.state != AlertState.RESOLVED.value)
            .group_by(alert.c.vehicle)
            .subquery()
        )
        joined = (
            every.outerjoin(seen, seen.c.vehicle == every.c.vehicle)
            .outerjoin(waiting, waiting.c.vehicle == every.c.vehicle)
            .outerjoin(known, known.c.id == every.c.vehicle)
        )
        columns = (seen.c.event_ns, seen.c.received_ns, seen.c.latitude, seen.c.longitude)
        query = select(every.c.vehicle, known.c.id.label("known"), *columns, waiting.c.open_alerts, waiting.c.urgency)
        query = query.select_from(joined).order_by(every.c.vehicle).limit(limit).offset(offset)
        return tuple(
            VehicleSummary(
                vehicle=row["vehicle"],
                registered=row["known"] is not None,
                event_ns=row["event_ns"],
                received_ns=row["received_ns"],
                location=None if row["latitude"] is None else (row["latitude"], row["longitude"]),
                open_alerts=row["open_alerts"] or 0,
                urgency=None if row["urgency"] is None else Urgency(row["urgency"]),
            )
            for row in self._fetch(query)
        )

    def sighting(self, vehicle: str) -> VehicleSighting | None:
        """When and where one vehicle was last heard of."""
        found = self._fetch(select(schema.vehicle_sighting).where(schema.vehicle_sighting.c.vehicle == vehicle))
        return first([rows.sighting_of(row) for row in found])

    def save_sightings(self, sightings: Iterable[VehicleSighting]) -> None:
        """Note when and where vehicles were heard of; times only grow, and a position stays where the new sighting has none."""
        table = schema.vehicle_sighting
        new = sorted((rows.sighting_row(sighting) for sighting in sightings), key=lambda row: row["vehicle"])
        if not new:
            return
        with transaction(self._writes) as connection:
            statement = insert(connection, table)
            fresh = statement.excluded
            # GREATEST of PostgreSQL is MAX of two arguments on SQLite
            later = func.greatest if connection.dialect.name == "postgresql" else func.max
            values = {
                "event_ns": later(table.c.event_ns, fresh.event_ns),
                "received_ns": later(table.c.received_ns, fresh.received_ns),
                "latitude": func.coalesce(fresh.latitude, table.c.latitude),
                "longitude": func.coalesce(fresh.longitude, table.c.longitude),
            }
            connection.execute(statement.on_conflict_do_update(index_elements=["vehicle"], set_=values), new)

    def events(self, after_id: int, limit: int) -> tuple[FeedEvent, ...]:
        """At most `limit` feed events after this id, by id."""
        table = schema.event
        query = select(table).where(table.c.id > after_id).order_by(table.c.id).limit(limit)
        return tuple(rows.feed_event_of(row) for row in self._fetch(query))

    def events_of(self, subject: str) -> tuple[FeedEvent, ...]:
        """All feed events of one alert, order or push that are not forgotten, by id."""
        query = select(schema.event).where(schema.event.c.subject == subject).order_by(schema.event.c.id)
        return tuple(rows.feed_event_of(row) for row in self._fetch(query))

    def last_event_id(self) -> int:
        """The greatest id of the feed, 0 where it is empty."""
        return int(self._fetch(select(func.coalesce(func.max(schema.event.c.id), 0).label("id")))[0]["id"])

    def delete_events(self, before_ns: int) -> int:
        """Forget feed events of before this wall time; gives how many."""
        with transaction(self._writes) as connection:
            return connection.execute(delete(schema.event).where(schema.event.c.time_ns < before_ns)).rowcount

    def delete_sightings(self, before_ns: int) -> int:
        """Forget where vehicles were that nobody has heard of since this wall time; gives how many."""
        table = schema.vehicle_sighting
        with transaction(self._writes) as connection:
            return connection.execute(delete(table).where(table.c.received_ns < before_ns)).rowcount

    def delete_old_sessions(self, kept: int) -> int:
        """Forget the sequence numbers of all but each vehicle's latest boot sessions; gives how many sessions."""
        table = schema.seen_sequence
        age = func.row_number().over(partition_by=table.c.vehicle, order_by=table.c.boot_session.desc()).label("age")
        ranked = select(table.c.vehicle, table.c.boot_session, age).subquery()
        old = select(ranked.c.vehicle, ranked.c.boot_session).where(ranked.c.age > kept)
        with transaction(self._writes) as connection:
            return connection.execute(delete(table).where(tuple_(table.c.vehicle, table.c.boot_session).in_(old))).rowcount

    def delete_old_dead_letters(self, kept: int) -> int:
        """Forget all but the latest dead letters; gives how many."""
        table = schema.dead_letter
        old = select(table.c.id).order_by(table.c.created_ns.desc(), table.c.id).offset(kept)
        if not is_postgresql(self._engine):
            old = old.limit(-1)  # SQLite takes no offset without a limit
        with transaction(self._writes) as connection:
            return connection.execute(delete(table).where(table.c.id.in_(old))).rowcount

    def save_figures(self, figures: dict[str, Any]) -> None:
        """Replace the pipeline's figures (a JSON object)."""
        row = {"name": FIGURES, "document": json.dumps(figures, allow_nan=False)}
        with transaction(self._writes) as connection:
            statement = insert(connection, schema.figures).values(row)
            set_ = {"document": statement.excluded.document}
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=set_))

    def order_audit(self, *, order: str | None = None, since: int = 0, limit: int | None = None) -> tuple[AuditEntry, ...]:
        """Entries of the audit after number `since`, of all orders or of one, as they were appended."""
        table = schema.order_audit
        query = select(table).where(table.c.number > since).order_by(table.c.number).limit(limit)
        query = query if order is None else query.where(table.c.order == order)
        return tuple(rows.audit_entry_of(row) for row in self._fetch(query))

    def order_documents(self) -> dict[str, str]:
        """Order id -> its text as stored."""
        table = schema.service_order
        return {row["id"]: row["document"] for row in self._fetch(select(table.c.id, table.c.document))}

    def answered_request(self, caller: str, key: str) -> AnsweredRequest | None:
        """The request that this caller has sent under this key."""
        table = schema.answered_request
        found = self._fetch(select(table).where(table.c.caller == caller, table.c.key == key))
        return AnsweredRequest(**found[0]) if found else None

    def delete_old_requests(self, before_ns: int) -> int:
        """Forget requests answered before this wall time; gives how many."""
        table = schema.answered_request
        with transaction(self._writes) as connection:
            return connection.execute(delete(table).where(table.c.time_ns < before_ns)).rowcount

    def figures(self) -> dict[str, Any]:
        """The pipeline's figures as last saved, {} where it never ran."""
        found = self._fetch(select(schema.figures.c.document).where(schema.figures.c.name == FIGURES))
        return json.loads(found[0]["document"]) if found else {}

    def funnel(self, since_ns: int = 0) -> FunnelCounts:
        """How far alerts opened and orders made since this event time came."""
        alert, order, history, push = schema.alert, schema.service_order, schema.order_history, schema.outbox
        made = select(order.c.id).where(order.c.created_ns >= since_ns)
        alerts = select(func.count().label("alerts"), func.count(distinct(alert.c.incident_id)).label("incidents"))
        told = select(func.count(distinct(push.c.subject))).where(push.c.state == "delivered", push.c.subject.in_(made))
        to_owner, to_route = (push.c.recipient.startswith(prefix, autoescape=True) for prefix in (OWNER, ROUTE))
        reached = select(history.c.state, func.count(distinct(history.c.order_id)).label("orders"))
        now = select(order.c.state, func.count().label("orders")).where(order.c.created_ns >= since_ns)
        with transaction(self._reads) as connection:
            counted = connection.execute(alerts.where(alert.c.opened_ns >= since_ns)).mappings().one()
            dealers = connection.execute(told.where(~to_owner, ~to_route)).scalar_one()
            owners = connection.execute(told.where(to_owner)).scalar_one()
            ever = connection.execute(reached.where(history.c.order_id.in_(made)).group_by(history.c.state)).mappings().all()
            standing = connection.execute(now.group_by(order.c.state)).mappings().all()
        return FunnelCounts(
            alerts=counted["alerts"],
            incidents=counted["incidents"],
            orders=sum(row["orders"] for row in standing),
            told=dealers,
            owners_told=owners,
            reached=tuple(sorted((row["state"], row["orders"]) for row in ever)),
            now=tuple(sorted((row["state"], row["orders"]) for row in standing)),
        )

    def open_alert_counts(self) -> dict[str, int]:
        """Severity -> alerts that are not resolved."""
        column = schema.alert.c.severity
        query = select(column.label("name"), func.count().label("number"))
        return self._counts(query.where(schema.alert.c.state != AlertState.RESOLVED.value).group_by(column))

    def dead_letter_counts(self) -> dict[str, int]:
        """Reason -> dead letters."""
        column = schema.dead_letter.c.reason
        return self._counts(select(column.label("name"), func.count().label("number")).group_by(column))

    def outbox_counts(self) -> dict[str, int]:
        """State -> pushes."""
        column = schema.outbox.c.state
        return self._counts(select(column.label("name"), func.count().label("number")).group_by(column))

    def oldest_pending_ns(self) -> int | None:
        """When the oldest of the pushes that wait was written (0 where an earlier schema did not note it); None where none waits."""
        table = schema.outbox
        found = self._fetch(select(func.min(table.c.created_ns).label("created_ns")).where(table.c.state == "pending"))
        return None if found[0]["created_ns"] is None else int(found[0]["created_ns"])

    def _counts(self, query: Select[Any]) -> dict[str, int]:
        return {row["name"]: row["number"] for row in self._fetch(query)}

    def save_api_key(self, key: ApiKey) -> None:
        """Add or replace a key."""
        with transaction(self._writes) as connection:
            statement = insert(connection, schema.api_key).values(rows.api_key_row(key))
            set_ = {name: statement.excluded[name] for name in ("name", "document", "created_ns")}
            connection.execute(statement.on_conflict_do_update(index_elements=["hash"], set_=set_))

    def api_key(self, key_hash: str) -> ApiKey | None:
        """The key of this hash, None where there is none (any more)."""
        return first(self._documents(schema.api_key, ApiKey, schema.api_key.c.hash == key_hash))

    def api_keys(self) -> tuple[ApiKey, ...]:
        """All keys by (name, hash)."""
        return self._documents(schema.api_key, ApiKey, order=(schema.api_key.c.name, schema.api_key.c.hash))

    def revoke(self, key_hash: str) -> bool:
        """Drop a key; False where there is none."""
        with transaction(self._writes) as connection:
            return connection.execute(delete(schema.api_key).where(schema.api_key.c.hash == key_hash)).rowcount == 1


def _values(chosen: str | Collection[str]) -> list[str]:
    """Words as the database writes them, of one or of several."""
    return [str(word) for word in ([chosen] if isinstance(chosen, str) else chosen)]


def _page(query: Select[Any], table: Table, time: str, newest_first: bool, limit: int | None, offset: int) -> Select[Any]:
    order = (table.c[time], table.c.id)
    query = query.order_by(*(column.desc() for column in order) if newest_first else order)
    return query.limit(limit).offset(offset) if limit is not None or offset else query
