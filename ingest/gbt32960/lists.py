"""Lists of numbers in packets (cell voltages, temperatures) -> their figures, and each number, without an object for any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.signals import SignalGroup, SignalLabels
from ingest.gbt32960.fields import STATISTICS
from ingest.gbt32960.groups import LIST_PRIORITY, Floats, Rows, labels_of, signal_group, unsigned
from ingest.gbt32960.layout import NumberList, dialects
from ingest.gbt32960.walk import Finds

MAX_NUMBERS = 1000
"""Cells or probes of a pack that become signals of their own; the greatest packs have about 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    """Lists of numbers, sorted by vehicle and time; `fresh` where one begins a new (vehicle, time).

    `first`: the number of the first cell of each. `pack`: the number of its pack, 0 where it has none.
    """

    rows: Rows
    at: Rows
    counts: Rows
    first: Rows
    pack: Rows
    fresh: NDArray[np.bool_]

    @staticmethod
    def of(frames: FrameBatch, numbers: NumberList, found: Finds) -> _Lists:
        rows = np.array(found.list_rows[numbers.index], np.int64)
        order = np.lexsort((rows, frames.time_ns[rows], frames.vehicle[rows]))
        rows = rows[order]
        fresh = np.ones(len(rows), np.bool_)
        fresh[1:] = (np.diff(frames.time_ns[rows]) != 0) | (np.diff(frames.vehicle[rows]) != 0)
        return _Lists(
            rows=rows,
            at=np.array(found.list_at[numbers.index], np.int64)[order],
            counts=np.array(found.list_counts[numbers.index], np.int64)[order],
            first=_told_before(frames, numbers, found, "First", 1)[order],
            pack=_told_before(frames, numbers, found, "Number", 0)[order],
            fresh=fresh,
        )

    def elements(self, frames: FrameBatch, numbers: NumberList) -> tuple[Floats, NDArray[np.bool_], Rows]:
        """(values, which are valid, number of the cell) of all lists, one after another."""
        within = np.arange(int(self.counts.sum())) - np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
        values, valid = _elements(frames, numbers, np.repeat(self.at, self.counts) + within * numbers.width)
        return values, valid, np.repeat(self.first, self.counts) + within


def list_groups(frames: FrameBatch, numbers: NumberList, found: Finds, *, each: bool) -> Iterator[SignalGroup]:
    """Figures over all numbers that one vehicle told for one time: cells may come in several packets and from several packs.

    `each`: and the numbers themselves, a group for each pack.
    """
    lists = _Lists.of(frames, numbers, found)
    elements = lists.elements(frames, numbers)
    starts = np.flatnonzero(lists.fresh)
    last = lists.rows[np.append(starts[1:], len(lists.rows)) - 1]
    begins = (np.cumsum(lists.counts) - lists.counts)[starts]
    figures = _figures(*elements, begins)
    yield signal_group(frames, _list_labels(found.dialect.name, numbers.index), last, figures, np.isfinite(figures))
    if each:
        yield from _number_groups(frames, numbers, found, lists, elements)


def _number_groups(
    frames: FrameBatch, numbers: NumberList, found: Finds, lists: _Lists, elements: tuple[Floats, NDArray[np.bool_], Rows]
) -> Iterator[SignalGroup]:
    """Every number of every pack; those past the most that a message may have are in the figures only."""
    values, valid, cell = elements
    reading = np.cumsum(lists.fresh) - 1
    pack_of, reading_of = np.repeat(lists.pack, lists.counts), np.repeat(reading, lists.counts)
    shown = valid & (cell >= 1) & (cell <= MAX_NUMBERS)
    for pack in np.unique(pack_of[shown]).tolist():
        mine = shown & (pack_of == pack)
        told, column = np.unique(reading_of[mine], return_inverse=True)
        matrix = np.full((int(cell[mine].max()), len(told)), np.nan)
        matrix[cell[mine] - 1, column] = values[mine]
        of_pack = lists.pack == pack
        last = np.zeros(int(reading[-1]) + 1, np.int64)
        last[reading[of_pack]] = lists.rows[of_pack]
        labels = _number_labels(found.dialect.name, numbers.index, pack, len(matrix))
        yield signal_group(frames, labels, last[told], matrix, np.isfinite(matrix))


def _told_before(frames: FrameBatch, numbers: NumberList, found: Finds, name: str, otherwise: int) -> Rows:
    """A field of the part before each list: the number of its pack, or (2016) of its first cell."""
    count = len(found.list_rows[numbers.index])
    part = found.dialect.parts[numbers.part] if numbers.part >= 0 else None
    field = next((f for f in part.sent if f.name == name), None) if part is not None else None
    if part is None or field is None:
        return np.full(count, otherwise, np.int64)
    at = np.array(found.part_at[part.index], np.int64)[np.array(found.list_parts[numbers.index], np.int64)]
    return unsigned(frames.arena[at[:, np.newaxis] + np.arange(part.size)], field.offset_bytes, field.width)


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


@cache
def _list_labels(dialect: str, index: int) -> SignalLabels:
    numbers = dialects()[dialect].lists[index]
    paths = dict(numbers.paths)
    return labels_of(
        dialect,
        numbers.message,
        names=STATISTICS,
        paths=tuple(paths.get(name) for name in STATISTICS),
        units=tuple("" if name.startswith(("Id", "Count")) else numbers.unit for name in STATISTICS),
        priority=LIST_PRIORITY,
    )


@lru_cache(maxsize=256)
def _number_labels(dialect: str, index: int, pack: int, count: int) -> SignalLabels:
    numbers = dialects()[dialect].lists[index]
    return labels_of(
        dialect,
        f"{numbers.message}{pack or ''}",
        names=tuple(f"No{number + 1:03}" for number in range(count)),
        paths=(None,) * count,
        units=(numbers.unit,) * count,
        priority=LIST_PRIORITY,
    )
