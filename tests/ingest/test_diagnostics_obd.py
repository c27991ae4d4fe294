"""OBD-II answers on CAN become trouble-code reports."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from udsoncan import Dtc

from domain.frames import EXTENDED_ID
from domain.trouble_codes import CodeList, Protocol, StatusBit
from ingest.diagnostics.obd import trouble_code, uncounted_code_list
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
    ("Vehicle.Powertrain.CombustionEngine.ReferenceTorque", 400.0, "Nm"),
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


def test_readiness_is_read_by_the_kind_of_engine() -> None:
    spark = read(record(0, ENGINE, "06 41 01 81 07 65 04")).reports[0].monitors
    assert spark is not None
    assert (spark.lamp_on, spark.code_count) == (1, 1)
    assert spark.complete == ("misfire", "fuel_system", "components", "catalyst", "oxygen_sensor", "oxygen_sensor_heater")
    assert spark.incomplete == ("evaporative_system",)
    assert not spark.all_complete
    diesel = read(record(0, ENGINE, "06 41 01 00 0E 4B 00")).reports[0].monitors
    assert diesel is not None
    assert diesel.complete == ("fuel_system", "components", "nmhc_catalyst", "nox_scr", "boost_pressure", "particulate_filter")
    assert diesel.all_complete


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        ("04 41 21 01 02", "distance_with_lamp_km", 258),
        ("03 41 30 07", "warm_ups_since_clear", 7),
        ("04 41 31 01 00", "distance_since_clear_km", 256),
        ("04 41 4D 00 3C", "minutes_with_lamp", 60),
        ("04 41 4E 02 00", "minutes_since_clear", 512),
    ],
)
def test_what_an_ecu_knows_of_lamp_and_clear_is_told(data: str, field: str, value: int) -> None:
    (report,) = read(record(0, ENGINE, data))
    assert report.kind is CodeList.STATUS
    assert report.codes == ()
    assert getattr(report.monitors, field) == value


def test_several_values_in_one_answer_are_one_report() -> None:
    (report,) = read(record(0, ENGINE, "10 09 41 01 81 07 65 04"), record(0.1, ENGINE, "21 30 07 00"))
    assert report.monitors is not None
    assert (report.monitors.code_count, report.monitors.warm_ups_since_clear) == (1, 7)


def test_test_results_have_their_unit_and_limits() -> None:
    (report,) = read(
        record(0, ENGINE, "10 13 46 01 01 0A 0B B0"),
        record(0.1, ENGINE, "21 00 00 13 88 02 85 90"),
        record(0.2, ENGINE, "22 FF F6 00 00 00 64"),
    )
    lean, late = report.tests
    assert (lean.monitor, lean.test, lean.unit, lean.passed) == (1, 1, "mV", True)
    assert (lean.value, lean.minimum, lean.maximum) == pytest.approx((2992 * 0.122, 0.0, 5000 * 0.122))
    assert (late.value, late.unit, late.passed) == (-10.0, "ms", False)  # identifiers from 80 on are signed


def test_a_test_of_unknown_scaling_is_kept_raw_and_counted_and_a_bitmap_is_no_test() -> None:
    batch = read(record(0, ENGINE, "10 0A 46 01 01 7F 00 05"), record(0.1, ENGINE, "21 00 00 00 0A"))
    assert [(t.value, t.unit) for t in batch.reports[0].tests] == [(5.0, "")]
    assert batch.anomalies == {"obd_test_unknown_scaling": 1}
    assert len(read(record(0, ENGINE, "06 46 00 C0 00 00 01"))) == 0


def test_a_clear_is_a_report_that_names_no_codes() -> None:
    (report,) = read(record(0, 0x7DF, "01 04"), record(0.1, ENGINE, "01 44"))
    assert (report.kind, report.source, report.codes, report.complete) == (CodeList.CLEARED, ENGINE, (), True)


def test_a_vin_is_never_shown_in_clear() -> None:
    vin = b"WP0ZZZY1ZMSA12345"
    batch = read(
        record(0, ENGINE, bytes.fromhex("1014490201") + vin[:3]),
        record(0.1, ENGINE, b"\x21" + vin[3:10]),
        record(0.2, ENGINE, b"\x22" + vin[10:]),
        record(1, ENGINE, "06 49 04 01 41 42 43"),
        record(2, ENGINE, "06 49 06 01 41 42 43"),
    )
    (report,) = batch
    assert (report.kind, report.identity, report.raw) == (CodeList.IDENTIFICATION, "WP0**************", b"")
    assert "12345" not in repr(report)
    assert batch.counted == {"09 04": 1, "09 06": 1}


def test_refusals_are_counted_by_service_and_reason() -> None:
    batch = read(record(0, ENGINE, "03 7F 19 11"), record(1, ENGINE, "03 7F 04 22"), record(2, ENGINE, "03 7F 22 31"))
    assert batch.counted == {"7F 04 22": 1, "7F 19 11": 1}
    assert not batch.anomalies


def test_an_answer_of_an_old_car_has_no_count_and_three_places() -> None:
    file = RECORDINGS / "obd_dtc_text_dev" / "EXPECT.json"
    if not file.exists():
        pytest.skip("no recording obd_dtc_text_dev beside this checkout")
    (case,) = [c for c in json.loads(file.read_text())["cases"] if not c["frames"][0].startswith("7E")]
    frame = bytes.fromhex(case["frames"][0])  # three header bytes, the answer, a checksum
    answer = uncounted_code_list(frame[3:-1])
    assert {f"{frame[2]:X}": [code.code for code in answer.codes]} == case["expect"]
    assert not answer.complete
