"""Whatever happens to a recording or a message on its way, reading it never raises, never hangs, and tells what it could not use.

Some hundred cases in every run; PITCALL_FUZZ_CASES=1000000 makes a million of them, PITCALL_FUZZ_SEED others.
"""

from __future__ import annotations

import gzip
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import can
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.kernels import compiler
from domain.errors import LogFileError
from domain.frames import FrameBatch
from domain.records import DeadLetter
from ingest.diagnostics import DiagnosticsReader
from ingest.gbt32960.rows import read_packets
from ingest.logs.open_log import FORMATS, open_log
from ingest.records import record_groups
from tests.ingest.gbt32960.packets import packet
from tests.ingest.logs.samples import MORE_TEXTS, TEXTS
from tests.ingest.test_mf4 import with_variable_data, written_by_asammdf
from tests.ingest.wire.examples import examples
from tests.ingest.wire.reading import parse, raw, sources_of

CASES = int(os.environ.get("PITCALL_FUZZ_CASES", "1500"))
SEED = os.environ.get("PITCALL_FUZZ_SEED", "0")
SLOWEST_S = 20.0
"""A case that takes so long hangs for whoever waits for it; most take less than a millisecond."""
CANDUMP = "(1600279140.020108) can0 2A0#480087182102F900\n (000.005001)  can0  18FEDF00   [8]  8A A0 28 7D 7D 00 FF FF\n" * 4


def frames() -> Iterator[can.Message]:
    for number in range(40):
        yield can.Message(
            timestamp=1.7e9 + number * 0.01,
            arbitration_id=0x100 + number,
            is_extended_id=number % 3 == 0,
            is_fd=number % 4 == 1,
            is_error_frame=number == 7,
            dlc=0 if number == 7 else 8,
            data=b"" if number == 7 else bytes(range(number, number + 8)),
        )


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small recording of every format, some in several variants."""
    folder = tmp_path_factory.mktemp("recordings")
    texts = {**TEXTS, "candump": CANDUMP, **{f"{name}, other": text for name, text in MORE_TEXTS.items()}}
    made = {name: text.encode() for name, text in texts.items()}
    for suffix in ("blf", "asc", "trc", "csv"):
        with can.Logger(folder / f"made.{suffix}") as writer:
            for message in frames():
                if suffix in ("blf", "asc") or not (message.is_fd or message.is_error_frame):
                    writer(message)
        made[f"{suffix} of python-can"] = (folder / f"made.{suffix}").read_bytes()
    for compression in (0, 2):
        written_by_asammdf(folder / "made.mf4", count=30, compression=compression)
        made[f"MF4 with compression {compression}"] = (folder / "made.mf4").read_bytes()
    with_variable_data(folder / "variable.mf4")
    made["MF4 with data of variable size"] = (folder / "variable.mf4").read_bytes()
    columns = {"timestamp": [1.5, 1.6], "arbitration_id": [0x123, 0x124], "data": [b"\1\2\3", b"\4"]}
    pq.write_table(pa.table(columns), folder / "made.parquet")
    made["parquet"] = (folder / "made.parquet").read_bytes()
    made["GB/T 32960"] = packet(bytes([1]) + bytes(20)) * 3
    made["candump, packed"] = gzip.compress(CANDUMP.encode())
    return made


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Bits flipped, bytes changed, cut out, doubled or put in, numbers made huge; one to four times."""
    for _ in range(rng.randint(1, 4)):
        at, end = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
        match rng.randrange(7):
            case 0 if content:
                at = rng.randrange(len(content))
                content = content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
            case 1:
                content = content[:at] + rng.randbytes(rng.randint(1, 8)) + content[at + rng.randint(0, 8) :]
            case 2:
                content = content[:at]
            case 3:
                content = content[:at] + content[at : min(end, at + 500)] * 2 + content[end:]
            case 4:
                content = content[:at] + content[min(end, at + 200) :]
            case 5:
                content = content[:at] + rng.choice(HARD) + content[at:]
            case _:
                content = content[:at] + rng.choice(HARD) + content[at + rng.randint(1, 8) :]
    return content


