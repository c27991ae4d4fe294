"""Reads messages through `Sources` and says what came of them in plain tuples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from domain.frames import FrameBatch, FrameFlag
from domain.messages import RawMessage
from domain.vss import path_of_number
from ingest.diagnostics.device_reports import decode_report
from ingest.mqtt.batching import ParsedMessages, parse_messages
from ingest.wire.sources import Source, Sources
from tests.ingest.wire.examples import NOW


def known_pseudonym(name: str) -> str:
    """A readable stand-in for the keyed hash."""
    return f"p-{name}"


def sources_of(*sources: Source, registered: Callable[[str], str | None] = {"p-dev": "p-CAR"}.get) -> Sources:
    """Device "dev" is registered with "CAR"."""
    return Sources(sources, pseudonym_of=known_pseudonym, vehicle_of_device=registered)


def raw(topic: str, payload: bytes, *, token: int = 1, received_ns: int = NOW, **others: Any) -> RawMessage:
    """A publish."""
    return RawMessage(topic=topic, payload=payload, received_ns=received_ns, token=token, **others)


def parse(sources: Sources, *messages: RawMessage) -> ParsedMessages:
    """What they say."""
    return parse_messages(messages, pseudonym_of=known_pseudonym, sources=sources)


def rows_of(frames: FrameBatch) -> list[tuple[Any, ...]]:
    """Every row as the examples write it."""
    return [_row(frames, row) for row in range(len(frames))]


def _row(frames: FrameBatch, row: int) -> tuple[Any, ...]:
    time_ns, bus, flags = int(frames.time_ns[row]), frames.buses[frames.bus[row]], int(frames.flags[row])
    if flags & FrameFlag.SAMPLE:
        value = float(frames.payload[row : row + 1].view(np.float64)[0])
        return "sample", time_ns, path_of_number()[int(frames.can_id[row])], value
    if flags & FrameFlag.REPORT:
        report = decode_report(frames.payload_bytes(row), time_ns=time_ns, vehicle=0, bus=bus, frame=row)
        assert report is not None
        return "report", time_ns, report.kind.name, tuple(code.code for code in report.codes), report.complete
    if flags & FrameFlag.PACKET:
        return "packet", time_ns, bus, frames.payload_bytes(row)
    return "frame", time_ns, bus, int(frames.can_id[row]), frames.payload_bytes(row)
