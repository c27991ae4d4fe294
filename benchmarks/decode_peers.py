"""What decoding is measured against: cantools, asammdf's in-memory core, and copying memory. Each gives frames (or bytes) per CPU second."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from domain.frames import NO_ARENA, FrameBatch, MessageTable
from domain.signals import SignalBatch

if TYPE_CHECKING:
    from cantools.database.can import Database

CANTOOLS_SHARE = 20
"""cantools decodes every so many-th frame: its time per frame does not depend on how many there are."""
LEAST_S = 0.1
"""Each measurement is repeated until it has taken so long."""
COPY_BYTES = 64 << 20
_SEED = 20
_ID_BITS, _EXTENDED = 0x1FFF_FFFF, 0x8000_0000


def rate(work: Callable[[], int]) -> float:
    """Units per CPU second of this process, over as many calls as it takes; `work` gives the units of one call."""
    done, begin = 0, time.process_time()
    while True:
        done += work()
        spent = time.process_time() - begin
        if spent >= LEAST_S:
            return done / spent


def load_database(dbc: Path) -> Database:
    """The DBC file as cantools reads it."""
    import cantools

    return cast("Database", cantools.database.load_file(dbc, strict=False))


def random_frames(dbc: Path, count: int) -> FrameBatch:
    """`count` frames of the DBC's messages in random order with random payloads, always the same ones."""
    random = np.random.default_rng(_SEED)
    messages = load_database(dbc).messages
    identifiers = np.array([m.frame_id | (_EXTENDED if m.is_extended_frame else 0) for m in messages], np.uint32)
    lengths = np.array([m.length for m in messages], np.uint8)
    chosen = random.integers(0, len(messages), count)
    length = lengths[chosen]
    payload = random.integers(0, 2**64, count, np.uint64)
    long = length > 8
    size = np.where(long, length, 0).astype(np.int64)
    begin = np.cumsum(size) - size
    arena = random.integers(0, 256, int(size.sum()), np.uint8)
    if len(arena):
        payload[long] = arena[begin[long, None] + np.arange(8)].view("<u8")[:, 0]
    return FrameBatch(
        vehicles=("bench",),
        buses=("can0",),
        messages=MessageTable.single(),
        time_ns=np.arange(count, dtype=np.int64) * 100_000,
        vehicle=np.zeros(count, np.int32),
        bus=np.zeros(count, np.uint8),
        can_id=identifiers[chosen],
        message=np.zeros(count, np.int32),
        index=np.arange(count, dtype=np.int64),
        length=length,
        flags=np.zeros(count, np.uint8),
        payload=payload,
        arena_offset=np.where(long, begin, NO_ARENA),
        arena=arena,
    )


class Cantools:
    """cantools on single frames, the message looked up by identifier.

    `simple` is its leanest call, `Message.decode_simple`; `message` the usual one, `Database.decode_message`.
    """

    def __init__(self, dbc: Path, batch: FrameBatch) -> None:
        self._database = load_database(dbc)
        self.batch = batch.take(slice(None, None, CANTOOLS_SHARE))
        self._by_id = {message.frame_id: message for message in self._database.messages}
        identifiers = (self.batch.can_id & np.uint32(_ID_BITS)).tolist()
        self.work = [(identifier, self.batch.payload_bytes(row)) for row, identifier in enumerate(identifiers)]
        self.values = 0

    def simple(self) -> int:
        """Decode all frames."""
        by_id = self._by_id
        for identifier, data in self.work:
            by_id[identifier].decode_simple(data, False)
        return len(self.work)

    def message(self) -> int:
        """Decode all frames."""
        decode = self._database.decode_message
        for identifier, data in self.work:
            decode(identifier, data, decode_choices=False)
        return len(self.work)

    def differing_values(self, ours: SignalBatch) -> int:
        """Values of ours (of `batch`) that are not exactly equal, in either direction (missing ones included)."""
        got: list[dict[str, float]] = [{} for _ in self.work]
        for group in ours.groups:
            values, valid, frames = group.values.tolist(), group.valid.tolist(), group.frame.tolist()
            for row, name in enumerate(group.names):
                for frame, value, good in zip(frames, values[row], valid[row], strict=True):
                    if good:
                        got[frame][name] = value
        expected: list[dict[str, Any]] = [self._by_id[identifier].decode_simple(data, False) for identifier, data in self.work]
        self.values = sum(map(len, expected))
        return sum(
            one.get(name) != other.get(name)
            for one, other in zip(expected, got, strict=True)
            for name in one.keys() | other.keys()
        )


class AsammdfCore:
    """The in-memory core of asammdf's bus logging: frames selected per identifier, then `extract_mux` to physical values."""

    def __init__(self, dbc: Path, batch: FrameBatch) -> None:
        from asammdf.blocks.bus_logging_utils import extract_mux

        matrix = importlib.import_module("canmatrix.formats").loadp(str(dbc))[""]
        self._messages = {frame.arbitration_id.id: frame for frame in matrix}
        self._extract = extract_mux
        self._can_id: NDArray[np.uint32] = batch.can_id & np.uint32(_ID_BITS)
        self._payload = _payload_matrix(batch)
        self._time_s = batch.time_ns / 1e9

    def decode(self) -> int:
        """Decode all frames."""
        for identifier, message in self._messages.items():
            rows = np.flatnonzero(self._can_id == identifier)
            self._extract(self._payload[rows, : message.size], message, identifier, 0, self._time_s[rows])
        return len(self._can_id)


def asammdf_core(dbc: Path, batch: FrameBatch) -> AsammdfCore | None:
    """None where asammdf or canmatrix is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("asammdf", "canmatrix")):
        return None
    return AsammdfCore(dbc, batch)


def _payload_matrix(batch: FrameBatch) -> NDArray[np.uint8]:
    """Payload bytes of all frames, as wide as the longest."""
    matrix = np.zeros((len(batch), max(8, int(batch.length.max()))), np.uint8)
    matrix[:, :8] = batch.payload.astype("<u8").view(np.uint8).reshape(-1, 8)
    for size in np.unique(batch.length[batch.length > 8]).tolist():
        rows = np.flatnonzero(batch.length == size)
        matrix[rows, :size] = batch.arena[batch.arena_offset[rows, None] + np.arange(size)]
    return matrix


class Memory:
    """Copies one warm buffer to another; bytes read plus bytes written count."""

    def __init__(self) -> None:
        self._source, self._target = np.ones(COPY_BYTES, np.uint8), np.ones(COPY_BYTES, np.uint8)

    def copy(self) -> int:
        """Copy once."""
        np.copyto(self._target, self._source)
        return 2 * COPY_BYTES
