"""Intervals hold the truth as often as promised, at every height of the prediction."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import InputError
from models.conformal import learn_margins


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_low_and_high_predictions_are_covered_alike(share: float) -> None:
    rng = np.random.default_rng(1)
    predicted = rng.uniform(0.0, 100.0, 40_000)
    # errors grow with height: one margin for all would cover the low ones too often and the high ones too seldom
    truth = predicted + rng.laplace(0.0, 1.0 + predicted / 10.0)
    margins = learn_margins(predicted[:20_000], truth[:20_000], share=share, groups=10)
    low, high = margins.around(predicted[20_000:], -np.inf, np.inf)
    inside = (low <= truth[20_000:]) & (truth[20_000:] <= high)
    for start in range(0, 100, 10):
        there = (predicted[20_000:] >= start) & (predicted[20_000:] < start + 10)
        assert inside[there].mean() == pytest.approx(share, abs=0.05)
    assert inside.mean() == pytest.approx(share, abs=0.01)


def test_few_errors_promise_no_less_than_asked() -> None:
    held = []
    for seed in range(2000):
        error = np.random.default_rng(seed).normal(size=10)
        margins = learn_margins(np.zeros(9), error[:9], share=0.9, groups=10)
        held.append(abs(error[9]) <= margins.half_width[0])
    # exact: 9 of 10 places are under the greatest of nine
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)


def test_an_error_that_counts_twice_is_as_two_errors() -> None:
    rng = np.random.default_rng(4)
    predicted, error, count = np.zeros(40), rng.normal(size=40), rng.integers(1, 4, 40)
    once = learn_margins(predicted, error, share=0.8, groups=1, weight=count.astype(np.float64))
    often = learn_margins(np.repeat(predicted, count), np.repeat(error, count), share=0.8, groups=1)
    # weights promise for one more error of mean weight, copies for one more copy: at most one rank apart
    ranks = np.sort(np.abs(error))
    assert abs(np.searchsorted(ranks, once.half_width[0]) - np.searchsorted(ranks, often.half_width[0])) <= 1


def test_predictions_that_are_all_the_greatest_leave_no_group_empty() -> None:
    predicted = np.concatenate([np.linspace(0.0, 100.0, 500), np.full(500, 125.0)])
    margins = learn_margins(predicted, predicted + 1.0, share=0.9, groups=10)
    np.testing.assert_allclose(margins.half_width, 1.0)


def test_fewer_errors_than_the_share_needs_are_refused() -> None:
    with pytest.raises(InputError, match="8 errors cannot promise 90%; give more data"):
        learn_margins(np.zeros(8), np.zeros(8), share=0.9, groups=1)


def test_intervals_stay_within_what_can_be() -> None:
    margins = learn_margins(np.arange(100.0), np.arange(100.0) + 50.0, share=0.9, groups=1)
    low, high = margins.around(np.array([5.0, 95.0]), 0.0, 120.0)
    assert (low.tolist(), high.tolist()) == ([0.0, 45.0], [55.0, 120.0])
