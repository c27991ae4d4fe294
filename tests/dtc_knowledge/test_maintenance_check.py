"""Every kind of mistake in maintenance files is named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from domain.care import OwnKind
from domain.errors import DataFileError
from domain.fleet import Vehicle
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.loading import load_knowledge
from dtc_knowledge.maintenance import count, shipped_plans, shipped_readings, verify

READINGS = """name,path,kind,field,statistic,new,worn,low,high,source
falke_pads,Vehicle.Chassis.Axle.Row1.Wheel.Left.Brake.PadWear,condition,share,last,0,90,0,100,falke
falke_pads,Vehicle.Chassis.Axle.Row1.Wheel.Right.Brake.PadWear,condition,share,last,0,90,0,100,falke
"""
ITEMS = """items:
  - id: falke-pads
    en: Brake pads
    zh: 制动片
    system: chassis.brake
    operation: OP-REPLACE-PADS
    own: [falke_pads]
    hours: "1.2"
    parts: [{number: PC-BRAKE-PADS, en: Brake pads, zh: 制动片, price: "360.00"}]
    completed_by: [OP-FIX-BRAKE-LEAK]
    advice: {en: Pads wear., zh: 制动片会磨损。}
"""
OWN_WORK = ITEMS[ITEMS.index("OP-REPLACE") : ITEMS.index(", en: Brake pads, zh")]
SCHEDULES = """schedules:
  - id: falke
    en: Falke
    zh: 猎鹰
    brands: [Falke]
    items:
      - {item: falke-pads, normal: {distance_km: 50000}, severe: {distance_km: 25000}, sensed: {distance_km: 90000}, sources: [falke]}
"""
FILES = {
    "sources.csv": "id,title,url\nfalke,Falke workshop manual,\n",
    "readings.csv": READINGS,
    "items.yaml": ITEMS,
    "falke.yaml": SCHEDULES,
}


@pytest.fixture(scope="module")
def knowledge() -> FaultKnowledge:
    return load_knowledge()


def makers_folder(folder: Path, **changed: str) -> Path:
    """A maker's knowledge folder with maintenance files, some of them changed (`items_yaml` is items.yaml)."""
    (folder / "maintenance").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / "maintenance" / name).write_text(changed.get(name.replace(".", "_"), text), encoding="utf-8")
    return folder


def test_a_makers_items_readings_and_schedules_are_taken_from_its_folder(tmp_path: Path, knowledge: FaultKnowledge) -> None:
    plans = shipped_plans([makers_folder(tmp_path / "falke") / "maintenance"])
    schedule = plans.schedule(Vehicle(id="car", brand="Falke", powertrain="petrol"))
    assert schedule is not None
    assert [each.item.own for each in schedule.items] == [("falke_pads",)]
    readings = shipped_readings([tmp_path / "falke" / "maintenance"])
    assert {each.kind for each in readings if each.name == "falke_pads"} == {OwnKind.CONDITION}
    verify(plans, knowledge.files.operations, knowledge.files.parts)


