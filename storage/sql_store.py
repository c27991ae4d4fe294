"""The store on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, RowMapping, Select, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import StorageError
from domain.findings import Alert, AlertState, Order, Recommendation
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.records import Commit, DeadLetter, DriveProgress, OutboxEvent, SeenSequences, StageState, VehicleCase
from storage import rows, schema
from storage.record_json import from_json

T = TypeVar("T")


class SqlStore:
    """Implements `domain.ports.Store` and `domain.ports.Outbox`; made by `storage.database.open_store`.

    Every method is one transaction: all of it is stored when it returns, nothing of it when it raises or the process dies.
    Safe for several threads and several processes at once; writers wait for each other. All methods raise StorageError where
    the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writes = engine.execution_options(pitcall_write=True)
        # several selects of one method must see one state of the database; SQLite's readers always do
        self._reads = engine.execution_options(isolation_level="REPEATABLE READ") if _is_postgresql(engine) else engine

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
        with _transaction(self._writes) as connection:
            _replace(connection, schema.vehicle, [rows.vehicle_row(vehicle) for vehicle, _ in pairs])
            _replace(connection, schema.vault, [rows.vault_row(entry) for _, entry in pairs])

    def vehicle(self, vehicle: str) -> Vehicle | None:
        """The vehicle of this pseudonym."""
        return _first(self._documents(schema.vehicle, Vehicle, schema.vehicle.c.id == vehicle))

    def vehicles(self) -> tuple[Vehicle, ...]:
        """All vehicles, by id."""
        return self._documents(schema.vehicle, Vehicle, order=(schema.vehicle.c.id,))

    def vault_entry(self, vehicle: str) -> VaultEntry | None:
        """The personal data of one vehicle: for what is sent to its owner or to the dealer who accepted, never for a log."""
        found = self._fetch(select(schema.vault).where(schema.vault.c.vehicle == vehicle))
        return _first([VaultEntry(**row) for row in found])

    def save_dealers(self, dealers: Iterable[Dealer]) -> None:
        """Add or replace dealers."""
        with _transaction(self._writes) as connection:
            _replace(connection, schema.dealer, [rows.dealer_row(dealer) for dealer in dealers])

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers, by id."""
        return self._documents(schema.dealer, Dealer, order=(schema.dealer.c.id,))

    def commit(self, changes: Commit) -> None:
        """Store all changes in one transaction; doing it again changes nothing.

        Cases, states, progress and seen sequences replace what stands there. Outbox events and dead letters that are already
        there stay as they are, so a repeated commit never sends a delivered push again.
        """
        alerts = [rows.alert_row(alert) for case in changes.cases for alert in case.alerts]
        recommendations = [rows.recommendation_row(each) for case in changes.cases for each in case.recommendations]
        orders = [order for case in changes.cases for order in case.orders]
        with _transaction(self._writes) as connection:
            _replace(connection, schema.alert, alerts)
            _replace(connection, schema.recommendation, recommendations)
            _replace(connection, schema.service_order, [rows.order_row(order) for order in orders])
            _insert_absent(connection, schema.order_history, [rows.history_row(order) for order in orders])
            _replace(connection, schema.vehicle_state, [rows.state_row(state) for state in changes.states])
            _replace(connection, schema.seen_sequence, [rows.seen_row(seen) for seen in changes.seen])
            _replace(connection, schema.drive_progress, [rows.progress_row(progress) for progress in changes.progress])
            _insert_absent(connection, schema.outbox, [rows.outbox_row(event) for event in changes.outbox])
            _insert_absent(connection, schema.dead_letter, [rows.dead_letter_row(letter) for letter in changes.dead_letters])

    def case(self, vehicle: str) -> VehicleCase:
        """Everything stored on one vehicle, ordered as `VehicleCase` says."""
        with _transaction(self._reads) as connection:
            alerts = connection.execute(_alerts(vehicle, None)).mappings().all()
            recommendations = (
                connection.execute(_recommendations().where(schema.recommendation.c.vehicle == vehicle)).mappings().all()
            )
            orders = connection.execute(_orders().where(schema.service_order.c.vehicle == vehicle)).mappings().all()
        return VehicleCase(
            vehicle=vehicle,
            alerts=_parse(Alert, alerts),
            recommendations=_parse(Recommendation, recommendations),
            orders=_parse(Order, orders),
        )

    def alerts(self, *, vehicle: str | None = None, state: AlertState | None = None) -> tuple[Alert, ...]:
        """Alerts by (opened_ns, id), of one vehicle or of all, in one state or in any."""
        return _parse(Alert, self._fetch(_alerts(vehicle, state)))

    def recommendations(self) -> tuple[Recommendation, ...]:
        """The latest recommendation of every incident, by incident id."""
        return _parse(Recommendation, self._fetch(_recommendations()))

    def orders(self) -> tuple[Order, ...]:
        """All orders by (created_ns, id)."""
        return _parse(Order, self._fetch(_orders()))

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

    def seen(self, vehicle: str) -> tuple[SeenSequences, ...]:
        """The sequence numbers committed for one vehicle, by boot session."""
        table = schema.seen_sequence
        return self._documents(table, SeenSequences, table.c.vehicle == vehicle, order=(table.c.boot_session,))

    def progress(self, drive: str) -> DriveProgress | None:
        """How far a drive has been committed, None where nothing of it was."""
        found = self._fetch(select(schema.drive_progress).where(schema.drive_progress.c.drive == drive))
        return _first([DriveProgress(**row) for row in found])

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """All dead letters by (origin, position, id)."""
        table = schema.dead_letter
        found = self._fetch(select(table).order_by(table.c.origin, table.c.position, table.c.id))
        return tuple(rows.dead_letter_of(row) for row in found)

    def dead_letter(self, identifier: str) -> DeadLetter | None:
        """One dead letter."""
        found = self._fetch(select(schema.dead_letter).where(schema.dead_letter.c.id == identifier))
        return _first([rows.dead_letter_of(row) for row in found])

    def delete_dead_letter(self, identifier: str) -> bool:
        """Drop a dead letter that has been replayed; False where there is none."""
        with _transaction(self._writes) as connection:
            return connection.execute(delete(schema.dead_letter).where(schema.dead_letter.c.id == identifier)).rowcount == 1

    def outbox_events(self) -> tuple[OutboxEvent, ...]:
        """Every push, delivered or not, by (due_ns, id)."""
        table = schema.outbox
        return tuple(OutboxEvent(**row) for row in self._fetch(select(table).order_by(table.c.due_ns, table.c.id)))

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]:
        """At most `limit` pending events whose time has come, the longest due first."""
        table = schema.outbox
        waiting = select(table).where(table.c.state == "pending", table.c.due_ns <= now_ns)
        found = self._fetch(waiting.order_by(table.c.due_ns, table.c.id).limit(limit))
        return tuple(OutboxEvent(**row) for row in found)

    def record(self, event: OutboxEvent) -> None:
        """Write an event's delivery (due_ns, attempts, state, last_error) and nothing else of it.

        Raises:
            StorageError: no such event was ever committed.
        """
        delivery = {"due_ns": event.due_ns, "attempts": event.attempts, "state": event.state, "last_error": event.last_error}
        with _transaction(self._writes) as connection:
            changed = connection.execute(update(schema.outbox).where(schema.outbox.c.id == event.id).values(delivery)).rowcount
        if changed == 0:
            raise StorageError(f"outbox event {event.id} is not in the database; commit it before it is delivered")

    def _fetch(self, query: Select[Any]) -> Sequence[RowMapping]:
        with _transaction(self._reads) as connection:
            return connection.execute(query).mappings().all()

    def _documents(self, table: Table, record: type[T], *where: Any, order: Any = ()) -> tuple[T, ...]:
        return _parse(record, self._fetch(select(table.c.document).where(*where).order_by(*order)))


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as problem:
        raise StorageError(
            f"the database failed ({reason_of(problem)}); check its server, disk space and permissions"
        ) from problem


def reason_of(problem: SQLAlchemyError) -> str:
    """The driver's own words on one line, without statement or parameters."""
    words = str(getattr(problem, "orig", None) or problem).strip()
    return words.splitlines()[0] if words else type(problem).__name__


