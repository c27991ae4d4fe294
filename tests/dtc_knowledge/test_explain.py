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


def test_what_was_thought_of_and_rejected_is_told_with_the_reason() -> None:
    said = {row["pattern"]: row["reason"] for row in explain(knowledge(), ["U0100", "U0121", "P0562"], {}, "en")["rejected"]}
    assert said["module_silent"] == "U0100, U0121 are explained by: Low-voltage charging fault"
    said = {row["pattern"]: row["reason"] for row in explain(knowledge(), ["SPN102/FMI3"], {}, "en")["rejected"]}
    assert said["turbo_underboost"] == "SPN102/FMI1 would show it, SPN102/FMI3 is reported"
    said = {row["pattern"]: row["reason"] for row in explain(knowledge(), ["P0118"], {}, "zh")["rejected"]}
    assert said["coolant_overheat"] == "P0118 与之不符"


def test_an_open_interlock_is_a_stop_even_where_low_isolation_leads() -> None:
    document = explain(knowledge(), ["P0A0D", "GB11"], {}, "en")
    assert (document["patterns"][0], document["urgency"], document["drive"]) == ("ev_isolation_loss", "STOP", "no")


def test_contradicting_codes_of_one_sensor_are_answered_on_the_safe_side() -> None:
    document = explain(knowledge(), ["SPN100/FMI4", "SPN100/FMI1"], {}, "en")
    assert (document["title"], document["urgency"]) == ("Low oil pressure", "STOP")
    assert "within minutes" in document["advice"]


def test_what_would_help_is_named_until_it_is_measured() -> None:
    names = [row["signal"] for row in explain(knowledge(), ["P0171"], {}, "en")["unknown"]["signals"]]
    assert "Vehicle.OBD.LongTermFuelTrim1" in names
    values = dict.fromkeys(names, 5.0)
    assert explain(knowledge(), ["P0171"], values, "en")["unknown"]["signals"] == []


def test_a_repair_less_likely_than_not_by_far_waits_for_the_diagnosis() -> None:
    document = explain(knowledge(), ["GB11"], {}, "en")
    assert document["causes"][0]["probability"] > 0.2
    mixed = explain(knowledge(), ["P0A0D", "GB11"], {}, "en")
    assert mixed["causes"][0]["probability"] < 0.25
    assert [line["optional"] for line in mixed["plan"]][1:] == [True] * (len(mixed["plan"]) - 1)
    assert mixed["totals"]["parts"] == "0.00"