HARD = [
    b"\xff\xff\xff\xff", b"\x00\x00\x00\x00\x00\x00\x00\x00", b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"9" * 30, b"-1", b"1e400", b"nan",
    b"\r", b"\n\n", b";", b",", b"\xef\xbb\xbf", b"LOBJ", b"##DG", b"##", b"\x80\x80\x80", b"null", b"{}", b"[[[[", b'"\\ud800"',
]  # fmt: skip


def each_case(what: str, share: float) -> Iterator[random.Random]:
    """Seeded dice for each of a share of the cases; fails where one of them takes too long."""
    for number in range(max(20, int(CASES * share))):
        began = time.process_time()
        yield random.Random(f"{what} {SEED} {number}")
        assert time.process_time() - began < SLOWEST_S, f"case {number} of {what} with seed {SEED} hangs"


def test_every_format_of_recordings_has_an_example(recordings: dict[str, bytes], tmp_path: Path) -> None:
    known = set()
    for name, content in recordings.items():
        file = tmp_path / "recording"
        file.write_bytes(content)
        log = open_log(file, vehicle="v")
        assert sum(map(len, log)) > 0, name
        known.add(log.format_name)
    assert known >= {known.name for known in FORMATS}


def test_no_damaged_recording_raises_or_hangs(recordings: dict[str, bytes], tmp_path: Path) -> None:
    names, reader = sorted(recordings), DiagnosticsReader()
    for rng in each_case("recordings", 0.5):
        name = rng.choice(names)
        content = damaged(recordings[name], rng)
        file = tmp_path / "recording"
        file.write_bytes(content)
        refusal, batches, letters = read_all(file, batch_frames=rng.choice([3, 64, 10_000]))
        assert "\n" not in refusal
        for batch in batches:
            assert_sound(batch)
            reader.read(batch)
        reader.forget("v")
        for letter in letters:
            assert letter.reason
            assert letter.position >= 0


def read_all(file: Path, *, batch_frames: int) -> tuple[str, list[FrameBatch], list[DeadLetter]]:
    """(why it is refused, its frames, what could not be used)."""
    try:
        log = open_log(file, vehicle="v", jit=compiler(), batch_frames=batch_frames)
        return "", list(log), log.dead_letters
    except LogFileError as refusal:
        return str(refusal), [], []


def assert_sound(batch: FrameBatch) -> None:
    for row in range(len(batch)):
        batch.payload_bytes(row)
    assert len({len(batch), len(batch.flags), len(batch.payload), len(batch.arena_offset), len(batch.bus)}) == 1
    assert not len(batch) or int(batch.bus.max()) < len(batch.buses)


def test_no_damaged_message_raises_or_is_lost() -> None:
    kinds = examples()
    for rng in each_case("messages", 0.4):
        example = rng.choice(kinds)
        payload = rng.randbytes(rng.randrange(200)) if rng.random() < 0.1 else damaged(example.payload, rng)
        parsed = parse(sources_of(example.source), raw(example.topic, payload, token=7))
        tokens = [*parsed.frames.messages.position.tolist(), *parsed.dead_letter_tokens, *parsed.nothing_tokens]
        assert tokens == [7]
        assert_sound(parsed.frames)
        list(record_groups(parsed.frames, no_counts()))


def no_counts() -> Counter[tuple[str, str]]:
    return Counter()


def test_no_damaged_packet_raises_and_no_whole_one_is_lost() -> None:
    whole = packet(bytes([1]) + bytes(20))
    read: Callable[..., tuple[list[object], object]] = read_packets
    for rng in each_case("packets", 0.1):
        rows, _ = read(whole + damaged(whole, rng) + whole)
        assert len(rows) >= 1
