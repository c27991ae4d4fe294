"""Two ways to the same values: compiled kernels, and numpy alone where nothing can be compiled."""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.ports import Jit
from ingest import columns, judge_kernel, kernels
from ingest.decoded import DecodedBook, Grouped, places
from ingest.signal_table import Form, SignalTable

K = TypeVar("K", bound=np.generic)
_NO_RAW, _NO_VALUES = np.empty(0, np.uint8), np.empty(0)
Decoded = tuple[DecodedBook, dict[int, int]]
"""(what was decoded, values not available by message number)"""


class NumpyBackend:
    """Groups and decodes with numpy alone."""

    def group(self, frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], table: SignalTable) -> Grouped:
        """Frames of the table's messages, grouped."""
        message = columns.match_frames(frames, vehicle_ok, bus_ok, table.ids)
        total = len(table.layouts)
        count = np.bincount(message, minlength=total + 1).astype(np.int64)
        order = np.argsort(message, kind="stable").astype(np.int64)
        too_short = frames.length < np.append(table.messages["min_bytes"], 0)[message]
        return Grouped(
            message=message,
            count=count,
            short=np.bincount(message[too_short], minlength=total).astype(np.int64),
            first=np.cumsum(count) - count,
            order=order,
            words=frames.payload[order],
        )

    def decode(self, frames: FrameBatch, grouped: Grouped, table: SignalTable, *, limited: bool) -> Decoded:
        """Every message that occurs."""
        room = places(grouped, table, kernels.place_messages)
        book = DecodedBook(
            frames=frames,
            table=table,
            grouped=grouped,
            places=room,
            raw_columns=np.empty(room.raw_bytes, np.uint8),
            valid_cells=np.empty(room.valid_cells, np.bool_),
            engine=self,
        )
        self.read_raw(book, room.doubtful)
        return book, _judge_by_numpy(book, room.doubtful, limited=limited)

    def read_raw(self, book: DecodedBook, numbers: NDArray[np.int64]) -> None:
        """Fill the raw columns of these messages."""
        _read_by_numpy(book, numbers)

    def values(self, book: DecodedBook) -> NDArray[np.float64]:
        """The value matrices of all messages that occur."""
        values = np.empty(book.places.cells)
        _values_by_numpy(book, values, all_signals=True)
        return values


def _read_by_numpy(book: DecodedBook, numbers: NDArray[np.int64]) -> None:
    for number in numbers.tolist():
        chosen = book.frames.take(book.frame(number))
        for signal in book.table.layouts[number].signals:
            if signal.form is not Form.OBJECT:
                book.column(number, signal.row)[:] = columns.raw_values(signal, chosen)


def _judge_by_numpy(book: DecodedBook, numbers: NDArray[np.int64], *, limited: bool) -> dict[int, int]:
    unavailable: dict[int, int] = {}
    for number in numbers.tolist():
        length = book.frames.length[book.frame(number)]
        raw_of = partial(book.column, number)
        layout = book.table.layouts[number]
        book.valid(number)[:], unavailable[number] = columns.present_values(layout, raw_of, length, limited=limited)
    return unavailable


def _values_by_numpy(book: DecodedBook, values: NDArray[np.float64], *, all_signals: bool) -> None:
    for number in book.places.occurring.tolist():
        layout, begin, size = book.table.layouts[number], int(book.places.value[number]), book.count[number]
        for signal in layout.signals:
            if all_signals or signal.by_hand or not layout.fast:
                values[begin + signal.row * size :][:size] = book.value_row(number, signal.row)


