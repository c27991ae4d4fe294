"""The store on SQLite or PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, delete, insert, select

from domain.findings import Alert, AlertState
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.live import AnsweredRequest, Settle, keep_stored
from domain.order_audit import audit_entry
from domain.order_clocks import restarted
from domain.orders import Order
from domain.papers import Paper
from domain.parts import NoPartsDesk, PartsDesk
from domain.records import Commit, DeadLetter, DriveProgress, OutboxEvent, SeenSequences, StageState
from domain.repair import repaired
from domain.slots import SLOT_STATES, asks_for_place, place_is_taken
from storage import rows, schema
from storage.feed import alert_event, order_event
from storage.merging import Merged, merge
from storage.record_json import to_json
from storage.sql_base import first, insert_absent, lock_documents, parse, replace_rows, transaction
from storage.sql_care import SqlCare, usage_rows
from storage.sql_cases import SqlCases
from storage.sql_consents import SqlConsents
from storage.sql_outbox import take_turns
from storage.sql_owners import SqlOwners
from storage.sql_papers import write_papers
from storage.sql_parts import SqlParts, keep_parts, stocked, take_stock
from storage.sql_predictions import SqlPredictions
from storage.sql_verdicts import SqlVerdicts
from storage.sql_views import SqlViews


class SqlStore(SqlOwners, SqlCases, SqlViews, SqlVerdicts, SqlCare, SqlConsents, SqlPredictions, SqlParts):
    """Implements `domain.ports.Store` and `domain.ports.Outbox`; made by `storage.database.open_store`.

    Every method is one transaction: all of it is stored when it returns, nothing of it when it raises or the process dies.
    Safe for several threads and several processes at once; writers wait for each other. All methods raise StorageError where
    the database fails.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        settle: Settle = keep_stored,
        desk: PartsDesk | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(engine, clock=clock)
        self._settle, self._desk = settle, desk or NoPartsDesk()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def register(self, vehicles: Iterable[tuple[Vehicle, VaultEntry]]) -> None:
        """Add or replace vehicles and their vault entries."""
        pairs = list(vehicles)
        with transaction(self._writes) as connection:
            replace_rows(connection, schema.vehicle, [rows.vehicle_row(vehicle) for vehicle, _ in pairs])
            replace_rows(connection, schema.vault, [rows.vault_row(entry) for _, entry in pairs])
            for vehicle, _ in pairs:
                connection.execute(delete(schema.device).where(schema.device.c.vehicle == vehicle.id))
            replace_rows(connection, schema.device, rows.device_rows(vehicle for vehicle, _ in pairs))

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """The vehicle of this pseudonym."""
        return first(self._documents(schema.vehicle, Vehicle, schema.vehicle.c.id == vehicle))

    def vehicle_of_device(self, device: str) -> str | None:
        """The vehicle that this device (a pseudonym) is registered with."""
        found = self._fetch(select(schema.device.c.vehicle).where(schema.device.c.id == device))
        return found[0]["vehicle"] if found else None

    def vehicles(self) -> tuple[Vehicle, ...]:
        """All vehicles, by id."""
        return self._documents(schema.vehicle, Vehicle, order=(schema.vehicle.c.id,))

    def vault_entry(self, vehicle: str) -> VaultEntry | None:
        """The personal data of one vehicle: for what is sent to its owner or to the dealer who accepted, never for a log."""
        found = self._fetch(select(schema.vault).where(schema.vault.c.vehicle == vehicle))
        return first([VaultEntry(**row) for row in found])

    def save_dealers(self, dealers: Iterable[Dealer]) -> None:
        """Add or replace dealers; one that names parts has these and no others on its shelf, one that names none keeps what it has."""
        with transaction(self._writes) as connection:
            new = list(dealers)
            replace_rows(connection, schema.dealer, [rows.dealer_row(dealer) for dealer in new])
            take_stock(connection, new)

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers, by id, with what is available at each."""
        with transaction(self._reads) as connection:
            found = connection.execute(select(schema.dealer.c.document).order_by(schema.dealer.c.id)).mappings().all()
            return stocked(connection, parse(Dealer, found))

    def commit(self, changes: Commit) -> None:
        """Store all changes in one transaction; doing it again changes nothing.

        States, progress and seen sequences replace what stands there; alerts and orders do, but for what people did meanwhile
        (`storage.merging`). Outbox events and dead letters that are already there stay as they are, so a repeated commit never
        sends a delivered push again. Every change of an alert or order is appended to the feed.
        """
        with transaction(self._writes) as connection:
            merged = self._merge(connection, changes)
            replace_rows(connection, schema.alert, [rows.alert_row(alert) for _, alert in merged.alerts])
            recommendations = [rows.recommendation_row(each) for case in changes.cases for each in case.recommendations]
            replace_rows(connection, schema.recommendation, recommendations)
            self._write_orders(connection, merged.orders)
            replace_rows(connection, schema.vehicle_state, [rows.state_row(state) for state in changes.states])
            replace_rows(connection, schema.seen_sequence, [rows.seen_row(seen) for seen in changes.seen])
            replace_rows(connection, schema.daily_usage, usage_rows(changes.usage))
            replace_rows(connection, schema.drive_progress, [rows.progress_row(progress) for progress in changes.progress])
            self._write_pushes(connection, merged.outbox)
            insert_absent(
                connection, schema.dead_letter, [rows.dead_letter_row(letter, self._clock()) for letter in changes.dead_letters]
            )
            self._append_changes(connection, merged.alerts, merged.orders)

    def _merge(self, connection: Connection, changes: Commit) -> Merged:
        def vehicle_of(identifier: str) -> Vehicle | None:
            return lock_documents(connection, schema.vehicle, Vehicle, [identifier]).get(identifier)

        def dealer_of(identifier: str) -> Dealer | None:
            found = lock_documents(connection, schema.dealer, Dealer, [identifier])
            return first(stocked(connection, tuple(found.values())))

        alerts = {alert.id: alert for case in changes.cases for alert in case.alerts}
        orders = {order.id: order for case in changes.cases for order in case.orders}
        return merge(
            changes,
            alerts=lock_documents(connection, schema.alert, Alert, alerts, alerts),
            orders=lock_documents(connection, schema.service_order, Order, orders, orders),
            vehicle_of=vehicle_of,
            dealer_of=dealer_of,
            settle=self._settle,
        )

    def _write_orders(self, connection: Connection, changed: Sequence[tuple[Order | None, Order]]) -> None:
        replace_rows(connection, schema.service_order, [rows.order_row(order) for _, order in changed])
        insert_absent(connection, schema.order_history, [rows.history_row(order) for _, order in changed])
        keep_parts(connection, self._desk, changed, self._clock)
        clocks = (restarted(before, after, self._clock()) for before, after in changed)
        write_papers(connection, (clock for clock in clocks if clock is not None))

    def _append_changes(
        self,
        connection: Connection,
        alerts: Iterable[tuple[Alert | None, Alert]],
        orders: Sequence[tuple[Order | None, Order]],
    ) -> None:
        """What changed, for the feed, and of orders for the audit."""
        events = [alert_event(before, after) for before, after in alerts]
        self._append_events(connection, [*events, *(order_event(before, after) for before, after in orders)])
        if not orders:
            return
        take_turns(connection)
        table = schema.order_audit
        found = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).mappings().first()
        last, entries = rows.audit_entry_of(found) if found else None, []
        for before, after in orders:
            last = audit_entry(before, after, to_json(after), last=last, time_ns=self._clock())
            entries.append(rows.audit_row(last))
        connection.execute(insert(table), entries)

    def change_order(
        self,
        order: Order,
        expected_version: int,
        outbox: Sequence[OutboxEvent] = (),
        request: AnsweredRequest | None = None,
        mended: Collection[str] = (),
        papers: Iterable[Paper] = (),
    ) -> bool:
        """A change made outside the pipeline: store it, its history, its feed event and its pushes, if the order is still of this version.

        Args:
            request: that asked for it, to be known when it comes again.
            mended: incidents whose repair the workshop confirms with it (`domain.repair`).
            papers: what is written with it, added or replaced.

        Returns:
            False where the order has been changed meanwhile or is not there, or somebody else has the place at its appointment;
            nothing is stored then.
        """
        marked = replace(order, people_version=order.version)
        with transaction(self._writes) as connection:
            alerts = lock_documents(connection, schema.alert, Alert, _alerts_of(connection, mended))
            stored = lock_documents(connection, schema.service_order, Order, [order.id]).get(order.id)
            if stored is None or stored.version != expected_version or self._place_is_taken(connection, stored, marked):
                return False
            self._write_orders(connection, [(stored, marked)])
            ended = repaired(alerts.values(), mended)
            replace_rows(connection, schema.alert, [rows.alert_row(alert) for alert in ended])
            self._append_events(connection, [alert_event(alerts[alert.id], alert) for alert in ended])
            self._write_pushes(connection, outbox)
            insert_absent(connection, schema.answered_request, [rows.request_row(request)] if request else [])
            write_papers(connection, papers)
            self._append_changes(connection, (), [(stored, marked)])
        return True

    def _place_is_taken(self, connection: Connection, before: Order, after: Order) -> bool:
        """Whether others have filled the appointment; of two who want a dealer's last place, the second waits here and finds it taken."""
        if after.choice is None or not asks_for_place(before, after):
            return False
        dealers = lock_documents(connection, schema.dealer, Dealer, [after.choice.dealer])
        table = schema.service_order
        theirs = select(table.c.document).where(table.c.dealer == after.choice.dealer, table.c.state.in_(SLOT_STATES))
        others = parse(Order, connection.execute(theirs).mappings().all())
        return place_is_taken(before, after, dealers.get(after.choice.dealer), others)

    def acknowledge_alert(self, identifier: str) -> bool:
        """Somebody has seen an open alert; False where it is not there or not open."""
        with transaction(self._writes) as connection:
            stored = lock_documents(connection, schema.alert, Alert, [identifier]).get(identifier)
            if stored is None or stored.state is not AlertState.OPEN:
                return False
            seen = replace(stored, state=AlertState.ACKNOWLEDGED)
            replace_rows(connection, schema.alert, [rows.alert_row(seen)])
            self._append_events(connection, [alert_event(stored, seen)])
        return True

    def order_states(self, order: str) -> tuple[tuple[int, str], ...]:
        """(version, state) of one order, as it went through them."""
        table = schema.order_history
        found = self._fetch(select(table.c.version, table.c.state).where(table.c.order_id == order).order_by(table.c.version))
        return tuple((row["version"], row["state"]) for row in found)

    def states(self, vehicle: str) -> tuple[StageState, ...]:
        """The latest state of every stage for one vehicle, by stage name."""
        table = schema.vehicle_state
        found = self._fetch(select(table).where(table.c.vehicle == vehicle).order_by(table.c.stage))
        return tuple(rows.state_of(row) for row in found)

    def states_of(self, stage: str) -> tuple[StageState, ...]:
        """The latest state of one stage for every vehicle that has one, by vehicle."""
        table = schema.vehicle_state
        found = self._fetch(select(table).where(table.c.stage == stage).order_by(table.c.vehicle))
        return tuple(rows.state_of(row) for row in found)

    def seen(self, vehicle: str) -> tuple[SeenSequences, ...]:
        """The sequence numbers committed for one vehicle, by boot session."""
        table = schema.seen_sequence
        return self._documents(table, SeenSequences, table.c.vehicle == vehicle, order=(table.c.boot_session,))

    def progress(self, drive: str) -> DriveProgress | None:
        """How far a drive has been committed, None where nothing of it was."""
        found = self._fetch(select(schema.drive_progress).where(schema.drive_progress.c.drive == drive))
        return first([DriveProgress(**row) for row in found])

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """All dead letters by (origin, position, id)."""
        table = schema.dead_letter
        found = self._fetch(select(table).order_by(table.c.origin, table.c.position, table.c.id))
        return tuple(rows.dead_letter_of(row) for row in found)

    def dead_letter(self, identifier: str) -> DeadLetter | None:
        """One dead letter."""
        found = self._fetch(select(schema.dead_letter).where(schema.dead_letter.c.id == identifier))
        return first([rows.dead_letter_of(row) for row in found])

    def delete_dead_letter(self, identifier: str) -> bool:
        """Drop a dead letter that has been replayed; False where there is none."""
        with transaction(self._writes) as connection:
            return connection.execute(delete(schema.dead_letter).where(schema.dead_letter.c.id == identifier)).rowcount == 1


def _alerts_of(connection: Connection, incidents: Collection[str]) -> list[str]:
    """Ids of the alerts of these incidents."""
    if not incidents:
        return []
    table = schema.alert
    return list(connection.execute(select(table.c.id).where(table.c.incident_id.in_(sorted(incidents)))).scalars())
