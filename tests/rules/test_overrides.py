"""Parameters by fleet, model and vehicle, and what is usual for a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.errors import DataFileError
from domain.fleet import Vehicle, pseudonym
from rules.check import check
from rules.cohorts import load_cohorts
from rules.engine import RuleEngine
from rules.overrides import ParameterOverrides, load_overrides
from rules.rule_tests import run_tests
from tests.rules.making import AIR, COOLANT, SECOND, course, reports, rule_dict, rules_of, samples, write_pack

KEY = b"key"
VIN = "LPCTEST0000000001"
RULE = rule_dict(clear_when="EngineCoolant.Temperature < limit - 10", **{"for": "0 s"})


def entry(**changes: Any) -> dict[str, Any]:
    return {"rule": "hot", "parameters": {"limit": 105}, "source": "a test", **changes}


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    file = folder / "overrides.yaml"
    file.write_text(yaml.safe_dump(list(entries), sort_keys=False, default_flow_style=False), encoding="utf-8")
    return file


def loaded(folder: Path, *entries: dict[str, Any]) -> ParameterOverrides:
    return load_overrides(written(folder, *entries), rules_of(folder, RULE), KEY)


def test_the_vehicle_goes_before_its_model_and_that_before_the_fleet(tmp_path: Path) -> None:
    own = loaded(
        tmp_path,
        entry(vin=VIN, parameters={"limit": 108}),
        entry(model="CS75", parameters={"limit": {"value": 107, "unit": "celsius"}}),
        entry(parameters={"limit": 106}),
    )
    cars = (Vehicle(id=pseudonym(KEY, VIN), model="CS75"), Vehicle(id="a", model="CS75"), Vehicle(id="b", model="other"))
    assert [own.of(car) for car in cars] == [{"hot": {"limit": value}} for value in (108, 107, 106)]


def test_a_finding_speaks_of_the_figures_of_its_vehicle(tmp_path: Path) -> None:
    rule = {**RULE, "explanation": {"en": "over {limit}", "zh": "超过 {limit}"}}
    own = loaded(tmp_path, entry(model="CS75"))
    engine = RuleEngine(rules_of(tmp_path, rule), overrides_of=lambda car: own.of(Vehicle(id=car, model=car)))
    rows = [*course("CS75", COOLANT, [90, 103, 106]), *course("other", COOLANT, [90, 103, 106])]
    findings = engine.evaluate(samples(rows), reports())
    assert [(f.vehicle, f.time_ns // SECOND, f.explanation.en, f.evidence[0].threshold) for f in findings] == [
        ("CS75", 2, "over 105", 105.0),
        ("other", 1, "over 100", 100.0),
    ]
    assert findings[0].source.version != findings[1].source.version, "the figures are part of the version"


@pytest.mark.parametrize(
    ("entries", "where", "what", "mend"),
    [
        ([entry(rule="hto")], "rule: hto", "column 3: no rule 'hto'", "did you mean 'hot'?"),
        ([entry(parameters={"limt": 3})], "limt: 3", "column 5: hot has no parameter 'limt'", "did you mean 'limit'?"),
        ([entry(parameters={"limit": {"value": 3, "unit": "kPa"}})], "limit:", "limit is not in kPa", "write it in celsius"),
        ([entry(parameters={"limit": "hot"})], "limit: hot", "parameters.limit", "correct"),
        ([entry(parameters={"limit": float("inf")})], "limit: .inf", "finite number", "correct"),
        ([entry(parameters={})], "parameters: {}", "at least 1 item", "correct"),
        ([entry(model="CS75", vin=VIN)], "vin:", "a model and a VIN", "neither"),
        ([entry(modle="CS75")], "modle:", "modle", "did you mean 'model'?"),
        ([{"rule": "hot", "parameters": {"limit": 3}}], "- rule", "source: Field required", "add it"),
        ([entry(), entry(parameters={"limit": 7})], "limit: 7", "is said twice for the same vehicles", "keep one"),
    ],
)
def test_each_mistake_names_its_line_and_mend(
    tmp_path: Path, entries: list[dict[str, Any]], where: str, what: str, mend: str
) -> None:
    with pytest.raises(DataFileError) as caught:
        loaded(tmp_path, *entries)
    assert what in str(caught.value)
    assert mend in caught.value.mend
    lines = (tmp_path / "overrides.yaml").read_text(encoding="utf-8").splitlines()
    assert where in lines[(caught.value.line or 0) - 1]


def test_figures_with_which_a_rule_makes_no_sense_are_refused(tmp_path: Path) -> None:
    clears = rules_of(tmp_path, {**RULE, "clear_when": "EngineCoolant.Temperature < 90"})
    file = written(tmp_path, entry(model="CS75", parameters={"limit": 80}))
    with pytest.raises(DataFileError, match="with these figures hot would raise and clear at once"):
        load_overrides(file, clears, KEY)
    never = rules_of(tmp_path, rule_dict(when="EngineCoolant.Temperature > limit and EngineCoolant.Temperature < 120"))
    with pytest.raises(DataFileError, match="with these figures hot can never raise"):
        load_overrides(written(tmp_path, entry(parameters={"limit": 130})), never, KEY)
    (problem,) = check([write_pack(tmp_path, rule_dict())], overrides=written(tmp_path, entry(rule="cold")))
    assert "no rule 'cold'" in str(problem)


def test_rule_tests_take_overrides_and_cohorts(tmp_path: Path) -> None:
    usual = rule_dict(
        id="usual", when="EngineCoolant.Temperature > cohort(EngineCoolant.Temperature, 95)", parameters={}, **{"for": "0 s"}
    )
    pack = write_pack(tmp_path, RULE, usual)
    course_ = {"EngineCoolant.Temperature": "0s..20s: 90 -> 110"}
    tests = [
        {"rule": "hot", "name": "fleet", "series": course_, "expect": {"raised": ["11 s"]}},
        {"rule": "hot", "name": "model", "series": course_, "vehicle": {"model": "CS75"}, "expect": {"raised": ["16 s"]}},
        {
            "rule": "usual",
            "name": "over what is usual",
            "series": {**course_, "AirTemperature": 20},
            "cohort": {"EngineCoolant.Temperature": {95: 101}},
            "expect": {"raised": ["12 s"]},
        },
    ]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "pack.yaml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    results = run_tests([pack], overrides=written(tmp_path, entry(model="CS75")))
    assert [result.detail for result in results] == ["", "", ""]
    assert [result.passed for result in run_tests([pack])] == [True, False, True]


HEADER = "model,signal,from_celsius,until_celsius,quantile,value,vehicles,source\n"


def table(folder: Path, *rows: str) -> Path:
    file = folder / "cohorts.csv"
    file.write_text(HEADER + "".join(f"{row},40,a test\n" for row in rows), encoding="utf-8")
    return file


def test_what_is_usual_depends_on_model_and_temperature_outside(tmp_path: Path) -> None:
    cohorts = load_cohorts(
        table(
            tmp_path, "CS75,EngineCoolant.Temperature,10,30,95,100", f"CS75,{COOLANT},-20,10,95,90", f"CS75,{COOLANT},10,30,5,80"
        )
    )
    when = "EngineCoolant.Temperature > cohort(EngineCoolant.Temperature, 95)"
    engine = RuleEngine(rules_of(tmp_path, rule_dict(when=when, parameters={}, **{"for": "0 s"})), cohort_of=cohorts.of)
    air = [-30.0, -5.0, 10.0, 10.0, 35.0, 20.0]
    rows = [row for car in ("CS75", "other") for row in (*course(car, COOLANT, [95] * 5 + [105]), *course(car, AIR, air))]
    assert [(f.vehicle, f.time_ns // SECOND, f.transition.value) for f in engine.evaluate(samples(rows), reports())] == [
        ("CS75", 1, "raised"),
        ("CS75", 2, "cleared"),
        ("CS75", 5, "raised"),
    ]


@pytest.mark.parametrize(
    ("rows", "line", "what", "mend"),
    [
        (["CS75,EngineCoolant.Temprature,0,9,95,100"], 2, "unknown signal", "did you mean"),
        ([f"CS75,{COOLANT},9,0,95,100"], 2, "the band is empty", "lower temperature"),
        ([f"CS75,{COOLANT},0,10,95,100", f"CS75,{COOLANT},9,20,95,100"], 3, "overlaps", "let bands end"),
        ([f"CS75,{COOLANT},0,10,95,100", f"CS75,{COOLANT},0,10,99,90"], 3, "wrong side of the 95 % quantile", "grow"),
        ([f"CS75,{COOLANT},0,10,100,100"], 2, "column quantile", "correct"),
        ([f"CS75,{COOLANT},0,10,95,nan"], 2, "column value", "correct"),
        ([f"CS75,{COOLANT},0,10,95"], 2, "column", "cell"),
    ],
)
def test_a_table_of_what_is_usual_is_checked(tmp_path: Path, rows: list[str], line: int, what: str, mend: str) -> None:
    file = table(tmp_path, *rows)
    with pytest.raises(DataFileError) as caught:
        load_cohorts(file)
    assert (caught.value.line, what in caught.value.what, mend in caught.value.mend) == (line, True, True), str(caught.value)
    assert [str(problem) for problem in check([write_pack(tmp_path, rule_dict())], cohorts=file)] == [str(caught.value)]
