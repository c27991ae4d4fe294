"""Contributions are the Shapley values of their definition, and sum to the score."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from models.risk.tree_shares import contributions


def fitted(seed: int, features: int = 4) -> tuple[HistGradientBoostingClassifier, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(400, features)).round(1)
    points[rng.random(points.shape) < 0.15] = np.nan
    score = np.nan_to_num(points[:, 0]) + np.nan_to_num(points[:, 1]) * np.nan_to_num(points[:, 2])
    trees = HistGradientBoostingClassifier(max_iter=6, max_depth=3, min_samples_leaf=10, random_state=0)
    return trees.fit(points, rng.random(400) < 1 / (1 + np.exp(-score)), sample_weight=rng.random(400) + 0.5), points


def expected(nodes: Any, point: np.ndarray, known: tuple[int, ...], number: int = 0) -> float:
    """What a tree says of a point of which only some features are known: straight from the definition."""
    node = nodes[number]
    if node["is_leaf"]:
        return float(node["value"])
    left, right = int(node["left"]), int(node["right"])
    if node["feature_idx"] in known:
        value = point[node["feature_idx"]]
        goes_left = bool(node["missing_go_to_left"]) if np.isnan(value) else value <= node["num_threshold"]
        return expected(nodes, point, known, left if goes_left else right)
    counts = nodes[left]["count"], nodes[right]["count"]
    parts = (expected(nodes, point, known, child) * count for child, count in zip((left, right), counts, strict=True))
    return sum(parts) / sum(map(int, counts))


def shapley(trees: HistGradientBoostingClassifier, point: np.ndarray) -> np.ndarray:
    count = len(point)
    values = np.zeros(count)
    for (predictor,) in trees._predictors:
        for feature in range(count):
            others = [each for each in range(count) if each != feature]
            for size in range(count):
                weight = factorial(size) * factorial(count - size - 1) / factorial(count)
                for known in combinations(others, size):
                    gain = expected(predictor.nodes, point, (*known, feature)) - expected(predictor.nodes, point, known)
                    values[feature] += weight * gain
    return values


def test_contributions_are_shapley_values() -> None:
    trees, points = fitted(1)
    _, shares = contributions(trees, points[:6])
    for point, found in zip(points[:6], shares, strict=True):
        np.testing.assert_allclose(found, shapley(trees, point), atol=1e-12)


@pytest.mark.parametrize("seed", [3, 4])
def test_contributions_sum_to_the_score(seed: int) -> None:
    trees, points = fitted(seed, features=7)
    base, shares = contributions(trees, points)
    np.testing.assert_allclose(base + shares.sum(axis=1), trees.decision_function(points), atol=1e-12)
