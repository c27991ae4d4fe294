"""Frames in Parquet tables, as several tools write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.errors import LogFileError
from domain.frames import EXTENDED_ID
from ingest.logs import open_log
from storage.frame_file import FrameFile
from tests.ingest.recorded import Row, as_row, random_messages, read

DATA = [b"\x01\x02", b"", bytes(range(20)), b"\xff" * 8]
IDS = [0x123, 0x7FF, 0x18FEF100, 0x80]


def rows_of(path: Path, columns: dict[str, Any]) -> list[Row]:
    pq.write_table(pa.table(columns), path)
    return read(path)[0]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    import can

    messages = random_messages(2000)
    with can.BLFWriter(tmp_path / "a.blf") as writer:
        for message in messages:
            writer.on_message_received(message)
    with FrameFile(tmp_path / "a.parquet") as table:
        for batch in open_log(tmp_path / "a.blf", vehicle="v", batch_frames=300, jit=lazy_jit):
            table.write(batch)
    rows, log = read(tmp_path / "a.parquet")
    assert rows == [as_row(message, first_channel=1) for message in can.BLFReader(tmp_path / "a.blf")]
    assert not log.dead_letters
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups >= 7


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime([1.5, 1.6, 1.7, 1.8], unit="s", utc=True),
        [1.5, 1.6, 1.7, 1.8],
    ],
    ids=["timestamps", "seconds"],
)
@pytest.mark.parametrize(
    "data",
    [DATA, [list(one) for one in DATA], [one.hex() for one in DATA], pa.array(DATA, pa.large_binary())],
    ids=["bytes", "lists", "digits", "large bytes"],
)
def test_columns_by_the_names_and_types_that_tools_give(tmp_path: Path, times: Any, data: Any) -> None:
    rows = rows_of(
        tmp_path / "a.parquet", {"timestamp": times, "arbitration_id": IDS, "data": data, "channel": ["a", "b", "a", "b"]}
    )
    assert rows == [
        (
            1_500_000 + 100_000 * n,
            "ab"[n % 2],
            identifier | (EXTENDED_ID if identifier > 0x7FF else 0),
            len(content),
            4 * (n == 2),
            content,
        )
        for n, (identifier, content) in enumerate(zip(IDS, DATA, strict=True))
    ]


@pytest.mark.parametrize(("unit", "ticks"), [("ns", 10**9), ("us", 10**6), ("ms", 1000), ("s", 1)])
def test_the_size_of_a_whole_number_tells_its_unit(tmp_path: Path, unit: str, ticks: int) -> None:
    rows = rows_of(tmp_path / f"{unit}.parquet", {"time": [1_700_000_000 * ticks], "can_id": [1], "data": [b""]})
    assert rows[0][0] == 1_700_000_000_000_000


def test_rows_that_are_no_frames_are_located(tmp_path: Path) -> None:
    columns = {"timestamp": [1.0, None, 3.0, 4.0], "arbitration_id": [1, 2, None, 4], "data": [b"", b"", b"", bytes(65)]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    rows, log = read(tmp_path / "a.parquet")
    assert [row[2] for row in rows] == [1]
    assert [letter.position for letter in log.dead_letters] == [1, 2, 3]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content[:-20], "without its index"),
        (lambda content: content.replace(b"arbitration_id", b"arbitration_ix"), "no column of frames for id"),
    ],
    ids=["cut", "another table"],
)
def test_a_table_that_cannot_hold_frames_is_refused_in_one_line(
    tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    pq.write_table(pa.table({"timestamp": [1.0], "arbitration_id": [1], "data": [b""]}), tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(change((tmp_path / "a.parquet").read_bytes()))
    with pytest.raises(LogFileError, match=words):
        read(tmp_path / "a.parquet")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_mutation_of_a_table_escapes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.parquet"
    pq.write_table(pa.table({"timestamp": [1.0] * 50, "arbitration_id": list(range(50)), "data": [b"ab"] * 50}), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        _, log = read(path)
    except LogFileError:
        return
    assert log.anomalies["damaged_part"] == len(log.dead_letters)
