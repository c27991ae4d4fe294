"""Two ways to the same values: compiled kernels, and numpy alone where nothing can be compiled."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.ports import Jit
from ingest import columns, kernels
from ingest.signal_table import SignalTable

K = TypeVar("K", bound=np.generic)
_NO_VEHICLES, _NO_SOURCES = np.empty(0, np.int32), np.empty(0, np.int16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Frames of one book put in order of message, in the batch's order within each.

    Attributes:
        message: int32[n], message number of every frame of the batch, -1 none. count, short: int64[m] frames, and too short ones.
        start: int64[m], where each message's frames begin in the columns below.
    """

    message: NDArray[np.int32]
    count: NDArray[np.int64]
    short: NDArray[np.int64]
    start: NDArray[np.int64]
    frame: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    source: NDArray[np.int16]
    length: NDArray[np.uint8]
    payload: NDArray[np.uint64]


Decoded = Iterator[tuple[int, int, NDArray[np.float64], NDArray[np.bool_], int]]
"""(message number, first grouped frame, values, valid, values not available) of each message that occurs and is decoded."""


class NumpyBackend:
    """Groups and decodes with numpy alone."""

    def group(self, frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], table: SignalTable) -> Grouped:
        """Frames of the table's messages, grouped."""
        message = columns.match_frames(frames, vehicle_ok, bus_ok, table)
        total = len(table.layouts)
        matched = message[message >= 0]
        count = np.bincount(matched, minlength=total).astype(np.int64)
        too_short = frames.length[message >= 0] < table.min_bytes[matched]
        frame = np.argsort(message, kind="stable")[len(message) - len(matched) :].astype(np.int64)
        by_pgn = table.by_pgn[message[frame]]
        return Grouped(
            message=message,
            count=count,
            short=np.bincount(matched[too_short], minlength=total).astype(np.int64),
            start=np.cumsum(count) - count,
            frame=frame,
            time_ns=frames.time_ns[frame],
            vehicle=frames.vehicle[frame],
            source=np.where(by_pgn, frames.can_id[frame] & np.uint32(0xFF), -1).astype(np.int16),
            length=frames.length[frame],
            payload=frames.payload[frame],
        )

    def decode(self, frames: FrameBatch, grouped: Grouped, table: SignalTable, *, limited: bool) -> Decoded:
        """Every message that occurs."""
        for number in np.flatnonzero(grouped.count):
            layout = table.layouts[number]
            if layout.shown:
                start, count = int(grouped.start[number]), int(grouped.count[number])
                rows = grouped.frame[start : start + count]
                values, valid, unavailable = columns.decode_message(layout, frames, rows, limited=limited)
                yield int(number), start, values, valid, unavailable


