"""`pitcall doctor` on the sample recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from app.cli import cli
from tests.end_to_end.replays import SAMPLES

PETROL, TRUCK = SAMPLES / "healthy_petrol_city.log.gz", SAMPLES / "healthy_truck.log.gz"


def run(*words: object) -> str:
    result = CliRunner().invoke(cli, ["doctor", *(str(word) for word in words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def examined(*words: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*words, "--json"))
    return document


def test_the_right_database_of_a_folder_is_suggested_first_and_then_knows_the_bus() -> None:
    found = examined(PETROL, "--candidates", SAMPLES / "dbc")["logs"][0]
    bus, before = next(iter(found["buses"].items()))
    suggested = [each for each in found["suggestions"] if each["kind"] == "dbc"]
    assert suggested[0]["option"].endswith("petrol.dbc")
    after = examined(PETROL, "--dbc", suggested[0]["option"].removeprefix("--dbc "))["logs"][0]["buses"][bus]
    assert after["known_share"] > before["known_share"] + 0.5
    assert after["known_frames"] + sum(each["frames"] for each in after["unknown"]) == after["frames"]


def test_a_truck_without_definitions_is_told_of_the_built_in_ones() -> None:
    found = examined(TRUCK, "--dbc", SAMPLES / "dbc" / "petrol.dbc")["logs"][0]
    assert "--profile j1939" in [each["option"] for each in found["suggestions"]]
    unknown = [each for bus in found["buses"].values() for each in bus["unknown"]]
    assert any(each["looks_like"] == "j1939" and each["pgn"] for each in unknown)


def test_it_speaks_plainly_and_without_a_recording_of_the_machine_alone(tmp_path: Path) -> None:
    words = run(PETROL)
    assert "healthy_petrol_city.log.gz" in words
    assert "frames known" in words
    assert run().startswith("this machine: kernels")
    result = CliRunner().invoke(cli, ["doctor", str(PETROL), "--candidates", str(tmp_path)])
    assert "holds no DBC file" in str(result.exception)
