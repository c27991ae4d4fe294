"""A maker adds patterns, plans, prices and outcomes by dropping files in a folder; each mistake is named with file and line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import DataFileError, InputError
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.loading import load_knowledge
from tests.dtc_knowledge.builders import CAR, case, code_alert, knowledge

FILES = {
    "sources.csv": "id,title,url\nacme,Acme service manual,\n",
    "plans.csv": (
        "plan,version,status,cause,model,region,operations,pay_type,remote,approved_by,source\n"
        "thermo,1,retired,thermostat_open,,,OP-REPLACE-FAN,customer,,A. Wang,acme\n"
        "thermo,2,in_force,thermostat_open,,,OP-REPLACE-THERMOSTAT,warranty,,A. Wang,acme\n"
        "thermo,3,draft,thermostat_open,,,OP-REPLACE-RADIATOR,customer,,,acme\n"
        "thermo-x,1,in_force,thermostat_open,X1,DE,OP-UPDATE-SOFTWARE,recall,yes,A. Wang,acme\n"
    ),
    "prices.csv": "region,currency,part,price,source\nDE,EUR,PC-THERMOSTAT,31.90,acme\n",
    "part_numbers.csv": "part,model,number,source\nPC-THERMOSTAT,X1,ACME-77,acme\n",
    "operation_codes.csv": "operation,scheme,code,source\nOP-REPLACE-THERMOSTAT,STAR,1234,acme\n",
    "outcomes.csv": "pattern,cause,repairs,source\nthermostat_stuck_open,coolant_sensor_bias,20,acme\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def plan(found: FaultKnowledge, model: str) -> tuple[list[tuple[str, str]], str]:
    vehicle, alerts = replace(CAR, model=model), case(code_alert("P0128", incident="i"))
    diagnosis = found.diagnose(alerts, "i", vehicle)
    answer = found.recommend(alerts, diagnosis, vehicle, 0)
    return [(line.operation, line.pay_type) for line in answer.plan], answer.action


def test_the_plan_in_force_decides_and_the_closest_fit_wins(folder: Path) -> None:
    (folder / "outcomes.csv").unlink()
    german = load_knowledge(extra=folder, region="DE")
    assert plan(german, "Y2") == ([("OP-REPLACE-THERMOSTAT", "warranty")], "dealer")
    assert plan(german, "X1") == ([("OP-UPDATE-SOFTWARE", "recall")], "remote")
    assert plan(load_knowledge(extra=folder, region="FR"), "X1")[0] == [("OP-REPLACE-THERMOSTAT", "warranty")]
    assert plan(knowledge(), "X1")[0] == [("OP-REPLACE-THERMOSTAT", "customer")]


def test_parts_take_the_makers_number_and_the_regions_price(folder: Path) -> None:
    shop = load_knowledge(extra=folder, region="DE").workshop("X1")
    part = shop.line(1, "OP-REPLACE-THERMOSTAT", False).parts[0]
    assert (part.number, part.price, shop.offers.currency) == ("ACME-77", "31.90", "EUR")
    assert shop.offers.codes_of("OP-REPLACE-THERMOSTAT") == {"STAR": "1234"}


def test_repairs_move_the_shares_against_the_weight_of_the_prior(folder: Path) -> None:
    causes = {c.id: c for c in load_knowledge(extra=folder).files.patterns["thermostat_stuck_open"].causes}
    assert causes["coolant_sensor_bias"].share == pytest.approx((0.10 * 20 + 20) / 40)
    assert causes["thermostat_open"].share == pytest.approx(0.80 * 20 / 40)
    assert causes["thermostat_open"].repairs == 20
    assert sum(cause.share for cause in causes.values()) == pytest.approx(1)


def test_a_makers_pattern_counts_for_its_model_only(folder: Path) -> None:
    shipped = (Path(load_knowledge.__code__.co_filename).parent / "patterns" / "cooling_and_oil.yaml").read_text(encoding="utf-8")
    entry = shipped[: shipped.index("  - id: thermostat_stuck_open")]
    own = entry.replace("id: coolant_overheat", "id: acme_overheat\n    models: [X1]").replace("P0217,", "P0217, P0128,", 1)
    (folder / "patterns").mkdir()
    (folder / "patterns" / "acme.yaml").write_text(own, encoding="utf-8")
    found = load_knowledge(extra=folder)
    alerts = case(code_alert("P0128", incident="i"))
    assert "acme_overheat" in found.diagnose(alerts, "i", replace(CAR, model="X1")).patterns
    assert "acme_overheat" not in found.diagnose(alerts, "i", CAR).patterns


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("plans.csv", "retired,thermostat_open", "retired,thermostat_opn", "unknown cause"),
        ("plans.csv", "OP-REPLACE-FAN", "OP-REPLACE-FANS", "unknown operation"),
        ("plans.csv", "warranty,,A. Wang", "warranty,,", "who approved it"),
        ("plans.csv", "draft", "drafted", "status"),
        ("plans.csv", "recall", "free", "pay_type"),
        ("prices.csv", "PC-THERMOSTAT", "PC-THERMOSTATS", "unknown part"),
        ("prices.csv", "EUR", "euro", "currency"),
        ("prices.csv", "31.90", "31.9", "price"),
        ("part_numbers.csv", "PC-THERMOSTAT", "PC-X", "unknown part"),
        ("operation_codes.csv", "OP-REPLACE-THERMOSTAT", "OP-X", "unknown operation"),
        ("outcomes.csv", "coolant_sensor_bias", "alternator", "unknown cause"),
        ("outcomes.csv", ",20,", ",-1,", "repairs"),
        ("outcomes.csv", ",acme", ",hearsay", "unknown source"),
        ("sources.csv", "acme,", "estimate,", "stands twice"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_mend(folder: Path, name: str, old: str, new: str, says: str) -> None:
    file = folder / name
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_knowledge(extra=folder)
    assert says in str(caught.value)
    assert caught.value.file == file
    assert caught.value.line is not None
    assert caught.value.mend


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        load_knowledge(extra=tmp_path / "nowhere")
