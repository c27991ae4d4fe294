"""Decode speed as ratios to peers, on two made-up DBC files whose shape is that of common passenger cars.

`big_endian.dbc` has 5.5 big-endian signals per message, `little_endian.dbc` 10.3 little-endian ones. All contenders decode all
signals of the same frames, from memory to memory, one after another in each round; ratios are per frame and per round, and
their median is given. Every value of the subset that cantools decodes is compared with ours.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, MessageTable
from domain.ports import Jit
from ingest.decoder import Decoder
from ingest.profiles import dbc_profile

if TYPE_CHECKING:
    from cantools.database.can import Database

SHAPES = {"toyota_be": "big_endian.dbc", "hyundai_le": "little_endian.dbc"}
"""Name in the result -> DBC file; named after the makers whose public DBC files have that shape."""
_BATCH_FRAMES = 65_536
_CANTOOLS_SHARE = 20
"""cantools decodes every so many-th frame: its time per frame does not depend on how many there are."""
_COPY_BYTES = 64 << 20
_READ_BYTES = 27
"""Per frame: identifier 4, length 1, flags 1, bus 1, vehicle 4, time 8, payload 8."""
_WRITTEN_BYTES = 22
"""Per frame, values apart: row of the frame 8, time 8, vehicle 4, source 2."""
_SEED = 20

Progress = Callable[[str], None]


def run(*, frames: int = 400_000, rounds: int = 5, jit: Jit, progress: Progress | None = None) -> dict[str, Any]:
    """The document of `pitcall bench decode --json`: per DBC shape, ratios first.

    `progress` is told each round in words. asammdf's ratio is null where asammdf or canmatrix is not installed.
    """
    tell = progress or (lambda _words: None)
    return {shape: _run_shape(shape, frames, max(1, rounds), jit, tell) for shape in SHAPES}


def _run_shape(shape: str, frames: int, rounds: int, jit: Jit, tell: Progress) -> dict[str, Any]:
    dbc = Path(__file__).parent / "dbc" / SHAPES[shape]
    batch = random_frames(dbc, frames)
    ours, cantools_, peer = _Ours(dbc, batch, jit), _Cantools(dbc, batch), _asammdf(dbc, batch)
    differing = cantools_.differing_values(ours)
    contenders: dict[str, Callable[[], float]] = {"pitcall": ours.frames_per_s, "cantools": cantools_.frames_per_s}
    if peer is not None:
        contenders["asammdf_core"] = peer.frames_per_s
    contenders["memcpy"] = _copied_bytes_per_s
    for contender in contenders.values():
        contender()  # warm caches and buffers, for everybody alike
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            rates[name].append(contender())
        tell(f"{shape}: round {number + 1} of {rounds}, {rates['pitcall'][-1] / rates['cantools'][-1]:.0f} times cantools")
    bytes_per_frame = _READ_BYTES + _WRITTEN_BYTES + 8 * ours.signals_per_frame
    return {
        "vs_cantools": _median_ratio(rates["pitcall"], rates["cantools"]),
        "vs_asammdf_core": _median_ratio(rates["pitcall"], rates["asammdf_core"]) if peer is not None else None,
        "of_memcpy_bound": _median_ratio(rates["pitcall"], [rate / bytes_per_frame for rate in rates["memcpy"]]),
        "frames_per_s": statistics.median(rates["pitcall"]),
        "differing_values": differing,
        "compared_values": cantools_.values,
        "medians": {
            "cantools_frames_per_s": statistics.median(rates["cantools"]),
            "asammdf_core_frames_per_s": statistics.median(rates["asammdf_core"]) if peer is not None else None,
            "memcpy_bytes_per_s": statistics.median(rates["memcpy"]),
        },
        "frames": frames,
        "rounds": rounds,
        "signals_per_frame": ours.signals_per_frame,
        "bytes_per_frame": bytes_per_frame,
    }


def random_frames(dbc: Path, count: int) -> FrameBatch:
    """`count` frames of the DBC's messages in random order with random payloads, always the same ones."""
    random = np.random.default_rng(_SEED)
    identifiers = np.array([message.can_id for message in dbc_profile([("*", dbc)]).messages], np.uint32)
    return FrameBatch(
        vehicles=("bench",),
        buses=("can0",),
        messages=MessageTable.single(),
        time_ns=np.arange(count, dtype=np.int64) * 100_000,
        vehicle=np.zeros(count, np.int32),
        bus=np.zeros(count, np.uint8),
        can_id=random.choice(identifiers, count),
        message=np.zeros(count, np.int32),
        index=np.arange(count, dtype=np.int64),
        length=np.full(count, 8, np.uint8),
        flags=np.zeros(count, np.uint8),
        payload=random.integers(0, 2**64, count, np.uint64),
        arena_offset=np.full(count, -1, np.int64),
        arena=np.empty(0, np.uint8),
    )


