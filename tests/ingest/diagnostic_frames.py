"""Frames for diagnostic tests, written down as (time in s, CAN id, bytes)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag, MessageTable, TickKind
from domain.trouble_codes import DtcBatch, DtcReport
from ingest.diagnostics import DiagnosticsReader

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recordings"

Record = tuple[float, int, bytes, str]
"""Time in seconds, CAN id (TICK for a tick), payload, vehicle."""
TICK = -1


def record(time_s: float, can_id: int, data: str | bytes, vehicle: str = "car") -> Record:
    """One frame; `data` may be hexadecimal text."""
    return (time_s, can_id, bytes.fromhex(data) if isinstance(data, str) else data, vehicle)


def tick(time_s: float, vehicle: str = "car") -> Record:
    """An end-of-drive tick."""
    return (time_s, TICK, b"", vehicle)


def frame_batch(records: Iterable[Record], bus: str = "can0") -> FrameBatch:
    """The records as a batch sorted by vehicle (stable), all on one bus."""
    rows = list(records)
    vehicles = tuple(sorted({r[3] for r in rows}))
    rows.sort(key=lambda r: (r[3], r[0]))
    arena = bytearray()
    offsets = []
    for _, _, data, _ in rows:
        offsets.append(len(arena) if len(data) > 8 else -1)
        arena += data if len(data) > 8 else b""
    size = len(rows)
    ticks = np.array([r[1] == TICK for r in rows], bool)
    return FrameBatch(
        vehicles=vehicles,
        buses=(bus,),
        messages=MessageTable.single(),
        time_ns=np.array([round(r[0] * 1e9) for r in rows], np.int64),
        vehicle=np.array([vehicles.index(r[3]) for r in rows], np.int32),
        bus=np.zeros(size, np.uint8),
        can_id=np.array([TickKind.END_OF_DRIVE if r[1] == TICK else r[1] for r in rows], np.uint32),
        message=np.zeros(size, np.int32),
        index=np.arange(size, dtype=np.int64),
        length=np.array([len(r[2]) for r in rows], np.uint8),
        flags=np.where(ticks, np.uint8(FrameFlag.TICK), np.uint8(0)),
        payload=np.array([int.from_bytes(r[2][:8], "little") for r in rows], np.uint64),
        arena_offset=np.array(offsets, np.int64),
        arena=np.frombuffer(bytes(arena), np.uint8),
    )


def read(*records: Record) -> DtcBatch:
    """What a fresh reader reports of these records in one batch."""
    return DiagnosticsReader().read(frame_batch(records))


def codes(report: DtcReport) -> list[str]:
    """The codes of a report."""
    return [code.code for code in report.codes]


def recording(name: str, file: str) -> list[Record]:
    """A candump recording (file or terminal format), or a skipped test where it is absent."""
    path = RECORDINGS / name / file
    if not path.exists():
        pytest.skip(f"no recording {name} beside this checkout")
    with gzip.open(path, "rt", errors="replace") if path.suffix == ".gz" else path.open(errors="replace") as stream:
        return list(_candump(stream))


_FILE_LINE = re.compile(r"\((\d+\.\d+)\) \S+ ([0-9A-F]+)#([0-9A-F]*)")
_TERMINAL_LINE = re.compile(r"\s*\((\d+\.\d+)\)\s+\S+\s+([0-9A-F]+)\s+\[\d+\]((?: +[0-9A-F]{2})*)")


def _candump(lines: Iterable[str]) -> Iterator[Record]:
    for line in lines:
        match = _FILE_LINE.match(line) or _TERMINAL_LINE.match(line)
        if match:
            time_s, can_id, data = match.groups()
            extended = EXTENDED_ID if len(can_id) > 3 else 0
            yield record(float(time_s), int(can_id, 16) | extended, data)
