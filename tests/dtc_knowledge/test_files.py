"""The shipped files hold together, and a file that does not is refused with file, line and mend."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

import dtc_knowledge
from datafiles import load_yaml
from domain.errors import DataFileError
from domain.findings import Evidence, Urgency
from dtc_knowledge.check import check, explaining_rings
from dtc_knowledge.evidence import plain_id
from dtc_knowledge.graph import fault_graph
from dtc_knowledge.loading import load_knowledge
from dtc_knowledge.maintenance import shipped_plans
from dtc_knowledge.pattern import matches
from tests.dtc_knowledge.builders import EV, answer, knowledge, rule_alert

ROOT = Path(dtc_knowledge.__file__).parent
PACKS = ROOT.parent / "rules" / "packs"
MODELS = {"coolant_residual"}


def shipped_rules() -> dict[str, dict[str, object]]:
    rules = [rule for pack in sorted(PACKS.glob("*.yaml")) for rule in load_yaml(pack).data if rule["status"] == "active"]
    return {str(rule["id"]): rule for rule in rules}


RULES = shipped_rules()


def test_every_pattern_names_rules_and_models_that_exist() -> None:
    named = {plain_id(finding.id) for pattern in knowledge().files.patterns.values() for finding in pattern.findings}
    numbered = {f"misfire_cylinder_{n}" for n in range(1, 9)}  # a pattern per cylinder, whether or not a rule counts it yet
    assert named - numbered <= set(RULES) | MODELS


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_every_shipped_rule_leads_to_a_worked_cause_of_its_own_system(rule_id: str) -> None:
    rule = RULES[rule_id]
    codes = rule.get("codes", []) if "dtc(" in str(rule["when"]) else []
    assert isinstance(codes, list)
    evidence = tuple(Evidence(kind="dtc", signal=code, note=code) for code in codes)
    alert = rule_alert(rule_id, Urgency[str(rule["urgency"])], str(rule["system"]), evidence=evidence)
    electric = rule_id.startswith(("ev_", "dcdc", "insulation", "motor", "inverter"))
    diagnosis, recommendation = answer(str(rule["system"]), alert, **({"vehicle": EV} if electric else {}))
    assert diagnosis.causes, f"no pattern names {rule_id}"
    assert diagnosis.system == rule["system"]
    assert recommendation.urgency is Urgency[str(rule["urgency"])]
    assert rule_id in diagnosis.causes[0].explains


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_the_codes_that_a_rule_is_related_to_share_its_group(rule_id: str) -> None:
    rule = RULES[rule_id]
    codes = rule.get("codes", [])
    assert isinstance(codes, list)
    groups = {code: knowledge().lookup(code).group_key for code in codes}
    assert set(groups.values()) <= {rule["system"]}, groups


def test_every_pattern_belongs_to_a_named_system() -> None:
    systems = {pattern.system for pattern in knowledge().files.patterns.values()}
    assert systems <= set(knowledge().codes.systems)


def test_nobody_explains_away_its_own_cause() -> None:
    patterns = knowledge().files.patterns.values()
    for parent in patterns:
        for other in patterns:
            triggers = [sign.code for sign in other.signs if sign.role == "trigger"]
            explained = any(matches(sign, code) for sign in parent.explains for code in triggers)
            back = any(matches(sign, s.code) for sign in other.explains for s in parent.signs if s.role == "trigger")
            assert not (explained and back), f"{parent.id} and {other.id} explain each other"


def test_the_graph_connects_every_cause_to_a_pattern_and_every_edge_to_a_source() -> None:
    graph = fault_graph(knowledge().codes, knowledge().files)
    assert graph.unsourced() == ()
    assert all(edge.start in graph.nodes and edge.end in graph.nodes for edge in graph.edges)
    for key in (key for key in graph.nodes if key[0] == "cause"):
        assert graph.arriving(key, "suggests")
    repairs = graph.leaving(("cause", "thermostat_open"), "fixed_by")
    assert [edge.end for edge in repairs] == [("operation", "OP-REPLACE-THERMOSTAT")]
    assert ("part", "PC-THERMOSTAT") in {edge.end for edge in graph.leaving(("operation", "OP-REPLACE-THERMOSTAT"))}


def test_every_operation_and_part_is_used() -> None:
    files = knowledge().files
    used = {op for pattern in files.patterns.values() for cause in pattern.causes for op in cause.repair}
    assert set(files.operations) - used == {"OP-DIAGNOSE", "OP-DIAGNOSE-HV"}
    needed = {number for operation in files.operations.values() for number, _ in operation.parts}
    cared_for = {part.number for item in shipped_plans().items.values() for part in item.work.parts}
    assert set(files.parts) - needed - cared_for == set()


def test_labour_is_in_tenths_of_an_hour_and_prices_have_cents() -> None:
    assert all(re.fullmatch(r"\d+\.\d", operation.hours) for operation in knowledge().files.operations.values())
    assert all(re.fullmatch(r"\d+\.\d\d", part.price) for part in knowledge().files.parts.values())


def test_the_check_counts_what_is_there() -> None:
    figures = check(knowledge())
    assert figures["untranslated"] == []
    assert figures["unsourced_edges"] == 0
    assert figures["fmis"] == 32
    assert figures["patterns"] >= 12
    assert figures["pattern_codes"] >= 200
    assert sum(figures["codes"].values()) == len(knowledge().codes.codes)
    assert {"P0", "P0A", "P2", "U0", "C0"} <= set(figures["codes"])


def test_loading_is_quick() -> None:
    best = min(_seconds() for _ in range(3))
    assert best < 1.0


def _seconds() -> float:
    started = time.process_time()
    load_knowledge()
    return time.process_time() - started


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return folder


def broken(folder: Path, name: str, old: str, new: str) -> DataFileError:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_knowledge(folder)
    return caught.value


def test_a_copy_of_the_files_loads_the_same(copy: Path) -> None:
    assert load_knowledge(copy).files == knowledge().files


COOLING = "patterns/cooling_and_oil.yaml"


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        (COOLING, "repair: [OP-REPLACE-FAN]", "repair: [OP-REPLACE-FANS]", "unknown operation"),
        (COOLING, "p: 0.40", "p: 0.45", "causes add up to 1.05"),
        (COOLING, "P0217,", "P0G13,", "unknown code 'P0G13'"),
        (COOLING, "P0217,", "P1285,", "unknown code 'P1285'"),
        (COOLING, "SPN111/FMI1,18", "SPN999999/FMI1", "unknown SPN"),
        (COOLING, "EngineCoolant.Temperature", "EngineCoolant.Temperatur", "unknown signal"),
        (COOLING, "sources: [eobdcode, crewchief]", "sources: [eobdcode]", "one source only"),
        (COOLING, "sources: [eobdcode, crewchief]", "sources: [eobdcode, hearsay]", "unknown source"),
        (COOLING, "system: engine.cooling", "system: engine.coling", "unknown system"),
        (COOLING, "urgency: STOP", "urgency: NOW", "'NOW' is none of"),
        (COOLING, "id: thermostat_stuck_open", "id: coolant_overheat", "stands here twice"),
        (COOLING, "decisive:", "decisiv:", "did you mean 'decisive'"),
        (COOLING, "needs: [engine]", "needs: [magic]", "unknown capability"),
        (
            COOLING,
            "{id: coolant_leak, en: Coolant low or leaking",
            "{id: coolant_leak, en: Coolant gone",
            "something else elsewhere",
        ),
        ("operations.yaml", "PC-THERMOSTAT: 1", "PC-THERMOSTATS: 1", "unknown part"),
        ("operations.yaml", 'hours: "0.5"', 'hours: "0.55"', "hours"),
        ("parts.yaml", 'price: "180.00"', "price: 180", "price"),
        ("codes/powertrain.csv", "J2012", "J9999", "unknown source"),
        ("codes/powertrain.csv", "P0011,", "P0010,", "stands here twice"),
        ("codes/powertrain.csv", "engine.timing", "engine.time", "unknown system"),
        ("codes/parameters.csv", ",low,", ",lower,", "column severe"),
        ("codes/failure_modes.csv", "SOON", "SOONER", "none of"),
    ],
)
def test_a_broken_file_is_refused_with_file_line_and_mend(copy: Path, name: str, old: str, new: str, says: str) -> None:
    problem = broken(copy, name, old, new)
    assert says in str(problem)
    assert problem.file == copy / name
    assert problem.line is not None
    assert problem.mend


def test_the_line_is_that_of_the_fault(copy: Path) -> None:
    problem = broken(copy, COOLING, "repair: [OP-REPLACE-FAN]", "repair: [OP-REPLACE-FANS]")
    line = (copy / COOLING).read_text(encoding="utf-8").splitlines()[(problem.line or 0) - 1]
    assert "cooling_fan" in line


ROWS = [
    # a row appended to a table, and what is said of it
    ("codes/components.csv", "abs_inlet,Valve,阀,chassis.brake,actuator,high,TODAY", "stands here twice"),
    ("codes/components.csv", "new_one,Valve,阀,chassis.brake,gadget,high,TODAY", "category"),
    ("codes/components.csv", "new_one,Valve,,chassis.brake,actuator,high,TODAY", "zh"),
    ("codes/faults.csv", "circ,circuit,电路", "stands here twice"),
    ("codes/runs.csv", "P0001,fuel_volume_regulator,,circ,high,J2012", "stands here twice"),
    ("codes/runs.csv", "P0999,nothing,,circ,high,J2012", "unknown component"),
    ("codes/runs.csv", "P0999,knock_sensor,x9,circ,high,J2012", "place"),
    ("codes/runs.csv", "P0999,knock_sensor,,nofault,high,J2012", "unknown fault"),
    ("codes/runs.csv", "P0999,knock_sensor,,circ,high,rumour", "unknown source"),
    ("codes/families.csv", "P0201,12,1,Injector {n},{n} 缸喷油器,engine.fuel,injector,medium,SOON,J2012", "stands here twice"),
    ("codes/families.csv", "P0X01,12,1,Injector {n},{n} 缸喷油器,engine.fuel,injector,medium,SOON,J2012", "first"),
    ("codes/electric_drive.csv", "P0A09,Twice,两次,electrical.12v,dcdc,high,TODAY,J2012", "stands here twice"),
    ("codes/network_and_chassis.csv", "U0001,Twice,两次,network,bus,high,TODAY,J2012,more", "more cells than columns"),
    ("codes/parameters.csv", "16,Twice,两次,engine.fuel,fuel_filter,,,sensor,high,J1939DA", "stands here twice"),
    ("codes/parameter_runs.csv", "999,400,1,Part {n},{n} 部件,engine.fuel,injector,actuator,high,J1939DA", "count"),
    ("codes/failure_modes.csv", "32,too far,过大,low,NEXT,J1939-73", "fmi"),
    ("codes/failure_types.csv", "zz,no type,无,J2012DA", "type"),
    ("codes/gb32960_alarm_bits.csv", "40,no bit,无,ev.battery,medium,SOON,GB32960", "bit"),
    ("codes/monitors.csv", "misfire,P0300,J1979", "stands here twice"),
    ("codes/monitors.csv", "more,P03,J1979", "neither a code nor"),
    ("sources.csv", "J2012,again,", "stands here twice"),
    ("systems.csv", "engine,Engine,发动机", "stands here twice"),
    ("symptoms.csv", "new_one,Something,某现象,no_such_pattern,estimate", "unknown pattern"),
]


@pytest.mark.parametrize(("name", "row", "says"), ROWS, ids=[f"{name}: {says}" for name, _, says in ROWS])
def test_a_wrong_row_of_any_table_is_refused_at_its_line(copy: Path, name: str, row: str, says: str) -> None:
    file = copy / name
    text = file.read_text(encoding="utf-8").rstrip("\n")
    file.write_text(f"{text}\n{row}\n", encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_knowledge(copy)
    assert says in str(caught.value)
    assert (caught.value.file, caught.value.line) == (file, len(text.splitlines()) + 1)
    assert caught.value.mend


def test_patterns_that_explain_each_other_are_found() -> None:
    first, second = (knowledge().files.patterns[id_] for id_ in ("unmetered_air", "catalyst_degraded"))
    assert explaining_rings([first, second]) == []
    assert explaining_rings([first, replace(second, explains=("P0171",))]) == [["catalyst_degraded", "unmetered_air"]]


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "patterns: 3\n", "patterns: []\nmore: 1\n"])
def test_a_file_that_is_no_list_of_patterns_is_refused(copy: Path, text: str) -> None:
    (copy / COOLING).write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match="not a list of patterns"):
        load_knowledge(copy)


def test_a_missing_table_is_refused(copy: Path) -> None:
    (copy / "parts.yaml").unlink()
    with pytest.raises(DataFileError, match=r"parts\.yaml"):
        load_knowledge(copy)
