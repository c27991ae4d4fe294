"""Which rules a backtest runs."""

import pytest

from app.backtest.variants import CONTRADICTORY, Variants
from domain.errors import InputError
from domain.fleet import Vehicle
from rules.overrides import ParameterOverrides
from rules.pack import load_rules
from tests.app.backtest.rule_packs import pack


def rules_of(tmp_path, name, **words):
    return load_rules([pack(tmp_path / name, **words)])


def test_an_equal_rule_of_both_sides_runs_once(tmp_path):
    variants = Variants()
    new = variants.candidate(rules_of(tmp_path, "new.yaml"), ())
    old = variants.today(rules_of(tmp_path, "old.yaml"))
    assert len(variants.rule_set().rules) == 1
    assert new.runs.keys() == old.runs.keys()


def test_rules_with_other_numbers_run_beside_each_other(tmp_path):
    variants = Variants()
    variants.candidate(rules_of(tmp_path, "new.yaml", limit=105), ())
    variants.today(rules_of(tmp_path, "old.yaml", limit=115))
    assert sorted(rule.parameters["limit"] for rule in variants.rule_set().rules) == [105, 115]
    assert len({rule.id for rule in variants.rule_set().rules}) == 2


@pytest.mark.parametrize(
    ("status", "runs", "silent"),
    [("draft", True, False), ("shadow", True, False), ("active", True, False), ("retired", False, False)],
)
def test_a_rule_that_is_tried_raises_whatever_its_status_but_retired(tmp_path, status, runs, silent):
    side = Variants().candidate(rules_of(tmp_path, "new.yaml", status=status), ())
    assert (bool(side.runs), bool(side.silent)) == (runs, silent)


@pytest.mark.parametrize(
    ("status", "runs", "silent"),
    [("draft", False, False), ("shadow", True, True), ("active", True, False), ("retired", False, False)],
)
def test_today_only_active_rules_raise_and_shadow_rules_are_counted(tmp_path, status, runs, silent):
    side = Variants().today(rules_of(tmp_path, "old.yaml", status=status))
    assert (bool(side.runs), bool(side.silent)) == (runs, silent)


def test_a_shadow_rule_that_stays_as_it_is_is_only_counted(tmp_path):
    today = rules_of(tmp_path, "old.yaml", status="shadow")
    assert Variants().candidate(rules_of(tmp_path, "new.yaml", status="shadow"), today).silent == {"hot"}
    assert not Variants().candidate(rules_of(tmp_path, "other.yaml", status="shadow", limit=111), today).silent
    assert not Variants().candidate(rules_of(tmp_path, "live.yaml", status="active"), today).silent


def test_a_sweep_tries_every_value_of_its_range_both_ends_included(tmp_path):
    variants = Variants()
    side = variants.candidate(rules_of(tmp_path, "new.yaml"), ())
    sweep = variants.sweep("hot.limit = 105 : 106 : 0.1", side)
    assert [value.value for value in sweep.values] == [105 + number / 10 for number in range(11)]
    assert (sweep.present, sweep.unit) == (110, "")
    assert [next(iter(value.side.runs.values())).parameters["limit"] for value in sweep.values] == [v.value for v in sweep.values]


def test_durations_are_swept_in_seconds_or_as_they_are_written(tmp_path):
    variants = Variants()
    side = variants.candidate(rules_of(tmp_path, "new.yaml"), ())
    sweep = variants.sweep("hot.for=0:1 min:30 s", side)
    assert (sweep.present, sweep.unit) == (10.0, "s")
    assert [next(iter(value.side.runs.values())).hold_ns for value in sweep.values] == [0, 30_000_000_000, 60_000_000_000]


def test_a_value_at_which_the_rule_contradicts_itself_is_told_and_not_run(tmp_path):
    variants = Variants()
    side = variants.candidate(rules_of(tmp_path, "new.yaml", limit=110, clear=100), ())
    sweep = variants.sweep("hot.limit=90:110:10", side)
    assert [value.problem for value in sweep.values] == [CONTRADICTORY, None, None]
    assert not sweep.values[0].side.runs


def test_overrides_stand_for_the_parameters_of_all_sides_but_not_for_a_value_that_is_tried(tmp_path):
    variants = Variants()
    new = variants.candidate(rules_of(tmp_path, "new.yaml", limit=110), ())
    old = variants.today(rules_of(tmp_path, "old.yaml", limit=112))
    sweep = variants.sweep("hot.limit=110:120:10", new)
    given = ParameterOverrides(fleet={"hot": {"limit": 105.0}, "cold": {"limit": 1.0}}, models={"CS75": {"hot": {"clear": 90.0}}})
    set_ = variants.rule_set(given)
    of_model = set_.overrides.of(Vehicle(id="v", model="CS75"))
    for side in (new, old):
        (name,) = side.runs
        assert of_model[name] == {"limit": 105.0, "clear": 90.0}
    for value in sweep.values:
        (name,) = value.side.runs
        assert of_model[name] == {"clear": 90.0}
    assert of_model.keys() == {rule.id for rule in set_.rules}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hot.limit", "cannot be read; write RULE.PARAMETER=FROM:TO:STEP"),
        ("hit.limit=1:2:1", "no rule 'hit' among those of --rules; is it hot?"),
        ("hot.warmth=1:2:1", "new.yaml:2: --sweep hot.warmth=1:2:1: hot has no number 'warmth'; it has limit, clear, for"),
        ("hot.limit=a:2:1", "could not convert string to float: 'a'; write RULE"),
        ("hot.limit=1:2:0", "the range is empty or its step is not above 0"),
        ("hot.limit=3:2:1", "the range is empty or its step is not above 0"),
        ("hot.limit=nan:2:1", "the range is empty or its step is not above 0"),
        ("hot.limit=0:1e9:1", "1,000,000,001 values; at most 200"),
        ("hot.for=-5:5:5", "a duration is not below 0"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_with_its_mend(tmp_path, text, told):
    variants = Variants()
    side = variants.candidate(rules_of(tmp_path, "new.yaml"), ())
    with pytest.raises(InputError) as problem:
        variants.sweep(text, side)
    assert told in str(problem.value)
