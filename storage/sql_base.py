"""Transactions, upserts and fetches on SQLite or PostgreSQL: what the store's parts stand on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RowMapping, Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import StorageError
from storage.record_json import from_json, to_json

T = TypeVar("T")

IDS_AT_ONCE = 500
"""Ids in one IN list: every SQLite takes that many."""


class SqlBase:
    """An engine with its two ways in: `_writes` takes the write lock at once, `_reads` sees one state of the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writes = engine.execution_options(pitcall_write=True)
        # several selects of one method must see one state of the database; SQLite's readers always do
        self._reads = engine.execution_options(isolation_level="REPEATABLE READ") if is_postgresql(engine) else engine

    def _fetch(self, query: Select[Any]) -> Sequence[RowMapping]:
        with transaction(self._reads) as connection:
            return connection.execute(query).mappings().all()

    def _documents(self, table: Table, record: type[T], *where: Any, order: Any = ()) -> tuple[T, ...]:
        return parse(record, self._fetch(select(table.c.document).where(*where).order_by(*order)))


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction; the database's errors as StorageError."""
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


def is_postgresql(engine: Engine | Connection) -> bool:
    """The other one is SQLite."""
    return engine.dialect.name == "postgresql"


def insert(connection: Connection, table: Table) -> Any:
    """Both dialects' inserts take the same `on_conflict_…` clauses."""
    return postgresql.insert(table) if is_postgresql(connection) else sqlite.insert(table)


def replace_rows(connection: Connection, table: Table, new: list[dict[str, Any]]) -> None:
    """Insert or replace by primary key, in key order so that two writers never wait for each other in a ring."""
    if not new:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert(connection, table)
    values = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
    connection.execute(statement, sorted(new, key=lambda row: tuple(row[key] for key in keys)))


def insert_absent(connection: Connection, table: Table, new: list[dict[str, Any]]) -> None:
    """Insert what is not there by primary key; what is there stays."""
    if not new:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert(connection, table).on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, sorted(new, key=lambda row: tuple(row[key] for key in keys)))


def lock_documents(
    connection: Connection, table: Table, record: type[T], ids: Iterable[str], ours: Mapping[str, T] | None = None
) -> dict[str, T]:
    """The records of these ids, locked for this transaction in the order of their ids (SQLite has locked everything already).

    Where the stored text is that of our own record, that is the answer: most records of a commit have not changed, and writing
    one as text is quicker than reading it.
    """
    known = ours or {}
    found: dict[str, T] = {}
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), IDS_AT_ONCE):
        query = select(table.c.id, table.c.document).where(table.c.id.in_(ordered[start : start + IDS_AT_ONCE]))
        for row in connection.execute(query.order_by(table.c.id).with_for_update()).mappings():
            own = known.get(row["id"])
            same = own is not None and row["document"] == to_json(own)
            found[row["id"]] = own if own is not None and same else from_json(record, row["document"])
    return found


def parse(record: type[T], found: Sequence[RowMapping]) -> tuple[T, ...]:
    """Records of rows that have a `document`."""
    return tuple(from_json(record, row["document"]) for row in found)


def first(found: Sequence[T]) -> T | None:
    """The only one, or None."""
    return found[0] if found else None
