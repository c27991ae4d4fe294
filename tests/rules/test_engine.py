"""The rule stage: when it raises and clears, and that cuts, restarts and neighbours change nothing."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.findings import Finding, SourceKind, Transition
from domain.ports import no_jit
from domain.signals import SampleBatch, empty_samples
from domain.trouble_codes import CodeList, DtcBatch, DtcReport, dtc_batch
from rules.binding import bind_condition
from rules.engine import RuleEngine
from rules.expression import parse
from rules.pack import load_rules
from rules.rule import Pause, Rule, Trigger
from tests.rules.making import (
    CHARGING,
    COOLANT,
    END,
    ENGINE,
    PATHS,
    SECOND,
    SPEED,
    TIMER,
    VOLTAGE,
    Sample,
    course,
    obd,
    reports,
    rule_dict,
    rules_of,
    samples,
)
from tests.rules.reference import reference_events

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


# ---- property tests -----------------------------------------------------------------------------------------------------

TEMPLATE = load_rules()[0]
CONDITIONS = (
    "EngineCoolant.Temperature > 100",
    "EngineCoolant.Temperature > 100 and Vehicle.Speed < 50",
    "EngineCoolant.Temperature > 100 or Vehicle.Speed > 80",
    "not (Charging.IsCharging or EngineCoolant.Temperature < 90)",
    "abs(EngineCoolant.Temperature - 95) > 10 and not Charging.IsCharging",
    "max(EngineCoolant.Temperature, 91) >= clamp(EngineCoolant.Temperature, 80, 100)",
    "Vehicle.Speed / CombustionEngine.Speed != 0.1",
    "(Vehicle.Speed >= 40) == (-EngineCoolant.Temperature >= -99)",
)
FEATURES = (
    "mean(EngineCoolant.Temperature, 10 s) > 97.13",
    "std(EngineCoolant.Temperature, 12 s) > 8.137",
    "slope(EngineCoolant.Temperature, 9 s) > 1.037",
    "abs(rate(EngineCoolant.Temperature, 9 s)) > 1.137",
    "max(EngineCoolant.Temperature, 15 s) - min(EngineCoolant.Temperature, 15 s) > 20",
    "share(EngineCoolant.Temperature > 100 and Vehicle.Speed < 60, 10 s) > 0.371",
    "count(EngineCoolant.Temperature > 100, 20 s) >= 2",
    "percentile(EngineCoolant.Temperature, 75, 15 s, 80, 112) > 100.5",
    "mean(EngineCoolant.Temperature, 100 m) > 97.13",
    "share(EngineCoolant.Temperature > 90, 0.2 engine_min) > 0.517",
    "max(EngineCoolant.Temperature, trip) > 105 or count(Vehicle.Speed > 46, trip) > 2.5",
    "seq(EngineCoolant.Temperature < 90, EngineCoolant.Temperature > 100, 4 s)",
    "seq(Vehicle.Speed < 48, mean(EngineCoolant.Temperature, 5 s) > 95.13, 6 s)",
    "cycles(EngineCoolant.Temperature > 100, 2, 3)",
    "cycles(share(Vehicle.Speed > 46, 5 s) > 0.413, 1, 2) and EngineCoolant.Temperature > 90",
    "absent(Vehicle.Speed, 6 s) and EngineCoolant.Temperature > 90",
    "mean(max(EngineCoolant.Temperature, 5 s), 5 s) > 95.13",
    "local_hour(0) < 0.005 and EngineCoolant.Temperature > 90",
)
GATES = (None, "CombustionEngine.Speed > 400", "CombustionEngine.Speed > 400 and not Charging.IsCharging")

made_rules = st.builds(
    lambda *figures: _rule(*figures),
    st.integers(0, 9),
    st.sampled_from(GATES),
    st.sampled_from((*CONDITIONS, *FEATURES)),
    st.sampled_from((None, *CONDITIONS, *FEATURES)),
    st.integers(0, 12),
    st.integers(0, 6),
    st.sampled_from(Pause),
    st.sampled_from((Pause.HOLD, Pause.RESET)),
    st.sampled_from(Trigger),
    st.sampled_from((0, 0, 7)),
    st.sampled_from((0, 0, 15)),
    st.sampled_from((0.0, 0.0, 0.5)),
)
made_samples = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 80).map(lambda half: half / 2),
        st.sampled_from([SPEED, ENGINE, COOLANT, COOLANT, COOLANT, CHARGING, VOLTAGE, TIMER, END]),
        st.sampled_from([0.0, 1.0, 45.0, 50.0, 85.0, 101.0, 101.0, 120.0, 900.0]),
    ),
    max_size=120,
    unique_by=lambda sample: sample[:3],
).map(sorted)


def _rule(
    number: int,
    gate: str | None,
    when: str,
    clear: str | None,
    hold: int,
    clear_hold: int,
    gap: Pause,
    closed: Pause,
    trigger: Trigger = Trigger.LEVEL,
    keep: int = 0,
    interval: int = 0,
    rate: float = 0.0,
) -> Rule:
    return replace(
        TEMPLATE,
        id=f"rule_{number}",
        gate=None if gate is None else bind_condition(parse(gate), {}),
        when=bind_condition(parse(when), {}),
        clear_when=None if clear is None else bind_condition(parse(clear), {}),
        hold_ns=hold * SECOND,
        clear_hold_ns=clear_hold * SECOND,
        parameters={"limit": 115.0, "margin": 7.0},
        on_gap=gap,
        gate_closed=closed,
        trigger=trigger,
        keep_firing_ns=keep * SECOND,
        min_interval_ns=interval * SECOND,
        min_rate_hz=rate,
    )


def cut(batch: SampleBatch, dtcs: DtcBatch, times_ns: Sequence[int]) -> list[tuple[SampleBatch, DtcBatch]]:
    """The same records in batches that end before these times."""
    edges = [-1, *sorted(times_ns), 2**62]
    parts = []
    for low, high in pairwise(edges):
        keep = (batch.time_ns >= low) & (batch.time_ns < high)
        part = replace(
            batch, time_ns=batch.time_ns[keep], vehicle=batch.vehicle[keep], signal=batch.signal[keep], value=batch.value[keep]
        )
        parts.append((part, dtc_batch(dtcs.vehicles, [report for report in dtcs if low <= report.time_ns < high])))
    return parts


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.vehicle, finding.time_ns, finding.source.id))


def dense_samples(seed: int) -> list[Sample]:
    """Two vehicles whose signals come about once a second, with gaps, ends of drives and ticks among them."""
    chance = random.Random(seed)
    rows: list[Sample] = []
    for vehicle in ("a", "b"):
        for path, levels in ((COOLANT, (86, 91, 96, 101, 104, 113)), (SPEED, (0, 45, 47, 50)), (ENGINE, (0, 900, 900))):
            time_s, value = 0.0, float(chance.choice(levels))
            while time_s < 60.0:
                rows.append((vehicle, time_s, path, value))
                time_s += chance.choice((0.5, 1.0, 1.0, 1.0, 1.5)) if chance.random() < 0.98 else 7.0
                value = value if chance.random() < 0.6 else float(chance.choice(levels))
        kinds = [TIMER, TIMER, END] + [END] * chance.randrange(3)
        rows += [(vehicle, chance.randrange(120) / 2, kind, 0.0) for kind in kinds]
    return sorted(set(rows))


any_samples = st.one_of(made_samples, *[st.integers(0, 2**32).map(dense_samples)] * 2)
LONG = 40 if os.environ.get("PITCALL_LONG_TESTS") else 1
"""The longer form tries this many times as many rules and series."""
RELAXED = settings(max_examples=60 * LONG, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RELAXED
@given(rule=made_rules, rows=any_samples)
def test_the_kernel_means_what_the_plain_reading_means(rule: Rule, rows: list[Sample], jit: Jit) -> None:
    findings = run([rule], rows, jit=jit)
    found = [(finding.vehicle, finding.time_ns, finding.transition is Transition.RAISED) for finding in findings]
    assert found == sorted(reference_events(rule, rows), key=lambda event: (event[0], event[1]))


@settings(max_examples=25 * LONG, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=st.lists(made_rules, max_size=4, unique_by=lambda rule: rule.id), rows=any_samples)
def test_the_compiled_kernel_finds_exactly_what_plain_python_finds(rules: list[Rule], rows: list[Sample], jit: Jit) -> None:
    assert run(rules, rows, jit=jit) == run(rules, rows, jit=no_jit)


made_lists = st.lists(
    st.builds(
        lambda half, codes, source, complete: obd(half / 2, *sorted(codes), source=source, complete=complete),
        st.integers(0, 80),
        st.sets(st.sampled_from(["P0301", "P0302", "P0171"])),
        st.sampled_from([0x7E8, 0x7E9]),
        st.booleans(),
    ),
    max_size=20,
)


@RELAXED
@given(
    rules=st.lists(made_rules, max_size=4, unique_by=lambda rule: rule.id),
    rows=any_samples,
    lists=made_lists,
    cuts=st.lists(st.integers(0, 80).map(lambda half: half * SECOND // 2), max_size=8),
    restart=st.booleans(),
)
def test_cuts_restarts_and_neighbours_change_nothing(
    rules: list[Rule], rows: list[Sample], lists: list[DtcReport], cuts: list[int], restart: bool, jit: Jit
) -> None:
    coded = bind_condition(parse('dtc("P030?") and EngineCoolant.Temperature > 100'), {})
    rules = [*rules, replace(_rule(0, None, CONDITIONS[0], None, 3, 2, Pause.HOLD, Pause.RESET), id="coded", when=coded)]
    batch, dtcs = samples(rows), dtc_batch(("a",), lists)
    whole = RuleEngine(rules, jit=jit).evaluate(batch, dtcs)
    engine = RuleEngine(rules, jit=jit)
    parts: list[Finding] = []
    for piece, codes in cut(batch, dtcs, cuts):
        parts += engine.evaluate(piece, codes)
        if restart:
            states = {vehicle: engine.snapshot(vehicle) for vehicle in ("a", "b", "c")}
            engine = RuleEngine(rules, jit=jit)
            for vehicle, state in reversed(states.items()):
                if state is not None:
                    engine.restore(vehicle, state)
    assert in_order(parts) == whole
    for vehicle in ("a", "b", "c"):
        alone = RuleEngine(rules, jit=jit).evaluate(
            samples([row for row in rows if row[0] == vehicle]), dtcs if vehicle == "a" else reports()
        )
        assert alone == [finding for finding in whole if finding.vehicle == vehicle]


def test_a_snapshot_of_another_form_is_refused() -> None:
    engine = RuleEngine(load_rules())
    engine.evaluate(samples(course("car", COOLANT, [90])), reports())
    state = engine.snapshot("car") or b""
    with pytest.raises(ValueError, match="format"):
        engine.restore("car", state[:4] + b"\xff" + state[5:])