def _is_postgresql(engine: Engine | Connection) -> bool:
    return engine.dialect.name == "postgresql"


def _insert(connection: Connection, table: Table) -> Any:
    """Both dialects' inserts take the same `on_conflict_…` clauses."""
    return postgresql.insert(table) if _is_postgresql(connection) else sqlite.insert(table)


def _replace(connection: Connection, table: Table, new: list[dict[str, Any]]) -> None:
    """Insert or replace by primary key, in key order so that two writers never wait for each other in a ring."""
    if not new:
        return
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table)
    values = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
    connection.execute(statement, sorted(new, key=lambda row: tuple(row[key] for key in keys)))


def _insert_absent(connection: Connection, table: Table, new: list[dict[str, Any]]) -> None:
    """Insert what is not there by primary key; what is there stays."""
    if not new:
        return
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table).on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, sorted(new, key=lambda row: tuple(row[key] for key in keys)))


def _alerts(vehicle: str | None, state: AlertState | None) -> Select[Any]:
    table = schema.alert
    query = select(table.c.document).order_by(table.c.opened_ns, table.c.id)
    query = query if vehicle is None else query.where(table.c.vehicle == vehicle)
    return query if state is None else query.where(table.c.state == state.value)


def _recommendations() -> Select[Any]:
    return select(schema.recommendation.c.document).order_by(schema.recommendation.c.incident_id)


def _orders() -> Select[Any]:
    return select(schema.service_order.c.document).order_by(schema.service_order.c.created_ns, schema.service_order.c.id)


def _parse(record: type[T], found: Sequence[RowMapping]) -> tuple[T, ...]:
    return tuple(from_json(record, row["document"]) for row in found)


def _first(found: Sequence[T]) -> T | None:
    return found[0] if found else None
