"""Decode speed as ratios to peers, on four made-up DBC files in the shapes of real networks.

`big_endian.dbc` has 5.5 big-endian signals per message and `little_endian.dbc` 10.3 little-endian ones, as common passenger cars have;
`can_fd.dbc` has messages of up to 64 bytes, `j1939.dbc` is matched by parameter group and judges "not available". All contenders decode
all signals of the same frames, from memory to memory, one after another in each round, each for at least a tenth of a second; ratios
are per frame and CPU second and per round, and their median is given. Every value of the frames that cantools decodes is compared.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.decode_peers import Cantools, Memory, asammdf_core, random_frames, rate
from benchmarks.plot import bar_chart
from domain.frames import FrameBatch
from domain.ports import Jit
from ingest.decoder import Decoder
from ingest.profiles import dbc_profile

SHAPES = {"toyota_be": "big_endian.dbc", "hyundai_le": "little_endian.dbc", "can_fd": "can_fd.dbc", "j1939": "j1939.dbc"}
"""Name in the result -> DBC file; the first two are named after the makers whose public DBC files have that shape."""
LIVE_BATCHES = (1, 10, 100, 1_000, 10_000)
_BATCH_FRAMES = 65_536
_READ_BYTES = 6
"""Per frame, payload apart: identifier 4, length 1, flags 1."""
_OFFSET_BYTES = 8
"""Per frame of more than eight bytes: where its payload lies in the arena."""
_ROW_BYTES = 8
"""Per frame: its row in the batch, which leads to its time, vehicle and source."""

Progress = Callable[[str], None]


def run(*, frames: int = 2_000_000, rounds: int = 5, jit: Jit, progress: Progress | None = None) -> dict[str, Any]:
    """The document of `pitcall bench decode --json`: per DBC shape, ratios first.

    `vs_cantools`, `vs_asammdf_core`, `of_memcpy_bound` and `frames_per_s` are of all values as float64 (`SignalGroup.values`); those
    that begin with `raw_` are of all raw values in narrow columns (`SignalGroup.raw`) instead. `progress` is told each round in
    words. asammdf's ratio is null where asammdf or canmatrix is not installed.
    """
    tell = progress or (lambda _words: None)
    return {shape: _run_shape(shape, frames, max(1, rounds), jit, tell) for shape in SHAPES}


def chart(document: dict[str, Any]) -> str:
    """The document's frames per second as an SVG bar chart."""
    groups: dict[str, dict[str, float]] = {}
    for shape, result in document.items():
        peers = {
            "pitcall, float64": result["frames_per_s"],
            "pitcall, raw columns": result["raw_frames_per_s"],
            "asammdf core": result["medians"]["asammdf_core_frames_per_s"],
            "cantools": result["medians"]["cantools_frames_per_s"],
        }
        groups[shape] = {name: value / 1e6 for name, value in peers.items() if value is not None}
    return bar_chart("Decoding all signals on one core", "million frames per CPU second", groups)


def _run_shape(shape: str, frames: int, rounds: int, jit: Jit, tell: Progress) -> dict[str, Any]:
    dbc = Path(__file__).parent / "dbc" / SHAPES[shape]
    batch = random_frames(dbc, frames)
    ours, cantools, peer, memory = Ours(dbc, batch, jit), Cantools(dbc, batch), asammdf_core(dbc, batch), Memory()
    differing = cantools.differing_values(ours.decoder.decode_strict(cantools.batch))
    contenders: dict[str, Callable[[], int]] = {
        "pitcall": ours.values,
        "raw": ours.raw,
        "cantools": cantools.simple,
        "decode_message": cantools.message,
        "memcpy": memory.copy,
    }
    if peer is not None:
        contenders["asammdf_core"] = peer.decode
    for contender in contenders.values():
        contender()  # compile, and warm caches and buffers, for everybody alike
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            rates[name].append(rate(contender))
        tell(f"{shape}: round {number + 1} of {rounds}, {rates['pitcall'][-1] / rates['cantools'][-1]:.0f} times cantools")
    return _document(ours, cantools, rates, differing) | {"frames": frames, "rounds": rounds, **_live(ours, batch)}


