"""J1939 DM1 becomes trouble-code reports; real recordings give exactly the codes known of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.code_state import CodeState, code_state
from domain.frames import EXTENDED_ID
from domain.trouble_codes import CodeList, Lamps, Monitors, Protocol, StatusBit
from ingest.diagnostics import DiagnosticsReader
from tests.ingest.diagnostic_frames import RECORDINGS, codes, frame_batch, read, record, recording


def dm1(source: int) -> int:
    return 0x18FECA00 | source | EXTENDED_ID


def test_a_single_frame_tells_lamps_and_one_code() -> None:
    (report,) = read(record(1.0, dm1(0x17), "50 3F 66 00 03 01 FF FF"))
    (code,) = report.codes
    assert (code.code, code.spn, code.fmi, code.occurrence, code.conversion) == ("SPN102/FMI3", 102, 3, 1, 0)
    assert code.status == StatusBit.TEST_FAILED | StatusBit.CONFIRMED | StatusBit.WARNING_INDICATOR
    assert (report.source, report.kind, report.protocol, report.complete) == (0x17, CodeList.ACTIVE, Protocol.J1939, True)
    assert report.lamps == Lamps(
        malfunction=1,
        red_stop=1,
        amber_warning=0,
        protect=0,
        malfunction_flash=0,
        red_stop_flash=3,
        amber_warning_flash=3,
        protect_flash=3,
    )


def test_large_spns_use_all_nineteen_bits() -> None:
    (report,) = read(record(0, dm1(0), "04 FF FE FF DF 7F FF FF"))
    assert codes(report) == ["SPN458750/FMI31"]
    (report,) = read(record(0, dm1(0), "04 FF FE FF FE 7F FF FF"))
    assert codes(report) == ["SPN524286/FMI30"]


@pytest.mark.parametrize("data", ["00 FF 00 00 00 00 FF FF", "03 FF 00 00 00 00 00 00", "00 FF FF FF FF FF FF FF"])
def test_every_form_of_no_code_is_an_empty_complete_report(data: str) -> None:
    (report,) = read(record(0, dm1(3), data))
    assert report.codes == ()
    assert report.complete


def test_an_old_conversion_method_is_read_as_version_4_and_counted() -> None:
    batch = read(record(0, dm1(0), "04 FF 66 00 03 81 FF FF"))
    (code,) = batch.reports[0].codes
    assert (code.spn, code.conversion, code.occurrence) == (102, 1, 1)
    assert batch.anomalies == {"dm1_conversion_method_1": 1}


def test_a_short_message_is_counted() -> None:
    batch = read(record(0, dm1(0), "04 FF 66 00 03"))
    assert len(batch) == 0
    assert batch.anomalies == {"dm1_malformed": 1}
    assert codes(read(record(0, dm1(0), "04 FF 66 00 03 01")).reports[0]) == ["SPN102/FMI3"]


def test_several_codes_come_by_broadcast_with_the_time_of_the_last_packet() -> None:
    batch = read(
        record(1.00, 0x1CECFF00 | EXTENDED_ID, "20 0E 00 02 FF CA FE 00"),
        record(1.05, 0x1CEBFF00 | EXTENDED_ID, "01 43 FF BF 00 09 08 54"),
        record(1.10, 0x1CEBFF00 | EXTENDED_ID, "02 00 09 08 ED 14 1F 01"),
    )
    (report,) = batch
    assert codes(report) == ["SPN191/FMI9", "SPN84/FMI9", "SPN5357/FMI31"]
    assert (report.source, report.time_ns) == (0, 1_100_000_000)
    assert report.raw == bytes.fromhex("43FFBF00090854000908ED141F01")


def test_codes_sent_to_one_tool_are_told_like_a_broadcast() -> None:
    batch = read(
        record(1.00, 0x18ECF90B | EXTENDED_ID, "10 0A 00 02 FF CA FE 00"),
        record(1.01, 0x18EC0BF9 | EXTENDED_ID, "11 02 01 FF FF CA FE 00"),
        record(1.02, 0x18EBF90B | EXTENDED_ID, "01 04 FF 60 00 03 7E 3D"),
        record(1.03, 0x18EBF90B | EXTENDED_ID, "02 03 03 7E FF FF FF FF"),
        record(1.04, 0x18EC0BF9 | EXTENDED_ID, "13 0A 00 02 FF CA FE 00"),
    )
    (report,) = batch
    assert (report.source, codes(report)) == (0x0B, ["SPN96/FMI3", "SPN829/FMI3"])
    assert not batch.anomalies


def test_other_groups_and_standard_identifiers_are_left_alone() -> None:
    batch = read(
        record(0, 0x18FEF100 | EXTENDED_ID, "40 FF 66 00 03 01 FF FF"),
        record(0, 0x19FECA00 | EXTENDED_ID, "40 FF 66 00 03 01 FF FF"),
        record(0, 0x0CFECA00, "40 FF 66 00 03 01 FF FF"),
    )
    assert len(batch) == 0


@pytest.mark.parametrize(
    ("pgn", "name", "kind", "state"),
    [
        (65227, "DM2", CodeList.PREVIOUSLY_ACTIVE, CodeState.HISTORY),
        (65231, "DM6", CodeList.PENDING, CodeState.PENDING),
        (65236, "DM12", CodeList.EMISSION, CodeState.CONFIRMED),
        (64949, "DM23", CodeList.PREVIOUSLY_ACTIVE, CodeState.HISTORY),
        (64896, "DM28", CodeList.PERMANENT, CodeState.PERMANENT),
    ],
)
def test_every_list_of_codes_is_told_from_the_active_one(pgn: int, name: str, kind: CodeList, state: CodeState) -> None:
    (report,) = read(record(0, 0x18000000 | pgn << 8 | EXTENDED_ID, "40 FF 66 00 03 01 FF FF"))
    assert (report.message, report.kind, codes(report)) == (name, kind, ["SPN102/FMI3"])
    assert code_state(report, report.codes[0]) is state


def test_lists_sent_by_transport_are_kept_apart_too() -> None:
    (report,) = read(
        record(1.00, 0x1CECFF00 | EXTENDED_ID, "20 0A 00 02 FF CB FE 00"),
        record(1.05, 0x1CEBFF00 | EXTENDED_ID, "01 04 FF 60 00 03 7E 3D"),
        record(1.10, 0x1CEBFF00 | EXTENDED_ID, "02 03 03 7E FF FF FF FF"),
    )
    assert (report.message, codes(report)) == ("DM2", ["SPN96/FMI3", "SPN829/FMI3"])


def test_a_freeze_frame_tells_the_conditions_of_its_code() -> None:
    (report,) = read(
        record(1.00, 0x1CECFF00 | EXTENDED_ID, "20 0D 00 02 FF CD FE 00"),
        record(1.05, 0x1CEBFF00 | EXTENDED_ID, "01 0C 66 00 03 01 00 FF"),
        record(1.10, 0x1CEBFF00 | EXTENDED_ID, "02 40 38 50 7B 00 32 FF"),
    )
    assert (report.kind, codes(report)) == (CodeList.FREEZE_FRAME, ["SPN102/FMI3"])
    assert code_state(report, report.codes[0]) is CodeState.HISTORY
    assert [(v.signal, v.value, v.unit) for v in report.freeze] == [
        ("Vehicle.Powertrain.CombustionEngine.Speed", 1800.0, "rpm"),
        ("DM4 engine load", 80.0, "percent"),
        ("Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature", 83.0, "celsius"),
        ("Vehicle.Speed", 50.0, "km/h"),
    ]  # a boost pressure of FF is not available


def test_readiness_names_what_has_and_has_not_been_tested() -> None:
    (report,) = read(record(0, 0x18FECE00 | EXTENDED_ID, "02 01 14 37 80 18 00 08"))
    assert report.monitors is not None
    assert report.monitors.code_count == 2
    assert report.monitors.complete == ("components", "egr_vvt", "nmhc_catalyst")
    assert report.monitors.incomplete == ("misfire", "fuel_system", "nox_catalyst")
    (empty,) = read(record(0, 0x18FECE00 | EXTENDED_ID, "FF FF FF FF FF FF FF FF"))
    assert empty.monitors == Monitors()


def test_a_clear_is_reported_when_the_ecu_has_agreed_and_at_once_when_all_are_asked() -> None:
    ask, agree, refuse = 0x18EA00F9 | EXTENDED_ID, "00 FF FF FF F9 D3 FE 00", "01 FF FF FF F9 D3 FE 00"
    batch = read(record(0, ask, "D3 FE 00"), record(0.1, 0x18E8FF00 | EXTENDED_ID, agree))
    (report,) = batch
    assert (report.kind, report.source, report.message) == (CodeList.CLEARED, 0, "DM11")
    assert batch.counted == {"DM11 requested": 1}
    refused = read(record(0, ask, "D3 FE 00"), record(0.1, 0x18E8FF00 | EXTENDED_ID, refuse))
    assert len(refused) == 0
    assert refused.counted == {"DM11 requested": 1, "DM11 refused": 1}
    (to_all,) = read(record(0, 0x18EAFFF9 | EXTENDED_ID, "CC FE 00"))
    assert (to_all.kind, to_all.source, to_all.message) == (CodeList.CLEARED, 255, "DM3")
    others = read(record(0, 0x18EAFFF9 | EXTENDED_ID, "CA FE 00"), record(1, 0x18E8FF00 | EXTENDED_ID, "00 FF FF FF F9 CA FE 00"))
    assert len(others) == 0


def test_messages_that_are_not_read_are_counted() -> None:
    batch = read(
        record(0, 0x18FDB600 | EXTENDED_ID, "00 01 02 03 04 05 06 07"), record(1, 0x189EF900 | EXTENDED_ID, "00 01 02 03 04")
    )
    assert len(batch) == 0
    assert batch.counted == {"DM24": 1, "DM29": 1}


CLAIM = 0x18EEFF00 | EXTENDED_ID
NAME, OTHER = "01 00 00 00 00 00 00 80", "02 00 00 00 00 00 00 80"


def names(*records: tuple[float, int, str]) -> list[int]:
    return [r.name & 0xFF if r.name >= 0 else -1 for r in read(*(record(*r) for r in records))]


def test_an_ecu_is_known_by_its_name_wherever_it_is() -> None:
    codes_ = "40 FF 66 00 03 01 FF FF"
    assert names((0, dm1(0), codes_), (1, CLAIM, NAME), (2, dm1(0), codes_), (3, CLAIM | 5, NAME), (4, dm1(5), codes_)) == [
        -1,
        1,
        1,
    ]
    assert names((0, CLAIM, NAME), (1, CLAIM | 5, NAME), (2, dm1(0), codes_)) == [-1]


def test_of_two_that_contend_for_an_address_the_lower_name_wins() -> None:
    codes_ = "40 FF 66 00 03 01 FF FF"
    assert names((0, CLAIM, NAME), (0.1, CLAIM, OTHER), (1, dm1(0), codes_)) == [1]
    assert names((0, CLAIM, OTHER), (0.1, CLAIM, NAME), (1, dm1(0), codes_)) == [1]
    assert names((0, CLAIM, NAME), (9, CLAIM, OTHER), (10, dm1(0), codes_)) == [2]  # another ECU has been fitted


def test_no_address_claimed_and_short_claims_name_nobody() -> None:
    batch = read(record(0, CLAIM | 254, NAME), record(0, CLAIM, "01 02"), record(1, dm1(254), "40 FF 66 00 03 01 FF FF"))
    assert [r.name for r in batch] == [-1]
    assert batch.anomalies == {"address_claim_malformed": 1}


@pytest.mark.parametrize(
    ("layout", "spn", "assumed"), [(None, 102, True), (1, 102 << 11 | 0, False), (2, 102 << 3, False), (3, 102, False)]
)
def test_a_setting_tells_the_layout_of_old_spns(layout: int | None, spn: int, assumed: bool) -> None:
    frames = frame_batch([record(0, dm1(3), "04 FF 66 00 03 81 FF FF"), record(0, dm1(4), "04 FF 66 00 03 01 FF FF")])
    asked: list[tuple[str, int, int]] = []

    def layouts(vehicle: str, source: int, name: int) -> int | None:
        asked.append((vehicle, source, name))
        return layout

    old, new = DiagnosticsReader(spn_layouts=layouts).read(frames)
    assert (old.codes[0].spn, old.codes[0].is_spn_assumed, old.codes[0].conversion) == (spn, assumed, 1)
    assert (new.codes[0].spn, new.codes[0].is_spn_assumed) == (102, False)
    assert asked[0] == ("car", 3, -1)


def test_a_flood_of_claims_announcements_and_requests_does_not_grow_the_state_without_bound() -> None:
    flood = [record(n / 1e4, CLAIM | n % 254, n.to_bytes(8, "little")) for n in range(3000)]
    flood += [record(n / 1e4, 0x18ECFF00 | n % 256 | EXTENDED_ID, "20 F9 06 FF FF CA FE 00") for n in range(1000)]
    flood += [record(n / 1e4, 0x18EC0000 | n << 8 | EXTENDED_ID, "10 F9 06 FF FF CA FE 00") for n in range(255)]
    flood += [record(n / 1e4, 0x600 + n % 0x1E8, "10 FF 59 02 FF 01 02 03") for n in range(2000)]
    flood += [record(n / 1e4, 0x600 + n % 0x1E8, bytes([3, 0x19, 2, n % 256])) for n in range(2000)]
    flood += [record(n / 1e4, 0x7E8, bytes([4, 0x42, 0x0D, n % 256, 1])) for n in range(1000)]
    reader = DiagnosticsReader()
    reader.read(frame_batch(flood))
    state = reader.snapshot("car")
    assert state is not None
    assert len(state) < 50_000


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0xFECA, 0xFECB, 0xFECD, 0xFECE, 0xEEFF, 0xEA00, 0xE8FF, 0xECFF, 0xEBFF, 0xEC00, 0x9E00, 0xFDB5]),
            st.binary(max_size=12),
        ),
        max_size=30,
    )
)
def test_no_frame_whatsoever_raises(frames: list[tuple[int, bytes]]) -> None:
    read(*(record(n / 10, 0x18000000 | pgn << 8 | EXTENDED_ID, data) for n, (pgn, data) in enumerate(frames)))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("maxxforce_dm1_single", "candump-RTSMaxxForceResourceExhaustion.log.gz"),
        ("research_truck_normal", "normal.log.gz"),
        ("j1939_bam_block_attack", "BAM_Block_attack.txt.gz"),
        ("kenworth_truck", "KWTruck.txt.gz"),
    ],
)
def test_recorded_trucks_give_the_codes_lamps_and_counts_known_of_them(name: str, file: str) -> None:
    batch = DiagnosticsReader().read(frame_batch(recording(name, file)))
    expected = json.loads((RECORDINGS / name / "EXPECT.json").read_text())["j1939"]
    told: dict[tuple[object, ...], int] = {}
    for report in batch:
        assert report.lamps is not None
        lamps = (report.lamps.malfunction, report.lamps.red_stop, report.lamps.amber_warning, report.lamps.protect)
        numbers = tuple((c.spn, c.fmi, c.conversion, c.occurrence) for c in report.codes)
        key = (report.source, lamps, numbers)
        told[key] = told.get(key, 0) + 1
    known: dict[tuple[object, ...], int] = {}
    for message in (*expected["single_frame_dm"], *expected["multipacket_dm"]):
        lamps = tuple(message["lamps"][name] for name in ("mil", "rsl", "awl", "pl"))
        key = (message["sa"], lamps, tuple(tuple(numbers) for numbers in message["spn_fmi_cm_oc"]))
        known[key] = known.get(key, 0) + message["times"]
    assert told == known
