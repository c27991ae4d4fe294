"""Description files (DBC, KCD, SYM, ARXML) -> message specs, mended where they cannot be read as written."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from domain.errors import DbcFileError
from ingest.descriptions.arxml_repair import mend_arxml, mend_sym
from ingest.descriptions.dbc_repair import MendedDbc, mend_dbc
from ingest.descriptions.from_cantools import duplicates, message_specs, without_number
from ingest.descriptions.mend import Mend, MendKind
from ingest.descriptions.spec_cache import cache_file, read_cache, write_cache
from ingest.descriptions.text import description_text
from ingest.message_spec import MessageSpec

if TYPE_CHECKING:
    from cantools.database.can import Database

_LARGEST_BYTES = 256 * 2**20
_LARGE_NUMBERS = re.compile(
    r"\b(?:BO_\s+\d+\s+\S+\s*:\s*\d{6,}|SG_\s[^\n]*?:\s*(?:\d{7,}|\d+\s*\|\s*\d{7,})|SG_MUL_VAL_[^;]*-\s*\d{6,})"
)
"""Lengths and ranges that cantools would write out one by one before it refused them."""

_LAST_SIGNAL = re.compile(r"^[ \t]*SG_ [^\n]*\s*\Z", re.MULTILINE)
_WHOLE_SIGNAL = re.compile(r'[ \t]*SG_ [^\n]*\][^\n]*"[^\n]*"\s*\w')


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The messages of a file, and what was mended in it."""

    messages: tuple[MessageSpec, ...]
    mends: tuple[Mend, ...]


