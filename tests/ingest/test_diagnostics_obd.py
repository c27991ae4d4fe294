"""OBD-II answers on CAN become trouble-code reports."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from udsoncan import Dtc

from domain.frames import EXTENDED_ID
from domain.trouble_codes import CodeList, Protocol, StatusBit
from ingest.diagnostics.obd import trouble_code
from tests.ingest.diagnostic_frames import RECORDINGS, codes, read, record, tick

ENGINE, GEARBOX = 0x7E8, 0x7E9
ENGINE_29 = 0x18DAF110 | EXTENDED_ID


def test_a_stored_list_names_its_codes_and_its_sender() -> None:
    batch = read(record(1.5, ENGINE, "06 43 02 01 43 01 96 00"))
    (report,) = batch
    assert codes(report) == ["P0143", "P0196"]
    assert not batch.anomalies
    assert (report.kind, report.protocol, report.complete) == (CodeList.STORED, Protocol.OBD, True)
    assert (report.source, report.time_ns, report.bus) == (ENGINE, 1_500_000_000, "can0")
    assert report.codes[0].status == StatusBit.CONFIRMED
    assert report.codes[0].raw == b"\x01\x43"


@pytest.mark.parametrize(
    ("service", "kind", "status"),
    [("43", CodeList.STORED, "CONFIRMED"), ("47", CodeList.PENDING, "PENDING"), ("4A", CodeList.PERMANENT, "CONFIRMED")],
)
@pytest.mark.parametrize("padding", ["00", "55", "AA", "CC"])
def test_padding_never_becomes_a_code_in_any_list(service: str, kind: CodeList, status: str, padding: str) -> None:
    (report,) = read(record(0, ENGINE, f"04 {service} 01 03 01" + padding * 3))
    assert codes(report) == ["P0301"]
    assert (report.kind, report.codes[0].status) == (kind, StatusBit[status])


def test_a_wrong_length_with_padding_inside_is_trimmed_by_the_count_and_told() -> None:
    batch = read(record(0, ENGINE, "07 47 01 03 01 AA AA AA"))
    assert codes(batch.reports[0]) == ["P0301"]
    assert batch.anomalies == {"obd_code_list_length_mismatch": 1}


def test_an_empty_list_is_a_report_so_that_absence_means_something() -> None:
    (report,) = read(record(0, ENGINE, "02 43 00 00 00 00 00 00"))
    assert report.complete
    assert report.codes == ()


def test_a_list_with_fewer_codes_than_announced_is_not_complete() -> None:
    batch = read(record(0, ENGINE, "04 43 02 03 01"))
    assert codes(batch.reports[0]) == ["P0301"]
    assert not batch.reports[0].complete
    assert batch.anomalies == {"obd_code_list_truncated": 1}


def test_a_list_without_even_a_count_is_no_report() -> None:
    batch = read(record(0, ENGINE, "01 43"))
    assert len(batch) == 0
    assert batch.anomalies == {"obd_answer_malformed": 1}


def test_responders_and_identifier_lengths_are_kept_apart() -> None:
    batch = read(
        record(0.00, ENGINE, "10 08 43 03 01 01 01 02"),
        record(0.01, GEARBOX, "04 43 01 07 00"),
        record(0.02, ENGINE_29, "04 43 01 C1 00"),
        record(0.03, ENGINE, "21 01 03 CC CC CC CC CC"),
    )
    assert [(r.source, codes(r)) for r in batch] == [
        (GEARBOX, ["P0700"]),
        (ENGINE_29, ["U0100"]),
        (ENGINE, ["P0101", "P0102", "P0103"]),
    ]


def test_negative_answers_are_counted_and_nothing_else() -> None:
    refused = ["02", "03", "07", "0A"]
    others = ["01", "08", "09", "22"]
    batch = read(*(record(n, ENGINE, f"03 7F {service} 11") for n, service in enumerate(refused + others)))
    assert len(batch) == 0
    assert batch.anomalies == {"obd_negative_answer": len(refused)}
    assert not read(record(0, ENGINE, "01 7F")).anomalies


def test_requests_other_services_and_other_identifiers_are_no_reports() -> None:
    batch = read(
        record(0, 0x7DF, "01 03"),
        record(1, 0x7E0, "01 07"),
        record(2, ENGINE, "04 41 0C 1A F8"),
        record(3, 0x123, "04 43 01 03 01"),
        record(4, 0x7E8 | EXTENDED_ID, "04 43 01 03 01"),
    )
    assert len(batch) == 0
    assert not batch.anomalies


def test_every_29_bit_responder_is_heard_and_no_neighbour() -> None:
    heard = [address | EXTENDED_ID for address in (0x18DAF100, 0x18DAF101, 0x18DAF1FF)]
    others = [address | EXTENDED_ID for address in (0x18DAF0FF, 0x18DAF200, 0x18DBF101)]
    batch = read(*(record(n, can_id, "04 43 01 03 01") for n, can_id in enumerate(heard + others)))
    assert [r.source for r in batch] == heard


def test_a_long_single_frame_of_can_fd_is_read() -> None:
    (report,) = read(record(0, ENGINE, "00 0A 43 04 01 01 01 02 01 03 01 04 CC CC CC CC"))
    assert codes(report) == ["P0101", "P0102", "P0103", "P0104"]
    assert len(read(record(0, ENGINE, "00 0A 41 04 43 01 01 02 01 03 01 04 CC CC CC CC"))) == 0


@given(st.integers(1, 0xFFFF))
def test_codes_are_spelt_as_udsoncan_spells_them(number: int) -> None:
    spelt = Dtc(number << 8).id_iso()
    assert trouble_code(number.to_bytes(2, "big"), StatusBit.CONFIRMED).code == spelt.split("-")[0]


def test_a_hardware_bench_and_real_cars_give_the_codes_known_of_them() -> None:
    file = RECORDINGS / "obd_dtc_text_dev" / "EXPECT.json"
    if not file.exists():
        pytest.skip("no recording obd_dtc_text_dev beside this checkout")
    cases = [c for c in json.loads(file.read_text())["cases"] if c["frames"][0].startswith("7E")]
    assert len(cases) == 3
    for case in cases:
        lines = [frame.split(" ", 1) for frame in case["frames"]]
        batch = read(*(record(n / 100, int(can_id, 16), data) for n, (can_id, data) in enumerate(lines)))
        assert {f"{r.source:X}": codes(r) for r in batch} == case["expect"]
        assert not batch.anomalies


FREEZE = [
    record(1.0, ENGINE, "05 42 02 00 03 01"),
    record(1.1, ENGINE, "05 42 0C 00 0B B8"),
    record(1.2, ENGINE, "04 42 05 00 7B"),
    record(1.3, ENGINE, "05 42 63 00 01 90"),
]
FREEZE_VALUES = [
    ("Vehicle.Powertrain.CombustionEngine.Speed", 750.0, "rpm"),
    ("Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature", 83.0, "celsius"),
    ("PID 0x63", 400.0, "Nm"),
]


def freeze_values(report) -> list[tuple[str, float, str]]:
    return [(v.signal, v.value, v.unit) for v in report.freeze]


def test_freeze_frame_answers_are_joined_into_one_report_of_the_code_that_caused_it() -> None:
    (report,) = read(*FREEZE, tick(2.0))
    assert (report.kind, codes(report), report.complete) == (CodeList.FREEZE_FRAME, ["P0301"], False)
    assert freeze_values(report) == FREEZE_VALUES
    assert report.codes[0].status == StatusBit.FAILED_SINCE_CLEAR
    assert report.time_ns == 2_000_000_000


def test_a_freeze_frame_is_reported_when_five_seconds_have_passed_at_any_record() -> None:
    assert len(read(*FREEZE, record(5.999, 0x123, "00"))) == 0
    assert len(read(*FREEZE, record(6.0, 0x123, "00"))) == 1
    (report,) = read(*FREEZE, record(5.999, 0x123, "00"), record(6.0, 0x124, "00"), record(9.0, 0x124, "00"))
    assert report.time_ns == 6_000_000_000
    assert report.frame == 5


def test_a_freeze_frame_is_reported_when_its_code_is_told_again() -> None:
    batch = read(*FREEZE, record(2.0, ENGINE, "05 42 02 00 04 20"), tick(3.0))
    assert [(codes(r), r.time_ns // 10**9, len(r.freeze)) for r in batch] == [(["P0301"], 2, 3), (["P0420"], 3, 0)]


def test_values_asked_for_before_the_code_belong_to_it() -> None:
    (report,) = read(record(0.9, ENGINE, "04 42 0D 00 32"), FREEZE[0], tick(2.0))
    assert freeze_values(report) == [("Vehicle.Speed", 50.0, "km/h")]


def test_several_values_in_one_answer_are_all_read() -> None:
    (report,) = read(record(1.0, ENGINE, "10 0C 42 02 00 03 01 0C"), record(1.1, ENGINE, "21 00 0B B8 05 00 7B CC"), tick(2.0))
    assert freeze_values(report) == FREEZE_VALUES[:2]


def test_frames_of_several_responders_are_kept_apart() -> None:
    batch = read(
        FREEZE[0],
        record(1.05, GEARBOX, "05 42 02 00 07 30"),
        record(1.1, GEARBOX, "04 42 0D 00 32"),
        record(1.15, ENGINE, "04 42 0D 00 33"),
        tick(2.0),
    )
    assert {(codes(r)[0], r.source, r.freeze[0].value) for r in batch} == {("P0301", ENGINE, 51.0), ("P0730", GEARBOX, 50.0)}


def test_no_freeze_frame_stored_is_no_report() -> None:
    batch = read(record(1.0, ENGINE, "05 42 02 00 00 00"), tick(2.0))
    assert len(batch) == 0
    assert not batch.anomalies


def test_values_whose_code_was_never_told_are_counted() -> None:
    batch = read(*FREEZE[1:], tick(2.0))
    assert len(batch) == 0
    assert batch.anomalies == {"freeze_frame_without_code": 1}


def test_bitmaps_of_supported_values_are_no_values() -> None:
    batch = read(
        FREEZE[0],
        record(1.1, ENGINE, "10 09 42 00 00 7F FF FF"),
        record(1.2, ENGINE, "21 FF 0D 32"),
        record(1.3, ENGINE, "07 42 20 00 00 00 00 01"),
        tick(2.0),
    )
    assert batch.reports[0].freeze == ()
    assert batch.anomalies == {"obd_answer_malformed": 1}  # PID 0D was cut off; had the bitmap another length, it would not be


def test_freeze_frames_of_one_responder_are_kept_apart_by_number() -> None:
    batch = read(
        FREEZE[0],
        record(1.1, ENGINE, "05 42 02 01 04 20"),
        record(1.2, ENGINE, "04 42 0D 01 32"),
        record(1.3, ENGINE, "04 42 0D 00 33"),
        tick(2.0),
    )
    assert {(codes(r)[0], r.freeze[0].value) for r in batch} == {("P0301", 51.0), ("P0420", 50.0)}


def test_a_value_of_unknown_length_is_counted_and_what_came_before_is_kept() -> None:
    batch = read(FREEZE[0], record(1.1, ENGINE, "07 42 05 00 7B FE 00 01"), record(1.2, ENGINE, "03 42 0C 00"), tick(2.0))
    assert freeze_values(batch.reports[0]) == FREEZE_VALUES[1:2]
    assert batch.anomalies == {"freeze_frame_unknown_pid": 1, "obd_answer_malformed": 1}
