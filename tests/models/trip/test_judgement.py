"""Baselines and running sums: what is learnt, what is kept out of it, and limits that keep their budget."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.trip import judgement
from models.trip.entries import Detector, shipped
from models.trip.features import TripRows
from models.trip.injected import Protocol, injected_figures
from models.trip.stage import TripDetectors

COOLANT = next(each for each in shipped() if each.id == "coolant")
RAISED = judgement.WATCH_RAISED | judgement.ALERT_RAISED


def trips(values: np.ndarray, points: np.ndarray) -> TripRows:
    count = len(values)
    days = np.arange(count, dtype=np.int64) * 86_400_000_000_000
    return TripRows(
        detector=0,
        slot=np.zeros(count, np.int64),
        start_ns=days,
        closed_ns=days + 1,
        panes=np.full(count, 60),
        value=values,
        weight=np.ones(count),
        points=points,
    )


def operating(rng: np.random.Generator, count: int, detector: Detector = COOLANT) -> np.ndarray:
    return np.column_stack((np.ones(count), rng.standard_normal((count, detector.q - 1))))


def told(rows: TripRows, detector: Detector = COOLANT) -> np.ndarray:
    stage = TripDetectors([detector])
    stage._slots.made(["car"])
    return stage.judge(rows).told


def test_the_vehicle_s_own_coefficients_are_learnt() -> None:
    rng = np.random.default_rng(1)
    points = operating(rng, 200)
    own = np.array([84.0, 0.5, -0.3, 0.6])
    found = told(trips(points @ own + 0.3 * rng.standard_normal(200), points))[-1, judgement.TOLD : judgement.TOLD + COOLANT.q]
    np.testing.assert_allclose(found, own, atol=0.15)


def test_the_first_trip_moves_the_level_as_bayes_says() -> None:
    prior = COOLANT.entry.prior
    points = np.zeros((2, COOLANT.q))
    points[:, 0] = 1.0
    found = told(trips(np.array([84.0, 84.0]), points))
    share = prior.level.sd**2 / (prior.level.sd**2 + prior.within**2)
    assert found[0, judgement.EXPECTED] == prior.level.mean
    assert found[1, judgement.EXPECTED] == pytest.approx(prior.level.mean + share * (84.0 - prior.level.mean), rel=1e-12)


def test_later_trips_do_not_change_what_was_said_before() -> None:
    rng = np.random.default_rng(5)
    points = operating(rng, 90)
    values = points @ np.array([90.0, 0.2, 0.1, 0.4]) + 0.4 * rng.standard_normal(90)
    short = trips(values[:60], points[:60])
    changed = values.copy()
    changed[60:] += 25.0
    width = judgement.TOLD + COOLANT.q
    np.testing.assert_array_equal(told(trips(changed, points))[:60, :width], told(short)[:, :width])


def test_a_drift_put_into_random_order_is_no_drift() -> None:
    rng = np.random.default_rng(8)
    count, early, late = 160, 0, 0
    for _ in range(20):
        points = operating(rng, count)
        drift = np.linspace(0.0, 6.0, count)
        values = points @ np.array([90.0, 0.2, 0.1, 0.4]) + 0.4 * rng.standard_normal(count)
        order = rng.permutation(count)
        for added in (drift, drift[order]):
            said = told(trips(values + added, points))[:, judgement.SAID].astype(int)
            raised = bool((said & RAISED).any())
            early, late = (early + raised, late) if added is drift else (early, late + raised)
    assert early == 20
    assert late <= 2


def test_a_fault_that_was_there_from_the_start_is_the_baseline_of_a_car_but_not_of_the_fleet() -> None:
    points = np.zeros((30, COOLANT.q))
    points[:, 0] = 1.0
    said = told(trips(np.full(30, 62.0) + 0.01 * np.arange(30), points))[:, judgement.SAID].astype(int)
    far = told(trips(np.full(30, 86.0) + 0.01 * np.arange(30), points))[:, judgement.SAID].astype(int)
    assert (said & RAISED).any()
    assert not (far & RAISED).any()


@pytest.mark.parametrize(("rate", "allowance"), [(0.01, 0.5), (0.005, 0.75)])
def test_limits_keep_their_budget_on_normal_deviations(rate: float, allowance: float) -> None:
    limit = judgement.limit_for_budget(rate, allowance)
    rng = np.random.default_rng(3)
    alarms, trips_seen = 0, 0
    for _ in range(400):
        high = low = 0.0
        for score in rng.standard_normal(200).tolist():
            trips_seen += 1
            high, low = max(0.0, high + score - allowance), max(0.0, low - score - allowance)
            if max(high, low) > limit:
                alarms, high, low = alarms + 1, 0.0, 0.0
    assert alarms / trips_seen == pytest.approx(rate, rel=0.35)


def test_a_car_without_scatter_finds_nothing_when_nothing_is_added() -> None:
    rng = np.random.default_rng(4)
    points = operating(rng, 60)
    rows = trips(points @ np.array([90.0, 0.2, 0.1, 0.4]) + 0.4 * rng.standard_normal(60), points)
    nothing = injected_figures(COOLANT, rows, 0.0001, replace(Protocol(lives=30), share=20_000.0))
    shifted = injected_figures(COOLANT, rows, 3.0, Protocol(lives=30))
    assert nothing["step"]["found"] <= 0.1
    assert (shifted["step"]["found"], shifted["step"]["median_trips"] <= 3) == (1.0, True)
