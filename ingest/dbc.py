"""DBC files -> message specs, by way of cantools (lenient), with an optional cache so that cantools need not run twice."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from domain.errors import DbcFileError
from domain.frames import EXTENDED_ID
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec
from ingest.mux import broken_branches

if TYPE_CHECKING:
    from cantools.database.can import Database, Message, Signal

_CACHE_FORMAT = "1"
_FLOAT_KINDS = {16: NumberKind.FLOAT16, 32: NumberKind.FLOAT32, 64: NumberKind.FLOAT64}
_NULL_ADDRESS = 0xFE
"""SAE J1939-81: no controller sends from it, so a DBC id that ends in it means "from any source address"."""
_J1939_VALID_MAX = {2: 2, 8: 0xFA, 16: 0xFAFF, 24: 0xFAFFFF, 32: 0xFAFFFFFF}
"""SAE J1939-71: greatest raw value of each length that is a measurement (above: parameter specific, error, not available)."""


def load_dbc(path: Path, *, bus: str = "*", cache: Path | None = None) -> tuple[MessageSpec, ...]:
    """The messages of a DBC file, as `cantools.database.load_file(path, strict=False)` sees them.

    Messages that share an identifier: the last one counts, as in cantools. J1939 messages (frame format "J1939PG", or an
    identifier from the null address) match by PGN.

    `bus` is the name as logged that the messages are on, "*" for any. `cache` is a directory for parsed files, keyed by
    content; where it cannot be written there is none.

    Raises:
        DbcFileError: the file cannot be read or is not a DBC that cantools accepts; names the line where that is known.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise DbcFileError(
            f"cannot be read ({problem.strerror})", file=path, mend="check the path and its permissions"
        ) from problem
    cached = None if cache is None else cache / f"dbc-{_CACHE_FORMAT}-{hashlib.sha256(content).hexdigest()[:32]}.json"
    specs = None if cached is None else _read_cache(cached)
    if specs is None:
        specs = _parse(content, path)
        if cached is not None:
            _write_cache(cached, specs)
    return tuple(replace(spec, bus=bus, origin=path.name) for spec in specs)


def _parse(content: bytes, path: Path) -> tuple[MessageSpec, ...]:
    """Parse a DBC with cantools; its many kinds of exception become one."""
    import cantools

    # DBC files are Windows code page 1252 by custom; cantools reads them so
    text = content.decode("cp1252", errors="replace")
    logging.getLogger("cantools").setLevel(logging.ERROR)
    try:
        database = cantools.database.load_string(text, "dbc", strict=False)
    except Exception as problem:
        cause = getattr(problem, "e_dbc", None) or problem
        line = getattr(cause, "line", None)
        raise DbcFileError(
            "is not a DBC that can be loaded: " + " ".join(str(cause).split())[:200],
            file=path,
            line=line if isinstance(line, int) else None,
            mend="correct the definition there, or leave this file out of the profile",
        ) from problem
    return _messages(cast("Database", database))


def _messages(database: Database) -> tuple[MessageSpec, ...]:
    by_identifier: dict[tuple[Match, int], MessageSpec] = {}
    for message in database.messages:
        spec = _message(message)
        by_identifier.pop((spec.match, spec.can_id), None)
        by_identifier[spec.match, spec.can_id] = spec
    return tuple(by_identifier.values())


def _message(message: Message) -> MessageSpec:
    identifier = int(message.frame_id)
    j1939 = message.is_extended_frame and (message.protocol == "j1939" or identifier & 0xFF == _NULL_ADDRESS)
    signals = tuple(_signal(signal, j1939=j1939) for signal in message.signals)
    spec = MessageSpec(
        name=message.name,
        can_id=_pgn(identifier) if j1939 else identifier | (EXTENDED_ID if message.is_extended_frame else 0),
        match=Match.PGN if j1939 else Match.EXACT,
        length=message.length,
        signals=signals,
    )
    root = next((branch for branch in broken_branches(spec) if not branch.parent), None)
    return replace(spec, undecodable=root.reason) if root else spec


def _pgn(identifier: int) -> int:
    """SAE J1939-21: PDU1 (PF < 240) carries a destination in PS, which is no part of the parameter group number."""
    specific = identifier >> 8 & 0xFF if identifier >> 16 & 0xFF >= 240 else 0
    return identifier >> 8 & 0x3FF00 | specific


def _signal(signal: Signal, *, j1939: bool) -> SignalSpec:
    conversion = signal.conversion
    kind = NumberKind.SIGNED if signal.is_signed else NumberKind.UNSIGNED
    if conversion.is_float:
        kind = _FLOAT_KINDS[signal.length]
    return SignalSpec(
        name=signal.name,
        start=signal.start,
        length=signal.length,
        big_endian=signal.byte_order == "big_endian",
        kind=kind,
        scale=float(conversion.scale),
        offset=float(conversion.offset),
        unit=signal.unit or "",
        mux_parent=signal.multiplexer_signal or "",
        mux_ranges=_ranges(signal.multiplexer_ids or ()),
        is_selector=bool(signal.is_multiplexer),
        raw_valid_max=_J1939_VALID_MAX.get(signal.length) if j1939 and kind is NumberKind.UNSIGNED else None,
        choices=tuple((int(raw), str(word)) for raw, word in (conversion.choices or {}).items()),
    )


def _ranges(numbers: Any) -> tuple[tuple[int, int], ...]:
    """Sorted numbers as inclusive ranges."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def _read_cache(file: Path) -> tuple[MessageSpec, ...] | None:
    """Specs written by `_write_cache`, None where there are none or they cannot be understood."""
    try:
        return tuple(_revive(row) for row in json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _revive(row: dict[str, Any]) -> MessageSpec:
    signals = tuple(
        SignalSpec(
            **{
                **signal,
                "kind": NumberKind(signal["kind"]),
                "mux_ranges": tuple((low, high) for low, high in signal["mux_ranges"]),
                "choices": tuple((raw, word) for raw, word in signal["choices"]),
            }
        )
        for signal in row["signals"]
    )
    if set(row) != {field.name for field in fields(MessageSpec)}:
        raise KeyError("another version of MessageSpec")
    return MessageSpec(**{**row, "match": Match(row["match"]), "signals": signals})


def _write_cache(file: Path, specs: tuple[MessageSpec, ...]) -> None:
    """Write beside and rename, so that a reader never sees half a file; a directory that cannot be written means no cache."""
    beside = file.with_suffix(f".{hashlib.sha256(str(file).encode()).hexdigest()[:8]}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps([asdict(spec) for spec in specs]), encoding="utf-8")
        beside.replace(file)
    except OSError:
        return
