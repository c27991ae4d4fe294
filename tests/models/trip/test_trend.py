"""Slopes and days left, held against scipy's Theil-Sen estimator."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import theilslopes

from models.trip import trend


def row_of(days: np.ndarray, values: np.ndarray) -> np.ndarray:
    row = np.zeros(trend.TREND_WIDTH)
    for day, value in zip(days.tolist(), values.tolist(), strict=True):
        trend.add_point(row, day, value)
    return row


@pytest.mark.parametrize("seed", range(5))
def test_slope_and_interval_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = np.cumsum(rng.uniform(1.0, 2.5, 31))
    values = 40.0 + 0.3 * days + rng.standard_normal(31)
    found = trend.slope(row_of(days, values))
    assert found is not None
    slope, _, low, high = theilslopes(values[:-1], days[:-1], 0.95)
    assert found.per_day == pytest.approx(slope, rel=1e-9)
    assert (found.low, found.high) == (pytest.approx(low, rel=0.1), pytest.approx(high, rel=0.1))


def test_the_days_left_bracket_the_truth() -> None:
    days = np.arange(0.0, 35.0)
    found = trend.slope(row_of(days, 50.0 + 0.5 * days + 0.3 * np.random.default_rng(1).standard_normal(35)))
    assert found is not None
    left, soonest, latest = found.days_left(90.0)
    assert soonest < left < latest
    assert left == pytest.approx((90.0 - 50.0) / 0.5 - 33.0, abs=4.0)
    assert found.days_left(20.0)[0] == math.inf


def test_a_long_life_keeps_a_bounded_number_of_points_over_all_of_it() -> None:
    days = np.arange(0.0, 2000.0)
    row = row_of(days, 0.02 * days)
    found = trend.slope(row)
    assert found is not None
    assert row[trend.COUNT] <= trend.MOST_POINTS
    assert found.days > 1500
    assert found.per_day == pytest.approx(0.02, rel=0.02)


def test_too_few_days_say_nothing() -> None:
    assert trend.slope(row_of(np.arange(0.0, 6.0), np.arange(0.0, 6.0))) is None


def test_a_refill_begins_anew_and_old_points_are_forgotten() -> None:
    row = np.zeros(trend.TREND_WIDTH)
    for day in range(60):
        level = -0.5 * (day % 25)  # a refill every 25 days
        if trend.add_point(row, float(day), level):
            trend.keep_recent(row, 14.0, 5.0)
            found = trend.slope(row, least_points=6, least_days=5.0)
            if found is not None:
                assert found.per_day == pytest.approx(-0.5)
                assert found.days <= 15.0
