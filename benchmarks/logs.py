"""Recording -> all signals, by format, against python-can's reader and `cantools` `decode_message`.

The same frames (of `little_endian.dbc`, 10.3 signals per message) are written in each format by python-can's writers (MDF 4 by
asammdf, since python-can's takes a frame at a time). Both read from the page cache; the peer reads a shorter recording of the same
kind, since its time per frame does not depend on how many there are. Rates are per CPU second of this process, the contenders one
after another in each round; the ratio is the median of the rounds' ratios. All values of the shorter recording are compared.
"""

from __future__ import annotations

import importlib
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decode_peers import load_database, random_frames, rate
from domain.errors import LogFileError
from domain.frames import FrameBatch
from domain.ports import Jit
from ingest.decoder import Decoder
from ingest.logs import open_log
from ingest.profiles import dbc_profile

DBC = Path(__file__).parent / "dbc" / "little_endian.dbc"
FORMATS = {"candump": ".log", "asc": ".asc", "blf": ".blf", "trc": ".trc", "csv": ".csv", "mf4": ".mf4"}
"""Name in the result -> ending by which python-can chooses its writer and its reader."""
_PEER_SHARE = 20
_BEGAN_S = 1_600_000_000
_IDENTIFIER = 0x1FFF_FFFF

Progress = Callable[[str], None]


