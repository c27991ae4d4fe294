"""A recording being read: frame batches in file order, dead letters, anomalies and progress."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, MessageTable
from domain.ports import Jit
from domain.records import DeadLetter
from ingest.logs.clock import RESET_STEP_NS
from ingest.logs.inflate import Inflated, inflated, unpacked
from ingest.logs.log_format import Block, DamagedPart, LogFormat, MalformedLine, SeekableFormat

_RELATIVE_BELOW_NS = 365 * 86_400 * 1_000_000_000
"""A first stamp in 1970 counts from the start of the recording: no car recorded CAN then."""
_BYTES_PER_FRAME = 48
_LETTER_BYTES = 4096
_MOST_LETTERS = 20_000
"""A file of rubbish must not fill the memory: further ones are counted only."""


class LogFile:
    """Streams one recording once, from its beginning; memory stays bounded by the batch.

    Attributes:
        dead_letters: malformed lines so far. anomalies: kind -> count so far ("equal_time", "time_backwards", "clock_reset",
            "malformed_line", "damaged_part", "no_timestamp", "truncated_file", "empty_file", and what a format counts besides,
            such as "skipped_lin" or "log_event"). bytes_total, bytes_done: of the file as stored. recorded_start_ns: the moment
            that the recording itself names as its start, None where it does not (or not yet). format_name: as in the table FORMATS.
    """

    def __init__(
        self,
        path: Path,
        log_format: LogFormat | SeekableFormat | None,
        *,
        vehicle: str,
        start_ns: int | None,
        dated: bool,
        boot_session: int,
        batch_frames: int,
        jit: Jit,
    ) -> None:
        self.path = path
        self.dead_letters: list[DeadLetter] = []
        self.anomalies: Counter[str] = Counter()
        self.bytes_total = path.stat().st_size
        self.bytes_done = 0
        self.format_name = "" if log_format is None else log_format.name
        self._format = log_format
        self._vehicle = vehicle
        self._start_ns = start_ns
        self._dated = dated
        self.recorded_start_ns: int | None = None
        self._messages = MessageTable.single(boot_session=boot_session)
        self._batch_frames = max(1, batch_frames)
        self._jit = jit
        self._frames_read = 0
        self._last_ns: int | None = None
        self._offset_ns = 0
        self._batches = self._read()
        self._pending: FrameBatch | None = None

    def __iter__(self) -> Iterator[FrameBatch]:
        """The batches not yet read, of at most `batch_frames` frames."""
        return self

    def __next__(self) -> FrameBatch:
        if self._pending is not None:
            batch, self._pending = self._pending, None
            return batch
        return next(self._batches)

    def skip(self, n_frames: int) -> None:
        """Pass over the next frames; what was odd in them is counted and kept all the same."""
        while n_frames > 0:
            batch = next(self, None)
            if batch is None:
                return
            if len(batch) > n_frames:
                self._pending = batch.take(slice(n_frames, None))
            n_frames -= len(batch)

    def _read(self) -> Iterator[FrameBatch]:
        if self._format is not None:
            yield from self._read_blocks(self._format)
        if not self._frames_read:
            self.anomalies["empty_file"] += 1
        self.anomalies = +self.anomalies
        self.bytes_done = self.bytes_total

    def _read_blocks(self, log_format: LogFormat | SeekableFormat) -> Iterator[FrameBatch]:
        block_bytes = min(max(self._batch_frames * _BYTES_PER_FRAME, 1 << 16), 1 << 23)
        with self.path.open("rb") as stored:
            packed = inflated(stored)
            for block in self._blocks(log_format, stored, packed, block_bytes):
                self.bytes_done = min(stored.tell(), self.bytes_total)
                self._note_malformed(block.malformed)
                self._note_damaged(block.damaged)
                self.anomalies["no_timestamp"] += block.timeless
                self.anomalies.update(block.anomalies)
                self.anomalies["letters_not_kept"] += block.anomalies.get("malformed_line", 0)
                if len(block.time_ns):
                    yield from self._batches_of(block)
            self.anomalies["truncated_file"] += packed is not None and packed.truncated

    def _blocks(
        self, log_format: LogFormat | SeekableFormat, stored: BinaryIO, packed: Inflated | None, block_bytes: int
    ) -> Iterator[Block]:
        if isinstance(log_format, SeekableFormat):
            with contextlib.ExitStack() as opened:
                stream = stored if packed is None else opened.enter_context(unpacked(packed))
                yield from log_format.blocks_at(stream, block_bytes=block_bytes, jit=self._jit)
        else:
            yield from log_format.blocks(stored if packed is None else packed, block_bytes=block_bytes, jit=self._jit)

    def _batches_of(self, block: Block) -> Iterator[FrameBatch]:
        count = len(block.time_ns)
        if self._last_ns is None:
            self._offset_ns = self._start_of(block)
        time_ns = block.time_ns + self._offset_ns if self._offset_ns else block.time_ns
        self._note_time(time_ns)
        whole = FrameBatch(
            vehicles=(self._vehicle,),
            buses=block.buses,
            messages=self._messages,
            time_ns=time_ns,
            vehicle=np.zeros(count, np.int32),
            bus=block.bus,
            can_id=block.can_id,
            message=np.zeros(count, np.int32),
            index=np.arange(self._frames_read, self._frames_read + count, dtype=np.int64),
            length=block.length,
            flags=block.flags,
            payload=block.payload,
            arena_offset=block.arena_offset,
            arena=block.arena,
        )
        self._frames_read += count
        for start in range(0, count, self._batch_frames):
            yield whole if count <= self._batch_frames else whole.take(slice(start, start + self._batch_frames))

    def _start_of(self, block: Block) -> int:
        """What is added to the stamps: the start asked for, else the one that the recording tells, if dates are wanted."""
        self.recorded_start_ns = block.start_ns
        if self._start_ns is not None and abs(int(block.time_ns[0])) < _RELATIVE_BELOW_NS:
            return self._start_ns
        return block.start_ns if self._dated and block.start_ns is not None else 0

    def _note_time(self, time_ns: NDArray[np.int64]) -> None:
        """Count equal stamps and steps back, also over the edge of two blocks."""
        first = time_ns[:1] if self._last_ns is None else np.array([self._last_ns], np.int64)
        step = np.diff(np.concatenate((first, time_ns)))[1 if self._last_ns is None else 0 :]
        self._last_ns = int(time_ns[-1])
        self.anomalies["equal_time"] += int(np.count_nonzero(step == 0))
        self.anomalies["time_backwards"] += int(np.count_nonzero(step < 0))
        self.anomalies["clock_reset"] += int(np.count_nonzero(step < -RESET_STEP_NS))

    def _note_malformed(self, lines: tuple[MalformedLine, ...]) -> None:
        self.anomalies["malformed_line"] += len(lines)
        for bad in lines:
            self._keep("malformed_line", "is not a frame", bad.line, bad.content)

    def _note_damaged(self, parts: tuple[DamagedPart, ...]) -> None:
        self.anomalies["damaged_part"] += len(parts)
        for bad in parts:
            self._keep("damaged_part", f"at byte {bad.offset}: {bad.detail}", bad.offset, bad.content)

    def _keep(self, reason: str, detail: str, position: int, content: bytes) -> None:
        identity = hashlib.sha256(f"{self.path.name}\0{position}\0".encode() + content).hexdigest()[:32]
        if len(self.dead_letters) >= _MOST_LETTERS:
            self.anomalies["letters_not_kept"] += 1
            return
        self.dead_letters.append(
            DeadLetter(
                id=identity,
                origin=self.path.name,
                position=position,
                reason=reason,
                detail=detail,
                content=content[:_LETTER_BYTES],
                vehicle=self._vehicle,
            )
        )
