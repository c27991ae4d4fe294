"""The shipped rules: each is tested by data, and its tests notice when any of its figures moves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import RuleError
from rules.pack import load_rules
from rules.rule import Rule
from rules.rule_tests import RuleTest, load_tests, run_test, run_tests
from tests.rules.making import rule_dict, write_pack
from tests.rules.mutants import mutants

RULES = {rule.id: rule for rule in load_rules()}
TESTS = load_tests(None, RULES)
ROOT = Path(__file__).parents[2]
STALE_NS = 5_000_000_000
"""Without a profile a value may be used so long."""

Jit = Callable[..., Any]


def test_every_rule_test_passes(jit: Jit) -> None:
    assert [result for result in run_tests(jit=jit) if not result.passed] == []


def has_gap(test: RuleTest) -> bool:
    """A signal is missing for longer than its last value may be used, or lists of codes are; both then come again."""
    samples = test.samples
    courses = [np.unique(samples.time_ns[samples.signal == number]) for number in range(len(samples.paths))]
    courses.append(np.unique(test.dtcs.time_ns))
    return any(np.any(np.diff(course) > STALE_NS) for course in courses)


KINDS: Mapping[str, Callable[[RuleTest], bool]] = {
    "fires": lambda test: bool(test.raised),
    "does not fire": lambda test: not test.raised,
    "clears": lambda test: bool(test.cleared),
    "sees a gap": lambda test: bool(test.raised) and has_gap(test),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_a_test_in_which_it(kind: str) -> None:
    assert RULES.keys() - {test.rule for test in TESTS if KINDS[kind](test)} == set()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_moving_any_figure_of_a_rule_fails_one_of_its_tests(rule: Rule, jit: Jit) -> None:
    tests = [test for test in TESTS if test.rule == rule.id]
    figures = list(mutants(rule, min(test.interval_ns for test in tests)))
    assert figures
    unnoticed = [name for name, mutant in figures if all(run_test(mutant, test, jit=jit).passed for test in tests)]
    assert unnoticed == []


def test_every_shipped_rule_names_sources_and_speaks_both_languages() -> None:
    for rule in RULES.values():
        assert rule.sources
        assert any("一" <= character <= "鿿" for character in rule.title.zh), rule.id
        assert all(character < "\u2e80" for character in rule.title.en), rule.id


def test_the_docs_count_the_rules_of_every_area() -> None:
    systems = Counter(rule.system for rule in RULES.values())
    rows = [
        line.split("|")
        for line in (ROOT / "docs" / "shipped-rules.md").read_text().splitlines()
        if re.match(r"\|.*\| \d+ \|", line)
    ]
    areas = {row[1].strip(): (re.findall(r"`([a-z0-9_.]+)`", row[2]), int(row[3])) for row in rows}
    assert {area: sum(systems[system] for system in named) for area, (named, _) in areas.items()} == {
        a: n for a, (_, n) in areas.items()
    }
    assert {system for named, _ in areas.values() for system in named} == set(systems)


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
