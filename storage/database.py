"""Opens a database: connects, brings the schema up to date under a lock, and makes sure that it belongs to this pseudonym key."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from domain.errors import StorageError
from domain.live import Settle, keep_stored
from domain.parts import PartsDesk
from storage import schema
from storage.sql_base import reason_of
from storage.sql_store import SqlStore

VERSION_TABLE = "pitcall_schema"
"""Alembic's table; named as ours, so that another program's migrations in the same database stay theirs."""

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one's transaction on SQLite; ours take milliseconds."""

_MIGRATION_LOCK = 0x70697463616C6C
"""Key of PostgreSQL's advisory lock while the schema changes ("pitcall")."""

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def open_store(
    url: str,
    *,
    key: bytes,
    settle: Settle = keep_stored,
    desk: PartsDesk | None = None,
    clock: Callable[[], int] = time.time_ns,
) -> SqlStore:
    """The database at `url` (`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`), migrated to this program's schema.

    Args:
        url: where it is; a relative SQLite file is taken from the working directory and made where it is missing.
        key: the pseudonym key; a database serves one key for all its life, since its vehicles are known by it.
        settle: asked where the pipeline changed an order that a person had moved on. desk: keeps parts for orders, None = nobody does.
        clock: wall time in ns, for the feed.

    Raises:
        StorageError: it cannot be reached, is no database, is of a newer schema, or was made with another key.
            One line with what to do; never the password.
    """
    address = _address(url)
    name = _name(address)
    engine = _engine(address, name)
    try:
        with engine.execution_options(pitcall_write=True).begin() as connection:
            _migrate(connection, name)
            _check_key(connection, key, name)
    except SQLAlchemyError as problem:
        engine.dispose()
        raise StorageError(f"database {name} cannot be used ({reason_of(problem)}); {_mend(address)}") from problem
    except StorageError:
        engine.dispose()
        raise
    return SqlStore(engine, settle=settle, desk=desk, clock=clock)


def key_fingerprint(key: bytes) -> str:
    """What a database keeps of its key: enough to recognise it, nothing to compute pseudonyms with."""
    return hmac.new(key, b"pitcall key fingerprint", hashlib.sha256).hexdigest()[:32]


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        driver = _DRIVERS.get(address.drivername.partition("+")[0])
    except (ArgumentError, ValueError) as problem:
        raise StorageError(
            "the database URL cannot be understood; write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from problem
    if driver is None:
        raise StorageError(
            f"databases of kind {address.drivername!r} are not supported; write sqlite:///FILE or postgresql://USER@HOST/NAME"
        )
    if driver == "sqlite" and address.database in (None, "", ":memory:"):
        raise StorageError("an SQLite database in memory would be lost with the process; name a file: sqlite:///FILE")
    return address.set(drivername=driver)


def _name(address: URL) -> str:
    """The database as messages name it: no user, no password, no options (which may hold one)."""
    if address.drivername == "sqlite":
        return str(address.database)
    place = f"{address.host or 'local socket'}{f':{address.port}' if address.port else ''}"
    return f"{address.database or ''} on {place}"


def _mend(address: URL) -> str:
    if address.drivername == "sqlite":
        return "check the file, its directory and their permissions, or name another file"
    return "check that the server runs and that address, user, password and database name are right"


def _engine(address: URL, name: str) -> Engine:
    try:
        # parameters hold personal data, so errors and logs go without them
        engine = create_engine(address, hide_parameters=True, pool_pre_ping=address.drivername != "sqlite")
    except ImportError as problem:
        raise StorageError(f"database {name} needs the PostgreSQL driver; install pitcall[postgresql]") from problem
    except (ArgumentError, TypeError, ValueError) as problem:
        raise StorageError(f"the URL of database {name} has an option that is not understood; remove it") from problem
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Durable commits, readers beside one writer, references checked, and transactions begun by us (`_begin_sqlite`)."""
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    _set_write_ahead_log(connection)


def _set_write_ahead_log(connection: Any) -> None:
    """Only the first opening changes anything; SQLite does not wait by itself when two do that at once, so this does."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the write lock at once: two deferred ones that both read first would fail, not wait."""
    write = connection.get_execution_options().get("pitcall_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _migrate(connection: Connection, name: str) -> None:
    """Run what is missing within the open transaction; a second process waits for it and then finds nothing to do."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("storage"))) / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if current == script.get_current_head():
        return
    if current is None:
        _refuse_foreign_tables(connection, name)
    elif current not in {revision.revision for revision in script.walk_revisions()}:
        raise StorageError(f"database {name} has the newer schema {current}; upgrade pitcall or use another database")
    command.upgrade(config, "head")


def _refuse_foreign_tables(connection: Connection, name: str) -> None:
    taken = sorted(set(inspect(connection).get_table_names()) & set(schema.metadata.tables))
    if taken:
        raise StorageError(f"database {name} holds another program's table {taken[0]!r}; use a database of its own")


def _check_key(connection: Connection, key: bytes, name: str) -> None:
    """Compare with the key that the database was made with, or note this one in a new database."""
    found = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "key_fingerprint"))
    if found is None:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(schema.meta).values(name="key_fingerprint", value=key_fingerprint(key)))
    elif not hmac.compare_digest(found, key_fingerprint(key)):
        raise StorageError(
            f"database {name} was made with another pseudonym key, so its vehicles would not be recognised; "
            "set PITCALL_PSEUDONYM_KEY to the key that it was made with, or use another database"
        )
