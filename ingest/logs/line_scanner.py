"""Pieces of text -> raw columns, by the compiled kernel or in plain Python; both give the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NO_ARENA, FrameFlag
from domain.ports import Jit
from ingest.logs.candump_kernel import MAX_BUSES
from ingest.logs.line_cutter import MAX_LINE_BYTES, line_ends, split_lines
from ingest.logs.line_kernel import Carried, scan_lines
from ingest.logs.line_program import Program, compile_patterns
from ingest.logs.line_reading import read_pattern
from ingest.logs.line_steps import BLANKS, BUS_NAME_BYTES, MAX_BYTES, Pattern

Heed = Callable[[bytes, int, int], tuple[Pattern, ...] | None]
"""Takes a control line, its number and the frames before it in this piece; gives new patterns where it changes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLine:
    """A line that is no frame: 1-based number, its bytes, and the frames before it in its piece."""

    line: int
    content: bytes
    frames_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a piece of text holds: columns as in `log_format.Block`, with stamps as written."""

    buses: tuple[str, ...]
    stamp_ns: NDArray[np.int64]
    bus: NDArray[np.uint8]
    can_id: NDArray[np.uint32]
    length: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    payload: NDArray[np.uint64]
    arena_offset: NDArray[np.int64]
    arena: NDArray[np.uint8]
    others: Iterator[OtherLine]
    timeless: int
    mended: int


class Scanner(Protocol):
    """Reads pieces of whole lines one after another."""

    def read(self, text: bytes, heed: Heed) -> Piece:
        """What these lines hold."""


class KernelScanner:
    """Runs `scan_lines`."""

    def __init__(self, patterns: Iterable[Pattern], control: bytes, jit: Jit) -> None:
        self._scan = jit(scan_lines)
        self._program: Program = compile_patterns(tuple(patterns))
        self._control = np.zeros(256, np.bool_)
        self._control[list(control)] = True
        self._bus_names = np.zeros((MAX_BUSES, BUS_NAME_BYTES), np.uint8)
        self._bus_sizes = np.zeros(MAX_BUSES, np.int64)
        self._carried = np.zeros(len(Carried), np.int64)

    def read(self, text: bytes, heed: Heed) -> Piece:
        """What these lines hold."""
        buffer = np.frombuffer(text, np.uint8)
        ends = line_ends(text)
        most = len(ends)
        stamp_ns, arena_offset = np.empty(most, np.int64), np.full(most, NO_ARENA, np.int64)
        bus, length, flags = np.empty(most, np.uint8), np.empty(most, np.uint8), np.empty(most, np.uint8)
        can_id, payload = np.empty(most, np.uint32), np.empty(most, np.uint64)
        arena = np.empty(len(text) + MAX_BYTES + 2, np.uint8)
        bad = np.empty((most, 4), np.int64)
        carried = self._carried
        carried[Carried.PLACE :] = 0
        while not self._scan(
            buffer, ends, self._program.steps, self._program.starts, self._program.literals, self._control, self._bus_names,
            self._bus_sizes, carried, stamp_ns, bus, can_id, length, flags, payload, arena_offset, arena, bad,
        ):  # fmt: skip
            line = text[int(carried[Carried.CONTROL_START]) : int(carried[Carried.CONTROL_END])]
            patterns = heed(line, int(carried[Carried.LINE]), int(carried[Carried.FRAMES]))
            if patterns is not None:
                self._program = compile_patterns(patterns)
        count = int(carried[Carried.FRAMES])
        return Piece(
            buses=self._buses(),
            stamp_ns=stamp_ns[:count],
            bus=bus[:count],
            can_id=can_id[:count],
            length=length[:count],
            flags=flags[:count],
            payload=payload[:count],
            arena_offset=arena_offset[:count],
            arena=arena[: int(carried[Carried.ARENA])].copy(),
            others=_others(text, bad[: int(carried[Carried.BAD])]),
            timeless=int(carried[Carried.TIMELESS]),
            mended=int(carried[Carried.MENDED]),
        )

    def _buses(self) -> tuple[str, ...]:
        known = range(int(self._carried[Carried.BUSES]))
        return tuple(self._bus_names[i, : self._bus_sizes[i]].tobytes().decode("latin-1") for i in known)


def _others(text: bytes, rows: NDArray[np.int64]) -> Iterator[OtherLine]:
    """One at a time: a file of rubbish has millions."""
    for row in rows:
        number, start, end, before = row.tolist()
        yield OtherLine(line=number, content=text[start:end].rstrip(b"\r"), frames_before=before)


@dataclass(slots=True)
class _Rows:
    """Columns being filled in plain Python."""

    rows: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)
    others: list[OtherLine] = field(default_factory=list)
    arena: bytearray = field(default_factory=bytearray)
    timeless: int = 0
    mended: int = 0


class PlainScanner:
    """Does what the kernel does, line by line with regular expressions."""

    def __init__(self, patterns: Iterable[Pattern], control: bytes) -> None:
        self._patterns = tuple(patterns)
        self._control = control
        self._buses: dict[bytes, int] = {}
        self._line = 0
        self._last_ns = 0

    def read(self, text: bytes, heed: Heed) -> Piece:
        """What these lines hold."""
        rows = _Rows()
        for content in split_lines(text):
            self._line += 1
            line = content.rstrip(b" \t\r").lstrip(BLANKS)
            if not line:
                continue
            sound = len(content.rstrip(b"\r")) <= MAX_LINE_BYTES
            if sound and line[0] in self._control:
                self._patterns = heed(line, self._line, len(rows.rows)) or self._patterns
            elif not sound or not self._add(line, rows):
                other = OtherLine(line=self._line, content=content.rstrip(b"\r"), frames_before=len(rows.rows))
                rows.others.append(other)
        return self._piece(rows)

    def _add(self, line: bytes, rows: _Rows) -> bool:
        """Read one line; whether it is a frame."""
        frame = next((found for pattern in self._patterns if (found := read_pattern(pattern, line)) is not None), None)
        if frame is None or (frame.bus_name not in self._buses and len(self._buses) == MAX_BUSES):
            return False
        bus = self._buses.setdefault(frame.bus_name, len(self._buses))
        rows.timeless += frame.stamp_ns is None
        rows.mended += frame.mended
        self._last_ns = self._last_ns if frame.stamp_ns is None else frame.stamp_ns
        offset = NO_ARENA
        packet = bool(frame.flags & FrameFlag.PACKET)
        if len(frame.content) > 8 or packet:
            offset = len(rows.arena)
            rows.arena += frame.content
        can_id = frame.can_id | (EXTENDED_ID if frame.is_extended or frame.can_id > 0x7FF else 0)
        payload = len(frame.content) if packet else int.from_bytes(frame.content[:8], "little")
        rows.rows.append((self._last_ns, bus, can_id, frame.size, int(frame.flags), payload, offset))
        return True

    def _piece(self, rows: _Rows) -> Piece:
        stamp_ns, bus, can_id, length, flags, payload, offset = zip(*rows.rows, strict=True) if rows.rows else ((),) * 7
        return Piece(
            buses=tuple(name.decode("latin-1") for name in self._buses),
            stamp_ns=np.array(stamp_ns, np.int64),
            bus=np.array(bus, np.uint8),
            can_id=np.array(can_id, np.uint32),
            length=np.array(length, np.uint8),
            flags=np.array(flags, np.uint8),
            payload=np.array(payload, np.uint64),
            arena_offset=np.array(offset, np.int64),
            arena=np.frombuffer(bytes(rows.arena), np.uint8),
            others=iter(rows.others),
            timeless=rows.timeless,
            mended=rows.mended,
        )
