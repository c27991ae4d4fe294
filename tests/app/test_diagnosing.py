"""Recordings are written up as the program explains them, and codes without a name are listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.commands.knowledge import command
from tests.app.test_dtc_recordings import RECORDINGS

DOCUMENT = Path(__file__).parents[2] / "docs" / "diagnoses.md"
LOGS = (
    "research_truck_normal/normal.log.gz",
    "maxxforce_dm1_single/candump-RTSMaxxForceResourceExhaustion.log.gz",
    "ipace_uds19_partA/canbus_turningon_quickly.csv",
)


def run(*words: str) -> str:
    result = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("name", LOGS)
def test_the_write_up_in_docs_is_what_the_program_prints(name: str) -> None:
    log = RECORDINGS / name
    if not log.is_file():
        pytest.skip(f"the recording {name} is not beside this checkout")
    section = run("diagnoses", str(log)).partition(f"## {Path(name).parent}: ")[2].rstrip()
    assert section
    assert section in DOCUMENT.read_text(encoding="utf-8")


def test_codes_without_a_name_are_listed_with_how_often_they_were_met(tmp_path: Path) -> None:
    log = tmp_path / "car.log"
    log.write_text("(1.0) can0 7E8#06430212340301\n(2.0) can0 7E9#0443011234\n", encoding="ascii")
    (row,) = json.loads(run("unnamed", str(log), "--json"))
    assert (row["code"], row["times"], row["recordings"], row["maker_specific"]) == ("P1234", 2, 1, True)
    assert "厂家" in row["zh"]


def test_a_recording_or_a_database_must_be_named() -> None:
    assert CliRunner().invoke(command, ["unnamed"], env={"PITCALL_DATABASE_URL": ""}).exit_code == 2
