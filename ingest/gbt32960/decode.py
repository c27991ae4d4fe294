"""Packets of a batch -> signal groups, many packets at a time: numbers are taken from the arena with a few passes per field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, FrameFlag
from domain.signals import SignalGroup, SignalLabels
from ingest.gbt32960.groups import LIST_PRIORITY, PRIORITY, Floats, Rows, labels_of, signal_group, unsigned
from ingest.gbt32960.layout import Condition, Field, Part, dialects
from ingest.gbt32960.lists import list_groups
from ingest.gbt32960.packet import COMMAND, HEADER_BYTES, PLAIN, Command, is_truck
from ingest.gbt32960.rows import BUSES, TRUCK_BUS
from ingest.gbt32960.walk import Finds, Problem, data_begins, has_collection_times, walk

CUSTOM_UNIT = "custom_unit"
_DATA_COMMANDS = (Command.REALTIME, Command.REISSUE)


def walk_packets(frames: FrameBatch, anomalies: Counter[tuple[str, str]]) -> tuple[Finds, ...]:
    """What every packet of these protocols holds, by dialect (its rows are the batch's); what was odd is counted by (protocol, kind)."""
    ours = np.array([name in BUSES for name in frames.buses] or [False], np.bool_)
    rows = np.flatnonzero((frames.flags & np.uint8(FrameFlag.PACKET) != 0) & ours[frames.bus]).astype(np.int64)
    finds: dict[str, Finds] = {}
    if len(rows):
        data = np.ascontiguousarray(frames.arena).data
        columns = (rows, frames.arena_offset[rows], frames.payload[rows].astype(np.int64), frames.bus[rows])
        for row, start, size, bus in zip(*(column.tolist() for column in columns), strict=True):
            problem = _walk_one(data, row, start, size, frames.buses[bus], finds)
            if problem is not None:
                anomalies[frames.buses[bus], problem] += 1
    for found in finds.values():
        if found.custom:
            anomalies[found.dialect.prefix, CUSTOM_UNIT] += found.custom
    return tuple(finds.values())


def walk_packet(packet: bytes, bus: str) -> Finds | None:
    """What one packet holds, None where it holds no vehicle's data."""
    finds: dict[str, Finds] = {}
    _walk_one(packet, 0, 0, len(packet), bus, finds)
    return next(iter(finds.values()), None)


def _walk_one(data: bytes | memoryview, row: int, start: int, size: int, bus: str, finds: dict[str, Finds]) -> Problem | None:
    end = start + size - 1
    if start < 0 or size <= HEADER_BYTES or start + size > len(data):
        return Problem.TRUNCATED_UNIT
    if data[start + 2] not in _DATA_COMMANDS:
        return None
    truck_header = is_truck(data, start)
    if not truck_header and data[start + 3] != COMMAND:
        return None  # the platform's answer to such a packet
    if data[start + 21] != PLAIN:
        return Problem.ENCRYPTED
    dialect = "hj1239" if truck_header or bus == TRUCK_BUS else "2016" if data[start] == 0x23 else "2025"
    at = start + data_begins(dialect)
    if at >= end:
        return Problem.NO_DATA
    found = finds.get(dialect)
    if found is None:
        found = finds[dialect] = Finds(dialects()[dialect])
    timed = dialect == "hj1239" and has_collection_times(data, at, end)
    return walk(data, at, end, row, found, collection_times=timed)


def packet_groups(
    frames: FrameBatch, anomalies: Counter[tuple[str, str]], *, wanted: frozenset[str] | None = None
) -> Iterator[SignalGroup]:
    """The signals of every packet of the batch, one group for each kind of data (and motor, stack or pack).

    Args:
        frames: any batch. anomalies: gets what was odd, by (protocol or dialect, kind).
        wanted: only groups that give one of these VSS paths; None = all, and every single cell and probe.
    """
    for found in walk_packets(frames, anomalies):
        for part, rows, at in zip(found.dialect.parts, found.part_rows, found.part_at, strict=True):
            paths = {field.path for field in part.shown if field.path}
            if rows and part.shown and (wanted is None or paths & wanted):
                yield from _part_groups(frames, found.dialect.name, part, np.array(rows, np.int64), np.array(at, np.int64))
        for numbers in found.dialect.lists:
            if found.list_rows[numbers.index] and (wanted is None or {path for _, path in numbers.paths} & wanted):
                yield from list_groups(frames, numbers, found, each=wanted is None)


def _part_groups(frames: FrameBatch, dialect: str, part: Part, rows: Rows, at: Rows) -> Iterator[SignalGroup]:
    content = frames.arena[at[:, np.newaxis] + np.arange(part.size)]
    raw = {field.name: unsigned(content, field.offset_bytes, field.width) for field in part.sent}
    values = np.empty((len(part.shown), len(rows)))
    valid = np.empty((len(part.shown), len(rows)), np.bool_)
    for number, field in enumerate(part.shown):
        values[number], valid[number] = _physical(field, raw)
    values[~valid] = np.nan
    if not part.is_numbered:
        yield signal_group(frames, _part_labels(dialect, part.index, -1), rows, values, valid)
        return
    for item in np.unique(raw["Number"]).tolist():
        mine = np.flatnonzero(raw["Number"] == item)
        yield signal_group(frames, _part_labels(dialect, part.index, item), rows[mine], values[:, mine], valid[:, mine])


def _physical(field: Field, raw: dict[str, NDArray[np.int64]]) -> tuple[Floats, NDArray[np.bool_]]:
    """Values and which of them are: neither abnormal nor invalid, and where their condition holds."""
    number = raw[field.of]
    valid = number < field.sentinel
    if field.mask:
        number = number & field.mask
    if field.mapping:
        values = np.full(len(number), np.nan)
        for key, value in field.mapping:
            values[number == key] = value
        valid = valid & ~np.isnan(values)
    else:
        values = (number * field.numerator + field.shift) / field.denominator
    if field.when is not None:
        valid = valid & _holds(field.when, raw)
    if field.negative is not None:
        values = np.where(_holds(field.negative, raw), -values, values)
    return values, valid


def _holds(condition: Condition, raw: dict[str, NDArray[np.int64]]) -> NDArray[np.bool_]:
    number = raw[condition.field]
    return np.asarray(number < condition.below if condition.below else (number & condition.mask) == condition.value)


@cache
def _part_labels(dialect: str, index: int, item: int) -> SignalLabels:
    """What a part's columns are called; `item`: number of the motor, stack or pack, -1 where the part is not of one.

    The first motor counts for a VSS name; the others come in where it is silent.
    """
    part = dialects()[dialect].parts[index]
    return labels_of(
        dialect,
        part.message if item < 0 else f"{part.message}{item}",
        names=tuple(field.name for field in part.shown),
        paths=tuple(field.path or None for field in part.shown),
        units=tuple(field.unit for field in part.shown),
        priority=PRIORITY + min(max(item - 1, 0), LIST_PRIORITY - PRIORITY - 1),
    )
