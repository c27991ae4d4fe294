"""ASAM MDF 4: python-can's reader and asammdf are the oracles."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import can
import numpy as np
import pytest
from asammdf import MDF, Signal, Source
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.frames import EXTENDED_ID
from domain.ports import Jit, no_jit
from tests.ingest.recorded import Row, as_row, random_messages, read

Recordings = Path(__file__).parents[3] / "shared" / "data" / "recordings"
BUS = Source("CAN", "CAN", "", Source.SOURCE_BUS, Source.BUS_TYPE_CAN)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

MEMBERS = np.dtype(
    [
        ("CAN_DataFrame.BusChannel", "<u1"),
        ("CAN_DataFrame.ID", "<u4"),
        ("CAN_DataFrame.IDE", "<u1"),
        ("CAN_DataFrame.DLC", "<u1"),
        ("CAN_DataFrame.DataLength", "<u1"),
        ("CAN_DataFrame.DataBytes", "(8,)u1"),
        ("CAN_DataFrame.Dir", "<u1"),
        ("CAN_DataFrame.EDL", "<u1"),
    ]
)


def written_by_asammdf(
    path: Path, *, count: int = 3000, groups: int = 2, compression: int = 0, version: str = "4.10"
) -> list[Row]:
    """Frames in several groups, and what is to be read of them."""
    dice = np.random.default_rng(5)
    rows: list[Row] = []
    with MDF(version=version) as mdf:
        mdf.header.start_time = datetime(2024, 5, 6, tzinfo=UTC)
        for group in range(groups):
            samples = np.zeros(count, MEMBERS)
            samples["CAN_DataFrame.BusChannel"] = group + 1
            samples["CAN_DataFrame.ID"] = dice.integers(0, 0x800, count)
            samples["CAN_DataFrame.IDE"] = group % 2
            samples["CAN_DataFrame.DataLength"] = samples["CAN_DataFrame.DLC"] = dice.integers(0, 9, count)
            samples["CAN_DataFrame.DataBytes"] = dice.integers(0, 256, (count, 8))
            samples["CAN_DataFrame.Dir"] = dice.integers(0, 2, count)
            stamps = np.arange(count) * 0.01 + group * 0.001
            mdf.append(Signal(samples, stamps, name="CAN_DataFrame", source=BUS), acq_source=BUS)
            for stamp, sample in zip(stamps, samples, strict=True):
                size = int(sample["CAN_DataFrame.DataLength"])
                identifier = int(sample["CAN_DataFrame.ID"]) | (EXTENDED_ID if group % 2 else 0)
                data = sample["CAN_DataFrame.DataBytes"].tobytes()[:size]
                rows.append((round(stamp * 1e6), str(group + 1), identifier, size, 8 * int(sample["CAN_DataFrame.Dir"]), data))
        mdf.append(Signal(np.arange(10.0), np.arange(10.0), name="Speed"))
        began_us = int(mdf.header.abs_time) // 1000
        mdf.save(path, compression=compression, overwrite=True)
    return sorted((row[0] + began_us, *row[1:]) for row in rows)


@pytest.mark.parametrize("compression", [0, 1, 2])
@pytest.mark.parametrize("groups", [1, 3])
def test_files_of_asammdf_are_read_packed_or_not(tmp_path: Path, compression: int, groups: int) -> None:
    path = tmp_path / "a.mf4"
    expected = written_by_asammdf(path, compression=compression, groups=groups)
    rows, log = read(path, batch_frames=1000)
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    assert rows == expected
    assert log.anomalies == {"skipped_measurement": 10}


def test_files_of_python_can_are_read_as_it_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "a.mf4"
    messages = random_messages(300)
    with can.MF4Writer(path) as writer:
        for message in messages:
            writer.on_message_received(message)
    rows, log = read(path)
    expected = [as_row(message) for message in can.MF4Reader(path)]
    assert len(rows) == len(messages)
    assert sorted(rows) == sorted(expected)
    assert not log.dead_letters


@pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["compiled", "plain"])
@pytest.mark.parametrize("name", ["nissan_uds_0x21", "truck_j1939_two_buses"])
def test_recorded_files_are_read_as_python_can_reads_them(name: str, jit: Jit) -> None:
    path = next((Recordings / name).glob("*.MF4"), None)
    if path is None:
        pytest.skip(f"the recording {name} is not beside this checkout")
    rows, log = read(path, jit=jit, batch_frames=500)
    assert rows == [as_row(message) for message in can.MF4Reader(path)]
    assert not log.anomalies


# ---------------------------------------------------------------------------------------------------------------------------------


class Made:
    """A file of blocks, for what no writer at hand writes."""

    def __init__(self, *, finished: bool = True) -> None:
        self.content = bytearray(
            (b"MDF     " if finished else b"UnFinMF ") + b"4.10    " + bytes(44) + struct.pack("<H", 0 if finished else 0x25)
        )
        self.content += bytes(64 - len(self.content))
        self.header = self.block(b"##HD", [0] * 6, struct.pack("<Q24x", 10**18))

    def block(self, name: bytes, links: list[int], data: bytes) -> int:
        self.content += bytes(-len(self.content) % 8)
        address = len(self.content)
        self.content += struct.pack(f"<4s4xQQ{len(links)}Q", name, 24 + 8 * len(links) + len(data), len(links), *links) + data
        return address

    def link(self, address: int, number: int, target: int) -> None:
        struct.pack_into("<Q", self.content, address + 24 + 8 * number, target)

    def text(self, words: str) -> int:
        return self.block(b"##TX", [], words.encode() + b"\0")

    def channel(
        self,
        after: int,
        name: str,
        first_bit: int,
        bits: int,
        *,
        kind: int = 0,
        data_type: int = 0,
        data: int = 0,
        conversion: tuple[int, *tuple[float, ...]] | None = None,
    ) -> int:
        link = 0
        if conversion:
            number, *values = conversion
            link = self.block(
                b"##CC", [0] * 4, struct.pack(f"<2B3H2d{len(values)}d", int(number), 0, 0, 0, len(values), 0, 0, *values)
            )
        head = struct.pack("<4B4I8x48x", kind, kind in (2, 3), data_type, first_bit % 8, first_bit // 8, bits, 0, 0)
        return self.block(b"##CN", [after, 0, self.text(name), 0, link, data, 0, 0], head)

    def group(self, after: int, channels: int, record_id: int, size: int, *, flags: int = 6, records: int = 0) -> int:
        return self.block(
            b"##CG", [after, channels, 0, 0, 0, 0], struct.pack("<2Q2H4x2I", record_id, records, flags, 46, size, 0)
        )

    def finish(self, path: Path, groups: int, data: int, id_bytes: int) -> Path:
        self.link(self.header, 0, self.block(b"##DG", [0, groups, data, 0], bytes([id_bytes]) + bytes(7)))
        path.write_bytes(self.content)
        return path


def with_variable_data(
    path: Path,
    *,
    pointer_first: bool = False,
    count: int = 50,
    finished: bool = True,
    broken_at: int = -1,
    factor_s: float = 1e-6,
) -> list[Row]:
    """CAN FD frames whose bytes are records of a group of variable size, before or after the records that point to them."""
    made = Made(finished=finished)
    contents = made.group(0, 0, 2, 0, flags=1)
    lin = made.group(contents, made.channel(0, "LIN_Frame.ID", 0, 8), 7, 3)
    last = made.channel(0, "CAN_DataFrame.DataBytes", 15 * 8, 64, kind=1, data_type=10, data=contents)
    last = made.channel(last, "CAN_DataFrame.DLC", 14 * 8, 4)
    lengths = (
        5,
        *(
            float(v)
            for pair in zip(range(16), (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64), strict=True)
            for v in pair
        ),
    )
    last = made.channel(last, "CAN_DataFrame.DataLength", 14 * 8, 4, conversion=lengths)
    last = made.channel(last, "CAN_DataFrame.BusChannel", 0, 0, kind=6, conversion=(1, 9.0, 0.0))
    last = made.channel(last, "CAN_DataFrame.EDL", 0, 0, kind=6, conversion=(1, 1.0, 0.0))
    last = made.channel(last, "CAN_DataFrame.IDE", 13 * 8 + 7, 1)
    last = made.channel(last, "CAN_DataFrame.ID", 10 * 8 + 2, 29)
    last = made.channel(last, "Time", 0, 48, kind=2, conversion=(1, 0.0, factor_s))
    frames = made.group(lin, last, 1, 23)
    data, rows, place = b"", [], 0
    for number in range(count):
        code = number % 16
        content = bytes((number + k) % 256 for k in range((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)[code]))
        word = (number * 977 << 2) | (1 << 31 if number % 3 == 0 else 0)
        record = (
            b"\1"
            + struct.pack("<Q", number * 1000)[:6]
            + bytes(4)
            + struct.pack("<I", word)
            + bytes([code])
            + struct.pack("<Q", place)
        )
        variable = b"\2" + struct.pack("<I", len(content)) + content
        place += 4 + len(content)
        data += b"\7abc" + (record + variable if pointer_first else variable + record)
        if number == broken_at:
            data += b"\x63"
        identifier = number * 977 | (EXTENDED_ID if number % 3 == 0 else 0)
        rows.append((10**15 + number * 1000, "9", identifier, len(content), 4, content))
    block = made.block(b"##DT", [], data)
    if not finished:
        struct.pack_into("<Q", made.content, block + 8, 24)
        made.content[block:] = made.content[block : block + 24] + data
        group = bytes(made.content[block:])
        del made.content[block:]
        made.link(made.header, 0, made.block(b"##DG", [0, frames, 0, 0], b"\1" + bytes(7)))
        made.content += bytes(-len(made.content) % 8)
        made.link(int.from_bytes(made.content[made.header + 24 : made.header + 32], "little"), 2, len(made.content))
        path.write_bytes(made.content + group)
    else:
        made.finish(path, frames, block, 1)
    return rows


@pytest.mark.parametrize("pointer_first", [False, True], ids=["bytes first", "pointer first"])
@pytest.mark.parametrize("finished", [True, False], ids=["finalized", "unfinalized"])
def test_data_bytes_of_variable_size_among_the_records(tmp_path: Path, pointer_first: bool, finished: bool) -> None:
    expected = with_variable_data(tmp_path / "a.mf4", pointer_first=pointer_first, finished=finished)
    rows, log = read(tmp_path / "a.mf4")
    assert rows == expected
    assert log.anomalies == {"skipped_lin": 50}


@pytest.mark.parametrize("pointer_first", [False, True], ids=["bytes first", "pointer first"])
def test_the_edges_of_pieces_lose_nothing(tmp_path: Path, pointer_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = with_variable_data(tmp_path / "a.mf4", pointer_first=pointer_first, count=300)
    for size in (250, 333, 1000):
        monkeypatch.setattr("ingest.logs.mf4._PIECE_BYTES", size)
        monkeypatch.setattr("ingest.logs.mf4._LEAST_PIECE_BYTES", size)
        rows, _ = read(tmp_path / "a.mf4", jit=no_jit)
        assert rows == expected, size


def test_after_a_broken_record_the_place_is_told(tmp_path: Path) -> None:
    expected = with_variable_data(tmp_path / "a.mf4", broken_at=20)
    rows, log = read(tmp_path / "a.mf4")
    assert rows == expected[:21]
    (letter,) = log.dead_letters
    assert "no record" in letter.detail


def test_a_damaged_packed_block_costs_only_its_own_records(tmp_path: Path) -> None:
    path = tmp_path / "a.mf4"
    expected = written_by_asammdf(path, count=400_000 // 4, groups=1, compression=1)
    content = bytearray(path.read_bytes())
    packed = [at for at in range(len(content) - 4) if content[at : at + 4] == b"##DZ"] if len(content) < 1 << 23 else []
    assert packed
    at = packed[0] + 48 + 30_000
    content[at : at + 4] = bytes(4)
    path.write_bytes(content)
    rows, log = read(path)
    assert set(rows) <= set(expected)
    assert len(rows) < len(expected)
    assert log.anomalies["damaged_part"] == 1


def test_of_a_file_cut_short_all_that_is_there_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mf4"
    path.write_bytes(b"")
    expected = with_variable_data(path, finished=False)
    path.write_bytes(path.read_bytes()[:-700])
    rows, log = read(path)
    assert rows == expected[: len(rows)]
    assert len(rows) > 20
    assert log.anomalies["truncated_file"] == 1


@pytest.mark.parametrize("factor", [float("inf"), float("nan"), 1e300])
def test_impossible_stamps_are_counted_and_located(tmp_path: Path, factor: float) -> None:
    with_variable_data(tmp_path / "a.mf4", factor_s=factor)
    rows, log = read(tmp_path / "a.mf4")
    assert len(rows) <= 1  # 0 * 1e300
    (letter,) = log.dead_letters
    assert "impossible stamps" in letter.detail


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_mutation_of_a_file_escapes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.mf4"
    with_variable_data(path, count=10)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(16, len(content) - 1))] = data.draw(st.sampled_from([0, 1, 2, 8, 35, 127, 255]))
    path.write_bytes(content[: data.draw(st.integers(16, len(content)))])
    results = [read(path, jit=jit) for jit in (lazy_jit, no_jit)]
    assert results[0][0] == results[1][0]
    assert results[0][1].anomalies["damaged_part"] == len(results[0][1].dead_letters)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_mutation_of_a_packed_file_escapes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    source = tmp_path_factory.getbasetemp() / "packed.mf4"
    if not source.exists():
        written_by_asammdf(source, count=200, compression=2)
    content = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(16, len(content) - 1))] = data.draw(st.sampled_from([0, 1, 2, 8, 35, 127, 255]))
    path = source.with_name("packed_mutated.mf4")
    path.write_bytes(content)
    log = read(path)[1]
    assert log.anomalies["damaged_part"] == len(log.dead_letters)
