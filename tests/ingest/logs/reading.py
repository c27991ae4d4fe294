"""Reads recordings in tests, and compares what came out."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag, concat_frames
from domain.ports import Jit, no_jit
from ingest.logs import LogFile, open_log
from ingest.logs.line_format import LineFormat
from ingest.logs.log_format import Block
from ingest.logs.open_log import FORMATS

COLUMNS = ("time_ns", "bus", "can_id", "length", "flags", "payload")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A frame in words: `stamp_s`, bus, identifier with x for 29 bits, flags (R remote, E error, F FD, T transmitted), data."""

    stamp_s: float
    bus: str
    can_id: str
    flags: str
    data: str
    length: int


def line_formats() -> tuple[LineFormat, ...]:
    return tuple(known for known in FORMATS if isinstance(known, LineFormat))


def format_of(name: str) -> LineFormat:
    return next(known for known in line_formats() if known.name == name)


def read_blocks(log_format: LineFormat, text: bytes, *, block_bytes: int = 1 << 20, jit: Jit = no_jit) -> list[Block]:
    return list(log_format.blocks(io.BytesIO(text), block_bytes=block_bytes, jit=jit))


def as_seen(blocks: list[Block]) -> list[Seen]:
    return [
        Seen(
            stamp_s=int(block.time_ns[row]) / 1e9,
            bus=block.buses[block.bus[row]],
            can_id=_identifier(int(block.can_id[row])),
            flags=_flags(int(block.flags[row])),
            data=_data(block, row),
            length=int(block.length[row]),
        )
        for block in blocks
        for row in range(len(block.time_ns))
    ]


def _identifier(value: int) -> str:
    return f"{value & ~EXTENDED_ID:X}" + ("x" if value & EXTENDED_ID else "")


def _flags(value: int) -> str:
    letters = {FrameFlag.REMOTE: "R", FrameFlag.ERROR: "E", FrameFlag.FD: "F", FrameFlag.TRANSMITTED: "T", FrameFlag.PACKET: "P"}
    return "".join(letter for flag, letter in letters.items() if value & flag)


def _data(block: Block, row: int) -> str:
    size, offset = int(block.length[row]), int(block.arena_offset[row])
    if block.flags[row] & FrameFlag.REMOTE:
        return ""
    if offset >= 0:
        return block.arena[offset : offset + size].tobytes().hex().upper()
    return int(block.payload[row]).to_bytes(8, "little")[:size].hex().upper()


def events(blocks: list[Block]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for block in blocks:
        total.update(block.anomalies)
    return dict(+total)


def malformed(blocks: list[Block]) -> list[tuple[int, bytes]]:
    return [(line.line, line.content) for block in blocks for line in block.malformed]


def assert_equal_blocks(one: list[Block], other: list[Block]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert (a.buses, a.malformed, a.timeless, a.start_ns) == (b.buses, b.malformed, b.timeless, b.start_ns)
        assert dict(a.anomalies) == dict(b.anomalies)
        for name in (*COLUMNS, "arena_offset", "arena"):
            left, right = getattr(a, name), getattr(b, name)
            assert left.dtype == right.dtype, name
            np.testing.assert_array_equal(left, right, err_msg=name)


def whole(path: Path, **options: object) -> tuple[FrameBatch, LogFile]:
    log = open_log(path, vehicle="v", **options)  # type: ignore[arg-type]  # options by name
    return concat_frames(list(log)), log
