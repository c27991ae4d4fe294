"""Intervals against scipy's, and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from notifier.kpis.intervals import mean_interval, median_interval, wilson


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(case: tuple[int, int]) -> None:
    successes, trials = case
    expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_tried_tells_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("count", [6, 7, 10, 25, 60, 151, 400])
def test_the_median_lies_in_its_interval_as_often_as_promised(count: int) -> None:
    ranks = list(map(float, range(count)))
    low, high = median_interval(ranks)
    # the interval misses where fewer values than its ranks lie on one side of the true median: a fair coin, thrown `count` times
    missed = binom.cdf(low, count, 0.5) + binom.cdf(count - 1 - high, count, 0.5)
    assert missed <= 0.05 + 1e-9 or missed == pytest.approx(0.05, abs=0.012)
    assert count < 20 or missed > 0.015, "needlessly wide"


def test_few_values_give_their_whole_range() -> None:
    assert median_interval([1.0, 2.0, 9.0]) == (1.0, 9.0)
    assert median_interval([4.0]) == (4.0, 4.0)


def test_the_mean_interval_is_the_normal_one_and_stays_within_what_may_be() -> None:
    values = [1.0] * 30 + [0.0] * 15 + [-1.0] * 5
    half = 1.959964 * np.std(values, ddof=1) / math.sqrt(50)
    assert mean_interval(values, least=-1, most=1) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)
    assert mean_interval([1.0], least=-1, most=1) == (-1, 1)
    assert mean_interval([1.0, 1.0, 0.0], least=-1, most=1)[1] == 1
