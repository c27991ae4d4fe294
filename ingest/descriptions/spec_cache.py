"""Parsed description files, kept by content: parsing a large file takes seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ingest.descriptions.mend import Mend, MendKind
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec, Transport

_FORMAT = "2"


def cache_file(folder: Path, content: bytes, suffix: str) -> Path:
    """Where the specs of this content are kept."""
    return folder / f"dbc-{_FORMAT}-{hashlib.sha256(suffix.encode() + content).hexdigest()[:32]}.json"


def read_cache(file: Path, name: str) -> tuple[tuple[MessageSpec, ...], tuple[Mend, ...]] | None:
    """What `write_cache` wrote, for a file of this name; None where there is nothing or it cannot be understood."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        mends = tuple(Mend(file=name, line=line, kind=MendKind(kind), what=what) for line, kind, what in content["mends"])
        return tuple(_revive(row) for row in content["messages"]), mends
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
    return MessageSpec(**{**row, "match": Match(row["match"]), "transport": Transport(row["transport"]), "signals": signals})


def write_cache(file: Path, specs: Sequence[MessageSpec], mends: Sequence[Mend]) -> None:
    """Write beside and rename, so that a reader never sees half a file; a directory that cannot be written means no cache."""
    beside = file.with_suffix(f".{hashlib.sha256(str(file).encode()).hexdigest()[:8]}.part")
    content = {"mends": [(mend.line, mend.kind, mend.what) for mend in mends], "messages": [asdict(spec) for spec in specs]}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(file)
    except OSError:
        return
