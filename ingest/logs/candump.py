"""candump recordings (Linux can-utils): the `-L` form and the terminal form, decided line by line.

    (1600279140.020108) can0 2A0#480087182102F900          -L; `##` with a flags digit for CAN FD, `#R` remote, ` T`/` R` direction
     (000.005001)  can0  18FEDF00   [8]  8A A0 28 7D        terminal; two length digits for CAN FD, `remote request`, ASCII column

Three digits are an 11-bit identifier, eight a 29-bit one (bit 29 set: an error frame). The stamp may be absent (`candump`
without `-t`) or a date (`-t A`, taken as UTC). Stamps of `-t d` count from the line before and are added up: nothing says so,
but then the first one is zero and many of the next go back, which the zero-based stamps of `-t z` do not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from domain.frames import NO_ARENA
from domain.ports import Jit, no_jit
from ingest.logs.candump_kernel import BUS_NAME_BYTES, HEX_VALUE, MAX_BUSES, scan_candump
from ingest.logs.candump_lines import LineReader, parse_line
from ingest.logs.line_cutter import KEPT_BYTES, MOST_KEPT, Rejoined, read_head, whole_lines
from ingest.logs.log_format import Block, ByteStream, MalformedLine
from ingest.logs.timeline import StampKind, Timeline

_SNIFF_LINES = 200
_DELTA_LINES = 500


class Candump:
    """The format `ingest.logs.open_log` knows as candump."""

    name = "candump"

    def recognises(self, head: bytes) -> bool:
        """One good frame among the first lines is enough: recordings begin with terminal greetings and cut lines."""
        return any(parse_line(line) is not None for line in head.splitlines()[:_SNIFF_LINES])

    def blocks(self, stream: ByteStream, *, block_bytes: int, jit: Jit) -> Iterator[Block]:
        """Frames of about `block_bytes` of text at a time, cut at line ends."""
        head = read_head(stream)
        timeline = Timeline(kind=StampKind.SINCE_LAST) if _counts_from_last(head) else None
        scanner = LineReader() if jit is no_jit else _KernelReader(jit)
        for text in whole_lines(Rejoined(head, stream), block_bytes=block_bytes, lone_return=False):
            block = scanner.read(text)
            yield block if timeline is None else replace(block, time_ns=timeline.place(block.time_ns))


def _counts_from_last(head: bytes) -> bool:
    """Whether stamps are deltas."""
    stamps = [
        line.time_ns for text in head.splitlines()[:_DELTA_LINES] if (line := parse_line(text)) and line.time_ns is not None
    ]
    back = sum(after < before for before, after in itertools.pairwise(stamps))
    return bool(stamps) and stamps[0] == 0 and back * 5 >= len(stamps) - 1 > 0


def _not_kept(bad_lines: int) -> dict[str, int]:
    return {"malformed_line": bad_lines - MOST_KEPT} if bad_lines > MOST_KEPT else {}


class _KernelReader:
    """Parses blocks of lines with the compiled kernel; carries bus names, line number and the last stamp."""

    def __init__(self, jit: Jit) -> None:
        self._scan = jit(scan_candump)
        self._bus_names = np.zeros((MAX_BUSES, BUS_NAME_BYTES), np.uint8)
        self._bus_sizes = np.zeros(MAX_BUSES, np.int64)
        self._carried = np.zeros(3, np.int64)
        """Last stamp, buses known, lines read."""

    def read(self, text: bytes) -> Block:
        buffer = np.frombuffer(text, np.uint8)
        most = int(np.count_nonzero(buffer == 10)) + 1
        time_ns, arena_offset = np.empty(most, np.int64), np.full(most, NO_ARENA, np.int64)
        bus, length, flags = np.empty(most, np.uint8), np.empty(most, np.uint8), np.empty(most, np.uint8)
        can_id, payload = np.empty(most, np.uint32), np.empty(most, np.uint64)
        arena = np.empty(len(text) // 2 + 1, np.uint8)
        bad = np.empty((most, 3), np.int64)
        frames, bad_lines, arena_used, timeless = self._scan(
            buffer, HEX_VALUE, self._bus_names, self._bus_sizes, self._carried,
            time_ns, bus, can_id, length, flags, payload, arena_offset, arena, bad,
        )  # fmt: skip
        return Block(
            buses=self._buses(),
            time_ns=time_ns[:frames],
            bus=bus[:frames],
            can_id=can_id[:frames],
            length=length[:frames],
            flags=flags[:frames],
            payload=payload[:frames],
            arena_offset=arena_offset[:frames],
            arena=arena[:arena_used].copy(),
            malformed=tuple(
                MalformedLine(line=line, content=text[start:end].rstrip(b"\r")[:KEPT_BYTES])
                for line, start, end in bad[: min(bad_lines, MOST_KEPT)].tolist()
            ),
            anomalies=_not_kept(bad_lines),
            timeless=int(timeless),
        )

    def _buses(self) -> tuple[str, ...]:
        known = range(int(self._carried[1]))
        return tuple(self._bus_names[i, : self._bus_sizes[i]].tobytes().decode("latin-1") for i in known)
