"""Alarms and fault lists become trouble codes, and alerts whose severity follows the sender's grade."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.code_state import CodeState
from domain.trouble_codes import CodeList, DtcReport, Protocol
from dtc_knowledge.code_files import load_codes
from ingest.gbt32960.codes import PACKET_CODES
from rules.code_level import levels
from tests.end_to_end.replays import drives_of, replayed
from tests.ingest.gbt32960.packets import TIME, batch, drawn_units, packet, truck_packet

CODES = load_codes()


def alarm(flags: int, level: int = 2, *, lists: tuple[bytes, ...] = (b"", b"", b"", b"")) -> bytes:
    counted = b"".join(bytes([len(codes) // 4]) + codes for codes in lists)
    return b"\x07" + bytes([level]) + flags.to_bytes(4, "big") + counted


def alarm_2025(flags: int, level: int, *pairs: tuple[int, int]) -> bytes:
    told = b"".join(bytes(pair) for pair in pairs)
    return b"\x06" + bytes([level]) + flags.to_bytes(4, "big") + bytes(4) + bytes([len(pairs)]) + told


def reports(*packets: bytes) -> tuple[list[DtcReport], Counter[str]]:
    anomalies: Counter[str] = Counter()
    frames = batch(packets)
    told: list[DtcReport] = []
    for row in range(len(frames)):
        read = PACKET_CODES[frames.buses[frames.bus[row]]]
        told += read(frames.payload_bytes(row), int(frames.time_ns[row]), 0, row, anomalies)
    return told, anomalies


def test_flags_are_counted_from_the_least_significant_bit() -> None:
    (flags,), _ = reports(packet(alarm(1 << 0 | 1 << 11 | 1 << 16)))
    assert [code.code for code in flags.codes] == ["GB0", "GB11", "GB16"]
    assert (flags.protocol, flags.kind, flags.complete) == (Protocol.GBT32960, CodeList.ACTIVE, True)


def test_no_alarm_is_a_complete_list_of_none_and_no_alarm_unit_is_no_list() -> None:
    told, _ = reports(packet(alarm(0, 0)), packet(b"\x04\x01\x03\xe8\x00\x64"))
    assert [(report.complete, report.codes) for report in told] == [(True, ())]


def test_fault_lists_hold_the_makers_numbers() -> None:
    (told,), _ = reports(packet(alarm(0, 1, lists=(b"\x0a\x1b\x2c\x3d", b"", b"\0\0\0\x07\0\0\0\x08", b""))))
    assert [code.code for code in told.codes] == ["GBB-0A1B2C3D", "GBE-00000007", "GBE-00000008"]
    assert {code.level for code in told.codes} == {1}


def test_a_fault_beside_a_flag_does_not_take_the_flags_grade() -> None:
    (told,), _ = reports(packet(alarm(1 << 11, 3, lists=(b"\0\0\0\x07", b"", b"", b""))))
    judged = levels(told, [(code, CodeState.ACTIVE) for code in told.codes], CODES.lookup)
    assert [level.urgency.name for level in judged] == ["TODAY", "NEXT"]


def test_an_abnormal_number_of_faults_says_nothing_of_their_absence() -> None:
    (told,), _ = reports(packet(b"\x07\x01\0\0\0\0\xfe\0\0\0"))
    assert (told.complete, told.codes) == (False, ())


def test_an_alarm_unit_that_is_cut_says_what_it_says_and_nothing_of_absence() -> None:
    (told,), _ = reports(packet(b"\x07\x01\0\0\x08\0\0\0"))
    assert (told.complete, [code.code for code in told.codes]) == (False, ["GB11"])


def test_flags_that_the_edition_does_not_know_are_counted() -> None:
    (flags,), anomalies = reports(packet(alarm(1 << 23)))
    assert (flags.codes, anomalies) == ((), {"reserved_alarm_flags": 1})
    (flags,), anomalies = reports(packet(alarm_2025(1 << 23, 4), edition=2025))
    assert ([code.code for code in flags.codes], anomalies) == (["GB23"], {})


def test_flags_all_set_are_no_flags() -> None:
    (told,), anomalies = reports(packet(alarm(0xFFFF_FFFF)))
    assert (told.complete, told.codes) == (False, ())
    assert anomalies == {"alarm_flags_not_valid": 1}


def test_the_2025_edition_tells_the_level_of_each_flag() -> None:
    (flags,), _ = reports(packet(alarm_2025(1 << 4 | 1 << 11, 3, (4, 1), (11, 3)), edition=2025))
    assert {code.code: code.level for code in flags.codes} == {"GB4": 1, "GB11": 3}


@pytest.mark.parametrize(("level", "severity", "urgency"), [(0, "high", "TODAY"), (1, "medium", "SOON"), (2, "high", "TODAY"),
                                                           (3, "high", "TODAY"), (4, "critical", "STOP"),
                                                           (254, "high", "TODAY")])  # fmt: skip
def test_the_grade_decides_how_bad_an_alarm_is(level: int, severity: str, urgency: str) -> None:
    (flags,), _ = reports(packet(alarm(1 << 11, level)))
    (judged,) = levels(flags, [(code, CodeState.ACTIVE) for code in flags.codes], CODES.lookup)
    assert (judged.severity.value, judged.urgency.name) == (severity, urgency)


def test_one_grade_for_all_belongs_to_the_severe_ones() -> None:
    (flags,), _ = reports(packet(alarm(1 << 4 | 1 << 11, 3)))
    assert [level.urgency.name for level in levels(flags, [(code, CodeState.ACTIVE) for code in flags.codes], CODES.lookup)] == [
        "MONITOR",
        "TODAY",
    ]
    (flags,), _ = reports(packet(alarm(1 << 8, 3)))
    assert [level.urgency.name for level in levels(flags, [(code, CodeState.ACTIVE) for code in flags.codes], CODES.lookup)] == [
        "TODAY"
    ]


def test_the_worst_grade_is_a_stop_only_where_two_severe_alarms_agree() -> None:
    (flags,), _ = reports(packet(alarm(1 << 1 | 1 << 11, 3)))
    judged = levels(flags, [(code, CodeState.ACTIVE) for code in flags.codes], CODES.lookup)
    assert [level.urgency.name for level in judged] == ["STOP", "STOP"]


def test_a_truck_lists_codes_of_the_protocol_it_speaks() -> None:
    def obd(kind: int, *codes: bytes) -> bytes:
        return (
            b"\x01" + bytes([kind, 1]) + bytes(4) + b"V" * 17 + b"C" * 18 * 2 + bytes(36) + bytes([len(codes)]) + b"".join(codes)
        )

    told = [reports(truck_packet(obd(kind, code)))[0][0] for kind, code in (
        (2, bytes.fromhex("64 00 01 05")), (1, bytes.fromhex("01 17 16 2F")), (0, bytes.fromhex("03 01 00 00")),
        (0, bytes.fromhex("00 00 C1 00")))]  # fmt: skip
    assert [report.codes[0].code for report in told] == ["SPN100/FMI1", "P0117", "P0301", "U0100"]
    assert [report.protocol for report in told] == [Protocol.J1939, Protocol.UDS, Protocol.OBD, Protocol.OBD]
    assert (told[0].codes[0].occurrence, told[1].codes[0].failure_type) == (5, 0x16)


@settings(max_examples=150)
@given(st.data(), st.sampled_from(["2016", "2025", "hj1239"]), st.sampled_from(sorted(PACKET_CODES)))
def test_no_packet_makes_the_reader_of_codes_fail(draw: st.DataObject, dialect: str, bus: str) -> None:
    units = [data for _, data in drawn_units(dialect, draw)]
    whole = truck_packet(*units) if dialect == "hj1239" else packet(*units, edition=int(dialect))
    at = draw.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + draw.draw(st.binary(max_size=4)) + whole[at + draw.draw(st.integers(0, 4)) :]
    for data in (whole, broken, whole[:at]):
        for report in PACKET_CODES[bus](data, 0, 0, 0, Counter()):
            assert all(CODES.lookup(code.code).title.en for code in report.codes)


def test_makers_numbers_have_words_and_a_system() -> None:
    info = CODES.lookup("GBM-0000000A")
    assert (info.group_key, info.title.zh) == ("ev.drive_unit", "驱动电机故障 0000000A，含义由厂家规定")


def test_a_recorded_alarm_becomes_an_alert_and_clears_when_the_flag_is_gone(tmp_path: Path) -> None:
    def at(minute: int, second: int, unit: bytes) -> bytes:
        return packet(unit, time=TIME[:4] + bytes((minute, second)))

    drive = tmp_path / "drive.bin"
    times = [(minute, second) for minute in range(30, 35) for second in range(0, 60, 10)]
    drive.write_bytes(b"".join(at(m, s, alarm(1 << 11 if m == 31 else 0, 2 if m == 31 else 0)) for m, s in times))
    document = replayed(drives_of(drive)).document()
    (alert,) = document["alerts"]
    assert (alert["codes"], alert["severity"], alert["urgency"], alert["state"]) == (["GB11"], "high", "TODAY", "resolved")
    assert alert["opened"].startswith("2025-06-01T04:31:00")


def test_a_rule_over_values_that_come_every_ten_seconds_keeps_its_time(tmp_path: Path) -> None:
    def sample(number: int) -> bytes:
        # 250 kOhm of insulation at 60 km/h and 400 V
        vehicle = bytes.fromhex("01 01 03 01 0258 0001E240 0FA0 27A6 39 01 2E 0019 00 00")
        return packet(vehicle, time=TIME[:4] + bytes((number // 6, number % 6 * 10)))

    drive = tmp_path / "drive.bin"
    drive.write_bytes(b"".join(sample(number) for number in range(60)))
    document = replayed(drives_of(drive)).document()
    opened = {alert["source"]["id"]: alert["opened"] for alert in document["alerts"]}
    assert opened["insulation_low"].startswith("2025-06-01T04:00:30")
