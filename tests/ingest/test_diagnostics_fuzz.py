"""No bytes whatsoever make the diagnostics stage raise, and its state and its promise hold under damaged and hostile traffic."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from domain.frames import EXTENDED_ID, FrameFlag
from ingest.diagnostics import DiagnosticsReader, report_lines
from ingest.diagnostics.device_reports import encode_report
from tests.ingest.diagnostic_frames import Record, frame_batch, read, record, tick

LONG = bool(os.environ.get("PITCALL_LONG_TESTS"))
ROUNDS, FRAMES = (500, 2000) if LONG else (6, 1000)
MAX_STATE = 400_000
"""Bytes of one vehicle: 64 ISO-TP and 64 J1939 transfers of the longest usual size, in hexadecimal, and what is known of ECUs."""

SEEDS = [
    (0x7E8, "06 43 02 01 43 01 96 00"), (0x7E8, "10 0E 43 06 01 00 02 00"), (0x7E8, "21 03 00 43 00 82 00 C1"),
    (0x7E8, "06 41 01 81 07 65 04"), (0x7E8, "10 13 46 01 01 0A 0B B0"), (0x7E8, "10 14 49 02 01 57 50 30"),
    (0x7E8, "05 42 02 00 03 01"), (0x7E9, "04 42 05 00 7B"), (0x7ED, "10 82 59 04 C0 64 87 28"), (0x7ED, "21 10 0C DD 00 22 69 51"),
    (0x7E5, "03 19 02 FF"), (0x7ED, "07 59 02 FF 03 01 00 2F"), (0x744, "04 14 FF FF FF"), (0x7AE, "01 54"),
    (0x6F1, "12 03 19 02 FF"), (0x612, "F1 10 0B 59 02 FF C0 64"), (0x612, "F1 21 87 28 0E 31 01 28"),
    (0x98DA10F1, "03 19 06 FF"), (0x98DAF110, "07 59 06 03 01 00 2F 01"), (0x97FE007C, "10 10 59 42 33 FF FF 04"),
    (0x98FECA00, "40 FF 66 00 03 01 FF FF"), (0x98FECE00, "02 01 14 37 80 18 00 08"), (0x98EEFF03, "01 02 03 04 05 06 07 08"),
    (0x9CECFF00, "20 0E 00 02 FF CA FE 00"), (0x9CEBFF00, "01 43 FF BF 00 09 08 54"), (0x9CEBFF00, "02 00 09 08 ED 14 1F 01"),
    (0x98ECF900, "10 0D 00 02 FF CD FE 00"), (0x98EC00F9, "11 02 01 FF FF CD FE 00"), (0x98EBF900, "01 0C 66 00 03 01 00 FF"),
    (0x98EA00F9, "D3 FE 00"), (0x98E8FF00, "00 FF FF FF F9 D3 FE 00"), (0x98EC00F9, "FF 01 FF FF FF CD FE 00"),
]  # fmt: skip


def damaged(rng: random.Random, time_s: float) -> Record:
    """A real frame, most often with bits turned, bytes lost, another sender, or none of its content left."""
    can_id, text = rng.choice(SEEDS)
    data = bytearray(bytes.fromhex(text))
    kind = rng.randrange(6)
    if kind == 0 and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[rng.randrange(len(data) + 1) :]
    elif kind == 2:
        can_id ^= 1 << rng.randrange(11)
    elif kind == 3:
        data = bytearray(rng.randbytes(rng.choice([0, 1, 8, 8, 12, 64])))
    elif kind == 4 and data:
        data[0] = rng.randrange(256)
    return record(time_s, can_id & (0x7FF if can_id < EXTENDED_ID else 0xFFFF_FFFF), bytes(data))


def hostile(seed: int) -> list[Record]:
    """A drive of damaged frames with equal stamps, silences and ticks."""
    rng = random.Random(seed)
    records: list[Record] = []
    time_s = 0.0
    for _ in range(FRAMES):
        time_s = round(time_s + rng.choice([0, 0.001, 0.001, 0.01, 0.3, 2.0 if rng.random() < 0.05 else 0]), 6)
        records.append(tick(time_s) if rng.random() < 0.002 else damaged(rng, time_s))
    return records


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_hostile_traffic_raises_nothing_grows_nothing_and_is_read_alike_however_it_is_cut(seed: int) -> None:
    records = hostile(seed)
    whole = read(*records)
    assert all(line["code"] is None or line["code"] for line in report_lines(whole, every_message=True))
    reader = DiagnosticsReader()
    pieces: list[tuple[object, ...]] = []
    odd: Counter[str] = Counter()
    start = 0
    places = [n for n in range(1, len(records)) if records[n - 1][0] < records[n][0] and n % 37 == seed % 37]
    for end in [*places, len(records)]:
        batch = reader.read(frame_batch(records[start:end]))
        pieces += [(r.time_ns, r.source, r.kind, r.codes, r.raw, r.complete, r.name) for r in batch]
        odd.update(batch.anomalies)
        odd.update(batch.counted)
        state = reader.snapshot("car")
        reader = DiagnosticsReader()
        if state is not None:
            assert len(state) < MAX_STATE
            reader.restore("car", state)
        start = end
    assert pieces == [(r.time_ns, r.source, r.kind, r.codes, r.raw, r.complete, r.name) for r in whole]
    assert odd == Counter(whole.anomalies) + Counter(whole.counted)


def test_reports_of_devices_pass_as_rows_and_damaged_ones_are_counted() -> None:
    (told,) = read(record(1.0, 0x98FECA00, "40 FF 66 00 03 01 FF FF"))
    good, bad = encode_report(told), encode_report(told)[:-2]
    frames = frame_batch([record(1.0, 0, good), record(2.0, 0, bad), record(3.0, 0, b"[]")], bus="wican")
    frames.flags[:] = FrameFlag.REPORT
    frames.payload[:] = [len(good), len(bad), 2]
    frames.arena_offset[2] = len(good) + len(bad) - 2  # the last bytes of the arena stand for the short one
    batch = DiagnosticsReader().read(frames)
    (report,) = batch
    assert (report.codes, report.lamps, report.bus, report.frame) == (told.codes, told.lamps, "wican", 0)
    assert batch.anomalies == {"device_report_malformed": 2}


def test_packets_go_to_the_reader_of_their_protocol() -> None:
    (told,) = read(record(0, 0x7E8, "04 43 01 03 01"))

    def packet_codes(packet: bytes, time_ns: int, vehicle: int, row: int, anomalies: Counter[str]):
        anomalies["seen"] += 1
        assert (packet, time_ns, vehicle, row) == (b"0123456789", 1_000_000_000, 0, 0)
        return [told]

    frames = frame_batch([record(1.0, 0, b"0123456789")], bus="gbt32960")
    frames.flags[:] = FrameFlag.PACKET
    frames.payload[:] = 10
    batch = DiagnosticsReader(packets={"gbt32960": packet_codes}).read(frames)
    assert batch.reports == (told,)
    assert batch.anomalies == {"seen": 1}
    assert len(DiagnosticsReader().read(frames)) == 0
