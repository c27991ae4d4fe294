"""Failures of machines: physics is learnt, shuffled labels are not, and the threshold is the best one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from models.public.machine_failure import RECIPE, best_threshold, failure_features, nested_cross_validation

QUICK = replace(RECIPE, trees=15, folds=3)


def machines(rows: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Readings of machines that fail when power leaves its range, as in one failure mode of AI4I."""
    rng = np.random.default_rng(seed)
    air = rng.normal(300.0, 2.0, rows)
    speed, torque = rng.normal(1500.0, 180.0, rows), rng.normal(40.0, 10.0, rows)
    readings = np.column_stack(
        [rng.integers(0, 3, rows), air, air + rng.normal(10.0, 1.0, rows), speed, torque, rng.uniform(0.0, 250.0, rows)]
    )
    power_w = torque * speed * 2 * np.pi / 60
    return readings.astype(np.float64), ((power_w < 3500) | (power_w > 9000)).astype(np.int64)


def test_what_physics_decides_is_learnt_and_the_same_seed_gives_the_same_figures() -> None:
    readings, failed = machines(1500, seed=1)
    figures = nested_cross_validation(readings, failed, QUICK, seed=0)
    assert figures["f1"] > 0.9
    assert figures["auc"] > 0.99
    assert figures == nested_cross_validation(readings, failed, QUICK, seed=0)


def test_shuffled_labels_cannot_be_learnt() -> None:
    readings, failed = machines(1500, seed=1)
    figures = nested_cross_validation(readings, np.random.default_rng(2).permutation(failed), QUICK, seed=0)
    # calling every machine faulty gives this
    chance = 2 * failed.mean() / (1 + failed.mean())
    assert figures["f1"] < chance + 0.05
    assert figures["auc"] == pytest.approx(0.5, abs=0.08)


def test_power_is_in_watts_and_heat_drop_in_kelvin() -> None:
    row = np.array([[1.0, 298.0, 308.5, 60.0 / (2 * np.pi), 42.0, 100.0]])
    np.testing.assert_allclose(failure_features(row)[0, 6:], [10.5, 42.0, 4200.0])


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_gives_a_better_f1(seed: int) -> None:
    rng = np.random.default_rng(seed)
    failed = (rng.random(200) < 0.2).astype(np.int64)
    probability = np.round(0.4 * failed + 0.6 * rng.random(200), 2)
    best = max(f1_score(failed, probability >= level) for level in np.unique(probability))
    assert f1_score(failed, probability >= best_threshold(failed, probability)) == best
