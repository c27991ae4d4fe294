"""The shipped rules on recordings of real vehicles that nothing is known to be wrong with, where they lie beside the checkout.

What they raise, and why that is right, stands in docs/rules-on-healthy-recordings.md.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.end_to_end.replays import RECORDINGS, drives_of, replayed

RAISED = {"kenworth_truck": ["resting_voltage_low"]}
ALWAYS = ("kenworth_truck", "maxxforce_dm1_single", "obd2_gps_drive_10min", "research_truck_normal", "truck_j1939_7min")
"""Those of which most is decoded without a DBC."""
OTHERS = (
    "genesis_auto", "gt350_vss", "ipace_uds19_partA", "j1939_bam_block_attack", "kia_ev6_uds_gps_11min", "leaf_ze0_24kwh",
    "leaf_ze1_qc_no_time", "nissan_uds_0x21", "passat_b6_idle", "taycan_obd_scanner", "truck_j1939_two_buses", "zeekr_negative_time",
)  # fmt: skip
NAMES = ALWAYS + OTHERS if os.environ.get("PITCALL_LONG_TESTS") == "1" else ALWAYS


def log_of(name: str) -> Path:
    file = RECORDINGS / name / "EXPECT.json"
    if not file.is_file():
        pytest.skip(f"the recording {name} is not beside this checkout")
    return RECORDINGS / name / str(json.loads(file.read_text())["file"])


@pytest.mark.parametrize("name", NAMES)
def test_a_healthy_recording_raises_only_what_the_docs_explain(name: str) -> None:
    document = replayed(drives_of(log_of(name))).document()
    assert document["frames"] > 0
    rules = sorted(alert["source"]["id"] for alert in document["alerts"] if alert["source"]["kind"] == "rule")
    assert rules == RAISED.get(name, [])
