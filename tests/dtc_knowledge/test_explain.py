import json

import pytest

from dtc_knowledge.explain import explain
from dtc_knowledge.explain_text import explain_text
from tests.dtc_knowledge.builders import knowledge

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
CELLS = {
    "Vehicle.Powertrain.TractionBattery.CellVoltage.Max": 4.05,
    "Vehicle.Powertrain.TractionBattery.CellVoltage.Min": 3.90,
}


def test_the_document_has_the_promised_keys_and_is_json() -> None:
    document = json.loads(json.dumps(explain(knowledge(), ["P0301", "p0351"], {}, "en"), allow_nan=False))
    assert {"codes", "causes", "checks", "plan", "urgency", "urgency_reason", "drive", "safety", "advice", "parts"} <= set(
        document
    )
    assert [code["code"] for code in document["codes"]] == ["P0301", "P0351"]
    assert document["causes"][0]["id"] == "coil_circuit_1"
    assert document["causes"][0]["explains"] == ["P0301", "P0351"]
    assert len(document["causes"][0]["sources"]) >= 2
    assert document["urgency"] == "SOON"
    assert {part["number"] for part in document["parts"]} >= {"PC-IGNITION-COIL"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_text_reads_in_its_language(lang: str) -> None:
    text = explain_text(explain(knowledge(), ["P0128"], {COOLANT: 62.0}, lang), lang)
    assert "P0128" in text
    assert ("节温器卡在开启位" in text) == (lang == "zh")
    assert ("Thermostat stuck open" in text) == (lang == "en")
    assert (max(text) >= "\u4e00") == (lang == "zh")
    assert "OP-" not in text


def test_measured_values_decide_like_codes_do() -> None:
    document = explain(knowledge(), [], CELLS, "en")
    assert document["causes"][0]["id"] == "weak_cell"
    assert document["urgency"] == "SOON"
    assert document["urgency_reason"].startswith("measured: ")
    close = dict.fromkeys(CELLS, 3.9)
    assert explain(knowledge(), [], close, "en")["causes"] == []


def test_a_measured_danger_is_not_hidden_behind_a_harmless_code() -> None:
    document = explain(knowledge(), ["P0301"], {COOLANT: 121.0}, "en")
    assert document["urgency"] == "STOP"
    assert document["drive"] == "no"
    assert "coolant cap" in document["advice"]
    assert explain(knowledge(), ["P0301"], {COOLANT: 95.0}, "en")["urgency"] == "SOON"


def test_a_harmless_measurement_does_not_hide_a_dangerous_code() -> None:
    document = explain(knowledge(), ["P0217"], CELLS, "en")
    assert document["urgency"] == "STOP"


def test_unknown_and_makers_codes_are_explained_without_guessing() -> None:
    document = explain(knowledge(), ["P1234", "P0999"], {}, "en")
    assert document["causes"] == []
    assert document["title"] is None
    assert document["unexplained"] == ["P0999", "P1234"]
    assert [line["operation"] for line in document["plan"]] == ["OP-DIAGNOSE"]
    assert "no pattern applies" in explain_text(document, "en")


def test_a_failure_type_is_named_and_does_not_hide_the_pattern() -> None:
    for written in ("P0301:00", "P0301-00"):
        document = explain(knowledge(), [written], {}, "en")
        assert document["causes"][0]["id"] == "plug_1"
        assert document["codes"][0]["system"] == "engine.ignition"


def test_the_same_question_has_the_same_answer_in_any_order() -> None:
    one = explain(knowledge(), ["U0100", "P0562"], {}, "en")
    other = explain(knowledge(), ["P0562", "U0100"], {}, "en")
    assert one["causes"] == other["causes"]
    assert one["plan"] == other["plan"]
    assert one["urgency"] == other["urgency"]


def test_nothing_at_all_is_answered_calmly() -> None:
    document = explain(knowledge(), [], {}, "zh")
    assert document["urgency"] == "MONITOR"
    assert "持续观察" in explain_text(document, "zh")
