"""J1939 DM1 becomes trouble-code reports; real recordings give exactly the codes known of them."""

from __future__ import annotations

import json

import pytest

from domain.frames import EXTENDED_ID
from domain.trouble_codes import CodeList, Lamps, Protocol, StatusBit
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
