"""candump lines one at a time, in plain Python: the reference for the kernel, and the fallback where none can be compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from domain.frames import EXTENDED_ID, NO_ARENA, FrameFlag
from ingest.logs.candump_kernel import BUS_NAME_BYTES, FIRST_YEAR, LAST_YEAR, MAX_BUSES, MAX_STAMP_NS
from ingest.logs.line_cutter import KEPT_BYTES, MAX_LINE_BYTES, MOST_KEPT
from ingest.logs.log_format import Block, MalformedLine

_LINE = re.compile(
    rb"[ \t]*"
    rb"(?:\([ \t]*(?:(?P<sign>-?)(?P<seconds>\d{1,10})|(?P<date>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d))(?:\.(?P<fraction>\d*))?\)[ \t]*)?"
    rb"(?P<bus>(?!\()[^ \t]{1,%d})[ \t]+"
    rb"(?:(?P<way>[RT]X)[ \t]+[^ \t][ \t]+[^ \t][ \t]+)?"
    rb"(?P<id>[0-9A-Fa-f]{1,8})"
    rb"(?:#(?:(?P<remote>R)(?P<remote_length>[0-8]?)|(?:#(?P<fd>[0-9A-Fa-f]))?(?P<data>(?:[0-9A-Fa-f]{2})*))(?:[ \t]+(?P<direction>[RT]))?"
    rb"|[ \t]+\[(?P<length>\d{1,2})\](?P<spaced>(?:[ \t].*)?))" % BUS_NAME_BYTES,
    re.DOTALL,
)
_SPACED = [re.compile(rb"(?:[ \t]+[0-9A-Fa-f]{2}){%d}(?![^ \t])" % n) for n in range(65)]
_REMOTE = re.compile(rb"[ \t]+remote request(?![^ \t])")
_ERROR_BIT = 0x2000_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One frame as written; `time_ns` is None where the line has no stamp."""

    time_ns: int | None
    bus: bytes
    can_id: int
    length: int
    flags: int
    data: bytes


def parse_line(line: bytes) -> Line | None:
    """The frame on a line, None where there is none."""
    match = _LINE.fullmatch(line.rstrip(b" \t\r")) if len(line) <= MAX_LINE_BYTES else None
    if match is None:
        return None
    identifier = _identifier(match["id"])
    stamp = _stamp(match)
    body = _compact(match) if match["length"] is None else _terminal(match)
    if identifier is None or body is None or stamp is False:
        return None
    length, flags, data = body
    flags |= identifier[1] | (FrameFlag.TRANSMITTED if match["way"] == b"TX" else 0)
    time_ns = None if stamp is None else int(stamp)
    return Line(time_ns=time_ns, bus=match["bus"], can_id=identifier[0], length=length, flags=flags, data=data)


def _identifier(digits: bytes) -> tuple[int, int] | None:
    """(identifier with bit 31 for 29 bits, flags)."""
    value = int(digits, 16)
    if len(digits) == 8:
        if value >= 2 * _ERROR_BIT:
            return None
        return (value & ~_ERROR_BIT, int(FrameFlag.ERROR)) if value & _ERROR_BIT else (value | EXTENDED_ID, 0)
    if value <= 0x7FF:
        return value, 0
    return None if len(digits) <= 3 else (value | EXTENDED_ID, 0)


def _stamp(match: re.Match[bytes]) -> int | bool | None:
    """Nanoseconds, None without a stamp, False where the date does not exist."""
    fraction = int((match["fraction"] or b"")[:9].ljust(9, b"0"))
    if match["seconds"] is not None:
        whole = int(match["seconds"]) * 1_000_000_000 + fraction
        return False if whole > MAX_STAMP_NS else -whole if match["sign"] else whole
    if match["date"] is None:
        return None
    try:
        moment = datetime.strptime(match["date"].decode(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return False
    return int(moment.timestamp()) * 1_000_000_000 + fraction


def _compact(match: re.Match[bytes]) -> tuple[int, int, bytes] | None:
    """(length, flags, data) of the `-L` form."""
    flags = int(FrameFlag.TRANSMITTED) if match["direction"] == b"T" else 0
    if match["remote"]:
        return int(match["remote_length"] or b"0"), flags | FrameFlag.REMOTE, b""
    data = bytes.fromhex(match["data"].decode())
    if match["fd"]:
        flags |= FrameFlag.FD
    return (len(data), flags, data) if len(data) <= (64 if match["fd"] else 8) else None


def _terminal(match: re.Match[bytes]) -> tuple[int, int, bytes] | None:
    """(length, flags, data) of the terminal form."""
    length = int(match["length"])
    flags = int(FrameFlag.FD) if len(match["length"]) == 2 else 0
    if length > (64 if flags else 8):
        return None
    if _REMOTE.match(match["spaced"]):
        return length, flags | FrameFlag.REMOTE, b""
    data = _SPACED[length].match(match["spaced"])
    return None if data is None else (length, flags, bytes.fromhex(data[0].decode()))


class LineReader:
    """Parses blocks of lines; carries bus names, line number and the last stamp."""

    def __init__(self) -> None:
        self._buses: dict[bytes, int] = {}
        self._line = 0
        self._last_ns = 0

    def read(self, text: bytes) -> Block:
        """The frames of these lines."""
        rows: list[tuple[int, int, int, int, int, int, int]] = []
        malformed: list[MalformedLine] = []
        arena = bytearray()
        timeless = 0
        lines = text.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for content in lines:
            self._line += 1
            line = parse_line(content)
            if line is None or (line.bus not in self._buses and len(self._buses) == MAX_BUSES):
                if content.strip(b" \t\r"):
                    malformed.append(MalformedLine(line=self._line, content=content.rstrip(b"\r")[:KEPT_BYTES]))
                continue
            timeless += line.time_ns is None
            self._last_ns = self._last_ns if line.time_ns is None else line.time_ns
            bus = self._buses.setdefault(line.bus, len(self._buses))
            offset = NO_ARENA
            if len(line.data) > 8:
                offset = len(arena)
                arena += line.data
            payload = int.from_bytes(line.data[:8], "little")
            rows.append((self._last_ns, bus, line.can_id, line.length, line.flags, payload, offset))
        return self._block(rows, bytes(arena), tuple(malformed), timeless)

    def _block(
        self,
        rows: list[tuple[int, int, int, int, int, int, int]],
        arena: bytes,
        malformed: tuple[MalformedLine, ...],
        timeless: int,
    ) -> Block:
        time_ns, bus, can_id, length, flags, payload, offset = zip(*rows, strict=True) if rows else ((),) * 7
        return Block(
            buses=tuple(name.decode("latin-1") for name in self._buses),
            time_ns=np.array(time_ns, np.int64),
            bus=np.array(bus, np.uint8),
            can_id=np.array(can_id, np.uint32),
            length=np.array(length, np.uint8),
            flags=np.array(flags, np.uint8),
            payload=np.array(payload, np.uint64),
            arena_offset=np.array(offset, np.int64),
            arena=np.frombuffer(arena, np.uint8),
            malformed=malformed[:MOST_KEPT],
            anomalies={"malformed_line": len(malformed) - MOST_KEPT} if len(malformed) > MOST_KEPT else {},
            timeless=timeless,
        )
