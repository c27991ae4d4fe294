"""The decoded messages of one book in a batch: raw values in narrow columns, everything else worked out when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from ingest import columns
from ingest.signal_table import FORM_TYPES, Form, SignalTable

_SINGLE_VEHICLE, _NO_SOURCE, _VALID = np.int32(0), np.int16(-1), np.True_


class Grouped(NamedTuple):
    """Frames of one book, put in order of message.

    Attributes:
        message: int32[n], message number of every frame of the batch, m for none.
        first: int64[m + 2], where each begins in `order`, and the end. short: int64[m], how many frames of each are too short.
        order: int64[n], rows of the batch by message, in the batch's order within each.
        words: uint64, first 8 bytes of the payloads, so, then further windows; those of a message begin at `further`, int64[m].
            Only the kernels fill and read them.
    """

    message: NDArray[np.int32]
    first: NDArray[np.int64]
    short: NDArray[np.int64]
    order: NDArray[np.int64]
    words: NDArray[np.uint64]
    further: NDArray[np.int64]

    @property
    def known(self) -> int:
        """Frames that a message of the book matched."""
        return int(self.first[-2])


class Places(NamedTuple):
    """Where the columns of each message begin.

    Attributes:
        occurring: messages that occur and of which something is given out. doubtful: those of them that need a validity matrix.
        settled: the others. limited: those of the others where values may be above their limit.
        raw, valid: int64[m], where the raw columns (a byte buffer) and the validity matrix (bool) begin; valid -1 where there is none.
        value: int64[m], where the value matrix begins. raw_bytes, valid_cells, cells: sizes in all.
    """

    occurring: NDArray[np.int64]
    doubtful: NDArray[np.int64]
    settled: NDArray[np.int64]
    limited: NDArray[np.int64]
    raw: NDArray[np.int64]
    valid: NDArray[np.int64]
    value: NDArray[np.int64]
    raw_bytes: int
    valid_cells: int
    cells: int


PlaceMessages = Callable[..., None]
"""`ingest.kernels.place_messages`, compiled or not."""


def places(grouped: Grouped, table: SignalTable, place: PlaceMessages, *, limited: bool) -> Places:
    """Room for what occurs; `limited`: raw values above a limit are none."""
    total = len(table.messages)
    starts, numbers, sizes = np.empty((3, total), np.int64), np.empty((4, total), np.int64), np.empty(7, np.int64)
    place(grouped.first, grouped.short, table.messages, limited, starts, numbers, sizes)
    occurring, doubtful, settled, above, raw_bytes, valid_cells, cells = sizes.tolist()
    return Places(
        occurring=numbers[0, :occurring],
        doubtful=numbers[1, :doubtful],
        settled=numbers[2, :settled],
        limited=numbers[3, :above],
        raw=starts[0],
        valid=starts[1],
        value=starts[2],
        raw_bytes=raw_bytes,
        valid_cells=valid_cells,
        cells=cells,
    )


class Engine(Protocol):
    """Reads signals out of payloads."""

    def read_raw(self, book: DecodedBook, numbers: NDArray[np.int64]) -> None:
        """Fill the raw columns of these messages."""

    def values(self, book: DecodedBook) -> NDArray[np.float64]:
        """The value matrices of all messages that occur."""


class DecodedBook:
    """What decoding gave for one book; message numbers and rows as in `table.layouts`.

    Frames are grouped and judged; raw columns and values are read from the payloads when first asked for, all at once.

    Args:
        limited: raw values above a limit are none.
        raw_columns: uint8, room for the raw columns; those of doubtful messages are filled. valid_cells: bool, validity matrices.
    """

    __slots__ = (
        "_engine",
        "_has_raw",
        "_value",
        "_values",
        "first",
        "frames",
        "grouped",
        "limited",
        "places",
        "raw_columns",
        "table",
        "valid_cells",
    )

    def __init__(
        self,
        *,
        frames: FrameBatch,
        table: SignalTable,
        grouped: Grouped,
        places: Places,
        limited: bool,
        raw_columns: NDArray[np.uint8],
        valid_cells: NDArray[np.bool_],
        engine: Engine,
    ) -> None:
        self.frames, self.table, self.grouped, self.places, self.limited = frames, table, grouped, places, limited
        self.raw_columns, self.valid_cells = raw_columns, valid_cells
        self.first: list[int] = grouped.first.tolist()
        self._engine = engine
        self._has_raw = False
        self._values: NDArray[np.float64] | None = None
        self._value: list[int] = []

    def count(self, number: int) -> int:
        """How many frames there are."""
        return self.first[number + 1] - self.first[number]

    def frame(self, number: int) -> NDArray[np.int64]:
        """Rows of the batch."""
        return self.grouped.order[self.first[number] : self.first[number + 1]]

    def raw(self, number: int, row: int) -> NDArray[Any]:
        """Raw values of one signal. The first call reads those of all messages, but for doubtful ones, which are read already."""
        if not self._has_raw and self.places.valid[number] < 0:
            self._engine.read_raw(self, self.places.settled)
            self._has_raw = True
        return self.column(number, row)

    def column(self, number: int, row: int) -> NDArray[Any]:
        """The raw column of one signal, whether it is read yet or not."""
        layout = self.table.layouts[number]
        signal = layout.by_row[row]
        if signal.form is Form.OBJECT:
            return columns.raw_values(signal, self.frames.take(self.frame(number)))
        count = self.count(number)
        begin = int(self.places.raw[number]) + layout.columns[row] * count
        return self.raw_columns[begin : begin + signal.width * count].view(FORM_TYPES[signal.form])

    def valid(self, number: int) -> NDArray[np.bool_]:
        """Matrix of (signal row, frame), with the selectors that are not shown."""
        shape = (self.table.layouts[number].rows, self.count(number))
        begin = int(self.places.valid[number])
        if begin < 0 and self.limited and not self.table.messages["certain"][number]:
            return ~np.isnan(self.values(number, shape[0]))
        if begin < 0:
            return np.broadcast_to(_VALID, shape)
        return self.valid_cells[begin : begin + shape[0] * shape[1]].reshape(shape)

    def values(self, number: int, rows: int) -> NDArray[np.float64]:
        """Matrix of (signal row, frame), the first `rows` of it. The first call works out those of all messages."""
        if self._values is None:
            self._values = self._engine.values(self)
            self._value = self.places.value.tolist()
        begin, count = self._value[number], self.first[number + 1] - self.first[number]
        return self._values[begin : begin + rows * count].reshape(rows, count)

    def value_row(self, number: int, row: int) -> NDArray[np.float64]:
        """One row of `values`, worked out by numpy from its raw column."""
        signal = self.table.layouts[number].by_row[row]
        raw = self.raw(number, row)
        values = columns.in_path_unit(signal, columns.physical(signal, raw))
        if self.places.valid[number] >= 0:
            values[~self.valid(number)[row]] = np.nan
        elif self.limited:
            values[columns.above_limit(signal, raw)] = np.nan
        return values


class MessageColumns:
    """One message of a decoded book, as `domain.signals.SignalColumns`."""

    __slots__ = ("_book", "_number")

    def __init__(self, book: DecodedBook, number: int) -> None:
        self._book = book
        self._number = number

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self._book.count(self._number)

    @property
    def frame(self) -> NDArray[np.int64]:
        """Rows in the FrameBatch decoded."""
        return self._book.frame(self._number)

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """Event time."""
        return self._book.frames.time_ns.take(self.frame)

    @property
    def vehicle(self) -> NDArray[np.int32]:
        """Index into the batch's vehicles."""
        if len(self._book.frames.vehicles) == 1:
            return np.broadcast_to(_SINGLE_VEHICLE, self.count)
        return self._book.frames.vehicle.take(self.frame)

    @property
    def source(self) -> NDArray[np.int16]:
        """J1939 source address, -1 where the message has none."""
        if not self._book.table.messages["by_pgn"][self._number]:
            return np.broadcast_to(_NO_SOURCE, self.count)
        return (self._book.frames.can_id.take(self.frame) & np.uint32(0xFF)).astype(np.int16)

    @property
    def values(self) -> NDArray[np.float64]:
        """Physical values of (signal, frame), NaN where not valid."""
        book, number = self._book, self._number
        return book.values(number, book.table.shown[number])

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which of (signal, frame) are there."""
        return self._book.valid(self._number)[: self._book.table.shown[self._number]]

    def raw(self, row: int) -> NDArray[Any]:
        """Raw values of one signal."""
        return self._book.raw(self._number, row)
