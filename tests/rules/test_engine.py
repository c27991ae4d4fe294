"""The rule stage: when it raises and clears, and that cuts, restarts and neighbours change nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.findings import Finding, SourceKind
from domain.signals import empty_samples
from domain.trouble_codes import CodeList, DtcReport
from rules.engine import RuleEngine
from rules.pack import load_rules
from rules.rule import Rule
from tests.rules.making import (
    CHARGING,
    COOLANT,
    END,
    ENGINE,
    PATHS,
    SECOND,
    SPEED,
    TIMER,
    Sample,
    course,
    obd,
    reports,
    rule_dict,
    rules_of,
    samples,
)

Jit = Callable[..., Any]


def run(rules: Sequence[Rule], rows: Sequence[Sample], *lists: DtcReport, **options: Any) -> list[Finding]:
    return RuleEngine(rules, **options).evaluate(samples(rows), reports(*lists))


def changes(findings: Sequence[Finding]) -> list[tuple[float, str]]:
    return [(finding.time_ns / SECOND, finding.transition.value) for finding in findings]


def test_it_raises_once_the_condition_has_held_long_enough(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict())
    assert changes(run(rules, course("car", COOLANT, [90] * 5 + [101] * 20))) == [(15, "raised")]


def test_a_moment_below_the_limit_starts_the_time_anew(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict())
    assert changes(run(rules, course("car", COOLANT, [101] * 9 + [99] + [101] * 12))) == [(20, "raised")]


def test_it_clears_by_its_own_condition_and_time(tmp_path: Path) -> None:
    rule = rule_dict(clear_when="EngineCoolant.Temperature < limit - 10", clear_for="3 s")
    findings = run(rules_of(tmp_path, rule), course("car", COOLANT, [101] * 12 + [95] * 5 + [89] * 6))
    assert changes(findings) == [(10, "raised"), (20, "cleared")]


def test_without_clear_when_it_clears_as_soon_as_the_condition_is_false(tmp_path: Path) -> None:
    assert changes(run(rules_of(tmp_path, rule_dict()), course("car", COOLANT, [101] * 12 + [100]))) == [
        (10, "raised"),
        (12, "cleared"),
    ]


def test_a_missing_signal_neither_raises_nor_clears(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(when="EngineCoolant.Temperature > limit and Vehicle.Speed > 5", **{"for": "0 s"}))
    assert run(rules, course("car", COOLANT, [120] * 5)) == []
    rows = [*course("car", COOLANT, [120] * 30), *course("car", SPEED, [50])]
    assert changes(run(rules, rows)) == [(0, "raised")]


def test_a_gap_is_left_out_of_the_time_or_starts_it_anew(tmp_path: Path) -> None:
    rows = [*course("car", COOLANT, [101] * 5), *course("car", COOLANT, [101] * 20, start=60)]
    # 4 s before the gap, 5 s of staleness allowed, the rest after it.
    assert changes(run(rules_of(tmp_path, rule_dict(on_gap="hold")), rows)) == [(61, "raised")]
    assert changes(run(rules_of(tmp_path, rule_dict(on_gap="reset")), rows)) == [(70, "raised")]


def test_the_same_value_after_a_gap_counts_as_news(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(when="EngineCoolant.Temperature > limit and Vehicle.Speed > 5", **{"for": "0 s"}))
    rows = [*course("car", SPEED, [50]), *course("car", COOLANT, [101] * 3, start=10.0), *course("car", SPEED, [50], start=12.5)]
    assert changes(run(rules, rows)) == [(12.5, "raised")]


def test_a_part_that_did_not_hold_may_come_to_hold_long_after_the_others(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(when="EngineCoolant.Temperature > limit and Vehicle.Speed > 5", **{"for": "0 s"}))
    rows = [*course("car", SPEED, [0] * 40 + [6]), *course("car", COOLANT, [99] * 10 + [101] * 40)]
    assert changes(run(rules, rows)) == [(40, "raised")]


def test_a_gap_counts_the_same_whether_or_not_a_tick_falls_into_it(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict())
    rows = [*course("car", COOLANT, [101] * 5), *course("car", COOLANT, [101] * 20, start=60)]
    ticks = [("car", time_s, TIMER, 0.0) for time_s in (9.5, 30.0, 59.0)]
    assert changes(run(rules, rows)) == changes(run(rules, [*rows, *ticks]))


def test_staleness_is_set_per_signal(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict())
    rows = course("car", COOLANT, [101] * 3, step=8.0)
    assert changes(run(rules, rows)) == [(16, "raised")]
    assert changes(run(rules, rows, stale_after_of=lambda _: {COOLANT: 2 * SECOND})) == []
    rows = course("car", COOLANT, [101] * 2, step=10.0)
    assert changes(run(rules, rows, stale_after_of=lambda _: {COOLANT: 10 * SECOND})) == [(10, "raised")]


def test_a_closed_gate_starts_the_time_anew_or_lets_it_stand_still(tmp_path: Path) -> None:
    rows = [
        *course("car", COOLANT, [101] * 40),
        *course("car", ENGINE, [900] * 6 + [0] * 10 + [900] * 24),
    ]
    gated = rule_dict(gate="CombustionEngine.Speed > 400")
    assert changes(run(rules_of(tmp_path, gated), rows)) == [(26, "raised")]
    assert changes(run(rules_of(tmp_path, {**gated, "gate_closed": "hold"}), rows)) == [(20, "raised")]


def test_a_closed_gate_does_not_clear(tmp_path: Path) -> None:
    rows = [*course("car", COOLANT, [101] * 15 + [20] * 15), *course("car", ENGINE, [900] * 15 + [0] * 15)]
    assert changes(run(rules_of(tmp_path, rule_dict(gate="CombustionEngine.Speed > 400")), rows)) == [(10, "raised")]


def test_a_tick_completes_the_time_while_the_value_is_fresh(tmp_path: Path) -> None:
    rows = course("car", COOLANT, [101] * 8)
    assert changes(run(rules_of(tmp_path, rule_dict()), [*rows, ("car", 10.5, TIMER, 0)])) == [(10.5, "raised")]
    assert changes(run(rules_of(tmp_path, rule_dict()), [*rows, ("car", 12.5, TIMER, 0)])) == []


def test_the_end_of_a_drive_stops_every_timer(tmp_path: Path) -> None:
    rows = [*course("car", COOLANT, [101] * 6), ("car", 5.5, END, 0), *course("car", COOLANT, [101] * 20, start=6)]
    assert changes(run(rules_of(tmp_path, rule_dict()), rows)) == [(16, "raised")]


def test_all_values_of_one_time_are_applied_before_the_rule_is_asked(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(when="EngineCoolant.Temperature > limit and Vehicle.Speed > 5", **{"for": "0 s"}))
    before = [("car", 0.0, SPEED, 50.0), ("car", 0.0, COOLANT, 90.0)]
    swap = [("car", 1.0, COOLANT, 101.0), ("car", 1.0, SPEED, 0.0)]
    assert run(rules, [*before, *swap]) == []


def test_rules_that_are_not_active_never_raise(tmp_path: Path) -> None:
    for status in ("draft", "shadow", "retired"):
        assert run(rules_of(tmp_path, rule_dict(status=status)), course("car", COOLANT, [130] * 30)) == []


def test_a_rule_for_some_powertrains_runs_on_those_alone(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(applies_to={"powertrain": ["diesel"]}))
    rows = [*course("diesel", COOLANT, [130] * 30), *course("petrol", COOLANT, [130] * 30), *course("", COOLANT, [130] * 30)]
    assert [finding.vehicle for finding in run(rules, rows, powertrain_of=lambda vehicle: vehicle)] == ["diesel"]


def test_a_finding_carries_values_thresholds_window_and_words_in_both_languages(tmp_path: Path) -> None:
    rule = rule_dict(
        when="EngineCoolant.Temperature > limit and not Charging.IsCharging and Vehicle.Speed + 1 > 2",
        explanation={"en": "{EngineCoolant.Temperature:.1f} for {duration_s:.0f} of {limit}", "zh": "{limit}：{duration_s:.0f}，{EngineCoolant.Temperature:.1f}"},
        group_key="engine.cooling/thermostat",
    )  # fmt: skip
    rows = [*course("car", COOLANT, [101.25] * 20), *course("car", SPEED, [50] * 20), *course("car", CHARGING, [0] * 20)]
    (finding,) = run(rules_of(tmp_path, rule), rows)
    assert (finding.source.kind, finding.source.id, finding.group_key) == (SourceKind.RULE, "hot", "engine.cooling/thermostat")
    assert (finding.explanation.en, finding.explanation.zh) == ("101.2 for 10 of 100", "100：10，101.2")
    by_signal = {item.signal: item for item in finding.evidence}
    coolant = by_signal[COOLANT]
    assert (coolant.value, coolant.threshold, coolant.comparison, coolant.unit) == (101.25, 100.0, ">", "celsius")
    assert (coolant.duration_s, coolant.window_start_ns, coolant.window_end_ns) == (10.0, 0, 10 * SECOND)
    assert by_signal[CHARGING].value == 0.0
    assert by_signal[SPEED].threshold is None
    assert "= 51 > 2" in by_signal[SPEED].note


def test_trouble_codes_are_conditions_with_memory(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(when='dtc("P030?")', parameters={}, **{"for": "0 s"}))
    lists = [
        obd(1, "P0171"),
        obd(2, "P0171", "P0302"),
        obd(3, complete=False),
        obd(4, "P0301", source=0x7E9),
        obd(5),
        obd(6, source=0x7E9),
    ]
    findings = run(rules, [], *lists)
    assert changes(findings) == [(2, "raised"), (6, "cleared")]
    assert findings[0].codes == ("P0302",)


def test_pending_codes_and_codes_before_the_first_list_say_nothing(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(when='not dtc("P0301")', parameters={}, **{"for": "0 s"}))
    assert run(rules, course("car", COOLANT, [101] * 5), obd(1, "P0301", kind=CodeList.PENDING)) == []
    assert changes(run(rules, [], obd(1))) == [(1, "raised")]


def test_a_changed_rule_can_still_clear_and_others_keep_their_time(tmp_path: Path) -> None:
    one, other = rule_dict(), rule_dict(id="hotter", when="EngineCoolant.Temperature > 110", parameters={}, **{"for": "20 s"})
    before = RuleEngine(rules_of(tmp_path, one, other))
    assert changes(before.evaluate(samples(course("car", COOLANT, [120] * 15)), reports())) == [(10, "raised")]
    state = before.snapshot("car")
    assert state is not None
    changed = {**one, "parameters": {"limit": {"value": 95, "unit": "celsius"}}}
    after = RuleEngine(rules_of(tmp_path, rule_dict(id="new", **{"for": "99 s"}), other, changed))
    after.restore("car", state)
    rest = after.evaluate(samples(course("car", COOLANT, [120] * 7 + [90] * 2, start=15)), reports())
    assert [(f.source.id, *change) for f, change in zip(rest, changes(rest), strict=True)] == [
        ("hotter", 20, "raised"),
        ("hot", 22, "cleared"),
        ("hotter", 22, "cleared"),
    ]


def test_a_lowered_rule_raises_anew_only_where_its_condition_still_holds(tmp_path: Path) -> None:
    engine = RuleEngine(rules_of(tmp_path, rule_dict(), rule_dict(id="other")))
    assert len(engine.evaluate(samples(course("car", COOLANT, [120] * 12)), reports())) == 2
    engine.lower("car", {"hot", "unknown"})
    engine.lower("nobody", {"hot"})
    again = engine.evaluate(samples(course("car", COOLANT, [120] * 12 + [90], start=12)), reports())
    assert [(f.source.id, *change) for f, change in zip(again, changes(again), strict=True)] == [
        ("hot", 22, "raised"),
        ("hot", 24, "cleared"),
        ("other", 24, "cleared"),
    ]


def test_a_forgotten_vehicle_begins_anew(tmp_path: Path) -> None:
    engine = RuleEngine(rules_of(tmp_path, rule_dict()))
    engine.evaluate(samples(course("car", COOLANT, [120] * 9)), reports())
    engine.forget("car")
    assert engine.snapshot("car") is None
    assert engine.evaluate(samples(course("car", COOLANT, [120] * 3, start=9)), reports()) == []


def test_the_state_of_the_shipped_rules_is_small() -> None:
    engine = RuleEngine(load_rules())
    assert engine.state_bytes_per_vehicle <= 4096
    engine.evaluate(samples([row for path in PATHS for row in course("car", path, [130] * 5)]), reports())
    assert len(engine.snapshot("car") or b"") <= 4096


def test_nothing_in_gives_nothing_out(jit: Jit) -> None:
    assert RuleEngine(load_rules(), jit=jit).evaluate(empty_samples(), reports()) == []
    assert RuleEngine([]).evaluate(samples(course("car", COOLANT, [130] * 5)), reports()) == []


def test_many_findings_at_once_are_all_kept(tmp_path: Path, jit: Jit) -> None:
    rules = rules_of(tmp_path, rule_dict(**{"for": "0 s"}))
    rows = course("car", COOLANT, [101, 99] * 2_000)
    findings = run(rules, rows, jit=jit)
    assert [finding.time_ns for finding in findings] == [number * SECOND for number in range(4_000)]


def test_a_snapshot_of_another_form_is_refused() -> None:
    engine = RuleEngine(load_rules())
    engine.evaluate(samples(course("car", COOLANT, [90])), reports())
    state = engine.snapshot("car") or b""
    with pytest.raises(ValueError, match="format"):
        engine.restore("car", state[:4] + b"\xff" + state[5:])


def test_a_list_of_codes_that_never_came_does_not_stop_a_timer_that_began_at_time_zero(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule_dict(when='EngineCoolant.Temperature > limit or dtc("P030?")', **{"for": "1 s"}))
    assert changes(run(rules, course("car", COOLANT, [101] * 4))) == [(1, "raised")]
