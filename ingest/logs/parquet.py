"""Frames in a Parquet table: a time, an identifier and data bytes in each row, by the names that python-can, asammdf and pandas users give.

The time is a timestamp, or a number of seconds (a float) or of a unit that its size tells (an integer); data are bytes, a list of
numbers, or hexadecimal digits. Everything else is optional.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from domain.errors import LogFileError
from domain.frames import EXTENDED_ID, NO_ARENA, FrameFlag
from domain.ports import Jit
from ingest.logs.binary import MAX_STAMP_NS, first_bytes, records_at
from ingest.logs.log_format import Block, DamagedPart

_MAGIC = b"PAR1"
_PADDING = 64
_BYTES_PER_FRAME = 48
_MOST_BUSES = 256
_NAMES = {
    "time": ("timestamp", "time", "timestamps", "time_ns", "ts", "datetime", "t"),
    "id": ("arbitration_id", "can_id", "id", "identifier", "can_dataframe.id", "canid"),
    "data": ("data", "payload", "data_bytes", "databytes", "can_dataframe.databytes", "bytes"),
    "bus": ("bus", "channel", "buschannel", "can_dataframe.buschannel", "interface"),
    "length": ("dlc", "data_length", "datalength", "can_dataframe.datalength", "length"),
    "extended": ("is_extended_id", "extended", "ide", "can_dataframe.ide", "is_extended"),
    "remote": ("is_remote_frame", "remote", "rtr", "is_remote"),
    "error": ("is_error_frame", "error", "is_error"),
    "fd": ("is_fd", "fd", "edl", "can_dataframe.edl"),
    "received": ("is_rx", "rx"),
}
_INTEGER_UNITS = ((10**17, 1), (10**14, 1000), (10**11, 1_000_000), (0, 1_000_000_000))
"""An integer time at least this large has ticks of so many nanoseconds."""


class Parquet:
    """The format `ingest.logs.open_log` knows as parquet."""

    name = "parquet"

    def recognises(self, head: bytes) -> bool:
        """By its first four bytes."""
        return head.startswith(_MAGIC)

    def blocks_at(self, stream: BinaryIO, *, block_bytes: int, jit: Jit) -> Iterator[Block]:  # noqa: ARG002 -- nothing to compile
        """Frames of about `block_bytes` at a time.

        Raises:
            LogFileError: the table has no columns of frames, or no index.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        broken = (OSError, pa.ArrowException, ValueError, MemoryError)
        name = str(getattr(stream, "name", ""))
        try:
            table = pq.ParquetFile(stream)
            columns = _columns(table.schema_arrow.names)
        except broken as problem:
            raise LogFileError(
                "is a Parquet file without its index at the end", file=name, mend="copy it again: it is not complete"
            ) from problem
        missing = {"time", "id", "data"} - columns.keys()
        if missing:
            raise LogFileError(
                f"has no column of frames for {', '.join(sorted(missing))}",
                file=name,
                mend="give it columns timestamp, arbitration_id and data",
            )
        buses: dict[str, int] = {}
        row = 0
        batches = table.iter_batches(max(1, block_bytes // _BYTES_PER_FRAME), columns=list(columns.values()))
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                block = _block({kind: batch.column(name) for kind, name in columns.items()}, buses, row)
            except broken as problem:
                yield _damage(row, f"row {row} and those after it cannot be read ({type(problem).__name__})", buses)
                return
            yield block
            row += batch.num_rows


def _columns(names: list[str]) -> dict[str, str]:
    by_word = {name.lower(): name for name in reversed(names)}
    found = {kind: next((by_word[word] for word in words if word in by_word), None) for kind, words in _NAMES.items()}
    return {kind: name for kind, name in found.items() if name is not None}


def _damage(row: int, detail: str, buses: dict[str, int]) -> Block:
    none = np.empty(0, np.uint8)
    return Block(
        buses=tuple(buses),
        time_ns=none.astype(np.int64),
        bus=none,
        can_id=none.astype(np.uint32),
        length=none,
        flags=none,
        payload=none.astype(np.uint64),
        arena_offset=none.astype(np.int64),
        arena=none,
        damaged=(DamagedPart(offset=row, detail=detail, content=b""),),
    )


def _block(columns: dict[str, Any], buses: dict[str, int], first_row: int) -> Block:
    time_ns, timed = _times(columns["time"])
    identifier, named = _numbers(columns["id"])
    content, begin, size, filled = _contents(columns["data"])
    bus, on_bus = _buses(columns.get("bus"), buses, len(time_ns))
    good = timed & named & filled & on_bus & (identifier >= 0) & (identifier <= 0xFFFF_FFFF) & (size <= 64)
    extended = _flag(columns.get("extended"), (identifier > 0x7FF) | (identifier & EXTENDED_ID != 0))
    flags = np.zeros(len(time_ns), np.uint8)
    for kind, flag in (("remote", FrameFlag.REMOTE), ("error", FrameFlag.ERROR), ("fd", FrameFlag.FD)):
        flags |= np.where(_flag(columns.get(kind), size > 8 if kind == "fd" else size < 0), np.uint8(flag), np.uint8(0))
    flags |= np.where(_flag(columns.get("received"), size >= 0), np.uint8(0), np.uint8(FrameFlag.TRANSMITTED))
    remote = (flags & np.uint8(FrameFlag.REMOTE)) != 0
    asked = np.clip(_numbers(columns["length"])[0], 0, 64) if "length" in columns else np.zeros(len(size), np.int64)
    length = np.where(remote, asked, np.where(good, size, 0)).astype(np.uint8)
    carried = np.where(remote, 0, length).astype(np.uint8)
    offset = np.where(carried > 8, begin, NO_ARENA)
    payload = first_bytes(records_at(content, np.where(good, begin, 0), np.dtype("<u8")), carried)
    rows = slice(None) if good.all() else good
    damaged = tuple(
        DamagedPart(offset=first_row + bad, detail=f"row {first_row + bad} is no frame", content=b"")
        for bad in np.flatnonzero(~good).tolist()
    )
    can_id = (identifier & 0x1FFF_FFFF | np.where(extended, EXTENDED_ID, 0)).astype(np.uint32)
    return Block(
        buses=tuple(buses) or ("0",),
        time_ns=time_ns[rows],
        bus=bus[rows],
        can_id=can_id[rows],
        length=length[rows],
        flags=flags[rows],
        payload=payload[rows],
        arena_offset=offset[rows],
        arena=content if (offset >= 0).any() else content[:0],
        damaged=damaged,
    )


def _there(column: Any) -> NDArray[np.bool_]:
    there: NDArray[np.bool_] = np.asarray(column.is_valid())
    return there


def _numbers(column: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Whole numbers and where there are any; texts are hexadecimal."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        parsed = [_hexadecimal(word) for word in column.to_pylist()]
        return np.array([-1 if n is None else n for n in parsed], np.int64), np.array([n is not None for n in parsed], np.bool_)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.full(len(column), -1, np.int64), np.zeros(len(column), np.bool_)
    values = np.nan_to_num(np.asarray(column.fill_null(0)).astype(np.float64), nan=-1.0)
    return np.clip(values, -1, 2.0**53).astype(np.int64), _there(column)


def _hexadecimal(word: str | None) -> int | None:
    try:
        return int(word or "", 16)
    except ValueError:
        return None


def _times(column: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    import pyarrow as pa

    there = _there(column)
    if pa.types.is_timestamp(column.type):
        zone = column.type.tz
        return np.asarray(column.cast(pa.timestamp("ns", tz=zone), safe=False).cast(pa.int64()).fill_null(0)), there
    if pa.types.is_integer(column.type):
        ticks = np.asarray(column.fill_null(0)).astype(np.int64)
        largest = int(np.abs(ticks).max()) if len(ticks) else 0
        unit = next(unit for least, unit in _INTEGER_UNITS if largest >= least)
        good = np.abs(ticks) <= MAX_STAMP_NS // unit
        return np.where(good, ticks, 0) * unit, there & good
    if pa.types.is_floating(column.type):
        seconds = np.asarray(column.fill_null(np.nan)).astype(np.float64)
        good = np.abs(seconds) < 9e9
        whole = np.floor(np.where(good, seconds, 0.0))
        rest = np.rint((np.where(good, seconds, 0.0) - whole) * 1e9)
        return whole.astype(np.int64) * 1_000_000_000 + rest.astype(np.int64), there & good
    return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)


def _contents(column: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """(bytes of all rows and some more, where those of each row begin, how many they are, which rows have any)."""
    import pyarrow as pa

    there = _there(column)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        words = [_bytes(word) for word in column.to_pylist()]
        there = there & np.array([word is not None for word in words], np.bool_)
        column = pa.array([word or b"" for word in words], pa.large_binary())
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        numbers = column.fill_null([]) if not pa.types.is_fixed_size_list(kind) else column
        column = numbers.cast(pa.large_list(pa.uint8()))
        sizes = np.asarray(column.value_lengths().fill_null(0)).astype(np.int64)
        values = np.asarray(column.flatten().fill_null(0))
        return np.pad(values, (0, _PADDING)), np.cumsum(sizes) - sizes, sizes, there
    else:
        column = column.fill_null(b"").cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    values = np.frombuffer(column.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    return np.pad(values, (0, _PADDING)), offsets[:-1] - offsets[0], np.diff(offsets), there


def _bytes(word: str | None) -> bytes | None:
    try:
        return bytes.fromhex((word or "").removeprefix("0x"))
    except ValueError:
        return None


def _buses(column: Any, buses: dict[str, int], count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    import pyarrow as pa

    if column is None:
        buses.setdefault("0", 0)
        return np.zeros(count, np.uint8), np.ones(count, np.bool_)
    words = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    names = ["" if name is None else str(name) for name in words.dictionary.to_pylist()]
    numbers = [buses.setdefault(name, len(buses)) if name in buses or len(buses) < _MOST_BUSES else -1 for name in (*names, "")]
    row = np.array(numbers, np.int64)[np.asarray(words.indices.fill_null(len(names)))]
    return row.astype(np.uint8), row >= 0


def _flag(column: Any, otherwise: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if column is None:
        return otherwise
    import pyarrow as pa

    if not (pa.types.is_boolean(column.type) or pa.types.is_integer(column.type)):
        return otherwise
    values: NDArray[np.bool_] = np.asarray(column.cast(pa.int64()).fill_null(0)) != 0
    return values