def _median_ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


class _Ours:
    """The decoder as the pipeline uses it, batch after batch."""

    def __init__(self, dbc: Path, batch: FrameBatch, jit: Jit) -> None:
        self.decoder = Decoder({"bench": dbc_profile([("*", dbc)])}, lambda _vehicle: "bench", jit=jit)
        self._cut = [batch.take(slice(start, start + _BATCH_FRAMES)) for start in range(0, len(batch), _BATCH_FRAMES)]
        self._frames = len(batch)
        # the first call compiles and touches the buffers
        values = sum(group.values.size for part in self._cut for group in self.decoder.decode(part).groups)
        self.signals_per_frame = values / len(batch)

    def frames_per_s(self) -> float:
        begin = time.perf_counter()
        for part in self._cut:
            self.decoder.decode(part)
        return self._frames / (time.perf_counter() - begin)


class _Cantools:
    """cantools by its leanest public call, `Message.decode_simple`, with the message already looked up by identifier."""

    def __init__(self, dbc: Path, batch: FrameBatch) -> None:
        import cantools

        database = cast("Database", cantools.database.load_file(dbc, strict=False))
        self._batch = batch.take(slice(None, None, _CANTOOLS_SHARE))
        self._by_id = {message.frame_id: message for message in database.messages}
        self._work = [(int(self._batch.can_id[row]), self._batch.payload_bytes(row)) for row in range(len(self._batch))]
        self.values = 0

    def frames_per_s(self) -> float:
        by_id = self._by_id
        begin = time.perf_counter()
        for identifier, data in self._work:
            by_id[identifier].decode_simple(data, False)
        return len(self._work) / (time.perf_counter() - begin)

    def differing_values(self, ours: _Ours) -> int:
        """Values that are not exactly equal, in either direction (missing ones included)."""
        got: list[dict[str, float]] = [{} for _ in self._work]
        for group in ours.decoder.decode_strict(self._batch).groups:
            for row, name in enumerate(group.names):
                for frame, value, valid in zip(
                    group.frame.tolist(), group.values[row].tolist(), group.valid[row].tolist(), strict=True
                ):
                    if valid:
                        got[frame][name] = value
        expected = [self._by_id[identifier].decode_simple(data, False) for identifier, data in self._work]
        self.values = sum(map(len, expected))
        return sum(
            one.get(name) != other.get(name)
            for one, other in zip(expected, got, strict=True)
            for name in one.keys() | other.keys()
        )


class _Asammdf:
    """The in-memory core of asammdf's bus logging: frames selected per identifier, then `extract_mux` to physical values."""

    def __init__(self, dbc: Path, batch: FrameBatch) -> None:
        from asammdf.blocks.bus_logging_utils import extract_mux

        matrix = importlib.import_module("canmatrix.formats").loadp(str(dbc))[""]
        self._messages = {frame.arbitration_id.id: frame for frame in matrix}
        self._extract = extract_mux
        self._can_id = batch.can_id
        self._payload: NDArray[np.uint8] = batch.payload.view(np.uint8).reshape(-1, 8)
        self._time_s = batch.time_ns / 1e9

    def frames_per_s(self) -> float:
        begin = time.perf_counter()
        for identifier, message in self._messages.items():
            rows = np.flatnonzero(self._can_id == identifier)
            self._extract(self._payload[rows], message, identifier, 0, self._time_s[rows])
        return len(self._can_id) / (time.perf_counter() - begin)


def _asammdf(dbc: Path, batch: FrameBatch) -> _Asammdf | None:
    if any(importlib.util.find_spec(name) is None for name in ("asammdf", "canmatrix")):
        return None
    return _Asammdf(dbc, batch)


def _copied_bytes_per_s() -> float:
    """Bytes read plus bytes written per second by copying one warm buffer to another."""
    source, target = np.ones(_COPY_BYTES, np.uint8), np.ones(_COPY_BYTES, np.uint8)
    begin = time.perf_counter()
    for _ in range(4):
        np.copyto(target, source)
    return 8 * _COPY_BYTES / (time.perf_counter() - begin)
