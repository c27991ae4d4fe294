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
from ingest import columns, group_kernel, judge_kernel, kernels
from ingest.decoded import DecodedBook, Grouped, places
from ingest.signal_table import Form, SignalTable

K = TypeVar("K", bound=np.generic)
_NO_RAW, _NO_VALUES, _NO_WORDS, _NOWHERE = np.empty(0, np.uint8), np.empty(0), np.empty(0, np.uint64), np.empty(0, np.int64)
Decoded = tuple[DecodedBook, dict[int, int]]
"""(what was decoded, values not available by message number)"""


class NumpyBackend:
    """Groups and decodes with numpy alone."""

    def group(self, frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], table: SignalTable) -> Grouped:
        """Frames of the table's messages, grouped."""
        message = columns.match_frames(frames, vehicle_ok, bus_ok, table.ids)
        total = len(table.layouts)
        too_short = frames.length < np.append(table.messages["min_bytes"], 0)[message]
        return Grouped(
            message=message,
            first=np.append(0, np.bincount(message, minlength=total + 1).cumsum()).astype(np.int64),
            short=np.bincount(message[too_short], minlength=total).astype(np.int64),
            order=np.argsort(message, kind="stable").astype(np.int64),
            words=_NO_WORDS,
            further=_NOWHERE,
        )

    def decode(self, frames: FrameBatch, grouped: Grouped, table: SignalTable, *, limited: bool) -> Decoded:
        """Every message that occurs."""
        room = places(grouped, table, kernels.place_messages, limited=limited)
        book = DecodedBook(
            frames=frames,
            table=table,
            grouped=grouped,
            places=room,
            limited=limited,
            raw_columns=np.empty(room.raw_bytes, np.uint8),
            valid_cells=np.empty(room.valid_cells, np.bool_),
            engine=self,
        )
        self.read_raw(book, room.doubtful)
        above = {number: _above_limits(book, number) for number in room.limited.tolist()}
        return book, above | _judge_by_numpy(book, room.doubtful)

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


def _above_limits(book: DecodedBook, number: int) -> int:
    layout = book.table.layouts[number]
    return sum(int(np.count_nonzero(columns.above_limit(signal, book.raw(number, signal.row)))) for signal in layout.signals)


def _judge_by_numpy(book: DecodedBook, numbers: NDArray[np.int64]) -> dict[int, int]:
    unavailable: dict[int, int] = {}
    for number in numbers.tolist():
        length = book.frames.length[book.frame(number)]
        raw_of = partial(book.column, number)
        layout = book.table.layouts[number]
        book.valid(number)[:], unavailable[number] = columns.present_values(layout, raw_of, length, limited=book.limited)
    return unavailable


def _values_by_numpy(book: DecodedBook, values: NDArray[np.float64], *, all_signals: bool) -> None:
    for number in book.places.occurring.tolist():
        layout, begin, size = book.table.layouts[number], int(book.places.value[number]), book.count(number)
        for signal in layout.signals:
            if all_signals or signal.by_hand or not layout.fast:
                values[begin + signal.row * size :][:size] = book.value_row(number, signal.row)


class KernelBackend:
    """Groups and decodes with compiled kernels; messages that they leave out go through numpy."""

    def __init__(self, jit: Jit) -> None:
        self._match = jit(group_kernel.match_frames)
        self._order = jit(group_kernel.order_frames)
        self._order_long = jit(group_kernel.order_long_frames)
        self._count = jit(group_kernel.count_above_limits)
        self._place = jit(kernels.place_messages)
        self._read = jit(kernels.read_signals)
        self._judge = jit(judge_kernel.judge)
        self._buffers = _Buffers()

    def group(self, frames: FrameBatch, vehicle_ok: NDArray[np.bool_], bus_ok: NDArray[np.bool_], table: SignalTable) -> Grouped:
        """Frames of the table's messages, grouped."""
        size, total, ids = len(frames), len(table.layouts), table.ids
        message = self._buffers.take("message", size, np.int32)
        order = self._buffers.take("order", size, np.int64)
        first, short, further = np.empty(total + 2, np.int64), np.zeros(total, np.int64), np.empty(total, np.int64)
        everybody = False not in vehicle_ok.tolist() and False not in bus_ok.tolist()
        self._match(
            frames.can_id, frames.length, frames.flags, frames.vehicle, frames.bus, vehicle_ok, bus_ok, everybody, ids.standard,
            ids.groups, ids.extended.slots, ids.extended.slot_messages, ids.masked, table.messages, message, first, short,
        )  # fmt: skip
        more = int(table.further_windows @ np.diff(first[:-1])) if table.is_long else 0
        words = self._buffers.take("words", size + more, np.uint64)
        if more:
            self._order_long(
                message, first, short, frames.payload, frames.length, frames.arena_offset, frames.arena, table.messages, table.windows,
                order, words, further,
            )  # fmt: skip
        else:
            self._order(message, first, frames.payload, order, words)
        return Grouped(message=message, first=first, short=short, order=order, words=words, further=further)

    def decode(self, frames: FrameBatch, grouped: Grouped, table: SignalTable, *, limited: bool) -> Decoded:
        """Every message that occurs."""
        room = places(grouped, table, self._place, limited=limited)
        book = DecodedBook(
            frames=frames,
            table=table,
            grouped=grouped,
            places=room,
            limited=limited,
            raw_columns=self._buffers.take("raw", room.raw_bytes, np.uint8),
            valid_cells=self._buffers.take("valid", room.valid_cells, np.bool_),
            engine=self,
        )
        unavailable = self._judged(book) if len(room.doubtful) else {}
        return book, unavailable | self._above_limits(book) if len(room.limited) else unavailable

    def _judged(self, book: DecodedBook) -> dict[int, int]:
        table, grouped, room = book.table, book.grouped, book.places
        self.read_raw(book, room.doubtful)
        fast, slow = _parted(table, room.doubtful)
        unavailable = np.zeros(len(table.layouts), np.int64)
        self._judge(
            fast, grouped.first, grouped.short, room.raw, room.valid, grouped.order, book.frames.length, table.messages,
            table.signals, table.ranges, book.limited, book.raw_columns, book.valid_cells, unavailable,
        )  # fmt: skip
        return {number: int(unavailable[number]) for number in fast.tolist()} | _judge_by_numpy(book, slow)

    def _above_limits(self, book: DecodedBook) -> dict[int, int]:
        table, grouped, numbers = book.table, book.grouped, book.places.limited
        above = np.empty(len(table.layouts), np.int64)
        self._count(numbers, grouped.first, grouped.words, grouped.further, table.messages, table.windows, above)
        return dict(zip(numbers.tolist(), above[numbers].tolist(), strict=True))

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
        table, grouped, room = book.table, book.grouped, book.places
        self._read(
            numbers, grouped.first, room.raw, room.valid, room.value, grouped.words, grouped.further, table.messages, table.signals,
            book.valid_cells, book.limited,
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
