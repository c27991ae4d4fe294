"""Packets are found in any bytes: damage is located, and no good packet is lost to it."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import FrameFlag
from ingest.gbt32960.packet import Damage, build_packet, masked, split_packets, utc_ns, without_vin
from ingest.gbt32960.rows import packet_rows, read_packets
from ingest.logs import open_log
from tests.ingest.gbt32960.packets import TIME, TIME_S, VIN, packet, truck_packet

UNIT = bytes.fromhex("04 01 03E8 0064")
GOOD = packet(UNIT)
GOOD_2025 = packet(UNIT[:1] + UNIT[2:4], edition=2025)
HEARTBEAT = build_packet(start=b"##", command=7, vin=VIN, data=b"")


def found(data: bytes) -> list[bytes]:
    return [data[start:end] for start, end in split_packets(data).packets]


def test_packets_one_after_another_are_all_found() -> None:
    assert found(GOOD + GOOD_2025 + HEARTBEAT + GOOD) == [GOOD, GOOD_2025, HEARTBEAT, GOOD]


def test_a_damaged_packet_is_located_and_the_next_one_read() -> None:
    broken = bytearray(GOOD)
    broken[30] ^= 1
    split = split_packets(GOOD + bytes(broken) + GOOD)
    assert len(split.packets) == 2
    (bad,) = split.damaged
    assert (bad.offset, bad.size, bad.reason) == (len(GOOD), len(GOOD), Damage.BAD_CHECK)


def test_a_packet_whose_length_is_wrong_swallows_no_good_one() -> None:
    greedy = bytearray(GOOD)
    greedy[22:24] = b"\x00\xff"
    data = bytes(greedy) + GOOD * 20
    assert found(data) == [GOOD] * 20


def test_a_cut_packet_at_the_end_is_damage_or_waits_for_more() -> None:
    data = GOOD + GOOD[:-3]
    assert [bad.reason for bad in split_packets(data).damaged] == [Damage.TRUNCATED]
    waiting = split_packets(data, is_final=False)
    assert (waiting.damaged, waiting.rest) == ((), len(GOOD))


def test_damage_is_kept_without_the_serial_number_of_a_vin() -> None:
    (bad,) = split_packets(GOOD[:-1]).damaged
    assert VIN not in bad.content
    assert masked(b"xx" + VIN) == b"xx" + VIN[:3] + b"*" * 14


@settings(max_examples=200)
@given(st.lists(st.one_of(st.sampled_from([GOOD, GOOD_2025, HEARTBEAT]), st.binary(max_size=60)), max_size=12))
def test_whatever_lies_between_them_every_good_packet_is_found_and_every_byte_accounted_for(parts: list[bytes]) -> None:
    data = b"".join(parts)
    split = split_packets(data)
    assert len(split.packets) >= sum(part in (GOOD, GOOD_2025, HEARTBEAT) for part in parts)
    spans = sorted([*split.packets, *((bad.offset, bad.offset + bad.size) for bad in split.damaged)])
    assert b"".join(data[start:end] for start, end in spans) == data


@settings(max_examples=100)
@given(st.lists(st.one_of(st.sampled_from([GOOD, GOOD_2025]), st.binary(max_size=40)), max_size=8), st.integers(1, 97))
def test_the_packets_do_not_depend_on_how_the_stream_was_cut(parts: list[bytes], step: int) -> None:
    data = b"".join(parts)
    packets, rest = [], b""
    for start in range(0, len(data), step):
        rest += data[start : start + step]
        split = split_packets(rest, is_final=start + step >= len(data))
        packets += [rest[a:b] for a, b in split.packets]
        rest = rest[split.rest :]
    assert packets == found(data)


def test_bytes_made_of_nothing_but_starts_take_no_long_time() -> None:
    began = time.process_time()
    split_packets(b"#" * 2_000_000)
    split_packets((b"##" + b"A" * 19 + b"\x01\xff\xff") * 40_000)
    assert time.process_time() - began < 5


@given(st.binary(min_size=6, max_size=6))
def test_any_six_bytes_are_a_time_or_none(data: bytes) -> None:
    ns = utc_ns(data)
    assert ns is None or 946_000_000 < ns / 1e9 < 4_200_000_000


def test_a_day_that_no_calendar_has_is_no_time() -> None:
    assert utc_ns(bytes((25, 2, 29, 0, 0, 0))) is None
    assert utc_ns(bytes((24, 2, 29, 0, 0, 0))) is not None
    assert utc_ns(TIME) == TIME_S * 1_000_000_000


def frames_of(path: Path) -> tuple[list[bytes], list[float], dict[str, int]]:
    log = open_log(path, vehicle="v", batch_frames=3)
    batches = list(log)
    payloads = [frames.payload_bytes(row) for frames in batches for row in range(len(frames))]
    assert all((frames.flags == FrameFlag.PACKET).all() for frames in batches)
    return payloads, [t / 1e9 for frames in batches for t in frames.time_ns.tolist()], dict(log.anomalies)


def test_a_recording_of_bytes_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(b"noise" + GOOD + HEARTBEAT + b"\x00\x01" + GOOD_2025)
    payloads, times, anomalies = frames_of(path)
    assert payloads == list(map(without_vin, [GOOD, HEARTBEAT, GOOD_2025]))
    assert times == [TIME_S] * 3
    assert anomalies == {"damaged_part": 2, "no_timestamp": 1, "equal_time": 2}


def test_a_recording_in_hexadecimal_lines_is_known_by_its_content_too(tmp_path: Path) -> None:
    path = tmp_path / "log.txt.gz"
    lines = [
        "Platform log of 2025-06-01",
        f"2025-06-01 12:30:00.123 recv {GOOD.hex()}",
        " ".join(f"{byte:02X}" for byte in GOOD_2025),
        "0x" + GOOD.hex() + GOOD.hex(),
        "",
        GOOD.hex()[:-2] + "00",
    ]
    path.write_bytes(gzip.compress("\r\n".join(lines).encode()))
    payloads, _, anomalies = frames_of(path)
    assert payloads == list(map(without_vin, [GOOD, GOOD_2025, GOOD, GOOD]))
    assert not any(VIN in payload for payload in payloads)
    assert anomalies["malformed_line"] == 2


def test_packets_of_another_vehicle_in_the_file_are_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "two"
    path.write_bytes(GOOD + packet(UNIT, vin=b"LPCTEST0000000002") + GOOD)
    payloads, _, anomalies = frames_of(path)
    assert len(payloads) == 3
    assert anomalies["other_vin"] == 1


@pytest.mark.parametrize("block_bytes", [64, 100, 4096])
def test_blocks_of_any_size_give_the_same_packets(block_bytes: int) -> None:
    import io

    from domain.ports import no_jit
    from ingest.logs.gbt32960 import PacketLog

    data = (GOOD + b"??" + GOOD_2025) * 30
    for form in (data, b"\n".join(line.hex().encode() for line in [GOOD, GOOD_2025] * 30)):
        blocks = list(PacketLog().blocks(io.BytesIO(form), block_bytes=block_bytes, jit=no_jit))
        arena = b"".join(block.arena.tobytes() for block in blocks)
        assert arena == (without_vin(GOOD) + without_vin(GOOD_2025)) * 30


def test_a_truck_says_so_in_its_header() -> None:
    (row,) = packet_rows(truck_packet(bytes.fromhex("04 0064 32 0BB8 2710 50")))
    assert (row.bus, row.vin, row.time_ns) == ("hj1239", VIN.decode(), TIME_S * 1_000_000_000)


def test_ten_seconds_in_one_truck_packet_are_ten_rows() -> None:
    units = [bytes([4]) + TIME[:5] + bytes([second]) + bytes.fromhex("0064 32 0BB8 2710 50") for second in range(10)]
    rows, damaged = read_packets(truck_packet(*units, b"\x02ab\x02cd"))
    assert not damaged
    assert [row.time_ns for row in rows] == [(TIME_S + second) * 1_000_000_000 for second in range(10)]
    assert all(found(row.packet) == [row.packet] for row in rows)
    assert sum(len(row.packet) for row in rows) == 10 * (24 + 8 + 15 + 1) + 6


def test_columns_of_rows_larger_than_a_byte_can_count_are_whole() -> None:
    big = packet(b"\x80\x07\xd0" + bytes(2000))
    from tests.ingest.gbt32960.packets import batch

    frames = batch([GOOD, big])
    assert frames.payload_bytes(1) == big
    assert frames.length.tolist() == [len(GOOD), 255]
    assert frames.payload.dtype == np.uint64
