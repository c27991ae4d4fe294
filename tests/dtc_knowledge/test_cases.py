"""The true pattern leads the cases made from it, checks come in order of worth, and the graph can be exported."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from domain.findings import Evidence, Urgency
from dtc_knowledge.cases import Kind, cases, confusion, leading
from dtc_knowledge.evidence import observe
from dtc_knowledge.export import to_dot, to_jsonld, to_turtle
from dtc_knowledge.graph import fault_graph
from dtc_knowledge.information import information_gain
from tests.dtc_knowledge.builders import EV, TRUCK, cause_ids, code_alert, codes_answer, knowledge

CASES = list(cases(knowledge()))


@pytest.mark.parametrize("kind", [Kind.FULL, Kind.ONE_MISSING, Kind.SECONDARY])
def test_the_true_pattern_leads_every_case(kind: Kind) -> None:
    wrong = [(case.pattern, leading(knowledge(), case)) for case in CASES if case.kind is kind]
    assert [pair for pair in wrong if pair[0] != pair[1]] == []


def test_a_pending_code_of_another_fault_seldom_takes_the_lead() -> None:
    row = confusion(knowledge())[Kind.CONFOUNDED.value]
    assert row["cases"] >= 100
    assert row["share"] >= 0.9


def test_there_are_cases_for_at_least_sixty_patterns_and_codes_enough() -> None:
    assert len({case.pattern for case in CASES}) >= 60
    assert len({sign.code for p in knowledge().files.patterns.values() for sign in p.signs}) >= 450


def test_a_check_that_splits_the_causes_evenly_tells_most() -> None:
    even = {"a": 0.5, "b": 0.5}
    assert information_gain(even, ["a"]) == pytest.approx(0.531, abs=1e-3)
    assert information_gain(even, ["a", "b"]) == pytest.approx(0.0, abs=1e-9)
    assert information_gain(even, []) == pytest.approx(0.0, abs=1e-9)
    assert information_gain({"a": 0.9, "b": 0.1}, ["a"]) < information_gain(even, ["a"])


def test_the_dipstick_comes_before_the_oil_gauge() -> None:
    steps = knowledge().explain([code_alert("P0524")]).steps
    assert steps[0].check.id == "dipstick"
    assert all(a.worth >= b.worth for a, b in pairwise(steps))


def test_keeping_clear_of_a_hot_battery_comes_before_any_measurement() -> None:
    assert knowledge().explain([code_alert("GB23")]).checks[0].id == "keep_distance"


def test_an_absent_code_counts_only_where_its_test_has_run() -> None:
    def coil_circuit(*absent: str) -> float:
        found = knowledge().explain([code_alert("P0301")], absent=absent)
        return next(p for cause, p in found.ranked if cause.cause.id == "coil_circuit_1")

    assert coil_circuit("P0351") < coil_circuit() / 2
    tested = code_alert("P0301")
    evidence = (*tested.evidence, Evidence(kind="tested", signal="7E8", note="P0351, catalyst"))
    assert observe([replace(tested, evidence=evidence)], (), {"catalyst": ("P0420", "P0430")}).absent == {
        "P0351",
        "P0420",
        "P0430",
    }


def test_a_circuit_code_beside_a_greater_fault_does_not_lead() -> None:
    assert codes_answer("P0299", "P0236", "P0238")[0].patterns[0] == "turbo_underboost"
    assert codes_answer("P0236")[0].patterns[0] == "boost_sensor_circuit"


def test_a_lost_sensor_supply_explains_the_sensors_on_it() -> None:
    diagnosis, _ = codes_answer("P0641", "P0107", "P0123")
    assert diagnosis.patterns[0] == "sensor_supply_5v_fault"
    assert cause_ids(diagnosis)[0] == "sensor_shorted"


@pytest.mark.parametrize(
    ("codes", "urgency"),
    [
        (("P0AA6",), Urgency.TODAY),
        (("P0AA6", "P0AA1"), Urgency.STOP),
        (("GB1",), Urgency.TODAY),
        (("GB1", "GB11"), Urgency.STOP),
        (("C0034",), Urgency.SOON),
        (("C0034", "C0037"), Urgency.TODAY),
    ],
)
def test_signs_that_are_worse_together_raise_the_urgency(codes: tuple[str, ...], urgency: Urgency) -> None:
    assert codes_answer(*codes, vehicle=EV)[1].urgency is urgency


@pytest.mark.parametrize(("fmi", "urgency"), [(0, Urgency.TODAY), (15, Urgency.SOON), (16, Urgency.TODAY)])
def test_inducement_has_its_own_table(fmi: int, urgency: Urgency) -> None:
    assert codes_answer(f"SPN5246/FMI{fmi}", vehicle=TRUCK)[1].urgency is urgency


GRAPH = fault_graph(knowledge().codes, knowledge().files)


def test_json_ld_names_every_node_and_gives_each_edge_its_source() -> None:
    document = json.loads(to_jsonld(GRAPH))["@graph"]
    names = {item["@id"] for item in document if "@id" in item}
    edges = [item for item in document if item["@type"] == "Edge"]
    assert len(names) == len(GRAPH.nodes)
    assert len(edges) == len(GRAPH.edges)
    assert all(edge["from"] in names and edge["to"] in names and edge["source"] and edge["version"] for edge in edges)


def test_turtle_holds_a_triple_for_every_edge() -> None:
    lines = to_turtle(GRAPH).splitlines()
    assert sum(line.startswith("[] a :Edge") for line in lines) == len(GRAPH.edges)
    assert sum("rdfs:label" in line for line in lines) == len(GRAPH.nodes)


def test_a_picture_of_one_pattern_shows_its_causes_only() -> None:
    picture = to_dot(GRAPH, "coolant_overheat")
    assert "thermostat_closed" in picture
    assert "wheel_hub" not in picture
    assert picture.count("{") == picture.count("}")
