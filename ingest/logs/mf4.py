"""ASAM MDF 4 recordings (.mf4) with CAN bus logging, finalized or not, sorted or not, packed or not.

An own reader of the block tree rather than asammdf's (decision 0009): it streams in bounded memory, needs no extra, and goes on
where a file is damaged. Channel groups of other buses and of measured signals are counted and passed over. Frames of one channel
group come in file order, those of several merged by time. Bus names are the numbers in `BusChannel`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from domain.ports import Jit
from ingest.logs.bus_numbers import BusNumbers
from ingest.logs.log_format import Block, DamagedPart
from ingest.logs.mdf_blocks import BlockReader, BrokenBlockError, DataGroup, Tree, read_tree
from ingest.logs.mdf_frames import FrameGroup, Rows, joined, skipped_kind
from ingest.logs.mdf_groups import FrameStream
from ingest.logs.mdf_kernel import scan_records

_PIECE_BYTES, _LEAST_PIECE_BYTES = 1 << 23, 1 << 18
"""Read at a time, of all data groups together, and of each at least. It does not follow the size asked for: how far frames of
several groups are put in order of time depends on it, and the result must not depend on how it is cut into batches."""


class Mf4:
    """The format `ingest.logs.open_log` knows as mf4."""

    name = "mf4"

    def recognises(self, head: bytes) -> bool:
        """By its signature and version; version 3 is another format."""
        return head.startswith((b"MDF     4.", b"UnFinMF 4."))

    def blocks_at(self, stream: BinaryIO, *, block_bytes: int, jit: Jit) -> Iterator[Block]:  # noqa: ARG002 -- see _PIECE_BYTES
        """Frames of some megabytes of records at a time."""
        try:
            tree = read_tree(stream)
        except BrokenBlockError as problem:
            yield _block(None, BusNumbers(), [_damaged(problem)], {})
            return
        yield from _read(tree, BlockReader(stream), jit)


def _read(tree: Tree, blocks: BlockReader, jit: Jit) -> Iterator[Block]:
    buses = BusNumbers()
    skipped: Counter[str] = Counter()
    with_frames = [group for group in tree.groups if any(FrameGroup.is_one(inner) for inner in group.groups)]
    for group in tree.groups:
        if group not in with_frames:
            _count_others(group, skipped)
    yield _block(None, buses, [_damaged(problem) for problem in tree.damaged], skipped)
    piece_bytes = max(_LEAST_PIECE_BYTES, _PIECE_BYTES // max(1, len(with_frames)))
    scan = jit(scan_records)
    streams = [FrameStream(group, tree, blocks, piece_bytes, scan) for group in with_frames]
    for rows in _merged(streams):
        damaged, skipped = _taken(streams)
        yield _block(rows, buses, damaged, skipped)
    damaged, skipped = _taken(streams)
    yield _block(None, buses, damaged, skipped)


def _count_others(group: DataGroup, skipped: Counter[str]) -> None:
    for inner in group.groups:
        if inner.records:
            skipped[skipped_kind(inner)] += inner.records


def _taken(streams: Sequence[FrameStream]) -> tuple[list[DamagedPart], Counter[str]]:
    """What the streams found odd since the last call."""
    damaged: list[DamagedPart] = []
    skipped: Counter[str] = Counter()
    for stream in streams:
        damaged += [_damaged(problem) for problem in stream.damaged]
        skipped.update(stream.anomalies)
        stream.damaged.clear()
        stream.anomalies.clear()
    return damaged, skipped


def _damaged(problem: BrokenBlockError) -> DamagedPart:
    return DamagedPart(offset=problem.address, detail=problem.what, content=b"")


def _merged(streams: Sequence[FrameStream]) -> Iterator[Rows]:
    """The frames of all streams by time; each stream's own order is kept, with the greatest time so far as its time."""
    if len(streams) == 1:
        yield from streams[0]
        return
    sources = [_Source(stream) for stream in streams]
    while True:
        for source in sources:
            source.fill()
        waiting = [source for source in sources if source.held is not None]
        if not waiting:
            return
        horizon = min((int(source.order[-1]) for source in waiting if not source.ended), default=None)
        parts = [source.take(horizon) for source in waiting]
        order = np.concatenate([key for _, key in parts])
        yield joined([rows for rows, _ in parts]).take(np.argsort(order, kind="stable"))


class _Source:
    """A stream with the rows of it that wait."""

    def __init__(self, stream: FrameStream) -> None:
        self._stream = iter(stream)
        self._greatest = np.iinfo(np.int64).min
        self.held: Rows | None = None
        self.order = np.empty(0, np.int64)
        self.ended = False

    def fill(self) -> None:
        """Have rows, unless the stream has ended."""
        while self.held is None and not self.ended:
            rows = next(self._stream, None)
            if rows is None:
                self.ended = True
            elif len(rows):
                self.held = rows
                self.order = np.maximum(np.maximum.accumulate(rows.order), self._greatest)
                self._greatest = int(self.order[-1])

    def take(self, horizon: int | None) -> tuple[Rows, np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """The rows up to this time (all of them: None)."""
        if self.held is None:
            raise ValueError("nothing waits")
        count = len(self.held) if horizon is None else int(np.searchsorted(self.order, horizon, side="right"))
        taken = self.held.take(slice(count)), self.order[:count]
        self.held, self.order = (
            (self.held.take(slice(count, None)), self.order[count:]) if count < len(self.held) else (None, self.order[:0])
        )
        return taken


def _block(rows: Rows | None, buses: BusNumbers, damaged: list[DamagedPart], anomalies: dict[str, int]) -> Block:
    if rows is None:
        rows = Rows.none()
    bus, known = buses.numbers(rows.channel)
    if not known.all():
        damaged = [*damaged, DamagedPart(offset=0, detail=f"{int((~known).sum())} frames of more than 256 buses", content=b"")]
        rows, bus = rows.take(known), bus[known]
    return Block(
        buses=buses.names(),
        time_ns=rows.time_ns,
        bus=bus,
        can_id=rows.can_id,
        length=rows.length,
        flags=rows.flags,
        payload=rows.payload,
        arena_offset=rows.arena_offset,
        arena=rows.arena,
        damaged=tuple(damaged),
        anomalies=dict(anomalies),
    )
