"""One suite for every trip detector: adding a detector is adding an entry to detectors.yaml."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import pytest

from domain.findings import Finding, Transition, Urgency
from domain.ports import Jit, no_jit
from domain.signals import SampleBatch
from domain.trouble_codes import dtc_batch
from models.trip import judgement
from models.trip.channels import CHANNELS
from models.trip.entries import Detector, shipped
from models.trip.features import TripRows
from models.trip.panes import NS_PER_S, PANE_S
from models.trip.stage import WATCH, TripDetectors, Verdicts, account_of
from tests.models.trip.lives import life
from tests.models.trips import joined, rows_of

NO_CODES = dtc_batch((), ())
DETECTORS = {each.id: each for each in shipped()}
LIFE = life()
SHIFTING = {name: each for name, each in DETECTORS.items() if not each.entry.by_days}
SIDES = [(each, 1.0) for each in SHIFTING.values() if each.entry.high] + [
    (each, -1.0) for each in SHIFTING.values() if each.entry.low
]
EVERY_SHIFTING = pytest.mark.parametrize("detector", SHIFTING.values(), ids=SHIFTING)
EVERY = pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)


@functools.cache
def once(function: Callable[..., Any]) -> Callable[..., Any]:
    return numba.njit(nogil=True)(function)  # type: ignore[no-any-return]  # numba ships no types


@pytest.fixture(scope="module")
def compiled() -> Jit:
    return once  # type: ignore[return-value]  # a function gives its like


def told(stage: TripDetectors, batches: Sequence[SampleBatch]) -> list[tuple[str, int, Verdicts]]:
    return [
        (stage.vehicle(int(each.rows.slot[0])), each.rows.detector, each) for batch in batches for each in stage.verdicts(batch)
    ]


def figures(stage: TripDetectors, batches: Sequence[SampleBatch]) -> dict[int, list[list[float]]]:
    """Detector -> figure, weight, operating point and verdict of each trip, whatever the blocks were."""
    found: dict[int, list[list[float]]] = {}
    for _, number, each in told(stage, batches):
        width = judgement.TOLD + stage.detectors[number].q
        table = np.column_stack((each.rows.value, each.rows.weight, each.rows.panes, each.rows.points, each.told[:, :width]))
        found.setdefault(number, []).extend(table.tolist())
    return found


EXPECTED = figures(TripDetectors(), [LIFE])


def test_the_life_of_the_suite_tells_every_detector_something() -> None:
    assert {DETECTORS_BY_NUMBER[number] for number in EXPECTED} == set(DETECTORS)
    assert all(len(rows) == 3 for number, rows in EXPECTED.items() if DETECTORS_BY_NUMBER[number] != "rest_voltage")


DETECTORS_BY_NUMBER = dict(enumerate(DETECTORS))


def test_the_same_again_gives_the_same() -> None:
    assert figures(TripDetectors(), [LIFE]) == EXPECTED


def test_compiled_kernels_give_the_same_values(compiled: Jit) -> None:
    assert figures(TripDetectors(jit=compiled), [LIFE]) == EXPECTED


@pytest.mark.parametrize("seed", range(4))
def test_cuts_snapshots_and_other_vehicles_change_nothing(seed: int, compiled: Jit) -> None:
    rng = np.random.default_rng(seed)
    cuts = [0, *sorted(rng.integers(0, len(LIFE), 6).tolist()), len(LIFE)]
    stage, found = TripDetectors(jit=compiled), dict[int, list[list[float]]]()
    for first, stop in pairwise(cuts):
        if rng.random() < 0.5:
            figures(stage, [life("another", trips=1, minutes=8, seed=seed)])
        for number, rows in figures(stage, [rows_of(LIFE, slice(first, stop))]).items():
            found.setdefault(number, []).extend(rows)
        if rng.random() < 0.7:
            state = stage.snapshot("car")
            stage = TripDetectors(jit=compiled)
            if state is not None:
                stage.restore("car", state)
    assert found == EXPECTED


def test_another_time_and_another_name_change_nothing_but_these(compiled: Jit) -> None:
    by = 100 * 86_400 * NS_PER_S + PANE_S * NS_PER_S
    moved = replace(LIFE, time_ns=LIFE.time_ns + by, vehicles=("someone else",))
    verdicts, elsewhere = (told(TripDetectors(jit=compiled), [batch]) for batch in (LIFE, moved))
    assert {vehicle for vehicle, _, _ in elsewhere} == {"someone else"}
    for (_, number, here), (_, other, there) in zip(verdicts, elsewhere, strict=True):
        assert number == other
        np.testing.assert_allclose(there.rows.value, here.rows.value, rtol=1e-12)
        np.testing.assert_array_equal(there.rows.closed_ns, here.rows.closed_ns + by)


def test_two_vehicles_in_one_batch_do_not_mix(compiled: Jit) -> None:
    both = joined([LIFE, life("twin")])
    found: dict[str, list[float]] = {}
    for each in TripDetectors(jit=compiled)._features.read(both):
        for row in range(len(each)):
            found.setdefault(f"{each.detector}", []).append(float(each.value[row]))
    assert all(values[: len(values) // 2] == values[len(values) // 2 :] for values in found.values())


@EVERY
def test_without_its_inputs_it_says_nothing(detector: Detector, compiled: Jit) -> None:
    names = {name for need in detector.formula.needs for name in need.split("|")}
    # what a trip remembers of the start of the engine comes from the voltage
    needed = {"battery_v" if name.startswith(("crank", "start")) else name.removeprefix("previous_") for name in names}
    gone = [number for number, channel in enumerate(CHANNELS) if channel.name in needed]
    left = rows_of(LIFE, np.flatnonzero(~np.isin(LIFE.signal, gone)))
    assert told(TripDetectors([detector], compiled), [left]) == []


@EVERY
def test_without_anything_else_it_still_says_something_finite(detector: Detector, compiled: Jit) -> None:
    stage = TripDetectors([detector], compiled)
    optional = {"ambient_c", "intake_c", "load_percent", "torque_percent", "pack_c", "oil_c", "dpf_soot_percent", "scr_inlet_c"}
    needed = {name for need in detector.formula.needs for name in need.split("|")}
    gone = [number for number, channel in enumerate(CHANNELS) if channel.name in optional - needed]
    rows = [each for _, _, each in told(stage, [rows_of(LIFE, np.flatnonzero(~np.isin(LIFE.signal, gone)))])]
    assert rows
    assert all(np.isfinite(each.told[:, : judgement.TOLD + detector.q]).all() for each in rows)


@EVERY
def test_frozen_sensors_raise_nothing(detector: Detector, compiled: Jit) -> None:
    value = LIFE.value.copy()
    for number in range(len(CHANNELS)):
        own = LIFE.signal == number
        value[own] = value[own][-1]
    stage = TripDetectors([detector], compiled)
    assert stage.evaluate(replace(LIFE, value=value), NO_CODES) == []


@EVERY
def test_impossible_values_count_as_absent(detector: Detector, compiled: Jit) -> None:
    value = LIFE.value.copy()
    spoilt = (np.arange(len(value)) % 7 == 0) & (LIFE.signal >= 0)
    kept = rows_of(LIFE, np.flatnonzero(~spoilt))
    value[spoilt] = np.resize([np.nan, np.inf, -np.inf, 1e300, -1e300, 1e9], spoilt.sum())
    stage, without = TripDetectors([detector], compiled), TripDetectors([detector], compiled)
    assert figures(stage, [replace(LIFE, value=value)]) == figures(without, [kept])


def rows(detector: Detector, values: Sequence[float]) -> TripRows:
    """Trips at the middle of the operating range, a day apart."""
    count, points = len(values), np.zeros((len(values), detector.q))
    points[:, 0] = 1.0
    days = np.arange(count) * 86_400 * NS_PER_S
    return TripRows(
        detector=0,
        slot=np.zeros(count, np.int64),
        start_ns=days + NS_PER_S,
        closed_ns=days + 3600 * NS_PER_S,
        panes=np.full(count, 60),
        value=np.asarray(values, np.float64),
        weight=np.ones(count),
        points=points,
    )


def judged(detector: Detector, values: Sequence[float]) -> list[Finding]:
    stage = TripDetectors([detector])
    stage._slots.made(["car"])
    of_car = rows(detector, values)
    return stage._findings(stage.judge(replace(of_car, slot=stage._slots.made(["car"] * len(values)))))


def normal(detector: Detector, trips: int) -> list[float]:
    prior = detector.entry.prior
    scatter = 0.7 * prior.within * np.random.default_rng(3).standard_normal(trips)
    return (prior.level.mean + 0.5 * prior.level.sd + scatter).tolist()


@EVERY_SHIFTING
def test_a_sound_car_raises_nothing(detector: Detector) -> None:
    assert judged(detector, normal(detector, 120)) == []


@pytest.mark.parametrize(("detector", "side"), SIDES, ids=[f"{each.id}-{'high' if side > 0 else 'low'}" for each, side in SIDES])
def test_a_lasting_shift_is_watched_then_told_then_over(detector: Detector, side: float) -> None:
    words = detector.entry.high if side > 0 else detector.entry.low
    assert words is not None
    size = max(3.0 * detector.entry.prior.within, 2.0 * (words.smallest or 0.0))
    healthy = normal(detector, 60)
    found = judged(detector, [*healthy, *(healthy[n] + side * size for n in range(40)), *healthy[:20]])
    own = [(each.source.id, each.transition) for each in found if each.transition is not Transition.REPEATED]
    alert, watch = detector.id, detector.id + WATCH
    assert own[:2] == [(watch, Transition.RAISED), (alert, Transition.RAISED)]
    assert set(own[2:4]) == {(watch, Transition.CLEARED), (alert, Transition.CLEARED)}
    first = {each.source.id: each for each in reversed(found) if each.transition is Transition.RAISED}
    assert first[watch].urgency is Urgency.MONITOR
    assert first[alert].urgency is words.urgency
    assert first[alert].group_key == detector.entry.group_key
    assert first[alert].evidence[0].comparison == (">" if side > 0 else "<")
    assert first[alert].title.zh
    assert first[alert].explanation.zh != first[alert].explanation.en


@EVERY
def test_what_is_expected_and_the_error_sum_up_to_what_was_observed(detector: Detector, compiled: Jit) -> None:
    stage = TripDetectors([detector], compiled)
    for _, _, each in told(stage, [LIFE]):
        for row in range(len(each.rows)):
            account = account_of(detector, each, row)
            assert account.expected + account.error == pytest.approx(account.observed, abs=1e-9)
            assert account.expected == pytest.approx(each.told[row, judgement.EXPECTED], abs=1e-9)
            assert account.low <= account.mean <= account.high


@EVERY_SHIFTING
def test_lowered_sources_are_raised_anew(detector: Detector) -> None:
    words = detector.entry.high or detector.entry.low
    assert words is not None
    stage = TripDetectors([detector])
    slot = stage._slots.made(["car"])
    shift = (1.0 if detector.entry.high else -1.0) * max(4.0 * detector.entry.prior.within, 2.0 * (words.smallest or 0.0))
    healthy = normal(detector, 60)

    def raised(values: Sequence[float]) -> set[str]:
        own = rows(detector, values)
        found = stage._findings(stage.judge(replace(own, slot=np.repeat(slot, len(own)))))
        return {each.source.id for each in found if each.transition is Transition.RAISED}

    assert raised([*healthy, *(each + shift for each in healthy[:20])]) == {detector.id, detector.id + WATCH}
    stage.lower("car", [detector.id, detector.id + WATCH])
    assert raised([each + shift for each in healthy[:20]]) == {detector.id, detector.id + WATCH}


def test_nothing_is_left_of_a_forgotten_vehicle_and_a_snapshot_is_small() -> None:
    stage = TripDetectors()
    stage.evaluate(rows_of(LIFE, slice(0, len(LIFE) - 50)), NO_CODES)
    state = stage.snapshot("car")
    assert state is not None
    assert len(state) < 12_000
    stage.forget("car")
    assert stage.snapshot("car") is None


def test_no_jit_is_the_fallback() -> None:
    assert TripDetectors()._judge is judgement.judge_trips
    assert no_jit(judgement.judge_trips) is judgement.judge_trips


def test_pads_are_told_before_they_are_through_and_a_leaking_tyre_by_its_pace() -> None:
    pads, tyre = DETECTORS["brake_pad"], DETECTORS["tyre_fl"]
    worn = judged(pads, [70.0 + 0.4 * day for day in range(60)])
    assert [(each.source.id, each.transition) for each in worn] == [
        ("brake_pad" + WATCH, Transition.RAISED),
        ("brake_pad", Transition.RAISED),
    ]
    assert 80.0 < (worn[1].evidence[0].value or 0.0) < 90.0
    slow = judged(tyre, [-0.15 * (day % 40) for day in range(120)])
    fast = judged(tyre, [-0.1 * day for day in range(30)] + [-3.0 - 1.5 * day for day in range(15)])
    assert slow == []
    assert {each.source.id for each in fast} == {"tyre_fl", "tyre_fl" + WATCH}
    assert "front left" in fast[0].title.en
