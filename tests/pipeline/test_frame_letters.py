"""A row that is set aside can be taken up again exactly as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domain.frames import FRAME_COLUMNS, FrameBatch, FrameFlag
from domain.records import DeadLetter
from ingest.logs import open_log
from ingest.wire.joining import MessageRows, RowJoin
from ingest.wire.rows import Rows
from pipeline.frame_letters import frame_letter, record_of

NOW = 1_767_225_600_123_456_789


def all_kinds() -> FrameBatch:
    rows = Rows("wican")
    rows.frame(NOW, "can0", 0x201, b"\1\2", extended=False)
    rows.frame(NOW, "can0", 0x18FEEE00, bytes(8), extended=True)
    rows.frame(NOW, "body can", 0x201, b"\1\2", extended=False)
    rows.frame(NOW, "can0", 0x201, bytes(range(12)), extended=False, flags=FrameFlag.FD)
    rows.frame(NOW, "can0", 0x201, b"", extended=False, flags=FrameFlag.REMOTE, length=5)
    rows.frame(NOW, "can0", 0x201, b"\7", extended=False, flags=FrameFlag.TRANSMITTED)
    rows.sample(NOW, "Vehicle.Speed", 51.25)
    rows.packet(NOW, "gbt32960", bytes(range(256)) * 2)
    join = RowJoin()
    join.add(MessageRows("car", NOW, 1, rows))
    return join.batch()


@pytest.mark.parametrize("row", range(8))
def test_every_kind_of_row_comes_back_as_it_was(row: int, tmp_path: Path) -> None:
    frames = all_kinds()
    letter = frame_letter(frames, row, "late", "arrived late")
    again = record_of(letter)
    if again is None:
        file = tmp_path / "letter.log"
        file.write_bytes(letter.content + b"\n")
        again = next(iter(open_log(file, vehicle="car")))
    assert again.payload_bytes(0) == frames.payload_bytes(row)
    assert (again.vehicles, again.buses[again.bus[0]]) == (("car",), frames.buses[frames.bus[row]])
    same = [name for name in FRAME_COLUMNS if name not in ("bus", "message", "index", "vehicle", "arena_offset")]
    assert [getattr(again, name)[0] for name in same] == [getattr(frames, name)[row] for name in same]


@pytest.mark.parametrize("content", [b"", b"pitcall row ", b"pitcall row {}", b'pitcall row {"time_ns": 1e999}', b"\xff"])
def test_other_content_is_none(content: bytes) -> None:
    assert record_of(DeadLetter(id="", origin="", position=0, reason="", detail="", content=content)) is None


def test_the_row_of_a_letter_has_no_sequence() -> None:
    again = record_of(frame_letter(all_kinds(), 6, "late", ""))
    assert again is not None
    assert again.messages.sequence.tolist() == [-1]
    assert np.all(again.flags == FrameFlag.SAMPLE)
