"""Failures of Scania trucks' air pressure systems (APS, IDA 2016 challenge), decided by cost: 10 for a check in vain, 500 for a miss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CLASS, MISSING = "class", "na"
CLASSES = {"neg": 0.0, "pos": 1.0}
FALSE_ALARM, MISS = 10.0, 500.0
THRESHOLD = FALSE_ALARM / (FALSE_ALARM + MISS)
"""Bayes: from this probability on a check costs less than waiting. Nothing is tuned on any test row."""
REPLICATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Boosted trees, chosen on training rows alone."""

    trees: int = 300
    learning_rate: float = 0.05
    leaves: int = 31
    least_rows: int = 20
    folds: int = 5


RECIPE = Recipe()


def evaluate_trucks(training: tuple[Floats, Bools], test: tuple[Floats, Bools], recipe: Recipe, seed: int) -> dict[str, object]:
    """`cost` of the test rows with `cost_ci` (95 % bootstrap over rows), `false_alarms`, `misses`, `rows`, `failures`."""
    risk = _risk(_fitted(training[0], training[1], recipe, seed), test[0])
    return cost_figures(risk, test[1], seed)


def cross_validate_trucks(values: Floats, failed: Bools, recipe: Recipe, seed: int) -> dict[str, float]:
    """`cost_per_row` of training rows by models that had not seen them."""
    from sklearn.model_selection import StratifiedKFold

    risk = np.empty(len(failed))
    for fitted, held in StratifiedKFold(recipe.folds, shuffle=True, random_state=seed).split(values, failed):
        risk[held] = _risk(_fitted(values[fitted], failed[fitted], recipe, seed), values[held])
    return {"cost_per_row": float(_costs(risk, failed).mean())}


def cost_figures(risk: Floats, failed: Bools, seed: int) -> dict[str, object]:
    """Figures of decisions by these probabilities."""
    costs = _costs(risk, failed)
    rng = np.random.default_rng(seed)
    drawn = [float(costs[rng.integers(0, len(costs), len(costs))].sum()) for _ in range(REPLICATES)]
    checked = risk >= THRESHOLD
    return {
        "cost": float(costs.sum()),
        "cost_ci": [float(each) for each in np.percentile(drawn, (2.5, 97.5))],
        "false_alarms": int((checked & ~failed).sum()),
        "misses": int((~checked & failed).sum()),
        "rows": len(failed),
        "failures": int(failed.sum()),
    }


def _costs(risk: Floats, failed: Bools) -> Floats:
    checked = risk >= THRESHOLD
    return np.where(checked & ~failed, FALSE_ALARM, 0.0) + np.where(~checked & failed, MISS, 0.0)


def _fitted(values: Floats, failed: Bools, recipe: Recipe, seed: int) -> object:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=recipe.trees,
        learning_rate=recipe.learning_rate,
        max_leaf_nodes=recipe.leaves,
        min_samples_leaf=recipe.least_rows,
        early_stopping=False,
        random_state=seed,
    )
    fitted: object = trees.fit(values, failed)
    return fitted


def _risk(model: object, values: Floats) -> Floats:
    return np.asarray(model.predict_proba(values)[:, 1], np.float64)  # type: ignore[attr-defined]  # scikit-learn ships no types
