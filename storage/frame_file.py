"""CAN frames as one Parquet table, in the columns of python-can's messages; `ingest.logs` reads it again.

`timestamp` (UTC, nanoseconds), `bus`, `arbitration_id`, `is_extended_id`, `is_remote_frame`, `is_error_frame`, `is_fd`, `is_rx`,
`dlc` (payload bytes; of a remote frame those asked for), `data`. Records that are no CAN frames have no place in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NO_ARENA, NOT_CAN, FrameBatch, FrameFlag
from storage.whole_file import WholeFile

SCHEMA = pa.schema(
    [
        pa.field("timestamp", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("bus", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("arbitration_id", pa.uint32(), nullable=False),
        pa.field("is_extended_id", pa.bool_(), nullable=False),
        pa.field("is_remote_frame", pa.bool_(), nullable=False),
        pa.field("is_error_frame", pa.bool_(), nullable=False),
        pa.field("is_fd", pa.bool_(), nullable=False),
        pa.field("is_rx", pa.bool_(), nullable=False),
        pa.field("dlc", pa.uint8(), nullable=False),
        pa.field("data", pa.binary(), nullable=False),
    ]
)
_MOST_BYTES = 64


class FrameFile:
    """A table of frames that is written piece by piece, one row group each, and there as a whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path, *, made_from: Mapping[str, Any] | None = None) -> None:
        self._file = WholeFile(path)
        self._made_from = dict(made_from or {})
        self._writer: Any = None

    def __enter__(self) -> Self:
        with self._file.making():
            self._writer = pq.ParquetWriter(
                self._file.half, SCHEMA, compression="zstd", use_dictionary=["bus", "arbitration_id", "dlc"],
                column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
            )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._file.finishing(good=kind is None):
            if kind is None:
                self._writer.add_key_value_metadata({"pitcall": json.dumps(self._made_from, ensure_ascii=False)})
            self._writer.close()

    def write(self, frames: FrameBatch) -> None:
        """Append the CAN frames.

        Raises:
            StorageError: the file cannot be written.
        """
        foreign = (frames.flags & np.uint8(NOT_CAN)) != 0
        if foreign.any():
            frames = frames.take(~foreign)
        if len(frames):
            with self._file.writing():
                self._writer.write_table(frame_table(frames), row_group_size=len(frames))


def frame_table(frames: FrameBatch) -> pa.Table:
    """Frames as a table of `SCHEMA`."""

    def flag(which: FrameFlag) -> NDArray[np.bool_]:
        on: NDArray[np.bool_] = (frames.flags & np.uint8(which)) != 0
        return on

    arrays = [
        pa.array(frames.time_ns).cast(SCHEMA.field("timestamp").type),
        pa.DictionaryArray.from_arrays(pa.array(frames.bus.astype(np.int32)), pa.array(frames.buses, pa.string())),
        pa.array(frames.can_id & np.uint32(EXTENDED_ID - 1)),
        pa.array((frames.can_id & np.uint32(EXTENDED_ID)) != 0),
        pa.array(flag(FrameFlag.REMOTE)),
        pa.array(flag(FrameFlag.ERROR)),
        pa.array(flag(FrameFlag.FD)),
        pa.array(~flag(FrameFlag.TRANSMITTED)),
        pa.array(frames.length),
        _data(frames, np.where(flag(FrameFlag.REMOTE), np.uint8(0), frames.length)),
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _data(frames: FrameBatch, length: NDArray[np.uint8]) -> pa.Array:
    content = frames.payload.astype("<u8").view(np.uint8).reshape(-1, 8)
    long = np.flatnonzero(frames.arena_offset != NO_ARENA)
    if len(long):
        content = np.pad(content, ((0, 0), (0, _MOST_BYTES - 8)))
        arena = np.pad(frames.arena, (0, _MOST_BYTES))
        content[long] = arena[frames.arena_offset[long, np.newaxis] + np.arange(_MOST_BYTES)]
    size = np.minimum(length, content.shape[1]).astype(np.int32)
    flat = content[np.arange(content.shape[1]) < size[:, np.newaxis]]
    offsets = np.concatenate((np.zeros(1, np.int32), np.cumsum(size, dtype=np.int32)))
    return pa.Array.from_buffers(pa.binary(), len(frames), [None, pa.py_buffer(offsets), pa.py_buffer(flat)])
