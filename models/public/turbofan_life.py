"""Remaining life of turbofan engines: boosted trees on whole histories, conformal intervals, and how good both are.

Everything that is learnt (conditions, trees, margins) is learnt from training engines; folds never divide an engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from models.conformal import Margins, learn_margins
from models.public.turbofan import (
    Conditions,
    Histories,
    history_features,
    learn_conditions,
    remaining_cycles,
    same_engine,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How remaining life is learnt; the defaults were chosen by cross-validation on training engines.

    Attributes:
        cap: cycles from which on the remaining life counts as this (a young engine shows no wear to tell it from).
        folds: of engines, for the errors that margins are learnt from.
        row_step: each engine's every n-th cycle is fitted on: neighbours say almost the same.
        trees, leaves, rate, features: of the boosting; `features` is the share tried at each split.
        share: of truths that the intervals promise to hold. groups: of predictions that have margins of their own.
        known_cycles: intervals promise for engines that have flown more than this, each engine counting alike.
    """

    cap: float = 125.0
    folds: int = 5
    row_step: int = 3
    trees: int = 200
    leaves: int = 16
    rate: float = 0.07
    features: float = 0.3
    share: float = 0.9
    groups: int = 10
    known_cycles: int = 20


RECIPE = Recipe()


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeModel:
    """Learnt from training engines: conditions, and the trees (scikit-learn)."""

    conditions: Conditions
    trees: Any
    cap: float

    def predict(self, histories: Histories) -> Floats:
        """Remaining cycles [rows], 0 to the cap, from each row's history up to it."""
        expected = self.trees.predict(history_features(histories, self.conditions))
        return np.asarray(np.clip(expected, 0.0, self.cap), np.float64)


def fit_life(histories: Histories, truth: Floats, recipe: Recipe, seed: int) -> LifeModel:
    """Fit on engines whose remaining cycles, capped, are known [rows]."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    conditions = learn_conditions(histories)
    chosen = slice(seed % recipe.row_step, None, recipe.row_step)
    trees = HistGradientBoostingRegressor(
        max_iter=recipe.trees,
        max_leaf_nodes=recipe.leaves,
        learning_rate=recipe.rate,
        max_features=recipe.features,
        early_stopping=False,
        random_state=seed,
    )
    trees.fit(history_features(histories, conditions)[chosen], truth[chosen])
    return LifeModel(conditions=conditions, trees=trees, cap=recipe.cap)


def engine_folds(histories: Histories, folds: int, seed: int) -> Ints:
    """Fold of each row: engines in random order, dealt out.

    Raises:
        InputError: fewer engines than folds, or one engine under two names, which would stand on both sides.
    """
    engines = np.unique(histories.engine)
    if len(engines) < folds:
        raise InputError(f"{len(engines)} engines cannot be cut into {folds} folds", mend=f"give at least {folds} engines")
    twice = same_engine(histories)
    if twice is not None:
        raise InputError(f"engines {twice[0]} and {twice[1]} are the same", mend="leave one of them out")
    dealt = np.empty(len(engines), np.int64)
    dealt[np.random.default_rng(seed).permutation(len(engines))] = np.arange(len(engines)) % folds
    return np.asarray(dealt[np.searchsorted(engines, histories.engine)], np.int64)


def held_out_predictions(histories: Histories, truth: Floats, fold: Ints, recipe: Recipe, seed: int) -> Floats:
    """Prediction of each row by a model that was fitted without its engine's fold."""
    predicted = np.empty(len(histories))
    for number in range(recipe.folds):
        held = fold == number
        predicted[held] = fit_life(histories.rows(~held), truth[~held], recipe, seed).predict(histories.rows(held))
    return predicted


def cross_validate(histories: Histories, recipe: Recipe, seed: int) -> dict[str, float]:
    """`rmse` over every cycle of every training engine, each engine predicted without it, and `coverage` as intervals promise it.

    The margins for the engines of a fold are learnt from the held-out errors of the other folds' engines.
    """
    truth = remaining_cycles(histories, recipe.cap)
    fold = engine_folds(histories, recipe.folds, seed)
    predicted = held_out_predictions(histories, truth, fold, recipe, seed)
    weight = judging_weight(histories, recipe.known_cycles)
    inside = np.zeros(len(truth), np.bool_)
    for number in range(recipe.folds):
        held = fold == number
        margins = _margins(predicted[~held], truth[~held], weight[~held], recipe)
        inside[held] = _inside(margins, predicted[held], truth[held], recipe)
    return {"rmse": root_mean_square(predicted - truth), "coverage": float(np.average(inside, weights=weight))}


def evaluate_held_out(
    training: Histories, test: Histories, remaining: Floats, recipe: Recipe, seed: int, replicates: int = 1000
) -> dict[str, Any]:
    """Figures on test engines, each predicted once, at its last known cycle, from training engines only.

    Args:
        remaining: true cycles left after the last row of each test engine; capped here.

    Returns:
        `rmse`, `score` (asymmetric sum of PHM 2008), `coverage` of the intervals, `rmse_ci` (2.5 % and 97.5 %, bootstrap over
        engines), `engines`.

    Raises:
        InputError: a test engine is a training engine.
    """
    known = same_engine(training, test)
    if known is not None:
        raise InputError(f"test engine {known[1]} is training engine {known[0]}", mend="leave it out of one of the files")
    fold = engine_folds(training, recipe.folds, seed)
    truth = remaining_cycles(training, recipe.cap)
    weight = judging_weight(training, recipe.known_cycles)
    margins = _margins(held_out_predictions(training, truth, fold, recipe, seed), truth, weight, recipe)
    predicted = fit_life(training, truth, recipe, seed).predict(test)[test.last_rows()]
    left = np.minimum(remaining, recipe.cap)
    error = predicted - left
    draws = np.random.default_rng(seed).integers(0, len(error), (replicates, len(error)))
    spread = np.sqrt((error[draws] ** 2).mean(axis=1))
    return {
        "rmse": root_mean_square(error),
        "score": late_score(error),
        "coverage": float(_inside(margins, predicted, left, recipe).mean()),
        "rmse_ci": np.percentile(spread, (2.5, 97.5)).tolist(),
        "engines": len(error),
    }


def root_mean_square(error: Floats) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(error**2)))


def late_score(error: Floats) -> float:
    """Sum over engines of exp(-e/13) - 1 if predicted too short, exp(e/10) - 1 if too long (Saxena et al., PHM 2008)."""
    return float(np.expm1(np.where(error < 0, -error / 13.0, error / 10.0)).sum())


def judging_weight(histories: Histories, known_cycles: int) -> Floats:
    """How likely each row is the one at which its engine is judged: any cycle after the first ones alike, 1 in all per engine."""
    weight = (histories.cycle > known_cycles).astype(np.float64)
    for span in histories.spans():
        weight[span] /= max(1.0, weight[span].sum())
    return weight


def _margins(predicted: Floats, truth: Floats, weight: Floats, recipe: Recipe) -> Margins:
    judged = weight > 0
    return learn_margins(predicted[judged], truth[judged], share=recipe.share, groups=recipe.groups, weight=weight[judged])


def _inside(margins: Margins, predicted: Floats, truth: Floats, recipe: Recipe) -> NDArray[np.bool_]:
    low, high = margins.around(predicted, 0.0, recipe.cap)
    return np.asarray((low <= truth) & (truth <= high))
