"""Bad input gets one line on stderr that names file, line and mend, and exit status 2."""

import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from app.cli import main
from tests.end_to_end.replays import SAMPLES

VIN = "LPCTEST0000000001"
GOOD_RULE = """
- id: hot
  version: 1
  status: active
  system: engine.cooling
  component: coolant
  severity: high
  urgency: TODAY
  when: CombustionEngine.EngineCoolant.Temperature > 110
  title: {en: Hot, zh: 过热}
  explanation: {en: "{duration_s:.0f} s", zh: "{duration_s:.0f} 秒"}
  source: [test]
  owner: tests
"""


@dataclass(frozen=True)
class Result:
    returncode: int
    stdout: str
    stderr: str


def pitcall(*words) -> Result:
    """What the command line does, without starting a process for it."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    arguments = mock.patch.object(sys, "argv", ["pitcall", *map(str, words)])
    with arguments, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return Result(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())


def refused(*words) -> str:
    result = pitcall(*words)
    assert result.returncode == 2, result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


@pytest.fixture
def drive(tmp_path):
    file = tmp_path / "drive.log"
    file.write_text("(1600000000.000000) can0 123#0102\n(1600000000.100000) can0 123#0103\n")
    return file


def test_a_file_of_unknown_type_is_named(tmp_path):
    file = tmp_path / "holiday.jpg"
    file.write_bytes(b"\xff\xd8\xff\xe0 no recording at all" * 10)
    line = refused("decode", file)
    assert "holiday.jpg" in line
    assert "candump" in line


def test_a_missing_recording_is_named(tmp_path):
    assert "none.log: cannot be read" in refused("decode", tmp_path / "none.log")
    assert "none.log: cannot be read" in refused("replay", tmp_path / "none.log", "--vin", VIN)
    assert "none.log: cannot be read" in refused("dtc", "read", tmp_path / "none.log")


def test_a_broken_dbc_is_named_with_its_line(tmp_path, drive):
    file = tmp_path / "broken.dbc"
    file.write_text('VERSION ""\nBO_ 291 ENGINE: 8 ECU\n SG_ Speed : 0|16@1+ (0.25,0) [0|8000 "rpm" X\n')
    line = refused("decode", drive, "--dbc", file)
    assert "broken.dbc:3: " in line


def test_an_unknown_signal_in_a_rule_is_named_with_line_and_the_nearest_name(tmp_path):
    pack = tmp_path / "pack.yaml"
    pack.write_text(GOOD_RULE.replace("EngineCoolant.Temperature", "EngineCoolant.Temprature"), encoding="utf-8")
    result = pitcall("rules", "check", pack)
    assert result.returncode == 1
    assert "pack.yaml:9: " in result.stderr
    assert "EngineCoolant.Temperature" in result.stderr


def test_a_wrong_unit_in_a_rule_is_named(tmp_path):
    pack = tmp_path / "pack.yaml"
    pack.write_text(GOOD_RULE.replace("> 110", "> 110 kPa"), encoding="utf-8")
    result = pitcall("rules", "check", pack)
    assert result.returncode == 1
    assert "pack.yaml:9: " in result.stderr
    assert "kPa" in result.stderr


def test_a_misspelt_key_in_a_rule_is_named(tmp_path):
    pack = tmp_path / "pack.yaml"
    pack.write_text(GOOD_RULE.replace("severity:", "severitty:"), encoding="utf-8")
    result = pitcall("rules", "check", pack)
    assert result.returncode == 1
    assert "pack.yaml:7: severitty" in result.stderr


def test_a_profile_with_an_unknown_vss_path_is_named(tmp_path, drive):
    profile = tmp_path / "mine.yaml"
    profile.write_text(
        f"id: mine\ntitle: {{en: Mine, zh: 我的}}\nbuses: {{can0: [{SAMPLES / 'dbc' / 'petrol.dbc'}]}}\n"
        "signals:\n  - {dbc: ENGINE_1.EngineSpeed, vss: Vehicle.Sped}\n",
        encoding="utf-8",
    )
    line = refused("replay", drive, "--vin", VIN, "--profile", profile)
    assert "mine.yaml:5: " in line
    assert "Vehicle.Speed" in line


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////nonexistent/folder/p.sqlite3", "p.sqlite3"),
        ("postgresql://user:secret-word@127.0.0.1:1/none", "127.0.0.1"),
        ("nonsense://x", "nonsense"),
    ],
)
def test_an_unreachable_database_is_named_without_its_password(drive, url, words):
    line = refused("replay", drive, "--vin", VIN, "--database", url)
    assert words in line
    assert "secret-word" not in line


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(drive):
    before = drive.read_bytes()
    line = refused("orders", "list", "--database", f"sqlite:///{drive}")
    assert "not" in line
    assert drive.read_bytes() == before


def test_a_manifest_row_with_a_mistake_is_named_with_its_line(tmp_path, drive):
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(f"log,vin,profile,start\n{drive.name},{VIN},,\nother.log,{VIN},,\n")
    assert "manifest.csv:3: log other.log is not there" in refused("replay", "--manifest", manifest)
    manifest.write_text(f"log,vin,profile,start\n{drive.name},{VIN},,yesterday\n")
    assert "manifest.csv:2: column start" in refused("replay", "--manifest", manifest)
    (tmp_path / "earlier.log").write_text("(1500000000.000000) can0 123#0102\n")
    manifest.write_text(f"log,vin,profile,start\n{drive.name},{VIN},,\nearlier.log,{VIN},,\n")
    line = refused("replay", "--manifest", manifest)
    assert "manifest.csv:3: " in line
    assert "in order of time" in line


def test_no_vin_stands_in_an_error_about_the_vehicle_table(tmp_path, drive):
    table = tmp_path / "vehicles.csv"
    table.write_text("vin,brand\nLPCTEST00000O0001,Brand\n")
    line = refused("replay", drive, "--vin", VIN, "--vehicles", table)
    assert "vehicles.csv:2: " in line
    assert "LPCTEST00000O0001" not in line


def test_nothing_to_replay_says_what_to_give():
    assert "--manifest" in refused("replay")


def test_malformed_lines_are_kept_and_can_be_listed_shown_and_tried_again(tmp_path):
    log = tmp_path / "cut.log"
    log.write_text("(1600000000.000000) can0 123#0102\nPuTTY log 2026\n(1600000000.1) can0 12\n(1600000000.200000) can0 123#01\n")
    url = f"sqlite:///{tmp_path / 'p.sqlite3'}"
    assert pitcall("replay", log, "--vin", VIN, "--database", url).returncode == 0
    listed = pitcall("dead-letters", "list", "--database", url).stdout.splitlines()
    assert len(listed) == 2
    assert "cut.log:2" in listed[0]
    shown = pitcall("dead-letters", "show", listed[0].split()[0], "--database", url).stdout
    assert "PuTTY log 2026" in shown
    again = pitcall("dead-letters", "replay", "--database", url)
    assert again.returncode == 0, again.stderr
    assert "0 dead letters replayed, 2 could still not be used" in again.stdout


def test_an_unknown_signal_word_of_explain_gets_the_nearest_path():
    assert "did you mean Vehicle.Speed?" in refused("dtc", "explain", "P0301", "--signal", "Vehicle.Sped=3")


def test_the_folder_of_the_checkout_is_not_needed_to_run(tmp_path):
    words = [sys.executable, "-m", "app.cli", "rules", "list"]
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    result = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
