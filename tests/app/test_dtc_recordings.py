"""`pitcall dtc read` tells of recorded vehicles exactly the codes known of them, whatever the format of the log."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.trouble_codes import read_codes
from domain.errors import InputError

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "recordings"
LAMPS = {"mil": "malfunction", "rsl": "red_stop", "awl": "amber_warning", "pl": "protect"}
STATES = ("off", "on", "error", "not_available")


def known(name: str) -> dict[str, Any]:
    file = RECORDINGS / name / "EXPECT.json"
    if not file.is_file():
        pytest.skip(f"the recording {name} is not beside this checkout")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def lines(name: str, *, every_message: bool = False) -> list[dict[str, Any]]:
    """The lines of a recording's log."""
    try:
        return list(read_codes([RECORDINGS / name / known(name)["file"]], start_ns=None, every_message=every_message))
    except InputError as problem:
        if "known format" not in str(problem):
            raise
        pytest.skip(f"{name} cannot be read here: {problem}")


TRUCKS = (
    "maxxforce_dm1_single", "research_truck_normal", "j1939_bam_block_attack", "kenworth_truck", "truck_j1939_7min",
    "truck_j1939_two_buses", "passat_b6_idle", "obd2_gps_drive_10min",
)  # fmt: skip


@pytest.mark.parametrize("name", TRUCKS)
def test_the_active_codes_of_a_truck_are_told(name: str) -> None:
    expected = known(name)["j1939"]
    of_messages: Counter[tuple[Any, ...]] = Counter()
    empty = 0
    for message in (*expected["single_frame_dm"], *expected["multipacket_dm"]):
        empty += 0 if message["spn_fmi_cm_oc"] else message["times"]
        for spn, fmi, conversion, count in message["spn_fmi_cm_oc"]:
            lamps = tuple(STATES[message["lamps"][short]] for short in LAMPS)
            occurrence = None if count == 127 else count
            of_messages[message["sa"], spn, fmi, conversion, occurrence, lamps] += message["times"]
    told: Counter[tuple[Any, ...]] = Counter()
    read = [line for line in lines(name, every_message=True) if line["message"] == "DM1"]
    for line in read:
        if line["code"] is not None:
            lamps = tuple(line["lamps"][lamp] for lamp in LAMPS.values())
            told[line["source"], line["spn"], line["fmi"], line.get("conversion", 0), line["occurrence"], lamps] += 1
    assert told == of_messages
    assert sum(line["code"] is None for line in read) == empty


def test_the_codes_of_a_car_read_by_its_tester_are_told() -> None:
    expected = known("ipace_uds19_partA")["isotp"]["dtc_responses"]
    listed = [row for answer in expected for row in answer.get("dtcs", [answer])]
    told = lines("ipace_uds19_partA")
    assert [line["raw"] for line in told] == [row["dtc"] for row in listed]
    assert [f"{line['code']}-{line['ftb']}" for line in told[:3]] == [row["j2012"] for row in listed[:3]]
    assert [line["state"] for line in told[:3]] == ["history", "history", "confirmed"]
    assert {line["source"] for line in told} == {0x7ED}


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("leaf_ze1_qc_no_time", [(0x7BB, "19 02"), (0x7BD, "19 02")]),
        ("taycan_obd_scanner", [(0x7E8, "09 02")]),  # the VIN; 09 04 and 09 0A are counted
        ("zeekr_negative_time", []),
        ("nissan_uds_0x21", []),
        ("kia_ev6_uds_gps_11min", []),
    ],
)
def test_cars_without_codes_tell_none(name: str, messages: list[tuple[int, str]]) -> None:
    told = lines(name, every_message=True)
    assert [(line["source"], line["message"]) for line in told] == messages
    assert all(line["code"] is None for line in told)
