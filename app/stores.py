"""Opens the store that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.output import say
from app.settings import Settings
from domain.errors import InputError
from storage.memory_store import MemoryStore

if TYPE_CHECKING:  # SQLAlchemy takes a fifth of a second that a replay in memory need not wait
    from storage.sql_store import SqlStore


def open_database(url: str | None, settings: Settings) -> SqlStore:
    """The database at this URL or at PITCALL_DATABASE_URL.

    Raises:
        InputError: no URL was given. StorageError: the database cannot be used.
    """
    from app.parts import parts_desk
    from storage.database import open_store

    chosen = url or settings.database_url
    if not chosen:
        raise InputError("which database?", mend="give --database URL (sqlite:///pitcall.sqlite3) or set PITCALL_DATABASE_URL")
    store = open_store(chosen, key=settings.pseudonym_key, desk=parts_desk(settings))
    if settings.key_is_development:
        say("pitcall: PITCALL_PSEUDONYM_KEY is not set: the documented development key is used, which is not for real cars")
    return store


def open_any(url: str | None, settings: Settings) -> SqlStore | MemoryStore:
    """The database where one is named, else a store in memory."""
    return open_database(url, settings) if url or settings.database_url else MemoryStore()
