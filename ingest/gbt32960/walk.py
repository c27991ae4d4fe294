"""Walks over the data units of packets and notes where everything lies; what it says is read later, for many packets at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from ingest.gbt32960.layout import CodeSection, Dialect, NumberList, Part, dialects
from ingest.gbt32960.packet import HEADER_BYTES, TIME_BYTES, utc_ns

_PART, _LIST, _CODES = range(3)
_NO_COUNT = {1: 0xFE, 2: 0xFFFE}
"""Counts from this on mean that there is no list (abnormal, invalid)."""
_CUSTOM = range(0x80, 0xFF)
_SERIAL_BYTES = 2
"""After the time of a truck's packet: its serial number."""
_YEARS = range(15, 100)
"""Plausible years of a collection time: before 2015 there were no such packets."""

Bytes = bytes | memoryview


class Problem(StrEnum):
    """Why a packet's units were read only in part, or not at all; the names of counted anomalies."""

    UNKNOWN_UNIT = "unknown_unit"
    TRUNCATED_UNIT = "truncated_unit"
    ENCRYPTED = "encrypted_packet"
    NO_DATA = "no_data"


@dataclass(slots=True)
class Codes:
    """One list of codes of a packet: `section` it belongs to, where its first code lies, how many (-1: not told)."""

    row: int
    section: CodeSection
    at: int
    count: int


@dataclass(slots=True)
class Finds:
    """Where the parts, lists and codes of many packets lie, each as columns; `row` is the caller's number of the packet."""

    dialect: Dialect
    part_rows: list[list[int]] = field(init=False)
    part_at: list[list[int]] = field(init=False)
    list_rows: list[list[int]] = field(init=False)
    list_at: list[list[int]] = field(init=False)
    list_counts: list[list[int]] = field(init=False)
    list_parts: list[list[int]] = field(init=False)
    """Which occurrence of its part a list stands behind."""
    codes: list[Codes] = field(default_factory=list)
    custom: int = 0

    def __post_init__(self) -> None:
        self.part_rows = [[] for _ in self.dialect.parts]
        self.part_at = [[] for _ in self.dialect.parts]
        self.list_rows = [[] for _ in self.dialect.lists]
        self.list_at = [[] for _ in self.dialect.lists]
        self.list_counts = [[] for _ in self.dialect.lists]
        self.list_parts = [[] for _ in self.dialect.lists]


_Step = tuple[int, int, int, int, CodeSection | None]
"""(kind, index of the part or list, bytes of the part or of one number, bytes of the count, section)."""
_Plan = dict[int, tuple[int, tuple[_Step, ...]]]


@cache
def _plan(name: str) -> _Plan:
    return {unit.id: (unit.count_bytes, tuple(map(_step, unit.segments))) for unit in dialects()[name].units.values()}


def _step(segment: Part | NumberList | CodeSection) -> _Step:
    if isinstance(segment, Part):
        return _PART, segment.index, segment.size, 0, None
    if isinstance(segment, NumberList):
        return _LIST, segment.index, segment.width, segment.count_bytes, None
    return _CODES, 0, segment.width, segment.count_bytes, segment


def walk(data: Bytes, at: int, end: int, row: int, finds: Finds, *, collection_times: bool = False) -> Problem | None:
    """Note the units in data[at:end], in whatever order they come; None, or why not all of them could be read.

    Units before one that is damaged or unknown are noted all the same.
    """
    plan = _plan(finds.dialect.name)
    ahead = 1 + TIME_BYTES if collection_times else 1
    while at < end:
        unit = plan.get(data[at])
        if unit is not None:
            at = _unit(data, at + ahead, end, row, unit, finds)
            if at < 0:
                return Problem.TRUNCATED_UNIT
        elif data[at] in _CUSTOM and finds.dialect.name != "hj1239":
            if at + 3 > end or (after := at + 3 + (data[at + 1] << 8 | data[at + 2])) > end:
                return Problem.TRUNCATED_UNIT
            finds.custom += 1
            at = after
        elif finds.dialect.name == "hj1239" and _is_signature(data, at, end):
            return None
        else:
            return Problem.UNKNOWN_UNIT
    return None


def _unit(data: Bytes, at: int, end: int, row: int, unit: tuple[int, tuple[_Step, ...]], finds: Finds) -> int:
    """Note one unit whose content begins at `at`; gives where the next one begins, -1 where this one is cut."""
    count_bytes, steps = unit
    items = 1
    if count_bytes:
        if at >= end:
            return -1
        items = data[at]
        at += 1
        if items >= _NO_COUNT[1]:
            return at
    for _ in range(items):
        for kind, index, size, counted, section in steps:
            if kind == _PART:
                if at + size > end:
                    return -1
                finds.part_rows[index].append(row)
                finds.part_at[index].append(at)
                at += size
                continue
            if at + counted > end:
                return -1
            count = data[at] if counted == 1 else data[at] << 8 | data[at + 1]
            at += counted
            told = count < _NO_COUNT[counted]
            size = count * size if told else 0
            if at + size > end:
                return -1
            if section is not None:
                finds.codes.append(Codes(row, section, at, count if told else -1))
            elif told and count:
                finds.list_rows[index].append(row)
                finds.list_at[index].append(at)
                finds.list_counts[index].append(count)
                finds.list_parts[index].append(len(finds.part_at[finds.dialect.lists[index].part]) - 1)
            at += size
    return at


def truck_units(packet: Bytes) -> tuple[list[tuple[int, int]], bool]:
    """(start, end) of every unit of a truck's packet that can be told, and whether units have collection times (HJ 1239)."""
    begin, end = HEADER_BYTES + TIME_BYTES + _SERIAL_BYTES, len(packet) - 1
    is_timed = has_collection_times(packet, begin, end)
    plan, at, units = _plan("hj1239"), begin, []
    finds = Finds(dialects()["hj1239"])
    while at < end and (unit := plan.get(packet[at])) is not None:
        after = _unit(packet, at + (1 + TIME_BYTES if is_timed else 1), end, 0, unit, finds)
        if after < 0:
            break
        units.append((at, after))
        at = after
    return units, is_timed


def has_collection_times(data: Bytes, at: int, end: int) -> bool:
    """Whether the first unit begins with a time: HJ 1239 has one there, GB 17691 and the cities' standards have none.

    Where there is none, these bytes hold a protocol number below 15 (OBD) or an air pressure above 15 kPa (engine), which no date has.
    """
    return at + 1 + TIME_BYTES <= end and data[at + 1] in _YEARS and utc_ns(data, at + 1) is not None


def _is_signature(data: Bytes, at: int, end: int) -> bool:
    """Length and value of R, then of S, to the very end (HJ 1239.3)."""
    second = at + 1 + data[at]
    return second < end and second + 1 + data[second] == end


def data_begins(dialect: str) -> int:
    """Bytes before the first unit of a packet."""
    return HEADER_BYTES + TIME_BYTES + (_SERIAL_BYTES if dialect == "hj1239" else 0)
