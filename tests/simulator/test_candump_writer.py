import gzip

import can
import numpy as np

from domain.frames import EXTENDED_ID
from simulator.candump_writer import candump_text, write_candump
from tests.simulator.drives import drive


def test_python_can_reads_back_the_same_frames(tmp_path):
    frames = drive("truck", duration_s=200.0).frames
    write_candump(frames, tmp_path / "drive.log")
    messages = list(can.CanutilsLogReader(tmp_path / "drive.log"))
    assert len(messages) == len(frames)
    for row, message in enumerate(messages):
        assert message.arbitration_id == int(frames.can_id[row]) & 0x1FFF_FFFF
        assert message.is_extended_id == bool(frames.can_id[row] & EXTENDED_ID)
        assert bytes(message.data) == frames.payload_bytes(row)
        assert round(message.timestamp * 1e6) == frames.time_ns[row] // 1000
        assert message.channel == "can0"


def test_a_compressed_file_holds_the_same_text_and_no_time_of_writing(tmp_path):
    frames = drive(duration_s=200.0).frames
    write_candump(frames, tmp_path / "one.log.gz")
    write_candump(frames, tmp_path / "two.log.gz")
    packed = (tmp_path / "one.log.gz").read_bytes()
    assert packed == (tmp_path / "two.log.gz").read_bytes()
    assert packed[4:8] == bytes(4)
    assert gzip.decompress(packed).decode() == candump_text(frames)


def test_a_line_is_stamp_bus_identifier_and_data():
    frames = drive(duration_s=200.0).frames
    first = candump_text(frames.take(slice(0, 1)))
    stamp = int(frames.time_ns[0])
    assert first.startswith(f"({stamp // 10**9}.{stamp % 10**9 // 1000:06d}) can0 ")
    assert first.endswith(f"#{frames.payload_bytes(0).hex().upper()}\n")
    assert np.all(frames.can_id < 0x800)
