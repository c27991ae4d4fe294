"""One folder of a maker's knowledge for every command; a car in a database is explained with what is known of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.commands import dtc
from app.fault_knowledge import fault_knowledge
from app.settings import read_settings
from app.settings_file import load_settings
from domain.findings import Evidence
from domain.fleet import DEVELOPMENT_KEY, VaultEntry, Vehicle, pseudonym
from domain.records import Commit
from domain.repairs import RepairOutcome, RepairResult
from storage.database import open_store
from tests.dtc_knowledge.builders import case, code_alert

VIN = "LPCTEST0000000777"
CAR = pseudonym(DEVELOPMENT_KEY, VIN)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A diesel car with an open misfire code, a low voltage code with a measured value, and nothing else."""
    url = f"sqlite:///{tmp_path / 'cars.sqlite3'}"
    vehicle = Vehicle(id=CAR, brand="Acme", model="X1", year=2024, powertrain="diesel", odometer_km=123_456.0)
    frozen = Evidence(kind="freeze_frame", signal="Vehicle.LowVoltageBattery.CurrentVoltage", value=11.2)
    low = code_alert("P0562")
    alerts = [replace(code_alert("U0121", at_s=1), vehicle=CAR), replace(low, vehicle=CAR, evidence=(*low.evidence, frozen))]
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        store.register([(vehicle, VaultEntry(vehicle=CAR, vin=VIN))])
        store.commit(Commit(cases=(replace(case(*alerts), vehicle=CAR),)))
    return url


def explain(*words: str) -> dict[str, object]:
    result = CliRunner().invoke(dtc.command, ["explain", *words, "--json"], catch_exceptions=False)
    document: dict[str, object] = json.loads(result.stdout)
    return document


def test_without_a_code_the_open_codes_of_the_car_are_explained(database: str) -> None:
    said = explain("--vin", VIN.lower(), "--database", database)
    assert [code["code"] for code in said["codes"]] == ["P0562", "U0121"]
    assert said["patterns"][0] == "charging_12v"
    assert {row["signal"]: row["value"] for row in said["signals"]} == {
        "Vehicle.LowVoltageBattery.CurrentVoltage": 11.2,
        "Vehicle.TraveledDistance": 123_456.0,
    }
    car = said["vehicle"]
    assert (car["model"], car["odometer_km"], len(car["open"])) == ("X1", 123_456.0, 2)
    assert VIN not in json.dumps(said)


def test_with_a_code_the_rest_of_what_is_open_is_context(database: str) -> None:
    said = explain("U0121", "--vin", VIN, "--database", database)
    assert [code["code"] for code in said["codes"]] == ["U0121"]
    assert said["urgency"] == "MONITOR"
    assert "consequence" in said["urgency_reason"]
    assert explain("U0121")["urgency"] == "TODAY"
    page = CliRunner().invoke(dtc.command, ["explain", "U0121", "--vin", VIN, "--database", database, "--lang", "zh"]).stdout
    assert page.startswith("车辆：Acme X1 2024 diesel、123,456 km\n")


def test_reported_repairs_count(database: str) -> None:
    before = explain("--vin", VIN, "--database", database)
    with open_store(database, key=DEVELOPMENT_KEY) as store:
        for number in range(20):
            store.save_outcome(
                RepairOutcome(
                    order=str(number),
                    result=RepairResult.FOUND,
                    pattern="charging_12v",
                    cause="drive_belt",
                    author="",
                    note="",
                    created_ns=1,
                )
            )
    after = explain("--vin", VIN, "--database", database)
    assert after["prior"]["repairs"][after["causes"][0]["id"]] == 20
    assert after["causes"][0]["probability"] != before["causes"][0]["probability"]


def test_an_unknown_car_is_refused(database: str) -> None:
    result = CliRunner().invoke(dtc.command, ["explain", "--vin", "LPCTEST0000000000", "--database", database])
    assert "no car with this VIN" in str(result.exception)
    assert CliRunner().invoke(dtc.command, ["explain"]).exit_code == 2


def test_the_folder_is_one_setting_in_file_and_environment(tmp_path: Path) -> None:
    tables = tmp_path / "codes" / "makers"
    tables.mkdir(parents=True)
    row = "P1345,Cam phaser noisy,相位器异响,engine.timing,low,NEXT,Acme manual\n"
    (tables / "acme.csv").write_text("code,en,zh,system,severity,urgency,source\n" + row, "utf-8")
    file = tmp_path / "pitcall.toml"
    file.write_text(f'[knowledge]\nfolder = "{tmp_path}"\nregion = "DE"\n', "utf-8")
    by_file = load_settings(file, {}).common
    by_variable = load_settings(None, {"PITCALL_KNOWLEDGE_FOLDER": str(tmp_path), "PITCALL_KNOWLEDGE_REGION": "DE"}).common
    by_command = read_settings({"PITCALL_KNOWLEDGE_FOLDER": str(tmp_path), "PITCALL_KNOWLEDGE_REGION": "DE"})
    for settings in (by_file, by_variable, by_command):
        assert (settings.knowledge, settings.region) == (tmp_path, "DE")
    assert fault_knowledge(settings=by_file).codes.for_maker("Acme").lookup("P1345").title.en == "Cam phaser noisy"
