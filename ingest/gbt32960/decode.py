"""Packets of a batch -> signal groups, many packets at a time: numbers are taken from the arena with a few passes per field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, FrameFlag
from domain.signals import ReadyColumns, SignalGroup, SignalLabels
from ingest.gbt32960.layout import STATISTICS, Condition, Field, NumberList, Part, dialects
from ingest.gbt32960.packet import COMMAND, HEADER_BYTES, PLAIN, Command, is_truck
from ingest.gbt32960.rows import BUS, BUSES, TRUCK_BUS
from ingest.gbt32960.walk import Finds, Problem, data_begins, has_collection_times, walk

PRIORITY = 10
LIST_PRIORITY = 20
"""What the sender itself tells of its cells (the extremes unit of 2016) comes before what is found among the cells told."""
STALE_AFTER_NS = 60_000_000_000
"""The standards let a vehicle report every 30 s (GB/T 32960.3, 1 s with a severe alarm) or 10 s (GB 17691)."""
CUSTOM_UNIT = "custom_unit"
_DATA_COMMANDS = (Command.REALTIME, Command.REISSUE)
_WIDTHS = {1: ">u1", 2: ">u2", 4: ">u4"}

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


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
        wanted: only groups that give one of these VSS paths; None = all.
    """
    for found in walk_packets(frames, anomalies):
        for part, rows, at in zip(found.dialect.parts, found.part_rows, found.part_at, strict=True):
            paths = {field.path for field in part.shown if field.path}
            if rows and part.shown and (wanted is None or paths & wanted):
                yield from _part_groups(frames, found.dialect.name, part, np.array(rows, np.int64), np.array(at, np.int64))
        for numbers in found.dialect.lists:
            if found.list_rows[numbers.index] and (wanted is None or {path for _, path in numbers.paths} & wanted):
                yield _list_group(frames, numbers, found)


def _part_groups(frames: FrameBatch, dialect: str, part: Part, rows: Rows, at: Rows) -> Iterator[SignalGroup]:
    content = frames.arena[at[:, np.newaxis] + np.arange(part.size)]
    raw = {field.name: _unsigned(content, field.offset_bytes, field.width) for field in part.sent}
    values = np.empty((len(part.shown), len(rows)))
    valid = np.empty((len(part.shown), len(rows)), np.bool_)
    for number, field in enumerate(part.shown):
        values[number], valid[number] = _physical(field, raw)
    values[~valid] = np.nan
    if not part.is_numbered:
        yield _signal_group(frames, _part_labels(dialect, part.index, -1), rows, values, valid)
        return
    for item in np.unique(raw["Number"]).tolist():
        mine = np.flatnonzero(raw["Number"] == item)
        yield _signal_group(frames, _part_labels(dialect, part.index, item), rows[mine], values[:, mine], valid[:, mine])


def _unsigned(content: NDArray[np.uint8], offset_bytes: int, width: int) -> NDArray[np.int64]:
    piece = np.ascontiguousarray(content[:, offset_bytes : offset_bytes + width])
    return piece.view(_WIDTHS[width])[:, 0].astype(np.int64)


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


def _list_group(frames: FrameBatch, numbers: NumberList, found: Finds) -> SignalGroup:
    """Figures over all numbers that one vehicle told for one time: cells may come in several packets and from several packs."""
    rows = np.array(found.list_rows[numbers.index], np.int64)
    at = np.array(found.list_at[numbers.index], np.int64)
    counts = np.array(found.list_counts[numbers.index], np.int64)
    order = np.lexsort((rows, frames.time_ns[rows], frames.vehicle[rows]))
    rows, at, counts = rows[order], at[order], counts[order]
    first = _first_numbers(frames, numbers, found)[order]
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = (np.diff(frames.time_ns[rows]) != 0) | (np.diff(frames.vehicle[rows]) != 0)
    starts = np.flatnonzero(fresh)
    ends = np.append(starts[1:], len(rows))
    begins = np.cumsum(counts) - counts
    within = np.arange(int(counts.sum())) - np.repeat(begins, counts)
    values, valid = _elements(frames, numbers, np.repeat(at, counts) + within * numbers.width)
    figures = _figures(values, valid, np.repeat(first, counts) + within, begins[starts])
    labels = _list_labels(found.dialect.name, numbers.index)
    return _signal_group(frames, labels, rows[ends - 1], figures, np.isfinite(figures))


