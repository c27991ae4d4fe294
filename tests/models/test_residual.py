"""The expectation, when a pane counts, and the figures of a trip."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PPoly

from models.coolant_detector import COOLANT
from models.residual import AdditiveModel, Curve, add_residuals, new_trip, settled_points, trip_statistic

HILL = Curve(feature="x", breaks=(0.0, 1.0, 3.0), coefficients=((1.0, 0.0, 0.0, 2.0), (0.0, -1.0, 3.0, 3.0)), absent=7.0)


def test_a_curve_is_the_polynomial_that_scipy_makes_of_it() -> None:
    x = np.linspace(0, 3, 301)
    reference = PPoly(np.array(HILL.coefficients).T, np.array(HILL.breaks))
    np.testing.assert_allclose(HILL(x), reference(x), atol=1e-12)


def test_a_curve_stays_level_outside_the_training() -> None:
    assert HILL(np.array([-100.0, 0.0, 3.0, 100.0])).tolist() == [2.0, 2.0, 5.0, 5.0]


def test_a_missing_feature_has_a_contribution_of_its_own() -> None:
    assert HILL(np.array([np.nan])).tolist() == [7.0]


@given(st.lists(st.floats(-2, 5), min_size=1, max_size=50))
def test_an_expectation_is_the_same_to_the_last_bit_in_any_batch(x: list[float]) -> None:
    model = AdditiveModel(intercept=0.1, curves=(HILL, HILL))
    points = np.array([x, x[::-1]]).T
    one_by_one = [model.expect(points[row : row + 1])[0] for row in range(len(x))]
    assert model.expect(points).tolist() == one_by_one


def test_an_operating_point_beyond_the_training_is_unknown() -> None:
    model = AdditiveModel(intercept=0.0, curves=(HILL, HILL))
    points = np.array([[1.0, 50.0], [3.1, 1.0], [3.2, 1.0], [-0.2, 1.0], [np.nan, 1.0]])
    assert model.knows(points, (0,)).tolist() == [True, True, False, False, False]


@given(st.lists(st.integers(-400, 400), min_size=1, max_size=60))
def test_the_trip_statistic_is_median_and_median_deviation(twentieths: list[int]) -> None:
    residuals = np.array(twentieths) / 20
    trip = new_trip(COOLANT)
    expected = np.full(len(residuals), 90.0)
    add_residuals(trip, np.arange(len(residuals)), expected + residuals, expected)
    statistic = trip_statistic(trip, 1)
    assert statistic is not None
    assert statistic.residual == pytest.approx(np.median(residuals))
    assert statistic.spread == pytest.approx(np.median(np.abs(residuals - np.median(residuals))))
    assert statistic.panes == len(residuals)
    assert statistic.observed - statistic.expected == pytest.approx(np.mean(residuals))


def test_a_trip_with_too_few_panes_says_nothing() -> None:
    trip = new_trip(COOLANT)
    add_residuals(trip, np.arange(17), np.full(17, 90.0), np.full(17, 89.0))
    assert trip_statistic(trip, 18) is None
    assert trip_statistic(new_trip(COOLANT), 0) is None


def panes(count: int, *, coolant: float = 90.0, rpm: float = 1500.0) -> np.ndarray:
    values = np.full((count, len(COOLANT.columns)), 50.0)
    values[:, 0], values[:, 1] = coolant, rpm
    return values


@pytest.mark.parametrize(("start", "seconds"), [(90.0, 300), (85.0, 300), (20.0, 820), (-15.0, 1100)])
def test_a_cold_start_needs_longer_to_settle(start: float, seconds: int) -> None:
    values = panes(200)
    values[0, 0] = start
    _, counts = settled_points(COOLANT, new_trip(COOLANT), values)
    assert 10 * (int(np.argmax(counts)) + 1) == seconds
    assert counts[np.argmax(counts) :].all()


def test_a_rest_takes_back_half_of_the_running_time() -> None:
    values = np.concatenate([panes(60), panes(60, rpm=0.0), panes(10)])
    points, counts = settled_points(COOLANT, new_trip(COOLANT), values)
    assert points[59, -1] == 600.0
    assert points[119, -1] == 300.0
    assert not counts[60:120].any()
    assert counts[120:].all()


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_pane_without_what_is_required_does_not_count(column: int) -> None:
    values = panes(100)
    values[60, column] = math.nan
    _, counts = settled_points(COOLANT, new_trip(COOLANT), values)
    assert counts[59]
    assert not counts[60]
    assert counts[62]


def test_a_moving_average_forgets_with_its_time_constant() -> None:
    values = panes(7)
    values[1:, 2] = 110.0
    points, _ = settled_points(COOLANT, new_trip(COOLANT), values)
    # a step of 60 km/h, one time constant of 60 s later
    assert points[6, 1] == pytest.approx(110.0 - 60.0 * math.exp(-1))
