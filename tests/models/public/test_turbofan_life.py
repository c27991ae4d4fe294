"""Remaining life: better than the mean where there is wear, no better where labels are shuffled, duplicates refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InputError
from models.public.turbofan import Histories, remaining_cycles
from models.public.turbofan_life import (
    RECIPE,
    cross_validate,
    engine_folds,
    evaluate_held_out,
    held_out_predictions,
    judging_weight,
    late_score,
    root_mean_square,
)
from tests.models.public.engines import engines, first_cycles

QUICK = replace(RECIPE, trees=40, folds=3, cap=60.0)


def test_wear_is_learnt_and_intervals_hold_what_they_promise() -> None:
    fleet = engines(30, seed=1)
    figures = cross_validate(fleet, QUICK, seed=0)
    assert figures["rmse"] < 0.6 * remaining_cycles(fleet, 60.0).std()
    assert 0.85 < figures["coverage"] < 0.95
    assert cross_validate(fleet, QUICK, seed=0) == figures


def shuffled_error(fleet: Histories) -> tuple[float, float]:
    """(error, scatter) of labels that were dealt out anew."""
    truth = np.random.default_rng(3).permutation(remaining_cycles(fleet, 60.0))
    predicted = held_out_predictions(fleet, truth, engine_folds(fleet, 3, seed=0), QUICK, seed=0)
    return root_mean_square(predicted - truth), float(truth.std())


def test_shuffled_labels_cannot_be_learnt() -> None:
    error, scatter = shuffled_error(engines(30, seed=1))
    assert error > 0.99 * scatter


def test_a_sensor_that_tells_the_future_shows_as_an_error_too_small_to_believe() -> None:
    fleet = engines(30, seed=1, wear=0.0)
    truth = remaining_cycles(fleet, 60.0)
    honest = cross_validate(fleet, QUICK, seed=0)["rmse"]
    fleet.sensors[:, 3] = 500.0 + truth
    fleet.settings[:, 0] = 0.0
    leaking = cross_validate(fleet, QUICK, seed=0)["rmse"]
    # without wear, age alone is left to go by
    assert honest > 0.5 * truth.std()
    assert leaking < 0.1 * truth.std()


def test_one_engine_under_two_names_is_refused() -> None:
    fleet, twin = engines(6, seed=4), engines(6, seed=4, first=20)
    both = Histories(
        engine=np.concatenate([fleet.engine, twin.engine]),
        cycle=np.concatenate([fleet.cycle, twin.cycle]),
        settings=np.concatenate([fleet.settings, twin.settings]),
        sensors=np.concatenate([fleet.sensors, twin.sensors]),
    )
    with pytest.raises(InputError, match="engines 1 and 20 are the same; leave one of them out"):
        cross_validate(both, QUICK, seed=0)
    cut, left = first_cycles(twin, 0.5)
    with pytest.raises(InputError, match="test engine 20 is training engine 1; leave it out"):
        evaluate_held_out(fleet, cut, np.array(left, np.float64), QUICK, seed=0)


def test_engines_count_alike_however_long_they_lived() -> None:
    fleet = engines(5, seed=8)
    weight = judging_weight(fleet, 20)
    assert (weight[fleet.cycle <= 20] == 0.0).all()
    np.testing.assert_allclose([weight[span].sum() for span in fleet.spans()], 1.0)
    assert not judging_weight(fleet, 1000).any()


def test_folds_never_divide_an_engine_and_every_fold_has_engines() -> None:
    fleet = engines(11, seed=5)
    fold = engine_folds(fleet, 4, seed=9)
    assert all(len(set(fold[span].tolist())) == 1 for span in fleet.spans())
    assert set(fold.tolist()) == {0, 1, 2, 3}
    with pytest.raises(InputError, match="11 engines cannot be cut into 12 folds"):
        engine_folds(fleet, 12, seed=0)


def test_test_engines_are_judged_once_each_and_capped() -> None:
    fleet = engines(30, seed=6)
    test, left = first_cycles(engines(12, seed=7), 0.7)
    figures = evaluate_held_out(fleet, test, np.array(left, np.float64), QUICK, seed=0)
    low, high = figures["rmse_ci"]
    assert figures["engines"] == 12
    assert low < figures["rmse"] < high
    far = evaluate_held_out(fleet, test, np.array(left, np.float64) + 1000.0, QUICK, seed=0)
    assert 0.0 < far["rmse"] < 60.0


def test_predicting_too_long_costs_more_than_too_short() -> None:
    assert late_score(np.array([-13.0])) == pytest.approx(math.e - 1)
    assert late_score(np.array([10.0, 0.0])) == pytest.approx(math.e - 1)
