"""Failures of a milling machine in AI4I 2020 (Matzka, UCI 601): a random forest with physics features, judged by nested cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

READINGS = ("Type", "Air temperature [K]", "Process temperature [K]", "Rotational speed [rpm]", "Torque [Nm]", "Tool wear [min]")
"""What is known before a failure; the columns that name the failure's mode are never read."""
QUALITIES = {"L": 0.0, "M": 1.0, "H": 2.0}
FAILED = "Machine failure"

RADIANS_PER_S = 2.0 * np.pi / 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How failures are learnt: trees, readings tried at each split, folds to judge on and, within, to find the threshold on."""

    trees: int = 100
    features: int = 3
    folds: int = 5
    inner_folds: int = 3


RECIPE = Recipe()


def failure_features(readings: Floats) -> Floats:
    """Readings [rows, 6], and what the physics of the failures is about: heat drop in K, power in W, wear times torque in min Nm."""
    air, process, speed_rpm, torque, wear = readings[:, 1:].T
    return np.column_stack([readings, process - air, speed_rpm * RADIANS_PER_S * torque, wear * torque])


def best_threshold(failed: Ints, probability: Floats) -> float:
    """The probability from which on calling a failure gives the best F1."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(failed, probability)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[f1[:-1].argmax()])


def nested_cross_validation(readings: Floats, failed: Ints, recipe: Recipe, seed: int) -> dict[str, float]:
    """`f1`, `auc` and `brier`, means over the outer folds; model and threshold never see the fold that they are judged on."""
    from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    features = failure_features(readings)
    rows = []
    for fitted, held in StratifiedKFold(recipe.folds, shuffle=True, random_state=seed).split(features, failed):
        x, y = features[fitted], failed[fitted]
        within = np.empty(len(y))
        for part, rest in StratifiedKFold(recipe.inner_folds, shuffle=True, random_state=seed).split(x, y):
            within[rest] = _probability(_forest(recipe, seed).fit(x[part], y[part]), x[rest])
        probability = _probability(_forest(recipe, seed).fit(x, y), features[held])
        called = probability >= best_threshold(y, within)
        truth = failed[held]
        rows.append((f1_score(truth, called), roc_auc_score(truth, probability), brier_score_loss(truth, probability)))
    return dict(zip(("f1", "auc", "brier"), np.mean(rows, axis=0).tolist(), strict=True))


def _forest(recipe: Recipe, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(recipe.trees, max_features=recipe.features, random_state=seed, n_jobs=2)


def _probability(forest: Any, features: Floats) -> Floats:
    return np.asarray(forest.predict_proba(features)[:, 1], np.float64)
