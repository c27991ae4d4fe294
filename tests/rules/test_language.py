"""What the functions with windows and memory, triggers, shadow rules and parameters by vehicle do, told one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.findings import Finding
from domain.signals import SampleBatch
from rules.engine import RuleEngine
from tests.rules.making import (
    COOLANT,
    END,
    SECOND,
    SPEED,
    Sample,
    course,
    obd,
    reports,
    rule_dict,
    rules_of,
    samples,
)

AT_ONCE: dict[str, Any] = {"for": "0 s", "parameters": {}}


def engine_of(folder: Path, *, options: dict[str, Any] | None = None, **changes: Any) -> RuleEngine:
    return RuleEngine(rules_of(folder, rule_dict(**{**AT_ONCE, **changes})), **(options or {}))


def changes_of(engine: RuleEngine, rows: Sequence[Sample]) -> list[tuple[float, str]]:
    return told(engine.evaluate(samples(rows), reports()))


def told(findings: Sequence[Finding]) -> list[tuple[float, str]]:
    return [(finding.time_ns / SECOND, finding.transition.value) for finding in findings]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("rate(EngineCoolant.Temperature, 15 s) > 0.9 celsius/s", [(12.0, "raised")]),
        ("max(EngineCoolant.Temperature, 15 s) > 100", [(41.0, "raised")]),
        ("min(EngineCoolant.Temperature, 15 s) > 100", [(55.0, "raised")]),
        ("share(EngineCoolant.Temperature > 100, 15 s) > 0.5", [(49.0, "raised")]),
        ("count(EngineCoolant.Temperature > 100, 15 s) >= 1", [(41.0, "raised"), (56.0, "cleared")]),
        (
            "seq(EngineCoolant.Temperature < 70, EngineCoolant.Temperature > 72, 5 s)",
            [(13.0, "raised"), (15.0, "cleared")],
        ),
    ],
)
def test_a_function_of_a_ramp_is_what_its_samples_say(tmp_path: Path, when: str, expected: list[tuple[float, str]]) -> None:
    assert changes_of(engine_of(tmp_path, when=when), course("car", COOLANT, list(range(60, 130)))) == expected


def test_an_edge_raises_only_after_the_condition_was_seen_false(tmp_path: Path) -> None:
    rows = course("car", COOLANT, [120] * 5 + [90] + [120] * 3)
    edge = engine_of(tmp_path, when="EngineCoolant.Temperature > 100", trigger="edge")
    assert changes_of(edge, rows) == [(6, "raised")]


def test_what_was_never_told_is_unknown_at_the_very_beginning_of_time_too(tmp_path: Path) -> None:
    rows = course("car", COOLANT, [90] + [120] * 9)
    edge = engine_of(
        tmp_path, when='EngineCoolant.Temperature > 100 and dtc("P0117")', clear_when=None, trigger="edge", on_gap="unknown"
    )
    assert told(edge.evaluate(samples(rows), reports(obd(5, "P0117")))) == []


def test_it_keeps_firing_and_then_keeps_quiet(tmp_path: Path) -> None:
    rows = course("car", COOLANT, [120, 120, *[90] * 8, *[120] * 20])
    keeps = engine_of(tmp_path, when="EngineCoolant.Temperature > 100", keep_firing_for="5 s")
    assert changes_of(keeps, rows) == [(0, "raised"), (6, "cleared"), (10, "raised")]
    seldom = engine_of(tmp_path, when="EngineCoolant.Temperature > 100", min_interval="20 s")
    assert changes_of(seldom, rows) == [(0, "raised"), (2, "cleared"), (20, "raised")]


def test_it_abstains_where_a_signal_comes_too_seldom(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, when="EngineCoolant.Temperature > 100", min_rate="1 Hz")
    rows = [*course("car", COOLANT, [120] * 5, step=2.0), *course("car", COOLANT, [120] * 3, start=20.0)]
    assert changes_of(engine, rows) == [(21, "raised")]


def test_absence_counts_within_a_drive(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, when="absent(EngineCoolant.Temperature, 5 s) and Vehicle.Speed > 3")
    parked = [("car", 0.0, COOLANT, 90.0), ("car", 1.0, END, 0.0)]
    assert changes_of(engine, [*parked, *course("car", SPEED, [50] * 10, start=1000.0)]) == [(1006, "raised")]


def test_a_shadow_rule_is_counted_and_tells_only_who_asks(tmp_path: Path) -> None:
    heard: list[Finding] = []
    engine = engine_of(tmp_path, when="EngineCoolant.Temperature > 100", status="shadow", options={"on_shadow": heard.append})
    assert changes_of(engine, course("car", COOLANT, [120, 90, 120])) == []
    assert dict(engine.shadow_counts) == {("hot", "raised"): 2, ("hot", "cleared"): 1}
    assert told(heard) == [(0, "raised"), (1, "cleared"), (2, "raised")]


def test_a_vehicle_may_have_its_own_parameters(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"limit": {"value": 100, "unit": "celsius"}}
    own = {"taxi": {"hot": {"limit": 110.0}}}
    for when in ("EngineCoolant.Temperature > limit", "count(EngineCoolant.Temperature > limit, trip) >= 1"):
        engine = engine_of(tmp_path, when=when, parameters=limits, options={"overrides_of": lambda vehicle: own.get(vehicle, {})})
        findings = engine.evaluate(samples([*course("car", COOLANT, [90, 105]), *course("taxi", COOLANT, [90, 105])]), reports())
        assert [finding.vehicle for finding in findings] == ["car"]


def test_a_window_goes_on_over_a_reload_that_changes_another_rule(tmp_path: Path) -> None:
    window = rule_dict(**AT_ONCE, when="mean(EngineCoolant.Temperature, 30 s) > 100")
    other = rule_dict(id="other", when="EngineCoolant.Temperature > 200", parameters={})
    rows = course("car", COOLANT, [110] * 60)

    def part(low: float, high: float) -> SampleBatch:
        return samples([row for row in rows if low <= row[1] < high])

    before = RuleEngine(rules_of(tmp_path, window, other))
    assert before.evaluate(part(0, 15), reports()) == []
    after = RuleEngine(rules_of(tmp_path, {**other, "for": "99 h"}, window))
    after.restore("car", before.snapshot("car") or b"")
    assert told(after.evaluate(part(15, 60), reports())) == [(23.0, "raised")]


@pytest.mark.parametrize(("longitude", "inside"), [(121.47, True), (121.49, True), (121.51, False)])
def test_a_fence_is_a_circle_on_the_ground(longitude: float, inside: bool) -> None:
    from rules.binding import bind_condition
    from rules.expression import parse
    from rules.meaning import evaluate

    fence = bind_condition(parse("near(31.23, 121.47, 2 km)"), {})
    at = {"Vehicle.CurrentLocation.Latitude": 31.23, "Vehicle.CurrentLocation.Longitude": longitude}
    assert evaluate(fence, at, {}) == float(inside)
