"""The text formats one by one: what their lines, headers and stamps mean."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.kernels import lazy_jit
from domain.ports import no_jit
from ingest.logs.candump import Candump
from ingest.logs.dates import day_and_time_ns, table_days_ns
from ingest.logs.open_log import FORMATS
from tests.ingest.logs.reading import Seen, as_seen, events, format_of, malformed, read_blocks, whole
from tests.ingest.logs.samples import (
    ASC,
    BUSMASTER,
    CAR_BUS,
    CRTD,
    MORE_TEXTS,
    OBD_TEXT,
    PYTHON_CAN,
    SAVVYCAN,
    TRC_1_1,
    VEHICLE_SPY,
)


def frames(name: str, text: str) -> list[Seen]:
    return as_seen(read_blocks(format_of(name), text.encode()))


def seen(stamp_s: float, bus: str, can_id: str, data: str = "", flags: str = "", length: int | None = None) -> Seen:
    size = len(data) // 2 if length is None else length
    return Seen(stamp_s=stamp_s, bus=bus, can_id=can_id, flags=flags, data=data, length=size)


def test_vector_asc_has_every_kind_of_frame() -> None:
    assert frames("Vector ASC", ASC) == [
        seen(2.501, "1", "0", flags="E"),
        seen(2.50101, "1", "0", flags="E"),
        seen(2.510001, "2", "100", flags="RT"),
        seen(2.520002, "3", "200", flags="R"),
        seen(2.584921, "4", "300", flags="RT", length=8),
        seen(3.098426, "1", "18EBFF00x", "01A00FA6603BD140"),
        seen(3.3, "1", "3FF", "55AA010203040506", flags="T"),
        seen(3.4, "1", "123", flags="T"),
        seen(17.876708, "1", "6F9", "050C"),
        seen(30.005071, "2", "300", "0102030405060708", flags="F"),
        seen(30.300981, "3", "50005x", flags="RFT", length=5),
        seen(30.506898, "4", "4EE", "A1020304000000000000000C", flags="F"),
        seen(30.806898, "5", "0", flags="EFT"),
    ]


def test_vector_asc_tells_events_from_broken_frames() -> None:
    blocks = read_blocks(format_of("Vector ASC"), ASC.encode())
    assert events(blocks) == {"log_event": 3}
    assert [line for line, _ in malformed(blocks)] == [19, 20, 25]


def test_vector_asc_reads_decimal_numbers_and_adds_up_relative_stamps_over_events() -> None:
    text = "base dec  timestamps relative\n1.5 1 256 Rx d 2 16 255\n0.25 1 Statistic: D 0\n0.25 1 419561728x Rx d 0\n1.0 1 1 Rx d 1 256\n"
    assert frames("Vector ASC", text) == [seen(1.5, "1", "100", "10FF"), seen(2.0, "1", "19020100x")]
    assert [line for line, _ in malformed(read_blocks(format_of("Vector ASC"), text.encode()))] == [5]


def test_vector_asc_goes_on_with_the_date_of_a_later_trigger_block(tmp_path: Path) -> None:
    path = tmp_path / "two.asc"
    path.write_text(
        "date Sat Sep 30 15:06:13 2017\nbase hex  timestamps absolute\nBegin Triggerblock Sat Sep 30 15:06:13 2017\n"
        "1.0 1 123 Rx d 0\n5.0 1 123 Rx d 0\nEnd TriggerBlock\n"
        "Begin Triggerblock Sat Sep 30 15:07:13 2017\n0.5 1 123 Rx d 0\nEnd TriggerBlock\n"
        "Begin Triggerblock Sat Sep 30 15:08:13 2017\n90.5 1 123 Rx d 0\nEnd TriggerBlock\n"
    )
    batch, log = whole(path)
    start = int(datetime(2017, 9, 30, 15, 6, 13, tzinfo=UTC).timestamp())
    assert [stamp / 1e9 - start for stamp in batch.time_ns.tolist()] == [1.0, 5.0, 60.5, 150.5]
    assert log.recorded_start_ns == start * 10**9
    as_written, _ = whole(path, dated=False)
    assert as_written.time_ns[0] == 10**9
    asked, _ = whole(path, start_ns=7 * 10**17)
    assert asked.time_ns[0] == 7 * 10**17 + 10**9


@pytest.mark.parametrize(
    ("words", "moment"),
    {
        "Sam Sep 30 15:06:13.191 2017": "2017-09-30T15:06:13.191",
        "Sat Sep 30 10:06:13.191 PM 2017": "2017-09-30T22:06:13.191",
        "Thu Apr 28 12:44:52 am 2022": "2022-04-28T00:44:52",
        "Die Mär 1 15:06:13 2022": "2022-03-01T15:06:13",
        "Don Dez 1 15:06:13 2022": "2022-12-01T15:06:13",
        "Fre Okt 14 15:06:13.5 pm 2022": "2022-10-14T15:06:13.5",
        "周三 9月 30 15:06:13 2020": "2020-09-30T15:06:13",
        "18.12.2021 14:28:07.062.1": "2021-12-18T14:28:07.0621",
        "7/22/2025 19:06:28.418.0": "2025-07-22T19:06:28.418",
        "23:9:2015 22:17:28:928": "2015-09-23T22:17:28.928",
    }.items(),
)
def test_dates_are_read_in_the_languages_of_tools(words: str, moment: str) -> None:
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert day_and_time_ns(words.encode()) == round(expected.timestamp() * 1_000_000) * 1000


@pytest.mark.parametrize(
    "words", ["", "Sat Feb 30 15:06:13 2017", "Sat Xyz 3 15:06:13 2017", "Sat Sep 30 25:06:13 2017", "\x00\xff"]
)
def test_what_is_no_date_is_none(words: str) -> None:
    assert day_and_time_ns(words.encode()) is None
    assert table_days_ns(words.encode()) is None


def test_an_asc_date_that_nobody_understands_is_counted() -> None:
    blocks = read_blocks(format_of("Vector ASC"), b"date am dritten Mai\nbase hex  timestamps absolute\n1.0 1 123 Rx d 0\n")
    assert events(blocks) == {"unknown_date": 1}
    assert blocks[0].start_ns is None


def test_peak_trc_has_every_version() -> None:
    assert frames("PEAK TRC", TRC_1_1) == [
        seen(17.5354, "1", "100x", "0000000000000001", flags="T"),
        seen(17.7003, "1", "100", "0A0B"),
        seen(17.72, "1", "704", flags="R", length=1),
    ]
    assert frames("PEAK TRC", MORE_TEXTS["PEAK TRC"]) == [
        seen(17.5354, "1", "100x", "0000000000000001", flags="T"),
        seen(17.7003, "2", "100", "000102030405060708090A0B", flags="F"),
        seen(17.7004, "2", "101", "0001", flags="F"),
        seen(17.701, "1", "704", flags="R", length=1),
    ]
    oldest = (
        "     1)     17535  00000100  8  00 00 00 00 00 00 00 00\n     2)     17540  FFFFFFFF  4  00 00 00 08 -- -- BUSHEAVY\n"
    )
    assert frames("PEAK TRC", oldest + "     3)     48937      0704  1  RTR\n") == [
        seen(17.535, "1", "100x", "00" * 8),
        seen(48.937, "1", "704", flags="R", length=1),
    ]
    newer = "     1)     17535.400 2  Tx    00000100 -  2    00 01\n     2)     17536.4 3  Rx    0100  1    00\n"
    assert frames("PEAK TRC", newer) == [seen(17.5354, "2", "100x", "0001", flags="T"), seen(17.5364, "3", "100", "00")]


def test_peak_trc_counts_what_is_no_frame_and_knows_its_start() -> None:
    blocks = read_blocks(format_of("PEAK TRC"), TRC_1_1.encode())
    assert events(blocks) == {"bus_status": 1, "bus_error": 1}
    assert [line for line, _ in malformed(blocks)] == [11]
    assert blocks[0].start_ns == 1_639_837_687_062_001_000
    assert events(read_blocks(format_of("PEAK TRC"), MORE_TEXTS["PEAK TRC"].encode())) == {"bus_status": 1, "bus_error": 1}


def test_peak_trc_takes_columns_in_any_order() -> None:
    text = ";$FILEVERSION=2.0\n;$COLUMNS=O,T,I,d,l,D\n  5.25 DT 0100 Rx 2  AA BB\n  6.25 FD 00000100 Tx 12 " + "00 " * 12 + "\n"
    assert frames("PEAK TRC", text) == [seen(0.00525, "1", "100", "AABB"), seen(0.00625, "1", "100x", "00" * 12, flags="FT")]


def test_savvycan_mends_what_a_spreadsheet_did() -> None:
    blocks = read_blocks(format_of("SavvyCAN CSV"), SAVVYCAN.encode())
    assert as_seen(blocks) == [
        seen(-1767062175.875212, "0", "5C0", "630000FFFF102ED9"),
        seen(-1767062175.874212, "1", "18DAF110x", "6301", flags="T"),
        seen(-1767062175.864212, "0", "2E6", "63"),
    ]
    assert events(blocks) == {"mended_id": 1}
    assert [line for line, _ in malformed(blocks)] == [5]


@pytest.mark.parametrize(("step", "expected_s"), [(300, 0.0003), (1, 0.001)], ids=["µs", "ms"])
def test_savvycan_stamps_are_ms_where_us_would_be_too_many_frames(step: int, expected_s: float) -> None:
    lines = [f"{1000 + k * step},123,false,Rx,0,1,{k:02X}," for k in range(100)]
    stamps = [frame.stamp_s for frame in frames("SavvyCAN CSV", "Time Stamp,ID,Extended,Dir,Bus,LEN,D1\n" + "\n".join(lines))]
    assert stamps[1] - stamps[0] == pytest.approx(expected_s)


def test_tables_with_common_names_are_read_in_their_units() -> None:
    assert frames("delimited text", "Time (ms)\tCAN ID\tDLC\tB0\tB1\n1500,5\t0x7E8\t1\t0A\t\n") == [
        seen(1.5005, "0", "7E8", "0A")
    ]
    assert frames("delimited text", '"Timestamp","ID","Data"\n"1600000000000","7E8","01 02 0A"\n') == [
        seen(1.6e9, "0", "7E8", "01020A")
    ]
    assert frames("Vehicle Spy CSV", VEHICLE_SPY) == [
        seen(2550.368293675, "HS CAN", "119", "0000000000000D8B"),
        seen(2550.368793675, "MS CAN", "18DAF110x", "0102", flags="T"),
    ]


def test_crtd_takes_buses_and_ways() -> None:
    assert [(f.bus, f.can_id, f.flags, f.length) for f in frames("CRTD", CRTD)] == [
        ("1", "402", "", 8), ("2", "18DAF110x", "", 1), ("1", "400", "T", 0), ("1", "400", "", 1),
    ]  # fmt: skip
    blocks = read_blocks(format_of("CRTD"), CRTD.encode())
    assert events(blocks) == {"log_event": 2}
    assert [line for line, _ in malformed(blocks)] == [7]


def test_busmaster_goes_on_over_midnight(tmp_path: Path) -> None:
    path = tmp_path / "drive.log"
    path.write_text(BUSMASTER)
    batch, _ = whole(path)
    midnight = datetime(2015, 9, 24, tzinfo=UTC).timestamp()
    assert [stamp / 1e9 - midnight for stamp in batch.time_ns.tolist()] == pytest.approx([-0.008, 0.002, 0.012, 0.012], abs=1e-6)
    assert [(f.can_id, f.flags, f.length) for f in frames("BUSMASTER", BUSMASTER)] == [
        ("21A", "", 8), ("23Ax", "T", 1), ("23A", "R", 2), ("23Ax", "R", 0),
    ]  # fmt: skip


def test_busmaster_in_relative_mode_adds_up() -> None:
    text = BUSMASTER.replace("SYSTEM", "RELATIVE").replace("23:59:59:9920", "00:00:01:0000")
    assert [frame.stamp_s for frame in frames("BUSMASTER", text)] == pytest.approx([1.0, 1.002, 1.014, 1.026])


def test_the_clock_of_car_bus_begins_anew_every_minute() -> None:
    assert frames("CAR BUS Analyzer", CAR_BUS) == [
        seen(59.016, "1", "45A", "5A04000000000000"),
        seen(60.734, "2", "18DAF110x", "2400"),
    ]


def test_scan_tool_text_holds_frames_and_packets_of_older_buses() -> None:
    assert frames("OBD text", OBD_TEXT) == [
        seen(0.0, "obd", "7E8", "100E430601000200"),
        seen(0.0, "obd", "18DAF110x", "037F2231"),
        seen(0.0, "obd", "18DAF110x", "037F2231"),
        seen(0.0, "obd", "7E8", "100E430601000200"),
        seen(0.0, "obd_serial", "0", "486B1043030603560000DC", flags="P"),
    ]
    blocks = read_blocks(format_of("OBD text"), OBD_TEXT.encode())
    assert (events(blocks), blocks[0].timeless) == ({"log_event": 2}, 5)


def test_candump_deltas_are_added_up_and_zero_based_stamps_are_not() -> None:
    source = random.Random(1)
    steps = [0.0, *(source.uniform(0.001, 0.02) for _ in range(300))]
    deltas = "".join(f" ({step:010.6f})  can0  123   [1]  00\n" for step in steps)
    total, since_start = 0.0, ""
    for step in steps:
        total += round(step, 6)
        since_start += f" ({total:010.6f})  can0  123   [1]  00\n"
    for text in (deltas, since_start):
        for jit in (lazy_jit, no_jit):
            for block_bytes in (500, 1 << 20):
                blocks = read_blocks(Candump(), text.encode(), block_bytes=block_bytes, jit=jit)  # type: ignore[arg-type]  # has the same method
                assert as_seen(blocks)[-1].stamp_s == pytest.approx(total, abs=1e-9)


def messages_of(can: Any, path: Path) -> list[Any]:
    return list(can.LogReader(path))


@pytest.mark.parametrize("suffix", [".asc", ".trc", ".csv"])
def test_what_python_can_writes_is_read_as_python_can_reads_it(suffix: str, tmp_path: Path) -> None:
    can = pytest.importorskip("can", reason="python-can is an optional extra")
    source = random.Random(suffix)
    path = tmp_path / f"drive{suffix}"
    with can.Logger(path) as writer:
        for number in range(200):
            fd = suffix == ".asc" and number % 7 == 0
            size = source.choice([12, 20, 64]) if fd else source.randint(0, 8)
            extended = bool(number % 2)
            writer.on_message_received(
                can.Message(
                    timestamp=1_600_000_000 + number / 64,
                    arbitration_id=source.randrange(0x800, 0x1FFFFFFF) if extended else source.randrange(0x800),
                    is_extended_id=extended,
                    is_fd=fd,
                    is_rx=number % 5 != 0,
                    is_remote_frame=suffix != ".trc" and not fd and number % 11 == 0,
                    dlc=None if number % 11 or fd or suffix == ".trc" else 3,
                    data=None if number % 11 == 0 and not fd and suffix != ".trc" else source.randbytes(size),
                    channel=number % 3,
                )
            )
    batch, log = whole(path, jit=lazy_jit, dated=suffix == ".trc")
    told = messages_of(can, path)
    assert len(batch) == len(told) == 200
    assert not log.dead_letters
    first = told[0].timestamp
    for row, message in enumerate(told):
        assert batch.payload_bytes(row) == bytes(message.data) or message.is_remote_frame, row
        assert int(batch.can_id[row]) == message.arbitration_id | (message.is_extended_id << 31), row
        assert int(batch.length[row]) == message.dlc, row
        flags = int(batch.flags[row])
        assert (bool(flags & 1), bool(flags & 4)) == (message.is_remote_frame, message.is_fd), row
        if suffix != ".csv":
            assert bool(flags & 8) != message.is_rx, row
        assert (int(batch.time_ns[row]) - int(batch.time_ns[0])) / 1e9 == pytest.approx(message.timestamp - first, abs=2e-6), row


def test_python_can_csv_has_remote_frames_and_rejects_broken_base64() -> None:
    assert frames("python-can CSV", PYTHON_CAN)[:3] == [
        seen(1483389946.197, "0", "DADADAx", "D6ABD1BD1D"),
        seen(1483389947.197, "0", "123", flags="R", length=4),
        seen(1483389948.197, "0", "7FF", bytes(range(12)).hex().upper()),
    ]
    assert [line for line, _ in malformed(read_blocks(format_of("python-can CSV"), PYTHON_CAN.encode()))] == [6]


@pytest.mark.parametrize(
    "content", [b"hello\nworld\n", b"a,b,c\n1,2,3\n", b"id,name\n7,Ann\n", bytes(range(256)) * 20, b"12 34\n"]
)
def test_other_files_are_no_recordings(content: bytes) -> None:
    assert [known.name for known in FORMATS if known.recognises(content)] == []


def test_the_worked_example_of_the_documentation_reads_its_format() -> None:
    page = (Path(__file__).parents[3] / "docs" / "log-formats.md").read_text()
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    text = "".join(line[4:] + "\n" for line in page.splitlines() if line.startswith("    "))
    assert text.startswith("#DRIVELOG 1\n")
    for jit in (lazy_jit, no_jit):
        blocks = read_blocks(names["DRIVELOG"], "\n".join(text.splitlines()[:2]).encode(), jit=jit)
        assert as_seen(blocks) == [seen(12.345678, "can0", "18FEF100x", "F30010FE")]
        assert not malformed(blocks)


@pytest.mark.parametrize("text", [b"1e999999999", b"-1e99999", b"nan", b"inf", b"9" * 5000, b"x", b""])
def test_no_number_of_days_is_too_large_to_be_refused_at_once(text: bytes) -> None:
    assert table_days_ns(text) is None
