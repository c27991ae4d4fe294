"""Vector BLF: python-can is the oracle."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import can
import pytest
from can.io.blf import FILE_HEADER_SIZE
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.frames import FrameFlag
from domain.ports import Jit, no_jit
from tests.ingest.recorded import Row, as_row, random_messages, read

Samples = Path(__file__).parents[3] / "shared" / "data" / "recordings" / "format_samples_pythoncan"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """5,000 frames in many containers, with objects over their edges."""
    path = tmp_path_factory.mktemp("blf") / "drive.blf"
    with can.BLFWriter(path, max_container_size=5000) as writer:
        for message in random_messages(5000):
            writer.on_message_received(message)
    return path, [as_row(message, first_channel=1) for message in can.BLFReader(path)]


def made(*objects: bytes, contained: bool = True, level: int = 6) -> bytes:
    """A file with one container of these objects, or with the bare objects."""
    header = struct.pack("<4sL", b"LOGG", FILE_HEADER_SIZE).ljust(FILE_HEADER_SIZE, b"\0")
    content = b"".join(objects)
    if not contained:
        return header + content
    packed = zlib.compress(content, level) if level else content
    size = 32 + len(packed)
    container = struct.pack("<4sHHLLH6xL4x", b"LOBJ", 16, 1, size, 10, 2 if level else 0, len(content)) + packed
    return header + container + bytes(size % 4)


def an_object(kind: int, body: bytes, *, resolution: int = 2, stamp: int = 0, version: int = 1) -> bytes:
    head = 32 if version == 1 else 40
    size = head + len(body)
    return struct.pack("<4sHHLLLHHQ", b"LOBJ", head, version, size, kind, resolution, 0, 0, stamp).ljust(head, b"\0") + body


def classic(number: int, *, channel: int = 1, **header: int) -> bytes:
    return an_object(1, struct.pack("<HBBL8s", channel, 0, 8, number, bytes(range(8))), **header)


@pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["compiled", "plain"])
@pytest.mark.parametrize("batch_frames", [1, 700, 262_144])
def test_frames_are_those_of_python_can(recording: tuple[Path, list[Row]], jit: Jit, batch_frames: int) -> None:
    path, expected = recording
    rows, log = read(path, jit=jit, batch_frames=batch_frames)
    assert rows == expected
    assert not log.dead_letters
    assert not log.anomalies


@pytest.mark.parametrize(
    "name", ["issue_1905", "test_CanErrorFrameExt", "test_CanFdMessage", "test_CanMessage", "test_CanMessage2"]
)
def test_the_samples_of_python_can_are_read_as_python_can_reads_them(name: str) -> None:
    path = Samples / f"{name}.blf"
    if not path.is_file():
        pytest.skip("the samples of python-can are not beside this checkout")
    rows, log = read(path)
    assert rows == [as_row(message, first_channel=1) for message in can.BLFReader(path)]
    assert not log.dead_letters


@pytest.mark.parametrize("contained", [True, False], ids=["container", "bare"])
@pytest.mark.parametrize("version", [1, 2])
def test_both_clocks_and_both_headers(tmp_path: Path, contained: bool, version: int) -> None:
    path = tmp_path / "a.blf"
    objects = (classic(1, resolution=1, stamp=150_000, version=version), classic(2, stamp=1_600_000_000, version=version))
    path.write_bytes(made(*objects, contained=contained))
    rows, _ = read(path, start_ns=10**18)
    assert [(row[0], row[2]) for row in rows] == [(10**15 + 1_500_000, 1), (10**15 + 1_600_000, 2)]


def test_a_stored_container_needs_no_unpacking(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(made(classic(1), classic(2), level=0))
    assert [row[2] for row in read(path)[0]] == [1, 2]


def test_what_is_no_can_frame_is_counted_by_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    others = [an_object(kind, bytes(24)) for kind in (11, 65, 65, 96, 999)]
    path.write_bytes(made(classic(1), *others, classic(2)))
    rows, log = read(path)
    assert [row[2] for row in rows] == [1, 2]
    assert {kind: count for kind, count in log.anomalies.items() if kind.startswith("skipped")} == {
        "skipped_lin": 1, "skipped_text": 2, "skipped_marker": 1, "skipped_object_999": 1,
    }  # fmt: skip


def test_error_frames_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    fd_error = struct.pack("<BBBBHHHBBLLLLLLLHH", 3, 2, 2, 0, 0, 0, 0, 0, 0, 0x123, 0, 0, 0, 0, 0, 0, 0, 0) + b"\xab\xcd"
    path.write_bytes(made(an_object(2, struct.pack("<HHL", 7, 0, 0)), an_object(104, fd_error)))
    error = int(FrameFlag.ERROR)
    assert read(path)[0] == [(0, "7", 0, 0, error, b""), (0, "3", 0x123, 2, error, b"\xab\xcd")]


def test_a_damaged_object_is_located_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    objects = [classic(number) for number in range(1, 6)]
    objects[2] = b"XXXX" + objects[2][4:]
    path.write_bytes(made(*objects))
    rows, log = read(path)
    assert [row[2] for row in rows] == [1, 2, 4, 5]
    (letter,) = log.dead_letters
    assert (letter.position, letter.reason) == (FILE_HEADER_SIZE, "damaged_part")
    assert "96 bytes into the unpacked container" in letter.detail
    assert log.anomalies["damaged_part"] == 1


def test_an_object_with_a_wrong_size_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    objects = [classic(number) for number in range(1, 30)]
    objects[4] = objects[4][:8] + struct.pack("<L", 300) + objects[4][12:]
    foreign = an_object(65, bytes(20))
    objects[9] = foreign[:8] + struct.pack("<L", 700) + foreign[12:]
    path.write_bytes(made(*objects))
    rows, log = read(path)
    assert [row[2] for row in rows] == [number for number in range(1, 30) if number != 10]
    assert len(log.dead_letters) == 2 or log.anomalies["damaged_part"] == len(log.dead_letters) > 0


def test_a_damaged_container_costs_only_what_is_in_it(recording: tuple[Path, list[Row]], tmp_path: Path) -> None:
    path, expected = recording
    content = bytearray(path.read_bytes())
    third = -1
    for _ in range(3):
        third = content.index(b"LOBJ", third + 1)
    content[third + 400 : third + 410] = bytes(10)
    damaged = tmp_path / "damaged.blf"
    damaged.write_bytes(content)
    rows, log = read(damaged)
    assert len(expected) - 140 < len(rows) < len(expected)
    assert set(rows[:100]) | set(rows[-4000:]) <= set(expected)
    assert third in {letter.position for letter in log.dead_letters}


def test_of_a_damaged_container_larger_than_a_block_nothing_is_given(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    with can.BLFWriter(path, max_container_size=400_000) as writer:
        for message in random_messages(6000, fd=False):
            writer.on_message_received(message)
    content = bytearray(path.read_bytes())
    content[-5000:-4990] = bytes(10)
    path.write_bytes(content)
    rows, log = read(path, batch_frames=100)
    assert rows == []
    assert log.anomalies["damaged_part"] == 1
    assert read(path)[0] == rows


def test_of_a_file_cut_short_all_that_is_there_is_read(recording: tuple[Path, list[Row]], tmp_path: Path) -> None:
    path, expected = recording
    cut = tmp_path / "cut.blf"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    rows, log = read(cut)
    assert rows == expected[: len(rows)]
    assert len(rows) > 2000
    assert log.anomalies["truncated_file"] == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_mutation_of_a_file_escapes(recording: tuple[Path, list[Row]], data: st.DataObject) -> None:
    path, _ = recording
    content = bytearray(path.read_bytes()[:20_000])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(4, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    mutated = path.with_name("mutated.blf")
    mutated.write_bytes(content[: data.draw(st.integers(4, len(content)))])
    results = [read(mutated, jit=jit, batch_frames=size) for jit, size in ((lazy_jit, 262_144), (no_jit, 100))]
    assert results[0][0] == results[1][0]
    assert results[0][1].anomalies["damaged_part"] == len(results[0][1].dead_letters)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=40), st.just(b"LOBJ"), st.just(classic(5)), st.just(an_object(65, b"x"))), max_size=12)
)
def test_no_bytes_in_a_container_escape(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    path = tmp_path_factory.getbasetemp() / "parts.blf"
    path.write_bytes(made(*parts))
    assert read(path, jit=lazy_jit)[0] == read(path, jit=no_jit)[0]
