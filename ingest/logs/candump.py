"""candump recordings (Linux can-utils): the `-L` form and the terminal form, decided line by line.

    (1600279140.020108) can0 2A0#480087182102F900          -L; `##` with a flags digit for CAN FD, `#R` remote, ` T`/` R` direction
     (000.005001)  can0  18FEDF00   [8]  8A A0 28 7D        terminal; two length digits for CAN FD, `remote request`, ASCII column

Three digits are an 11-bit identifier, eight a 29-bit one (bit 29 set: an error frame). The stamp may be absent (`candump`
without `-t`) or a date (`-t A`, taken as UTC).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from domain.frames import NO_ARENA
from domain.ports import Jit, no_jit
from ingest.logs.candump_kernel import BUS_NAME_BYTES, HEX_VALUE, MAX_BUSES, scan_candump
from ingest.logs.candump_lines import LineReader, parse_line
from ingest.logs.log_format import Block, ByteStream, MalformedLine

_SNIFF_LINES = 200


class Candump:
    """The format `ingest.logs.open_log` knows as candump."""

    name = "candump"

    def recognises(self, head: bytes) -> bool:
        """One good frame among the first lines is enough: recordings begin with terminal greetings and cut lines."""
        return any(parse_line(line) is not None for line in head.splitlines()[:_SNIFF_LINES])

    def blocks(self, stream: ByteStream, *, block_bytes: int, jit: Jit) -> Iterator[Block]:
        """Frames of about `block_bytes` of text at a time, cut at line ends."""
        scanner = LineReader() if jit is no_jit else _KernelReader(jit)
        rest = b""
        while piece := stream.read(block_bytes):
            cut = piece.rfind(b"\n") + 1
            if cut:
                yield scanner.read(rest + piece[:cut])
                rest = piece[cut:]
            else:
                rest += piece
        if rest:
            yield scanner.read(rest)


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
        most = text.count(b"\n") + 1
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
                MalformedLine(line=int(line), content=text[start:end].rstrip(b"\r")) for line, start, end in bad[:bad_lines]
            ),
            timeless=int(timeless),
        )

    def _buses(self) -> tuple[str, ...]:
        known = range(int(self._carried[1]))
        return tuple(self._bus_names[i, : self._bus_sizes[i]].tobytes().decode("latin-1") for i in known)
