"""Real recordings, where they lie beside the checkout: the figures that cantools and python-can gave for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.kernels import lazy_jit
from domain.frames import EXTENDED_ID
from ingest.decoder import Decoder
from ingest.logs import open_log
from ingest.profiles import dbc_profile, load_profile
from ingest.summary import DecodeSummary

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "recordings"
CANDUMPS = (
    "genesis_auto", "maxxforce_dm1_single", "research_truck_normal", "kenworth_truck", "leaf_ze1_qc_no_time",
    "taycan_obd_scanner", "j1939_bam_block_attack",
)  # fmt: skip


def expected(name: str) -> dict[str, Any]:
    file = RECORDINGS / name / "EXPECT.json"
    if not file.is_file():
        pytest.skip(f"the recording {name} is not beside this checkout")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@pytest.mark.parametrize("name", CANDUMPS)
def test_every_frame_of_a_recording_is_read(name: str) -> None:
    figures = expected(name)
    log = open_log(RECORDINGS / name / figures["file"], vehicle="v", jit=lazy_jit)
    per_id: dict[str, int] = {}
    frames, stamps = 0, []
    for batch in log:
        frames += len(batch)
        stamps += [int(batch.time_ns[0]), int(batch.time_ns[-1])]
        for identifier in batch.can_id.tolist():
            key = f"0x{identifier & ~EXTENDED_ID:X}{'x' if identifier & EXTENDED_ID else ''}"
            per_id[key] = per_id.get(key, 0) + 1
    assert frames == figures["frames"]
    assert per_id == figures["frames_per_id"]
    assert len(log.dead_letters) == figures["unparsed_lines"]
    assert log.anomalies["time_backwards"] == figures["time_goes_backwards"]
    if not log.anomalies["no_timestamp"]:
        assert log.anomalies["equal_time"] == figures["equal_timestamps"]
        assert [stamps[0] / 1e9, stamps[-1] / 1e9] == pytest.approx([figures["t_first"], figures["t_last"]], abs=1e-6)


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
