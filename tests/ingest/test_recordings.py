"""Real recordings, where they lie beside the checkout: the figures that cantools and python-can gave for them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.kernels import lazy_jit
from domain.errors import LogFileError
from domain.frames import EXTENDED_ID, FrameFlag, concat_frames
from ingest.decoder import Decoder
from ingest.logs import LogFile, open_log
from ingest.profiles import dbc_profile, load_profile
from ingest.summary import DecodeSummary

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "recordings"
DBC_FILES = RECORDINGS.parent / "dbc"
NAMES = (
    "genesis_auto", "gt350_vss", "ipace_uds19_partA", "j1939_bam_block_attack", "kenworth_truck", "kia_ev6_uds_gps_11min",
    "leaf_ze0_24kwh", "leaf_ze1_qc_no_time", "maxxforce_dm1_single", "nissan_uds_0x21", "obd2_gps_drive_10min",
    "passat_b6_idle", "research_truck_normal", "taycan_obd_scanner", "truck_j1939_7min", "truck_j1939_two_buses",
    "zeekr_negative_time",
)  # fmt: skip
CHANNELS = {"leaf_ze0_24kwh": {"0": 59_966}}
"""Where we differ: this table says in its column Ch what the known figures take from the column before it."""
HEADERS = ("Time Stamp,", "ParserFlags\t")
"""Known figures count the header of a table among the lines that are no frames; we do not call it damage."""


def expected(name: str) -> dict[str, Any]:
    file = RECORDINGS / name / "EXPECT.json"
    if not file.is_file():
        pytest.skip(f"the recording {name} is not beside this checkout")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def opened(name: str, figures: dict[str, Any]) -> LogFile:
    try:
        return open_log(RECORDINGS / name / figures["file"], vehicle="v", dated=False, jit=lazy_jit)
    except LogFileError as problem:
        pytest.skip(f"{figures['format']} cannot be read yet: {problem}")


def began_s(figures: dict[str, Any]) -> float:
    """Known times of MDF files count from the start in their header."""
    start = figures.get("start_time")
    return datetime.fromisoformat(start).timestamp() if start else 0.0


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_of_a_recording_is_read(name: str) -> None:
    figures = expected(name)
    log = opened(name, figures)
    per_id: Counter[str] = Counter()
    per_bus: Counter[str] = Counter()
    stamps = []
    for batch in log:
        stamps += [int(batch.time_ns[0]), int(batch.time_ns[-1])]
        per_bus.update(batch.buses[bus] for bus in batch.bus.tolist())
        per_id.update(f"0x{n & ~EXTENDED_ID:X}{'x' if n & EXTENDED_ID else ''}" for n in batch.can_id.tolist())
    assert per_id.total() == figures["frames"]
    assert per_id == figures["frames_per_id"]
    assert per_bus == CHANNELS.get(name, figures["channels"])
    headers = sum(str(line).startswith(HEADERS) for _, line in figures["unparsed_examples"])
    assert len(log.dead_letters) == figures["unparsed_lines"] - headers
    assert log.anomalies["time_backwards"] == figures["time_goes_backwards"]
    if not log.anomalies["no_timestamp"]:
        assert log.anomalies["equal_time"] == figures["equal_timestamps"]
        first, last = (stamp / 1e9 - began_s(figures) for stamp in (stamps[0], stamps[-1]))
        assert [first, last] == pytest.approx([figures["t_first"], figures["t_last"]], abs=1e-5)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "genesis_auto"])
def test_strict_decoding_gives_the_known_figures(name: str, number: int) -> None:
    recording = expected(name)
    if number >= len(recording["decoded"]):
        pytest.skip(f"{name} has figures of {len(recording['decoded'])} DBC files only")
    figures = recording["decoded"][number]
    dbc = next(
        (folder / figures["dbc"] for folder in (RECORDINGS / name, DBC_FILES) if (folder / figures["dbc"]).is_file()), None
    )
    if dbc is None:
        pytest.skip(f"{figures['dbc']} is not beside this checkout")
    log = opened(name, recording)
    decoder = Decoder({"p": dbc_profile([(figures["channel"] or "*", dbc)])}, lambda _vehicle: "p", jit=lazy_jit)
    summary = DecodeSummary()
    for batch in log:
        summary.add(batch, decoder.decode_strict(batch))
    document = summary.document()
    failed = sum(figures["decode_errors"].values())
    per_message = figures["per_message"]
    # the known figures name the 40 commonest messages and the 60 commonest failures
    # messages longer than a frame are decoded from whole payloads: UDS figures count payloads
    if figures["match"] != "uds" and len(figures["per_message"]) < 40 and len(figures["decode_errors"]) < 60:
        assert document["decoded_frames"] == figures["frames_known"] - failed
    assert document["anomalies"].get("short_frame", 0) == figures["shorter_than_dbc"]
    if not failed:
        assert {message: document["messages"][message]["frames"] for message in per_message} == per_message
    for signal, known in figures["signals"].items():
        got = document["signals"][signal]
        assert got["count"] == known["n"], signal
        for field in ("min", "max", "mean"):
            # the known means are rounded to six or five places
            assert got[field] == pytest.approx(known[field], rel=1e-6, abs=5e-6), (signal, field)


@pytest.mark.parametrize(
    "name",
    [
        "issue_1256.asc",
        "issue_1299.asc",
        "logfile.asc",
        "logfile_errorframes.asc",
        "single_frame.asc",
        "single_frame_us_locale.asc",
        "test_CanErrorFrames.asc",
        "test_CanFdMessage.asc",
        "test_CanFdMessage64.asc",
        "test_CanFdRemoteMessage.asc",
        "test_CanMessage.asc",
        "test_CanMessage.asc.gz",
        "test_CanRemoteMessage.asc",
        "test_CanMessage.trc",
        "test_CanMessage_V1_0_BUS1.trc",
        "test_CanMessage_V1_1.trc",
        "test_CanMessage_V1_3.trc",
        "test_CanMessage_V2_0_BUS1.trc",
        "test_CanMessage_V2_1.trc",
    ],
)
def test_the_text_samples_of_python_can_have_the_known_figures(name: str) -> None:
    figures = expected("format_samples_pythoncan")[name]
    # python-can counts ASC from zero and TRC from its date, where the version has an exact one
    dated = name.endswith(".trc") and "V1_0" not in name
    batch = concat_frames(list(open_log(RECORDINGS / "format_samples_pythoncan" / name, vehicle="v", dated=dated, jit=lazy_jit)))
    assert len(batch) == figures["messages"]
    for key, flag in (("error_frames", FrameFlag.ERROR), ("remote", FrameFlag.REMOTE), ("fd", FrameFlag.FD)):
        assert int(((batch.flags & int(flag)) != 0).sum()) == figures[key], key
    # python-can takes error frames without an identifier for 29-bit ones
    assert int((batch.can_id >= EXTENDED_ID).sum()) == figures["extended"] - figures["error_frames"]
    assert {f"0x{n & ~EXTENDED_ID:X}" for n in batch.can_id.tolist()} == set(figures["ids"])
    first = 0 if name.endswith(".trc") else 1
    assert sorted({int(batch.buses[bus]) - first for bus in batch.bus.tolist()}) == [int(bus) for bus in figures["channels"]]
    assert [stamp / 1e9 for stamp in (batch.time_ns[0], batch.time_ns[-1])] == pytest.approx(figures["t"], abs=2e-6)


@pytest.mark.parametrize(
    ("name", "format_name", "frames"),
    [
        ("BusMasterLog.log.gz", "BUSMASTER", 12_974),
        ("CRTD_Log.txt.gz", "CRTD", 12_974),
        ("CarBusAnalyzer.trc", "CAR BUS Analyzer", 55),
        ("GVRET_Log.csv.gz", "SavvyCAN CSV", 12_974),
        ("GenericID_Log.csv.gz", "SavvyCAN ID CSV", 12_974),
        ("MicrochipLog.log.gz", "Microchip CAN BUS Analyzer", 12_974),
        ("candump.log.gz", "candump", 12_974),
    ],
)
def test_the_same_drive_is_read_from_every_format_of_savvycan(name: str, format_name: str, frames: int) -> None:
    expected("format_samples_savvycan")
    folder = RECORDINGS / "format_samples_savvycan"
    log = open_log(folder / name, vehicle="v", jit=lazy_jit)
    batch = concat_frames(list(log))
    assert (log.format_name, len(batch), log.dead_letters) == (format_name, frames, [])
    if frames > 55:
        (other,) = open_log(folder / "candump.log.gz", vehicle="v", jit=lazy_jit)
        for column in ("can_id", "length", "payload"):
            assert getattr(batch, column).tolist() == getattr(other, column).tolist(), column


@pytest.mark.parametrize(
    "name",
    [
        "issue_1905.blf",
        "test_CanErrorFrameExt.blf",
        "test_CanFdMessage.blf",
        "test_CanFdMessage64.blf",
        "test_CanMessage.blf",
        "test_CanMessage2.blf",
    ],
)
def test_the_binary_samples_of_python_can_have_the_known_figures(name: str) -> None:
    figures = expected("format_samples_pythoncan")[name]
    (batch,) = open_log(RECORDINGS / "format_samples_pythoncan" / name, vehicle="v", jit=lazy_jit)
    assert len(batch) == figures["messages"]
    for key, flag in (("error_frames", FrameFlag.ERROR), ("remote", FrameFlag.REMOTE), ("fd", FrameFlag.FD)):
        assert int(((batch.flags & int(flag)) != 0).sum()) == figures[key], key
    assert int((batch.can_id >= EXTENDED_ID).sum()) == figures["extended"]
    # python-can counts Vector's channels from 0, we as they are logged
    assert [str(int(bus) - 1) for bus in batch.buses] == figures["channels"]
    assert [batch.time_ns[0] / 1e9, batch.time_ns[-1] / 1e9] == pytest.approx(figures["t"], abs=2e-6)
    assert sorted({f"0x{n & ~EXTENDED_ID:X}" for n in batch.can_id.tolist()}) == sorted(figures["ids"])


def genesis(*, strict: bool) -> dict[str, Any]:
    folder = RECORDINGS / "genesis_auto"
    decoder = Decoder({"p": dbc_profile([("*", folder / "hyundai_i30_2014.dbc")])}, lambda _vehicle: "p", jit=lazy_jit)
    summary = DecodeSummary()
    for batch in open_log(folder / "autologgenesis.log.gz", vehicle="v", jit=lazy_jit):
        summary.add(batch, decoder.decode_strict(batch) if strict else decoder.decode(batch))
    return summary.document()


def test_strict_decoding_of_a_recorded_car_gives_the_known_figures() -> None:
    (figures,) = expected("genesis_auto")["decoded"]
    more = expected("genesis_auto")["extra_signals"]
    document = genesis(strict=True)
    assert document["frames"] == figures["frames_considered"]
    assert {name: m["frames"] for name, m in document["messages"].items()} == figures["per_message"]
    assert document["unknown_frames"] == sum(figures["unknown_ids"].values())
    assert document["decoded_frames"] == figures["frames_known"] - sum(figures["decode_errors"].values())
    assert document["anomalies"]["short_frame"] == figures["shorter_than_dbc"]
    for name, signal in (figures["signals"] | more).items():
        got = document["signals"][name]
        assert got["count"] == signal["n"], name
        for field in ("min", "max", "mean"):
            # the known means are rounded to six or five places
            assert got[field] == pytest.approx(signal[field], rel=1e-6, abs=5e-6), (name, field)


def test_the_anomalies_explain_what_the_default_decodes_more() -> None:
    expected("genesis_auto")
    strict, default = genesis(strict=True), genesis(strict=False)
    names = strict["messages"] | default["messages"]
    more = {
        n: default["messages"].get(n, {"frames": 0})["frames"] - strict["messages"].get(n, {"frames": 0})["frames"] for n in names
    }
    assert {name: count for name, count in more.items() if count} == {"EMS2": 3646}
    explained = {name: sum(kinds.values()) for name, kinds in default["anomalies_by_message"].items()}
    assert explained == {"EMS2": 3646}


def test_a_truck_without_dbc_gives_the_known_figures_by_source_address() -> None:
    figures = expected("research_truck_normal")["spn_stats"]
    decoder = Decoder({"p": load_profile("j1939")}, lambda _vehicle: "p", jit=lazy_jit)
    (batch,) = open_log(RECORDINGS / "research_truck_normal" / "normal.log.gz", vehicle="v", jit=lazy_jit)
    speeds = {}
    for group in decoder.decode(batch).groups:
        for row, path in enumerate(group.paths):
            if path == "Vehicle.Speed" and group.message == "CCVS1":
                for address in (0, 49):
                    valid = group.valid[row] & (group.source == address)
                    speeds[address] = (int(valid.sum()), float(group.values[row][valid].mean()) if valid.any() else None)
    assert speeds[0][0] == figures["SPN84 SA0"]["valid"]
    assert speeds[0][1] == pytest.approx(figures["SPN84 SA0"]["mean"], abs=1e-4)
    assert speeds[49] == (figures["SPN84 SA49"]["valid"], None)
