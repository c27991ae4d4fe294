"""The example folder of docs/guides/knowledge.md does what the guide says; every kind of mistake in it has its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.commands import dtc, knowledge
from domain.errors import DataFileError
from dtc_knowledge.graph import fault_graph
from dtc_knowledge.loading import load_knowledge

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "knowledge.md"
FILE = re.compile(r"^`acme-knowledge/([\w./]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILE.findall(GUIDE.read_text(encoding="utf-8")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def explained(*words: str, folder: Path, **environment: str) -> dict[str, Any]:
    settings = {"PITCALL_KNOWLEDGE_FOLDER": str(folder), **environment}
    result = CliRunner().invoke(dtc.command, ["explain", *words, "--json"], env=settings, catch_exceptions=False)
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_the_guide_shows_every_file_that_a_folder_may_hold(folder: Path) -> None:
    shown = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    listed = set(re.findall(r"^\| `([\w./*]+)`(?:, `([\w./]+)`)?", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for pair in listed for name in pair if name} - {"maintenance/"}
    assert {name.replace("MAKER", "acme").replace("*", "acme") for name in named} == shown


def test_the_check_counts_what_the_folder_adds(folder: Path) -> None:
    result = CliRunner().invoke(knowledge.command, ["check", "--knowledge", str(folder), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    figures, shipped = json.loads(result.stdout), load_knowledge().files
    assert figures["makers"] == {"acme": 1}
    assert figures["patterns"] == len(shipped.patterns) + 1
    assert figures["bulletins"] == 1
    assert figures["cycles"] == []


def test_the_makers_code_is_explained_by_the_makers_pattern_on_its_model(folder: Path) -> None:
    said = explained("P1345", "--maker", "acme", "--model", "X1", folder=folder, PITCALL_KNOWLEDGE_REGION="DE")
    assert said["codes"][0]["title"] == "Coolant pump seal wet"
    assert (said["title"], said["causes"][0]["id"], said["urgency"]) == ("Coolant pump seal", "acme_seal", "TODAY")
    assert said["causes"][0]["probability"] == pytest.approx((0.7 * 20 + 12) / 32, abs=1e-4)
    assert said["prior"]["repairs"]["acme_seal"] == 12
    (line,) = [line for line in said["plan"] if line["operation"] == "OP-ACME-PUMP-SEAL"]
    assert (line["pay_type"], line["parts"][0]["number"], line["parts"][0]["price"]) == ("warranty", "A-4711", "4.80")
    assert said["totals"]["currency"] == "EUR"
    assert [row["id"] for row in said["bulletins"]] == ["A-26-07"]
    assert [row["id"] for row in said["symptoms"]] == ["acme_sweet_smell"]


def test_mileage_and_a_second_sign_count(folder: Path) -> None:
    young = explained("P1345", "--maker", "acme", "--model", "X1", "--km", "10000", folder=folder)
    old = explained("P1345", "--maker", "acme", "--model", "X1", "--km", "120000", folder=folder)
    assert old["causes"][0]["probability"] > young["causes"][0]["probability"]
    both = explained("P1345", "P0217", "--maker", "acme", "--model", "X1", folder=folder)
    assert both["urgency"] == "STOP"


@pytest.mark.parametrize("words", [[], ["--maker", "acme", "--model", "Y2"]])
def test_the_makers_pattern_counts_nowhere_else(folder: Path, words: list[str]) -> None:
    assert explained("P1345", *words, folder=folder)["title"] is None


def test_the_graph_tells_what_applies_to_whom(folder: Path) -> None:
    found = load_knowledge(extra=folder)
    graph = fault_graph(found.codes, found.files)
    assert graph.unsourced() == ()
    assert all(edge.start in graph.nodes and edge.end in graph.nodes for edge in graph.edges)
    bulletin = {(edge.kind, edge.end) for edge in graph.leaving(("bulletin", "A-26-07"))}
    assert bulletin == {
        ("addresses", ("cause", "acme_seal")),
        ("applies_to", ("applicability", "acme X1 2024-2026")),
        ("fixed_by", ("operation", "OP-ACME-PUMP-SEAL")),
    }
    pattern = {edge.end for edge in graph.leaving(("pattern", "acme_pump_seal"))}
    assert {
        ("applicability", "maker acme"),
        ("symptom", "acme_sweet_smell"),
        ("urgency", "TODAY"),
        ("safety", "medium"),
    } <= pattern
    kinds = {kind for kind, _ in graph.nodes}
    assert kinds >= {"system", "component", "code", "spn_fmi", "alarm_bit", "finding", "predicate", "symptom", "labour", "part"}


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("sources.csv", "acme,", "J2012,", "stands twice"),
        ("codes/makers/acme.csv", "P1345", "P0345", "is a standard code"),
        ("codes/makers/acme.csv", "engine.cooling", "engine.colling", "unknown system"),
        ("codes/makers/acme.csv", "medium,SOON", "medium,LATER", "none of"),
        ("codes/makers/acme.csv", "mechanical", "mechanic", "category"),
        ("operations.yaml", "OP-ACME-PUMP-SEAL", "OP-REPLACE-FAN", "is shipped already"),
        ("operations.yaml", "PC-ACME-PUMP-SEAL", "PC-ACME-SEAL", "unknown part"),
        ("operations.yaml", "needs: [engine]", "needs: [wizardry]", "unknown capability"),
        ("operations.yaml", "source: acme", "source: rumour", "unknown source"),
        ("parts.yaml", "PC-ACME-PUMP-SEAL", "PC-SPARK-PLUG", "is shipped already"),
        ("parts.yaml", '"35.00"', '"35"', "price"),
        ("patterns/acme.yaml", "id: acme_pump_seal", "id: coolant_overheat", "stands in two files"),
        ("patterns/acme.yaml", "any: [P1345]", "any: [P1346]", "unknown code 'P1346'"),
        ("patterns/acme.yaml", "makers: [acme]", "makers: [apex]", "unknown code 'P1345'"),
        ("patterns/acme.yaml", "zh: 水泵密封泄漏\n    system", "zh: ''\n    system", "zh"),
        ("patterns/acme.yaml", "tells: [acme_seal]", "tells: [acme_sale]", "check tells of"),
        ("patterns/acme.yaml", "value: 90000", "value: far", "value"),
        ("patterns/acme.yaml", "decisive: [P1345]", "decisive: [P99]", "unknown code"),
        ("patterns/acme.yaml", "urgency: TODAY", "urgncy: TODAY", "did you mean 'urgency'"),
        ("plans.csv", ",A. Wang,", ",,", "who approved it"),
        ("prices.csv", "4.80", "4.8", "price"),
        ("part_numbers.csv", "PC-ACME-PUMP-SEAL", "PC-ACME", "unknown part"),
        ("operation_codes.csv", "OP-ACME-PUMP-SEAL", "OP-ACME", "unknown operation"),
        ("bulletins.csv", "acme_seal", "acme_sale", "unknown cause"),
        ("bulletins.csv", "OP-ACME-PUMP-SEAL", "OP-ACME", "unknown operation"),
        ("bulletins.csv", "2024-2026", "24-26", "years"),
        ("bulletins.csv", ",bulletin,", ",leaflet,", "kind"),
        ("bulletins.csv", "请换用新件,acme", "请换用新件,rumour", "unknown source"),
        ("symptoms.csv", "acme_pump_seal", "acme_pump_seat", "unknown pattern"),
        ("symptoms.csv", "acme_sweet_smell", "stalls", "stands twice"),
        ("outcomes.csv", ",12,", ",many,", "repairs"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_is_named_with_file_line_and_mend(folder: Path, name: str, old: str, new: str, says: str) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_knowledge(extra=folder)
    problem = caught.value
    assert says in str(problem)
    assert (problem.file, bool(problem.mend)) == (file, True)
    assert problem.line is not None