class KernelBackend:
    """Groups and decodes with compiled kernels; messages that they leave out go through numpy."""

    def __init__(self, jit: Jit) -> None:
        self._match = jit(kernels.match_frames)
        self._group = jit(kernels.group_frames)
        self._decode = jit(kernels.decode_messages)
        self._buffers = _Buffers()

    def group(self, frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], table: SignalTable) -> Grouped:
        """Frames of the table's messages, grouped."""
        size, total = len(frames), len(table.layouts)
        message = self._buffers.take("message", size, np.int32)
        count, short = np.zeros(total, np.int64), np.zeros(total, np.int64)
        self._match(
            frames.can_id, frames.length, frames.flags, frames.vehicle, frames.bus, vehicle_ok, bus_ok, table.standard,
            table.extended.slots, table.extended.slot_messages, table.groups.slots, table.groups.slot_messages,
            table.masked, table.min_bytes, message, count, short,
        )  # fmt: skip
        known = int(count.sum())
        start = np.cumsum(count) - count
        many, j1939 = len(frames.vehicles) > 1, bool(table.by_pgn.any())
        grouped = Grouped(
            message=message,
            count=count,
            short=short,
            start=start,
            frame=self._buffers.take("frame", known, np.int64),
            time_ns=self._buffers.take("time_ns", known, np.int64),
            vehicle=self._buffers.take("vehicle", known, np.int32) if many else np.broadcast_to(np.int32(0), known),
            source=self._buffers.take("source", known, np.int16) if j1939 else np.broadcast_to(np.int16(-1), known),
            length=self._buffers.take("length", known, np.uint8),
            payload=self._buffers.take("payload", known, np.uint64),
        )
        self._group(
            message, start.copy(), table.by_pgn, frames.time_ns, frames.vehicle, frames.can_id, frames.length, frames.payload,
            many, j1939, grouped.frame, grouped.time_ns, grouped.vehicle if many else _NO_VEHICLES,
            grouped.source if j1939 else _NO_SOURCES, grouped.length, grouped.payload,
        )  # fmt: skip
        return grouped

    def decode(self, frames: FrameBatch, grouped: Grouped, table: SignalTable, *, limited: bool) -> Decoded:
        """Every message that occurs."""
        occurring = np.array([n for n in np.flatnonzero(grouped.count) if table.layouts[n].shown], np.int64)
        fast = occurring[table.fast[occurring]]
        count = grouped.count[fast]
        cells = (table.signal_start[fast + 1] - table.signal_start[fast]) * count
        certain = table.always_complete[fast] & (grouped.short[fast] == 0)
        value_start = np.cumsum(cells) - cells
        doubtful = np.where(certain, 0, cells)
        valid_start = np.where(certain, -1, np.cumsum(doubtful) - doubtful)
        values = self._buffers.take("values", int(cells.sum()), np.float64)
        valid = self._buffers.take("valid", int(doubtful.sum()), np.bool_)
        unavailable = np.zeros(len(table.layouts), np.int64)
        self._decode(
            fast, grouped.start[fast], count, value_start, valid_start, grouped.payload, grouped.length, table.signal_start,
            table.row, table.up, table.down, table.big_endian, table.signed, table.narrow, table.scale, table.offset,
            table.parent, table.end_bit, table.raw_max, limited, table.range_start, table.ranges, values, valid, unavailable,
        )  # fmt: skip
        place = {int(number): j for j, number in enumerate(fast)}
        all_valid = np.broadcast_to(np.True_, (table.most_signals, int(grouped.count.max(initial=0))))
        for number in map(int, occurring):
            start, frames_of = int(grouped.start[number]), int(grouped.count[number])
            j = place.get(number)
            if j is None:
                rows = grouped.frame[start : start + frames_of]
                yield (number, start, *columns.decode_message(table.layouts[number], frames, rows, limited=limited))
                continue
            shape = (-1, frames_of)
            matrix = values[value_start[j] : value_start[j] + cells[j]].reshape(shape)
            if certain[j]:
                yield number, start, matrix, all_valid[: len(matrix), :frames_of], 0
            else:
                here = valid[valid_start[j] : valid_start[j] + cells[j]].reshape(shape)
                yield number, start, matrix, here, int(unavailable[number])


class _Buffers:
    """Arrays used again once no view of them is left: fresh pages cost more than the decoding that fills them."""

    _KEPT = 3
    _IDLE_REFERENCES = 3
    """Of an array that only the list holds, as `getrefcount` sees it: the list, the local name, its own argument."""

    def __init__(self) -> None:
        self._arrays: dict[str, list[NDArray[Any]]] = {}

    def take(self, name: str, size: int, kind: type[K]) -> NDArray[K]:
        """An uninitialised array of `size`, of a kind that is always the same for `name`."""
        kept = self._arrays.setdefault(name, [])
        for number in range(len(kept)):
            array = kept[number]
            if sys.getrefcount(array) <= self._IDLE_REFERENCES:
                if array.size >= size:
                    return array[:size]
                del kept[number]
                break
        fresh = np.empty(max(size, 1), kind)
        if len(kept) < self._KEPT:
            kept.append(fresh)
        return fresh[:size]
