"""The shipped rules: each is tested by data, and its tests notice when any of its figures moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.errors import RuleError
from rules.expression import Call, Node, Number, walk
from rules.pack import load_rules
from rules.rule import Rule
from rules.rule_tests import load_tests, run_test, run_tests
from tests.rules.making import rule_dict, write_pack

RULES = {rule.id: rule for rule in load_rules()}
TESTS = load_tests(None, RULES)
SMALL = 0.02
"""A figure that moves by this share must be noticed."""

Jit = Callable[..., Any]


def test_every_rule_test_passes(jit: Jit) -> None:
    assert [result for result in run_tests(jit=jit) if not result.passed] == []


def test_every_rule_has_a_test_that_raises_and_one_that_stays_silent() -> None:
    raising, silent = Counter(test.rule for test in TESTS if test.raised), Counter(test.rule for test in TESTS if not test.raised)
    assert {rule for rule in RULES if raising[rule] == 0 or silent[rule] == 0} == set()


def scaled(node: Node, number: Number, factor: float) -> Node:
    """The expression with one literal (that very one) scaled."""
    if node is number:
        return replace(number, value=number.value * factor)
    if isinstance(node, Call):
        return replace(node, args=tuple(scaled(arg, number, factor) for arg in node.args))
    return node


def literals(node: Node | None) -> list[Number]:
    return [] if node is None else [part for part in walk(node) if isinstance(part, Number)]


def mutants(rule: Rule, interval_ns: int) -> Iterator[tuple[str, Rule]]:
    """The rule with one figure moved a little: parameters, literals, `for` and `clear_for` by one step of evaluation."""
    for factor in (1.0 - SMALL, 1.0 + SMALL):
        for name, value in rule.parameters.items():
            yield f"{name} × {factor}", replace(rule, parameters={**rule.parameters, name: value * factor})
        for field in ("gate", "when", "clear_when"):
            for number in literals(getattr(rule, field)):
                moved = scaled(getattr(rule, field), number, factor)
                yield f"{number.value:g} in {field} × {factor}", replace(rule, **{field: moved})
    for field in ("hold_ns", "clear_hold_ns"):
        for step in (-interval_ns, interval_ns):
            if getattr(rule, field) + step >= 0:
                yield f"{field} {step:+d}", replace(rule, **{field: getattr(rule, field) + step})


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_moving_any_figure_of_a_rule_fails_one_of_its_tests(rule: Rule, jit: Jit) -> None:
    tests = [test for test in TESTS if test.rule == rule.id]
    figures = list(mutants(rule, max(test.interval_ns for test in tests)))
    assert figures
    unnoticed = [name for name, mutant in figures if all(run_test(mutant, test, jit=jit).passed for test in tests)]
    assert unnoticed == []


def test_every_shipped_rule_names_sources_and_speaks_both_languages() -> None:
    for rule in RULES.values():
        assert rule.sources
        assert any("一" <= character <= "鿿" for character in rule.title.zh), rule.id
        assert all(character < "\u2e80" for character in rule.title.en), rule.id


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ({"rule": "cold"}, "no rule 'cold' in this pack"),
        ({"series": {"Sped": "0s..5s: 1"}}, "unknown signal 'Sped'"),
        ({"series": {"Vehicle.Speed": "0s..5s 1"}}, "is no segment"),
        ({"series": {"Vehicle.Speed": "0s..5s: 1, 4s..6s: 2"}}, "does not follow"),
        ({"expect": {"raised": ["soon"]}}, "is no duration"),
        ({"codes": {"P0301": "5s"}}, "is no span"),
    ],
)
def test_a_mistake_in_a_rule_test_is_named(tmp_path: Path, test: dict[str, Any], what: str) -> None:
    pack = write_pack(tmp_path, rule_dict())
    (tmp_path / "tests").mkdir()
    good = {"rule": "hot", "name": "n", "series": {"EngineCoolant.Temperature": "0s..20s: 101"}, "expect": {"raised": ["10s"]}}
    write_pack(tmp_path / "tests", {**good, **test})
    with pytest.raises(RuleError, match=what):
        run_tests([pack])


def test_a_failing_rule_test_says_what_differed(tmp_path: Path) -> None:
    pack = write_pack(tmp_path, rule_dict())
    (tmp_path / "tests").mkdir()
    test = {
        "rule": "hot",
        "name": "n",
        "series": {"EngineCoolant.Temperature": "0s..30s: 91 -> 121"},
        "expect": {"cleared": ["3s"]},
    }
    write_pack(tmp_path / "tests", test)
    (result,) = run_tests([pack])
    assert not result.passed
    assert result.detail == "raised at 20 s, expected no time; cleared at no time, expected 3 s"