def run(*, frames: int = 400_000, rounds: int = 5, jit: Jit, progress: Progress | None = None) -> dict[str, Any]:
    """The document of `pitcall bench logs --json`: per format, ratios first.

    A format that we cannot read, or whose peer is not installed, is null with a reason. `progress` is told each round in words.
    """
    tell = progress or (lambda _words: None)
    whole = random_frames(DBC, frames)
    part = whole.take(slice(max(1, frames // _PEER_SHARE)))
    document: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, suffix in FORMATS.items():
            long, short = Path(folder) / f"long{suffix}", Path(folder) / f"short{suffix}"
            try:
                _write(long, whole)
                _write(short, part)
                document[name] = _measure(name, long, short, rounds, jit, tell)
            except ModuleNotFoundError as problem:
                document[name] = {"vs_python_can": None, "frames_per_s": None, "reason": f"{problem.name} is not installed"}
            except LogFileError as problem:
                document[name] = {"vs_python_can": None, "frames_per_s": None, "reason": problem.what}
            long.unlink(missing_ok=True)
    return document


def _measure(name: str, long: Path, short: Path, rounds: int, jit: Jit, tell: Progress) -> dict[str, Any]:
    ours, peer = _Ours(jit), _Peer()
    differing, values = _differing(ours, peer, short)
    contenders: dict[str, Callable[[], int]] = {"pitcall": lambda: ours.read(long), "python_can": lambda: peer.read(short)}
    frames = ours.read(long)  # compile, and warm caches and buffers
    rates: dict[str, list[float]] = {contender: [] for contender in contenders}
    for number in range(max(1, rounds)):
        for contender, work in contenders.items():
            rates[contender].append(rate(work))
        tell(f"{name}: round {number + 1} of {rounds}, {rates['pitcall'][-1] / rates['python_can'][-1]:.0f} times python-can")
    ratios = [one / other for one, other in zip(rates["pitcall"], rates["python_can"], strict=True)]
    return {
        "vs_python_can": statistics.median(ratios),
        "frames_per_s": statistics.median(rates["pitcall"]),
        "differing_values": differing,
        "compared_values": values,
        "medians": {"python_can_frames_per_s": statistics.median(rates["python_can"])},
        "frames": frames,
        "rounds": len(ratios),
    }


class _Ours:
    """A recording to all values, batch after batch."""

    def __init__(self, jit: Jit) -> None:
        self._jit = jit
        self._decoder = Decoder({"bench": dbc_profile([("*", DBC)])}, lambda _vehicle: "bench", jit=jit)

    def read(self, path: Path) -> int:
        """Frames read and decoded."""
        frames = 0
        for batch in open_log(path, vehicle="bench", batch_frames=65_536, jit=self._jit):
            self._decode(batch)
            frames += len(batch)
        return frames

    def _decode(self, batch: FrameBatch) -> None:
        """All values; nobody holds them when the next batch is decoded, so that its buffers are used again."""
        for group in self._decoder.decode(batch).groups:
            group.values  # noqa: B018 -- worked out when asked for

    def values(self, path: Path) -> list[dict[str, float]]:
        """Of every frame its values by name."""
        found: list[dict[str, float]] = []
        for batch in open_log(path, vehicle="bench", jit=self._jit):
            here: list[dict[str, float]] = [{} for _ in range(len(batch))]
            for group in self._decoder.decode_strict(batch).groups:
                rows, values, valid = group.frame.tolist(), group.values.tolist(), group.valid.tolist()
                for name, row_values, row_valid in zip(group.names, values, valid, strict=True):
                    for row, value, good in zip(rows, row_values, row_valid, strict=True):
                        if good:
                            here[row][name] = value
            found += here
        return found


class _Peer:
    """The loop that one writes with python-can and cantools."""

    def __init__(self) -> None:
        self._can: Any = importlib.import_module("can")
        self._database: Any = load_database(DBC)

    def _messages(self, path: Path) -> Iterator[Any]:
        with self._can.LogReader(path) as reader:
            yield from reader

    def read(self, path: Path) -> int:
        """Frames read and decoded."""
        decode = self._database.decode_message
        frames = 0
        for message in self._messages(path):
            decode(message.arbitration_id, message.data, decode_choices=False)
            frames += 1
        return frames

    def values(self, path: Path) -> list[dict[str, float]]:
        """Of every frame its values by name."""
        decode = self._database.decode_message
        return [decode(message.arbitration_id, message.data, decode_choices=False) for message in self._messages(path)]


def _differing(ours: _Ours, peer: _Peer, path: Path) -> tuple[int, int]:
    """(values that are not exactly equal, missing ones included; values compared)."""
    expected, got = peer.values(path), ours.values(path)
    count = sum(map(len, expected))
    if len(got) != len(expected):
        return count, count
    differing = sum(
        one.get(name) != other.get(name) for one, other in zip(expected, got, strict=True) for name in one.keys() | other.keys()
    )
    return differing, count


def _write(path: Path, batch: FrameBatch) -> None:
    if path.suffix == ".mf4":
        _write_mf4(path, batch)
        return
    can: Any = importlib.import_module("can")
    with can.Logger(path) as writer:
        for row in range(len(batch)):
            writer(
                can.Message(
                    timestamp=_BEGAN_S + int(batch.time_ns[row]) / 1e9,
                    arbitration_id=int(batch.can_id[row]) & _IDENTIFIER,
                    is_extended_id=bool(batch.can_id[row] >> 31),
                    data=batch.payload_bytes(row),
                    channel=1,
                )
            )


def _write_mf4(path: Path, batch: FrameBatch) -> None:
    asammdf: Any = importlib.import_module("asammdf")
    members = {
        "BusChannel": "<u1",
        "ID": "<u4",
        "IDE": "<u1",
        "DLC": "<u1",
        "DataLength": "<u1",
        "DataBytes": "(8,)u1",
        "Dir": "<u1",
    }
    samples = np.zeros(len(batch), np.dtype([(f"CAN_DataFrame.{name}", kind) for name, kind in members.items()]))
    samples["CAN_DataFrame.BusChannel"] = 1
    samples["CAN_DataFrame.ID"] = batch.can_id & np.uint32(_IDENTIFIER)
    samples["CAN_DataFrame.IDE"] = batch.can_id >> 31
    samples["CAN_DataFrame.DLC"] = samples["CAN_DataFrame.DataLength"] = batch.length
    samples["CAN_DataFrame.DataBytes"] = batch.payload.view(np.uint8).reshape(-1, 8)
    source = asammdf.Source("CAN", "CAN", "", asammdf.Source.SOURCE_BUS, asammdf.Source.BUS_TYPE_CAN)
    with asammdf.MDF(version="4.10") as mdf:
        mdf.append(asammdf.Signal(samples, batch.time_ns / 1e9, name="CAN_DataFrame", source=source), acq_source=source)
        mdf.save(path, overwrite=True, compression=1)