class KernelBackend:
    """Groups and decodes with compiled kernels; messages that they leave out go through numpy."""

    def __init__(self, jit: Jit) -> None:
        self._group = jit(kernels.group_frames)
        self._place = jit(kernels.place_messages)
        self._read = jit(kernels.read_signals)
        self._judge = jit(judge_kernel.judge)
        self._buffers = _Buffers()

    def group(self, frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], table: SignalTable) -> Grouped:
        """Frames of the table's messages, grouped."""
        size, total = len(frames), len(table.layouts)
        message = self._buffers.take("message", size, np.int32)
        order = self._buffers.take("order", size, np.int64)
        words = self._buffers.take("words", size, np.uint64)
        count, short = np.zeros(total + 1, np.int64), np.zeros(total, np.int64)
        everybody = bool(vehicle_ok.all() and bus_ok.all())
        ids = table.ids
        self._group(
            frames.can_id, frames.length, frames.flags, frames.vehicle, frames.bus, vehicle_ok, bus_ok, everybody, ids.standard,
            ids.extended.slots, ids.extended.slot_messages, ids.groups.slots, ids.groups.slot_messages, ids.masked,
            table.messages, message, count, short, order, frames.payload, words,
        )  # fmt: skip
        return Grouped(message=message, count=count, short=short, first=count.cumsum() - count, order=order, words=words)

    def decode(self, frames: FrameBatch, grouped: Grouped, table: SignalTable, *, limited: bool) -> Decoded:
        """Every message that occurs."""
        room = places(grouped, table, self._place)
        book = DecodedBook(
            frames=frames,
            table=table,
            grouped=grouped,
            places=room,
            raw_columns=self._buffers.take("raw", room.raw_bytes, np.uint8),
            valid_cells=self._buffers.take("valid", room.valid_cells, np.bool_),
            engine=self,
        )
        return book, self._judged(book, limited=limited) if len(room.doubtful) else {}

    def _judged(self, book: DecodedBook, *, limited: bool) -> dict[int, int]:
        table, grouped, room = book.table, book.grouped, book.places
        self.read_raw(book, room.doubtful)
        fast, slow = _parted(table, room.doubtful)
        unavailable = np.zeros(len(table.layouts), np.int64)
        self._judge(
            fast, grouped.first, grouped.count, grouped.short, room.raw, room.valid, grouped.order, book.frames.length, table.messages,
            table.signals, table.ranges, limited, book.raw_columns, book.valid_cells, unavailable,
        )  # fmt: skip
        return {number: int(unavailable[number]) for number in fast.tolist()} | _judge_by_numpy(book, slow, limited=limited)

    def read_raw(self, book: DecodedBook, numbers: NDArray[np.int64]) -> None:
        """Fill the raw columns of these messages."""
        fast, slow = _parted(book.table, numbers)
        self._run(book, fast, raw=book.raw_columns)
        _read_by_numpy(book, slow)

    def values(self, book: DecodedBook) -> NDArray[np.float64]:
        """The value matrices of all messages that occur."""
        values = self._buffers.take("values", book.places.cells, np.float64)
        fast, _ = _parted(book.table, book.places.occurring)
        self._run(book, fast, values=values)
        if not book.table.plain:
            _values_by_numpy(book, values, all_signals=False)
        return values

    def _run(
        self,
        book: DecodedBook,
        numbers: NDArray[np.int64],
        *,
        raw: NDArray[np.uint8] | None = None,
        values: NDArray[np.float64] | None = None,
    ) -> None:
        frames, table, grouped, room = book.frames, book.table, book.grouped, book.places
        self._read(
            numbers, grouped.first, grouped.count, room.raw, room.valid, room.value, grouped.order, grouped.words, frames.length,
            frames.arena_offset, frames.arena, table.messages, table.signals, book.valid_cells,
            raw is not None, _NO_RAW if raw is None else raw, values is not None, _NO_VALUES if values is None else values,
        )  # fmt: skip


def _parted(table: SignalTable, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(messages that the kernels read, the others)."""
    if table.plain:
        return numbers, numbers[:0]
    fast = table.messages["fast"][numbers]
    return numbers[fast], numbers[~fast]


class _Buffers:
    """Arrays used again once no view of them is left: fresh pages cost more than the decoding that fills them."""

    _KEPT = 3
    _IDLE_REFERENCES = 3
    """Of an array that only the list holds, as `getrefcount` sees it: the list, the local name, its own argument."""

    def __init__(self) -> None:
        self._arrays: dict[str, list[NDArray[Any]]] = {}
        # values may be asked for in another thread than the one that decodes
        self._lock = threading.Lock()

    def take(self, name: str, size: int, kind: type[K]) -> NDArray[K]:
        """An uninitialised array of `size`, of a kind that is always the same for `name`."""
        with self._lock:
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