def _document(ours: Ours, cantools: Cantools, rates: dict[str, list[float]], differing: int) -> dict[str, Any]:
    read = _READ_BYTES + ours.payload_bytes
    value_bytes, raw_bytes = read + _ROW_BYTES + 8 * ours.signals_per_frame, read + _ROW_BYTES + ours.raw_bytes

    def ratio(one: str, other: str, divisor: float = 1.0) -> float | None:
        if other not in rates:
            return None
        return statistics.median(a / b * divisor for a, b in zip(rates[one], rates[other], strict=True))

    return {
        "vs_cantools": ratio("pitcall", "cantools"),
        "vs_asammdf_core": ratio("pitcall", "asammdf_core"),
        "of_memcpy_bound": ratio("pitcall", "memcpy", value_bytes),
        "frames_per_s": statistics.median(rates["pitcall"]),
        "differing_values": differing,
        "compared_values": cantools.values,
        "vs_cantools_decode_message": ratio("pitcall", "decode_message"),
        "raw_vs_cantools": ratio("raw", "cantools"),
        "raw_vs_asammdf_core": ratio("raw", "asammdf_core"),
        "raw_of_memcpy_bound": ratio("raw", "memcpy", raw_bytes),
        "raw_frames_per_s": statistics.median(rates["raw"]),
        "medians": {
            "cantools_frames_per_s": statistics.median(rates["cantools"]),
            "cantools_decode_message_frames_per_s": statistics.median(rates["decode_message"]),
            "asammdf_core_frames_per_s": statistics.median(rates["asammdf_core"]) if "asammdf_core" in rates else None,
            "memcpy_bytes_per_s": statistics.median(rates["memcpy"]),
        },
        "signals_per_frame": ours.signals_per_frame,
        "bytes_per_frame": value_bytes,
        "raw_bytes_per_frame": raw_bytes,
    }


def _live(ours: Ours, batch: FrameBatch) -> dict[str, Any]:
    """Frames per second where few frames come per call, as in live operation under light load."""
    small = {size: batch.take(slice(size)) for size in LIVE_BATCHES if size <= len(batch)}
    return {"frames_per_s_by_batch": {size: rate(lambda part=part: ours.decode((part,))) for size, part in small.items()}}  # type: ignore[misc]  # mypy cannot infer a lambda with a default


class Ours:
    """The decoder as the pipeline uses it, batch after batch."""

    def __init__(self, dbc: Path, batch: FrameBatch, jit: Jit) -> None:
        self.decoder = Decoder({"bench": dbc_profile([("*", dbc)])}, lambda _vehicle: "bench", jit=jit)
        self._cut = [batch.take(slice(start, start + _BATCH_FRAMES)) for start in range(0, len(batch), _BATCH_FRAMES)]
        groups = [group for part in self._cut[:1] for group in self.decoder.decode(part).groups]
        first = len(self._cut[0])
        self.signals_per_frame = sum(group.cells for group in groups) / first
        self.raw_bytes = sum(group.raw(row).nbytes for group in groups for row in range(len(group.names))) / first
        self.payload_bytes = (int(self._cut[0].length.sum()) + _OFFSET_BYTES * int((self._cut[0].length > 8).sum())) / first

    def values(self) -> int:
        """Every value of every frame as float64."""
        return self.decode(self._cut)

    def decode(self, batches: tuple[FrameBatch, ...] | list[FrameBatch]) -> int:
        """Every value of these batches; gives how many frames."""
        for part in batches:
            self._values(part)
        return sum(map(len, batches))

    def _values(self, part: FrameBatch) -> None:
        """Of one batch; nobody holds its groups any more when the next one is decoded, so that its buffers are used again."""
        for group in self.decoder.decode(part).groups:
            _ = group.values

    def raw(self) -> int:
        """Every raw value of every frame, in narrow columns."""
        for part in self._cut:
            for group in self.decoder.decode(part).groups:
                for row in range(len(group.names)):
                    group.raw(row)
        return sum(map(len, self._cut))
