"""Component X of Scania trucks (IDA 2024 challenge): how soon it fails, decided by the challenge's matrix of costs.

Classes are steps of time from the last readout to the failure: 0 more than 48, 1 up to 48, 2 up to 24, 3 up to 12, 4 up to 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EDGES = (6.0, 12.0, 24.0, 48.0)
COSTS = np.array(
    [
        [0.0, 7.0, 8.0, 9.0, 10.0],
        [200.0, 0.0, 7.0, 8.0, 9.0],
        [300.0, 200.0, 0.0, 7.0, 8.0],
        [400.0, 300.0, 200.0, 0.0, 7.0],
        [500.0, 400.0, 300.0, 200.0, 0.0],
    ]
)
"""Of saying the column where the row is true (of the challenge; it gives the published costs of saying 0 and 4 of all)."""
CLASSES = len(COSTS)
REPLICATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Readouts:
    """Readouts of vehicles, each vehicle's in order of time: `vehicle` and `step` [rows], counters [rows, columns], NaN where unknown."""

    vehicle: Ints
    step: Floats
    counters: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`cuts`: moments drawn from each training vehicle, at which its history ends."""

    trees: int = 150
    learning_rate: float = 0.06
    leaves: int = 15
    least_rows: int = 40
    cuts: int = 4


RECIPE = Recipe()


def evaluate_components(
    training: Readouts,
    lives: tuple[Ints, Floats, NDArray[np.bool_]],
    test: Readouts,
    labels: tuple[Ints, Ints],
    recipe: Recipe,
    seed: int,
) -> dict[str, Any]:
    """`cost` of the test vehicles with `cost_ci` (95 % bootstrap), `vehicles`, `said` and `true` per class, and the costs of saying 0 or 4 of all.

    Args:
        lives: of training vehicles: (number, steps watched, whether the component failed at their end). labels: (number, class) of test vehicles.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, classes = training_rows(training, lives, recipe, seed)
    trees = HistGradientBoostingClassifier(
        max_iter=recipe.trees,
        learning_rate=recipe.learning_rate,
        max_leaf_nodes=recipe.leaves,
        min_samples_leaf=recipe.least_rows,
        early_stopping=False,
        random_state=seed,
    ).fit(features(training, rows), classes)
    last = np.append(np.flatnonzero(np.diff(test.vehicle)), len(test.vehicle) - 1)
    shares = np.zeros((len(last), CLASSES))
    shares[:, trees.classes_] = trees.predict_proba(features(test, last))
    truth = labels[1][np.searchsorted(labels[0], test.vehicle[last])]
    return _figures(np.argmin(shares @ COSTS, axis=1), truth, seed)


def training_rows(
    training: Readouts, lives: tuple[Ints, Floats, NDArray[np.bool_]], recipe: Recipe, seed: int
) -> tuple[Ints, Ints]:
    """(rows at which histories are cut, their classes): drawn evenly; cuts whose class nobody knows, for the watch ended too soon, are left out."""
    place = np.searchsorted(lives[0], training.vehicle)
    left = lives[1][place] - training.step
    failed = lives[2][place]
    known = np.flatnonzero(np.where(failed, left >= 0.0, left > EDGES[-1]))
    drawn = np.random.default_rng(seed).permutation(known)
    drawn = drawn[np.argsort(training.vehicle[drawn], kind="stable")]
    owner = training.vehicle[drawn]
    rank = np.arange(len(drawn)) - np.searchsorted(owner, owner)
    rows = np.sort(drawn[rank < recipe.cuts])
    classes = np.where(failed[rows], CLASSES - 1 - np.searchsorted(EDGES, left[rows], side="left"), 0)
    return rows, classes


def features(readouts: Readouts, rows: Ints) -> Floats:
    """What is known at these readouts: time, counters, and how fast they went since the readout before."""
    before = np.maximum(rows - 1, 0)
    same = readouts.vehicle[before] == readouts.vehicle[rows]
    steps = np.where(same & (rows > 0), readouts.step[rows] - readouts.step[before], np.nan)
    rates = (readouts.counters[rows] - readouts.counters[before]) / np.where(steps > 0.0, steps, np.nan)[:, None]
    return np.hstack([readouts.step[rows, None], readouts.counters[rows], rates])


def _figures(said: Ints, truth: Ints, seed: int) -> dict[str, Any]:
    costs = COSTS[truth, said]
    rng = np.random.default_rng(seed)
    drawn = [float(costs[rng.integers(0, len(costs), len(costs))].sum()) for _ in range(REPLICATES)]
    return {
        "cost": float(costs.sum()),
        "cost_ci": [float(each) for each in np.percentile(drawn, (2.5, 97.5))],
        "vehicles": len(truth),
        "said": np.bincount(said, minlength=CLASSES).tolist(),
        "true": np.bincount(truth, minlength=CLASSES).tolist(),
        "cost_of_nothing": float(COSTS[truth, 0].sum()),
        "cost_of_all": float(COSTS[truth, CLASSES - 1].sum()),
    }
