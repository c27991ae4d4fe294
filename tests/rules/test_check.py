"""Mistakes in rule packs are found at load, with file, line and mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.errors import RuleError
from rules.check import check
from rules.pack import list_rules, load_rules
from tests.rules.making import rule_dict, write_pack


def mistakes(folder: Path, *rules: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in check([write_pack(folder, *rules)])]


def test_the_shipped_packs_have_no_mistakes() -> None:
    assert check() == []
    assert len(load_rules()) >= 14


def test_a_good_rule_has_no_mistakes(tmp_path: Path) -> None:
    assert mistakes(tmp_path, rule_dict()) == []


TEXT_EN, TEXT_ZH = "{EngineCoolant.Temperature:.0f} °C", "{EngineCoolant.Temperature:.0f} 度"


@pytest.mark.parametrize(
    ("changes", "where", "what", "mend"),
    [
        ({"when": "EngineCoolant.Temprature > limit"}, "when:", "when, column 1: unknown signal", "did you mean 'EngineCoolant.Temperature'?"),
        ({"when": "Temperature > limit"}, "when:", "ambiguous", "write more of the path"),
        ({"when": "EngineCoolant.Temperature > limit + 5 kPa"}, "when:", "mixes celsius and kPa", "convert it to celsius"),
        ({"when": "EngineCoolant.Temperature + limit"}, "when:", "is a number, not a condition", "compare"),
        ({"when": "EngineCoolant.Temperature > limt"}, "when:", "unknown signal 'limt'", "did you mean 'limit'?"),
        ({"when": "EngineCoolant.Temperature > 1"}, "limit:", "parameter 'limit' decides nothing", "remove it"),
        ({"when": "limit > 3"}, "when:", "reads no signal", "name a signal"),
        ({"for": "10 parsecs"}, "for:", "is no duration", "10 s"),
        ({"clear_for": "soon"}, "clear_for:", "is no duration", "10 s"),
        ({"parameters": {"limit": {"value": 1, "unit": "stone"}}}, "unit:", "unknown unit 'stone'", "VSS"),
        ({"title": {"en": "Hot"}}, "title:", "title.zh: Field required", "add it"),
        ({"title": {"en": "Hot", "zh": ""}}, "zh:", "title.zh", "correct"),
        ({"explanation": {"en": "{speed}", "zh": TEXT_ZH}}, "en:", "explanation.en, column 2: placeholder {speed}: unknown signal", ""),
        ({"explanation": {"en": "{limit:5d}", "zh": TEXT_ZH}}, "en:", "unknown number format", "{limit:.1f}"),
        ({"explanation": {"en": TEXT_EN + " {", "zh": TEXT_ZH}}, "en:", "a brace without its partner", "close"),
        ({"explanation": {"en": TEXT_EN, "zh": "{limit}"}}, "explanation:", "different numbers", "same placeholders"),
        ({"severity": "awful"}, "severity:", "severity", "correct"),
        ({"urgency": "NOW"}, "urgency:", "must be one of MONITOR", "correct"),
        ({"source": []}, "source:", "source", "correct"),
        ({"clear_when": "EngineCoolant.Temperature < limit + 1"}, "clear_when:", "holds together with when (at ", "beyond"),
        ({"whenn": "true"}, "whenn:", "whenn", "did you mean 'when'?"),
        ({"when": "Vehicle.Speed > limit and Vehicle.Speed < 3", "parameters": {"limit": {"value": 5}}}, "when:", "can never hold", "exclude"),
        ({"gate": "Vehicle.Speed < 3", "when": "Vehicle.Speed > limit"}, "when:", "mixes km/h and celsius", "convert"),
        ({"when": "(" * 60 + "limit" + ")" * 60 + " > 1"}, "when:", "nested more than 40 deep", "simply"),
        ({"when": "EngineCoolant.Temperature > limit" + " or EngineCoolant.Temperature > limit" * 90}, "when:", "longer than 2000", "split"),
        ({"when": "EngineCoolant.Temperature > limit + 1e300"}, "when:", "is too great", "stay below"),
        ({"when": "().__class__.__mro__ > limit"}, "when:", "unexpected character '.'", "remove"),
        ({"when": "EngineCoolant.Temperature.__class__ > limit"}, "when:", "unknown signal", "did you mean"),
        ({"when": 'dtc("(P+)+$") and EngineCoolant.Temperature > limit'}, "when:", "takes a trouble code in quotes", "dtc("),
        ({"when": 'dtc("SPN102") or EngineCoolant.Temperature > limit'}, "when:", "SPN102 names no failure mode", 'dtc("SPN102/FMI*")'),
        ({"when": 'dtc("P0301", "pendin") or EngineCoolant.Temperature > limit'}, "when:", "unknown status 'pendin'", "did you mean 'pending'?"),
        ({"when": 'dtc("*1*2*3*4*") or EngineCoolant.Temperature > limit'}, "when:", "takes a trouble code in quotes", "P030?"),
        ({"when": 'lamp("blue") or EngineCoolant.Temperature > limit'}, "when:", "name of a lamp", '"red_stop"'),
        ({"when": 'ready("Cat 1") or EngineCoolant.Temperature > limit'}, "when:", "takes a monitor", 'ready("*")'),
        ({"when": 'freeze_frame("P0301", 3) > limit'}, "when:", "freeze_frame() takes a signal", "name the value"),
        ({"when": 'freeze_frame("P0301", Vehicle.Sped) > limit'}, "when:", "unknown signal", "did you mean"),
        ({"when": 'freeze_frame("P0301", Vehicle.Speed) > limit'}, "when:", "mixes km/h and celsius", "convert"),
        ({"when": "mean(EngineCoolant.Temperature, limit) > limit"}, "when:", "is no window", "60 s, 10 km"),
        ({"when": "mean(EngineCoolant.Temperature, 0 s) > limit"}, "when:", "too short or too long", "1 ms"),
        ({"when": "rate(EngineCoolant.Temperature, 10 km) > limit"}, "when:", "needs a window of time", "60 s"),
        ({"when": "rate(EngineCoolant.Temperature, 10 s) > limit"}, "when:", "mixes celsius/s and celsius", "convert it to celsius/s"),
        ({"when": "share(EngineCoolant.Temperature, 10 s) > 0.5 and limit > 0"}, "when:", "share() takes a condition", "compare"),
        ({"when": "cycles(EngineCoolant.Temperature > limit, 4, 3)"}, "when:", "how many of how many", "whole numbers"),
        ({"when": "absent(limit, 3 s)"}, "when:", "absent() takes a signal", "Vehicle.Speed"),
        ({"when": "seq(EngineCoolant.Temperature > limit, Vehicle.Speed > 3, 4 km)"}, "when:", "no length of time", "30 s"),
        ({"when": "near(31, 121, 3) and EngineCoolant.Temperature > limit"}, "when:", "radius in km or m", "2 km"),
        ({"when": "local_hour(99) > 3 and EngineCoolant.Temperature > limit"}, "when:", "hours ahead of UTC", "8 for China"),
        ({"when": "mean(mean(mean(mean(EngineCoolant.Temperature, 1 s), 1 s), 1 s), 1 s) > limit"}, "when:", "stand in each other", "innermost"),
        ({"when": " or ".join(f"mean(EngineCoolant.Temperature, {n} s) > limit" for n in range(1, 11))}, "when:", "more than 8", "split"),
        ({"min_rate": "often"}, "min_rate:", "is no rate", "1 Hz"),
        ({"trigger": "button"}, "trigger:", "trigger", "correct"),
        ({"on_gap": "guess"}, "on_gap:", "on_gap", "correct"),
        ({"id": "Coolant Hot"}, "- id:", "id", "correct"),
    ],
)  # fmt: skip
def test_each_mistake_names_its_line_and_mend(tmp_path: Path, changes: dict[str, Any], where: str, what: str, mend: str) -> None:
    (problem,) = check([write_pack(tmp_path, rule_dict(**changes))])
    assert what in str(problem)
    assert mend in problem.mend
    text = (tmp_path / "pack.yaml").read_text(encoding="utf-8").splitlines()
    assert where in text[(problem.line or 0) - 1]


@pytest.mark.parametrize(
    ("when", "clear_when"),
    [
        ("EngineCoolant.Temperature > 100", "EngineCoolant.Temperature > 90"),
        ("EngineCoolant.Temperature >= 100", "EngineCoolant.Temperature <= 100"),
        ("CellVoltage.Max - CellVoltage.Min > 0.1", "CellVoltage.Max - CellVoltage.Min < 0.2"),
        ("EngineCoolant.Temperature > 100", "Vehicle.Speed > 5"),
        ('dtc("P0301")', "Vehicle.Speed > 5"),
        ("Brake.IsFluidLevelLow", "Brake.IsFluidLevelLow or Vehicle.Speed > 5"),
    ],
)
def test_raising_and_clearing_must_exclude_each_other(tmp_path: Path, when: str, clear_when: str) -> None:
    (problem,) = mistakes(tmp_path, rule_dict(when=when, clear_when=clear_when, parameters={}))
    assert "holds together with when" in problem


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    bad = rule_dict(id="other", when="Sped > limit", **{"for": "x"})
    assert len(mistakes(tmp_path, rule_dict(), bad, rule_dict(), rule_dict(id="third", severity="?"))) == 4


def test_an_id_may_stand_only_once_over_all_packs(tmp_path: Path) -> None:
    first, second = write_pack(tmp_path, rule_dict(), name="a.yaml"), write_pack(tmp_path, rule_dict(), name="b.yaml")
    (problem,) = check([tmp_path])
    assert (problem.file, problem.line) == (second, 1)
    assert f"{first}:1" in problem.what


def test_loading_raises_the_first_mistake(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"pack\.yaml:7: hot: when, column 1: unknown signal"):
        load_rules([write_pack(tmp_path, rule_dict(when="Sped > limit"))])


@pytest.mark.parametrize(
    ("text", "what"), [("a: 1", "is not a list of rules"), ("- [", "is not valid YAML"), ("", "is not a list")]
)
def test_a_file_that_is_no_pack_is_named(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "pack.yaml"
    file.write_text(text, encoding="utf-8")
    (problem,) = check([file, tmp_path / "none.yaml"][:1])
    assert what in problem.what


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (problem,) = check([tmp_path / "none.yaml"])
    assert "cannot be read" in str(problem)


def test_the_list_shows_what_the_command_shows() -> None:
    rows = list_rules(load_rules())
    assert set(rows[0]) == {"id", "version", "status", "system", "severity"}
    overheat = next(row for row in rows if row["id"] == "coolant_overheat")
    assert (overheat["status"], overheat["system"], overheat["severity"]) == ("active", "engine.cooling", "critical")


def test_the_version_follows_what_decides_and_not_the_words(tmp_path: Path) -> None:
    def version(**changes: Any) -> str:
        return load_rules([write_pack(tmp_path, rule_dict(**changes))])[0].full_version

    assert (
        version()
        == version(title={"en": "Other", "zh": "其他"})
        == version(when=" Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature  >limit")
    )
    for change in ({"for": "11 s"}, {"clear_for": "1 s"}, {"parameters": {"limit": {"value": 101}}}, {"on_gap": "reset"}):
        assert version(**change) != version()
