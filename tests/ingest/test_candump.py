"""candump recordings: every form of line, and the same frames however the file is packed, cut and parsed."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.errors import LogFileError
from domain.frames import EXTENDED_ID, FRAME_COLUMNS, FrameBatch, FrameFlag, concat_frames
from domain.ports import no_jit
from ingest.logs import ClockState, continuous_time, open_log
from ingest.logs.candump import Candump, _KernelReader
from ingest.logs.candump_lines import Line, LineReader, parse_line
from ingest.logs.log_format import Block

REMOTE, ERROR, FD, SENT = FrameFlag.REMOTE, FrameFlag.ERROR, FrameFlag.FD, FrameFlag.TRANSMITTED


def line(time_ns: int | None, bus: str, can_id: int, data: str = "", *, flags: int = 0, length: int | None = None) -> Line:
    content = bytes.fromhex(data)
    return Line(
        time_ns=time_ns,
        bus=bus.encode(),
        can_id=can_id,
        data=content,
        flags=flags,
        length=len(content) if length is None else length,
    )


FORMS = {
    "(1600279140.020108) can0 2A0#480087182102F900": line(1_600_279_140_020_108_000, "can0", 0x2A0, "480087182102F900"),
    "(1.5) vcan1 18FEDF00#8AA0": line(1_500_000_000, "vcan1", 0x18FEDF00 | EXTENDED_ID, "8AA0"),
    "(1.5) can0 00000123#": line(1_500_000_000, "can0", 0x123 | EXTENDED_ID),
    "(1.5) can0 7FF#R": line(1_500_000_000, "can0", 0x7FF, flags=REMOTE),
    "(1.5) can0 7FF#R8": line(1_500_000_000, "can0", 0x7FF, flags=REMOTE, length=8),
    "(1.5) can0 123##1AABBCCDDEEFF001122": line(1_500_000_000, "can0", 0x123, "AABBCCDDEEFF001122", flags=FD),
    "(1.5) can0 123#11 T": line(1_500_000_000, "can0", 0x123, "11", flags=SENT),
    "(1.5) can0 123#11 R\r": line(1_500_000_000, "can0", 0x123, "11"),
    "(1.5) can0 20000080#0000000000000000": line(1_500_000_000, "can0", 0x80, "00" * 8, flags=ERROR),
    " (000.005001)  can0  18FEDF00   [8]  8A A0 28 7D 7D FF FF F5": line(
        5_001_000, "can0", 0x18FEDF00 | EXTENDED_ID, "8AA0287D7DFFFFF5"
    ),
    " (000.005001)  can0  123   [2]  41 42   'AB'": line(5_001_000, "can0", 0x123, "4142"),
    "  can0  123  [0]": line(None, "can0", 0x123),
    "  can0  123  [4]  remote request": line(None, "can0", 0x123, flags=REMOTE, length=4),
    "  can0  123  [12]  00 01 02 03 04 05 06 07 08 09 0A 0B": line(None, "can0", 0x123, "000102030405060708090A0B", flags=FD),
    "  can0  123  [02]  00 01": line(None, "can0", 0x123, "0001", flags=FD),
    " (1.5)  can0  TX - -  123   [1]  07": line(1_500_000_000, "can0", 0x123, "07", flags=SENT),
    "(2020-09-16 17:59:00.020108) can0 123#07": line(1_600_279_140_020_108_000, "can0", 0x123, "07"),
    "(2024-02-29 00:00:00.0) can0 123#07": line(1_709_164_800_000_000_000, "can0", 0x123, "07"),
    "(-0.25) can0 123#07": line(-250_000_000, "can0", 0x123, "07"),
    "(683.70) RX0 7E0 [8] 03 22 F4 00 00 00 00 00": line(683_700_000_000, "RX0", 0x7E0, "0322F40000000000"),
}
NO_FRAMES = [
    "=~=~=~=~=~=~=~= PuTTY log 2025.05.22 15:02:22 =~=~=~=~=~=~=~=",
    "[1]+  Stopped    candump can0",
    "(1.5) can0 800#00",  # three digits hold 11 bits
    "(1.5) can0 123#0",
    "(1.5) can0 123#001122334455667788",  # nine bytes in a classic frame
    "(1.5) can0 123#00 X",
    "(1.5) can0 123#00(1.6) can0 123#00",
    "(1.5 can0 123#00",
    "(99999999999) can0 123#00",
    "(2023-02-29 00:00:00) can0 123#00",
    "(2023-01-01 24:00:00) can0 123#00",
    "  can0  123  [8]  00 01 02",
    "  can0  123  [9]  00 01 02 03 04 05 06 07 08",
    "  can0  123  [2]  00 0",
    "  can0",
    "can0 7FFFFFFF#00",
]


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_a_frame_is_understood(text: str) -> None:
    assert parse_line(text.encode()) == FORMS[text]


@pytest.mark.parametrize("text", NO_FRAMES)
def test_what_is_no_frame_is_refused(text: str) -> None:
    assert parse_line(text.encode()) is None


def both(text: bytes, block_bytes: int = 1 << 20) -> tuple[list[Block], list[Block]]:
    read = Candump().blocks
    return (
        list(read(io.BytesIO(text), block_bytes=block_bytes, jit=lazy_jit)),
        list(read(io.BytesIO(text), block_bytes=block_bytes, jit=no_jit)),
    )


def assert_equal_blocks(one: list[Block], other: list[Block]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert (a.buses, a.malformed, a.timeless) == (b.buses, b.malformed, b.timeless)
        for name in ("time_ns", "bus", "can_id", "length", "flags", "payload", "arena_offset", "arena"):
            left, right = getattr(a, name), getattr(b, name)
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right, err_msg=name)


def test_the_kernel_reads_every_form_as_the_reference_does() -> None:
    assert_equal_blocks(*both("\n".join([*FORMS, *NO_FRAMES, "", "  ", *FORMS]).encode()))


@st.composite
def spoiled_text(draw: st.DrawFn) -> bytes:
    """Good lines, some with a character changed, put in or left out."""
    lines = draw(st.lists(st.sampled_from([*FORMS, *NO_FRAMES]), max_size=6))
    text = bytearray("\n".join(lines).encode())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        change = draw(st.sampled_from(["put", "drop", "set"]))
        byte = draw(st.sampled_from(b" \t\r\n()[]#.-:0189AFafgRTX_'") | st.integers(0, 255))
        if change == "put":
            text.insert(at, byte)
        elif at < len(text):
            text[at : at + 1] = b"" if change == "drop" else bytes([byte])
    return bytes(text)


@settings(max_examples=200, deadline=None)
@given(spoiled_text(), st.integers(1, 200))
def test_the_kernel_agrees_with_the_reference_on_spoiled_text_in_any_blocks(text: bytes, block_bytes: int) -> None:
    assert_equal_blocks(*both(text, block_bytes))


def test_the_kernel_gives_the_same_without_a_compiler() -> None:
    text = "\n".join([*FORMS, *NO_FRAMES]).encode()
    assert_equal_blocks([_KernelReader(no_jit).read(text)], [LineReader().read(text)])


def test_frames_equal_those_of_python_can(tmp_path: Path) -> None:
    can = pytest.importorskip("can", reason="python-can is an optional extra")
    random = np.random.default_rng(1)
    path = tmp_path / "drive.log"
    with can.CanutilsLogWriter(str(path)) as writer:
        for number in range(300):
            fd = number % 7 == 0
            writer.on_message_received(
                can.Message(
                    timestamp=1_600_000_000 + number / 64,
                    arbitration_id=int(random.integers(0, 0x1FFFFFFF if number % 2 else 0x7FF)),
                    is_extended_id=bool(number % 2),
                    is_fd=fd,
                    data=random.bytes(int(random.choice([12, 20, 64]) if fd else random.integers(0, 9))),
                    channel=f"can{number % 3}",
                    is_rx=number % 5 != 0,
                )
            )
    batch = whole(path, lazy_jit)
    for row, message in enumerate(can.CanutilsLogReader(str(path))):
        assert batch.payload_bytes(row) == bytes(message.data)
        assert int(batch.can_id[row]) == message.arbitration_id | (EXTENDED_ID if message.is_extended_id else 0)
        assert batch.buses[batch.bus[row]] == message.channel
        assert bool(batch.flags[row] & FD) == message.is_fd
        assert bool(batch.flags[row] & SENT) != message.is_rx
        assert abs(batch.time_ns[row] / 1e9 - message.timestamp) < 1e-5
    assert row + 1 == len(batch)


def whole(path: Path, jit: object = no_jit, **options: object) -> FrameBatch:
    return concat_frames(list(open_log(path, vehicle="v", jit=jit, **options)))  # type: ignore[arg-type]  # options by name


def drive(tmp_path: Path, count: int = 50, first_s: float = 1_600_000_000.0) -> Path:
    path = tmp_path / "drive.log"
    lines = [f"({first_s + k // 2 / 10:.6f}) can{k % 2} {0x100 + k % 0x400:03X}#{k % 256:02X}" for k in range(count)]
    path.write_text("\n".join([*lines[:7], "not a frame", *lines[7:]]) + "\n")
    return path


def assert_equal_frames(one: FrameBatch, other: FrameBatch) -> None:
    assert (one.vehicles, one.buses) == (other.vehicles, other.buses)
    for name in set(FRAME_COLUMNS) - {"message"}:  # joined batches keep a message row each
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("batch_frames", [1, 7, 49, 50, 1000])
def test_batches_of_any_size_hold_the_same_frames(tmp_path: Path, batch_frames: int) -> None:
    path = drive(tmp_path)
    batches = list(open_log(path, vehicle="v", batch_frames=batch_frames))
    assert max(map(len, batches)) <= batch_frames
    joined = concat_frames(batches)
    assert_equal_frames(joined, whole(path))
    assert joined.index.tolist() == list(range(50))


@pytest.mark.parametrize("skipped", [0, 1, 6, 7, 8, 49, 50, 99])
def test_reading_goes_on_where_it_was_left(tmp_path: Path, skipped: int) -> None:
    path = drive(tmp_path)
    log = open_log(path, vehicle="v", batch_frames=5)
    log.skip(skipped)
    rest = [batch for batch in log if len(batch)]
    assert [int(i) for batch in rest for i in batch.index] == list(range(min(skipped, 50), 50))
    assert len(log.dead_letters) == 1
    assert log.anomalies["equal_time"] == 25


def test_gzip_and_plain_give_the_same(tmp_path: Path) -> None:
    path = drive(tmp_path)
    packed = tmp_path / "packed.txt"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert_equal_frames(whole(packed), whole(path))


def test_gzip_members_one_after_another_are_one_recording(tmp_path: Path) -> None:
    path = drive(tmp_path)
    text = path.read_bytes()
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(text[:333]) + gzip.compress(text[333:]) + bytes(512))
    assert_equal_frames(whole(packed), whole(path))
    log = open_log(packed, vehicle="v")
    list(log)
    assert "truncated_file" not in log.anomalies


def test_half_a_gzip_file_gives_what_it_has(tmp_path: Path) -> None:
    path = drive(tmp_path, 5000)
    packed = gzip.compress(path.read_bytes())
    path.write_bytes(packed[: len(packed) // 2])
    log = open_log(path, vehicle="v")
    frames = concat_frames(list(log))
    assert log.anomalies["truncated_file"] == 1
    assert 1000 < len(frames) < 5000
    assert frames.can_id.tolist() == [0x100 + k % 0x400 for k in range(len(frames))]


def test_a_malformed_line_is_kept_with_its_place(tmp_path: Path) -> None:
    log = open_log(drive(tmp_path), vehicle="v")
    assert sum(len(batch) for batch in log) == 50
    (letter,) = log.dead_letters
    assert (letter.origin, letter.position, letter.reason, letter.content) == ("drive.log", 8, "malformed_line", b"not a frame")
    again = open_log(drive(tmp_path), vehicle="v")
    again.skip(50)
    assert again.dead_letters == log.dead_letters
    assert log.anomalies == {"malformed_line": 1, "equal_time": 25}


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    log = open_log(drive(tmp_path), vehicle="v")
    assert log.bytes_done == 0
    list(log)
    assert log.bytes_done == log.bytes_total == log.path.stat().st_size


def test_relative_stamps_begin_at_the_given_start(tmp_path: Path) -> None:
    path = drive(tmp_path, first_s=2.0)
    assert whole(path).time_ns[0] == 2_000_000_000
    assert whole(path, start_ns=10**18).time_ns[0] == 10**18 + 2_000_000_000


def test_absolute_stamps_stay_as_they_are(tmp_path: Path) -> None:
    assert whole(drive(tmp_path), start_ns=5).time_ns[0] == 1_600_000_000 * 10**9


def test_steps_back_are_counted_and_kept_in_file_order(tmp_path: Path) -> None:
    path = tmp_path / "drive.log"
    path.write_text("".join(f"({t}) can0 123#00\n" for t in (100.0, 99.5, 101.0, 3.0, 4.0)))
    log = open_log(path, vehicle="v", batch_frames=2)
    stamps = [int(t) for batch in log for t in batch.time_ns]
    assert stamps == [100_000_000_000, 99_500_000_000, 101_000_000_000, 3_000_000_000, 4_000_000_000]
    assert log.anomalies == {"time_backwards": 2, "clock_reset": 1}


def test_an_empty_file_is_an_anomaly_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_bytes(b"")
    log = open_log(path, vehicle="v")
    assert list(log) == []
    assert log.anomalies == {"empty_file": 1}


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\0\0\0", b"hello\nworld\n", gzip.compress(b"a,b,c\n1,2,3\n", mtime=0)],
    ids=["picture", "words", "packed table"],
)
def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "drive.log"
    path.write_bytes(content)
    with pytest.raises(LogFileError, match=r"drive\.log: is not a recording of a known format; give one of: .*candump"):
        open_log(path, vehicle="v")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogFileError, match=r"absent\.log: cannot be read"):
        open_log(tmp_path / "absent.log", vehicle="v")


def test_time_goes_on_over_a_reset_and_keeps_small_disorder() -> None:
    stamps = np.array([10, 12, 11, 2, 3, 1], np.int64) * 10**9 // 2
    rebased, state = continuous_time(stamps, ClockState())
    assert (rebased * 2 // 10**9).tolist() == [10, 12, 11, 11, 12, 10]
    assert state == ClockState(last_ns=10**9 // 2, offset_ns=9 * 10**9 // 2)


@given(st.lists(st.integers(0, 20), max_size=12), st.integers(0, 12))
def test_time_does_not_depend_on_the_cut(seconds: list[int], cut: int) -> None:
    stamps = np.array(seconds, np.int64) * 700_000_000
    at_once, _ = continuous_time(stamps, ClockState())
    first, state = continuous_time(stamps[:cut], ClockState())
    second, _ = continuous_time(stamps[cut:], state)
    assert np.concatenate((first, second)).tolist() == at_once.tolist()