def test_the_shipped_plans_agree_with_the_fault_knowledge_and_speak_both_languages(knowledge: FaultKnowledge) -> None:
    plans = shipped_plans()
    verify(plans, knowledge.files.operations, knowledge.files.parts)
    figures = count(plans)
    assert figures["untranslated_care"] == []
    assert figures["care_items"] >= 20
    assert figures["by_condition"] >= 8


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("readings.csv", "Row1.Wheel.Left", "Row9.Wheel.Left", "readings.csv:2: unknown signal 'Vehicle.Chassis.Axle.Row9"),
        ("readings.csv", "0,100,falke\nfalke_pads", "0,100,hearsay\nfalke_pads", "readings.csv:2: unknown source 'hearsay'"),
        ("readings.csv", "last,0,90,0,100,falke\nf", "last,90,90,0,100,falke\nf", "readings.csv:2: a new part and a worn one"),
        ("readings.csv", "0,90,0,100,falke\nf", "0,90,100,0,falke\nf", "readings.csv:2: nothing lies between low and high"),
        ("readings.csv", "condition,share,last,0,90,0,100,falke\nf", "condition,km,last,0,90,0,100,falke\nf", "readings.csv:2: a condition is"),
        ("readings.csv", "share,last,0,90,0,100,falke\nf", "share,max,0,90,0,100,falke\nf", "readings.csv:2: the signal's other row says last"),
        ("readings.csv", "share,last", "share,mean", "readings.csv:2: column statistic"),
        ("readings.csv", "condition,share", "guess,share", "readings.csv:2: column kind"),
        ("readings.csv", "last,0,90", "last,nought,90", "readings.csv:2: column new"),
        ("readings.csv", "source\n", "origin\n", "readings.csv:1: unknown column 'origin'"),
        ("sources.csv", "falke,Falke workshop manual,", "falke,,", "sources.csv:2: column title"),
        ("items.yaml", "own: [falke_pads]", "own: [falke_discs]", "items.yaml:2: unknown reading 'falke_discs'"),
        ("items.yaml", "id: falke-pads", "id: brake-pads", "items.yaml:2: item 'brake-pads' stands twice"),
        ("items.yaml", 'hours: "1.2"', 'hours: "1.25"', "items.yaml:8: items.0.hours"),
        ("items.yaml", 'price: "360.00"', 'price: "360"', "items.yaml:9: items.0.parts.0.price"),
        ("items.yaml", "    system: chassis.brake\n", "", "items.yaml:2: items.0.system"),
        ("items.yaml", "operation: OP", "operation: op", "items.yaml:6: items.0.operation"),
        ("items.yaml", "zh: 制动片\n", "zh: ''\n", "items.yaml:4: items.0.zh"),
        ("items.yaml", "[OP-FIX-BRAKE-LEAK]", "[OP-FIX-BREAK-LEAK]", "items.yaml:2: item 'falke-pads': unknown operation 'OP-FIX-BREAK-LEAK'"),
        ("items.yaml", 'hours: "1.2"', 'hours: "1.1"', "items.yaml:2: item 'falke-pads': OP-REPLACE-PADS takes 1.2 h"),
        ("items.yaml", "PC-BRAKE-PADS", "PC-PADS", "items.yaml:2: item 'falke-pads': OP-REPLACE-PADS has other parts"),
        ("items.yaml", OWN_WORK, OWN_WORK.replace("REPLACE", "CARE").replace("BRAKE-PADS", "PADS"), "item 'falke-pads': unknown part 'PC-PADS'"),
        ("items.yaml", '"360.00"', '"361.00"', "items.yaml:2: item 'falke-pads': part PC-BRAKE-PADS costs 360.00"),
        ("falke.yaml", "sensed: {distance_km: 90000}", "sensed: {}", "falke.yaml:7: schedules.0.items.0.sensed"),
        ("falke.yaml", "item: falke-pads", "item: falke-discs", "falke.yaml:7: unknown item 'falke-discs'"),
        ("falke.yaml", "[falke]}", "[]}", "falke.yaml:7: schedules.0.items.0.sources"),
        ("falke.yaml", "schedules:", "plans:", "falke.yaml:1: plans"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_file_and_line(
    tmp_path: Path, knowledge: FaultKnowledge, file: str, old: str, new: str, words: str
) -> None:
    assert old in FILES[file]
    folder = makers_folder(tmp_path / "falke", **{file.replace(".", "_"): FILES[file].replace(old, new, 1)})
    with pytest.raises(DataFileError) as caught:
        verify(shipped_plans([folder / "maintenance"]), knowledge.files.operations, knowledge.files.parts)
    assert words in str(caught.value)
    assert "; " in str(caught.value), "the mend is said too"


def test_the_knowledge_check_reads_a_makers_maintenance_files(tmp_path: Path) -> None:
    good, bad = makers_folder(tmp_path / "good"), makers_folder(tmp_path / "bad", items_yaml=ITEMS.replace("LEAK", "LEAC"))
    run = CliRunner()
    done = run.invoke(cli, ["knowledge", "check", "--knowledge", str(good)])
    assert done.exit_code == 0, done.output
    assert "schedules              5" in done.output
    failed = run.invoke(cli, ["knowledge", "check", "--knowledge", str(bad)])
    assert "items.yaml:2: item 'falke-pads': unknown operation" in str(failed.exception)