def load_description(path: Path, *, bus: str = "*", cache: Path | None = None) -> Description:
    """The messages of a description file, as `cantools.database.load_file(path, strict=False)` sees them where it can.

    What cantools refuses in a DBC is mended or, where that cannot be, left out; each time with a `Mend` that says so. Messages
    that share an identifier: the last one counts. J1939 messages (frame format "J1939PG", or an identifier from the null
    address) match by PGN.

    `bus` is the name as logged that the messages are on, "*" for any. `cache` is a directory for parsed files, keyed by
    content; where it cannot be written there is none.

    Raises:
        DbcFileError: the file cannot be read, is of no known format, or nothing in it can be used; names the line where known.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise DbcFileError(
            f"cannot be read ({problem.strerror})", file=path, mend="check the path and its permissions"
        ) from problem
    if len(content) > _LARGEST_BYTES:
        raise DbcFileError("is larger than any description file", file=path, mend="give a DBC, KCD, SYM or ARXML file")
    cached = None if cache is None else cache_file(cache, content, path.suffix.lower())
    found = None if cached is None else read_cache(cached, path.name)
    if found is None:
        found = _parse(content, path)
        if cached is not None:
            write_cache(cached, *found)
    specs, mends = found
    return Description(messages=tuple(replace(spec, bus=bus, origin=path.name) for spec in specs), mends=mends)


def _parse(content: bytes, path: Path) -> tuple[tuple[MessageSpec, ...], tuple[Mend, ...]]:
    logging.getLogger("cantools").setLevel(logging.ERROR)
    form, text, mends = description_text(content, path)
    names: dict[str, str] = {}
    wide: dict[tuple[int, str], tuple[tuple[int, int], ...]] = {}
    try:
        database = _load(text, form)
        mends += _cut_off(database, text, path) if form == "dbc" else ()
    except Exception as problem:  # noqa: BLE001 -- cantools raises many kinds
        if form == "dbc":
            mended = mend_dbc(text, path)
            database, more = _load_mended(mended, problem, path)
            names, wide = mended.names, mended.wide
            mends += (*mended.mends, *more)
        else:
            database, more = _load_other(text, form, problem, path)
            mends += more
    mends += tuple(
        Mend(
            file=path.name,
            line=_line_of(text, name),
            kind=MendKind.DUPLICATE_MESSAGE,
            what=f"message {names.get(name, name)} is not used: a later one has its identifier {identifier:#x}",
        )
        for name, identifier in duplicates(database)
    )
    mends += tuple(
        Mend(
            file=path.name,
            line=_line_of(text, message),
            kind=MendKind.SIGNAL,
            what=f"{names.get(message, message)}.{names.get(signal, signal)} left out: {bits} bits are no number",
        )
        for message, signal, bits in without_number(database)
    )
    try:
        return message_specs(database, names, wide), mends
    except (ValueError, ArithmeticError) as problem:
        raise _refusal(path, form, problem) from problem


def _load(text: str, form: str) -> Database:
    import cantools

    if form == "dbc" and _LARGE_NUMBERS.search(text):
        raise ValueError("a length or range is too large to be real")
    database = cantools.database.load_string(text, form, strict=False)
    return cast("Database", database)


def _load_other(text: str, form: str, first: Exception, path: Path) -> tuple[Database, tuple[Mend, ...]]:
    mend = {"sym": mend_sym, "arxml": mend_arxml}.get(form)
    if mend is None:
        raise _refusal(path, form, first) from first
    try:
        mended, mends = mend(text, path.name)
        return _load(mended, form), tuple(mends)
    except Exception as problem:
        raise _refusal(path, form, first) from problem


def _cut_off(database: Database, text: str, path: Path) -> tuple[Mend, ...]:
    """Cantools passes over the signal that a file breaks off in."""
    last = _LAST_SIGNAL.search(text)
    if last is None or not database.messages or _WHOLE_SIGNAL.match(text, last.start()):
        return ()
    line = text.count("\n", 0, last.start()) + 1
    return (Mend(file=path.name, line=line, kind=MendKind.SIGNAL, what="signal left out: the file breaks off in it"),)


def _load_mended(mended: MendedDbc, first: Exception, path: Path) -> tuple[Database, tuple[Mend, ...]]:
    """Without attributes if need be, and at last message by message."""
    if not mended.messages:
        raise _refusal(path, "dbc", first) from first
    for attributes in (True, False):
        try:
            database = _load(mended.text(attributes=attributes), "dbc")
        except Exception as problem:  # noqa: BLE001 -- cantools raises many kinds
            last = problem
        else:
            return database, () if attributes else (_without_attributes(path, last),)
    return _load_one_by_one(mended, first, path)


def _without_attributes(path: Path, problem: Exception) -> Mend:
    what = f"all attributes left out ({_reason(problem)})"
    return Mend(file=path.name, line=0, kind=MendKind.METADATA, what=what)


def _load_one_by_one(mended: MendedDbc, first: Exception, path: Path) -> tuple[Database, tuple[Mend, ...]]:
    good, mends = [], []
    for message in mended.messages:
        try:
            _load(mended.text(attributes=False, only=message), "dbc")
        except Exception as problem:  # noqa: BLE001 -- cantools raises many kinds
            what = f"message {message.name} left out ({_reason(problem)})"
            mends.append(Mend(file=path.name, line=message.line, kind=MendKind.MESSAGE, what=what))
        else:
            good.append(message)
    if not good:
        raise _refusal(path, "dbc", first) from first
    mends.append(_without_attributes(path, first))
    try:
        return _load(replace(mended, messages=tuple(good)).text(attributes=False), "dbc"), tuple(mends)
    except Exception as problem:
        raise _refusal(path, "dbc", first) from problem


def _refusal(path: Path, form: str, problem: Exception) -> DbcFileError:
    return DbcFileError(
        f"is not a {form.upper()} that can be loaded: {_reason(problem)}",
        file=path,
        line=_line(problem),
        mend="correct the definition there, or leave this file out of the profile",
    )


def _cause(problem: Exception) -> Exception:
    return cast(
        "Exception",
        next((cause for name in ("e_dbc", "e_kcd", "e_sym", "e_arxml") if (cause := getattr(problem, name, None))), problem),
    )


def _reason(problem: Exception) -> str:
    cause = _cause(problem)
    return " ".join(str(cause).split())[:200] or type(cause).__name__


def _line(problem: Exception) -> int | None:
    line = getattr(_cause(problem), "line", None)
    return line if isinstance(line, int) else None


def _line_of(text: str, message: str) -> int:
    found = re.search(rf"^\s*BO_\s+\d+\s+{re.escape(message)}\s*:", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 0


__all__ = ["Description", "load_description"]