def _first_numbers(frames: FrameBatch, numbers: NumberList, found: Finds) -> Rows:
    """The number of the first cell of each list: told by the 2016 edition, else 1."""
    count = len(found.list_rows[numbers.index])
    part = found.dialect.parts[numbers.part] if numbers.part >= 0 else None
    field = next((f for f in part.sent if f.name == "First"), None) if part is not None else None
    if part is None or field is None:
        return np.ones(count, np.int64)
    at = np.array(found.part_at[part.index], np.int64)[np.array(found.list_parts[numbers.index], np.int64)]
    return _unsigned(frames.arena[at[:, np.newaxis] + np.arange(part.size)], field.offset_bytes, field.width)


def _elements(frames: FrameBatch, numbers: NumberList, at: Rows) -> tuple[Floats, NDArray[np.bool_]]:
    raw = frames.arena[at].astype(np.int64)
    if numbers.width == 2:
        raw = raw << 8 | frames.arena[at + 1]
    valid = raw < (1 << 8 * numbers.width) - 2
    values: Floats = (raw.astype(np.float64) * numbers.numerator + numbers.shift) / numbers.denominator
    return values, valid


def _figures(values: Floats, valid: NDArray[np.bool_], number: Rows, starts: Rows) -> Floats:
    """float64[len(STATISTICS), n] over each run that begins at `starts`; NaN where no number of a run is valid."""
    sizes = np.diff(np.append(starts, len(values)))
    count = np.add.reduceat(valid.astype(np.int64), starts)
    least = np.minimum.reduceat(np.where(valid, values, np.inf), starts)
    greatest = np.maximum.reduceat(np.where(valid, values, -np.inf), starts)
    total = np.add.reduceat(np.where(valid, values, 0.0), starts)
    far = np.iinfo(np.int64).max
    is_least = valid & (values == np.repeat(least, sizes))
    is_greatest = valid & (values == np.repeat(greatest, sizes))
    figures = np.stack(
        (
            least,
            greatest,
            total / np.maximum(count, 1),
            np.minimum.reduceat(np.where(is_least, number, far), starts).astype(np.float64),
            np.minimum.reduceat(np.where(is_greatest, number, far), starts).astype(np.float64),
            count.astype(np.float64),
        )
    )
    figures[:, count == 0] = np.nan
    return figures


def _signal_group(frames: FrameBatch, labels: SignalLabels, rows: Rows, values: Floats, valid: NDArray[np.bool_]) -> SignalGroup:
    columns = ReadyColumns(
        frame=rows,
        time_ns=frames.time_ns[rows],
        vehicle=frames.vehicle[rows],
        source=np.full(len(rows), -1, np.int16),
        values=values,
        valid=valid,
    )
    return SignalGroup(labels=labels, columns=columns)


@cache
def _part_labels(dialect: str, index: int, item: int) -> SignalLabels:
    """What a part's columns are called; `item`: number of the motor, stack or pack, -1 where the part is not of one.

    The first motor counts for a VSS name; the others come in where it is silent.
    """
    part = dialects()[dialect].parts[index]
    return _labels(
        dialect,
        part.message if item < 0 else f"{part.message}{item}",
        names=tuple(field.name for field in part.shown),
        paths=tuple(field.path or None for field in part.shown),
        units=tuple(field.unit for field in part.shown),
        priority=PRIORITY + min(max(item - 1, 0), LIST_PRIORITY - PRIORITY - 1),
    )


@cache
def _list_labels(dialect: str, index: int) -> SignalLabels:
    numbers = dialects()[dialect].lists[index]
    paths = dict(numbers.paths)
    return _labels(
        dialect,
        numbers.message,
        names=STATISTICS,
        paths=tuple(paths.get(name) for name in STATISTICS),
        units=tuple("" if name.startswith(("Id", "Count")) else numbers.unit for name in STATISTICS),
        priority=LIST_PRIORITY,
    )


def _labels(
    dialect: str, message: str, *, names: tuple[str, ...], paths: tuple[str | None, ...], units: tuple[str, ...], priority: int
) -> SignalLabels:
    return SignalLabels(
        message=message,
        bus=TRUCK_BUS if dialect == "hj1239" else BUS,
        profile="device",
        names=names,
        paths=paths,
        units=units,
        priority=np.full(len(names), priority, np.uint8),
        stale_after_ns=np.full(len(names), STALE_AFTER_NS, np.int64),
    )
