"""What each feature adds to the score of boosted trees: exact Shapley values, which sum to the score.

The game is that of path-dependent TreeSHAP (Lundberg et al., Nature Machine Intelligence 2020): a feature that is not known follows
both branches by the share of training rows that did. A leaf's part of the game is a product over the features of its path, so its
Shapley values are polynomials in the number of known features; all rows are done at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A feature on the way to a leaf: `followed` tells which rows go this way [rows], `share` of the training rows that did."""

    feature: int
    followed: NDArray[np.bool_]
    share: float


def contributions(estimator: Any, points: Floats) -> tuple[float, Floats]:
    """(score of nobody in particular, contributions [rows, features]) of a fitted HistGradientBoosting classifier of two classes."""
    base = float(np.ravel(estimator._baseline_prediction)[0])  # noqa: SLF001 - scikit-learn shows trees in no other way
    shares = np.zeros(points.shape)
    for (predictor,) in estimator._predictors:  # noqa: SLF001 - as above
        base += _add_tree(predictor.nodes, points, shares)
    return base, shares


def _add_tree(nodes: NDArray[Any], points: Floats, shares: Floats) -> float:
    """Add one tree's contributions; gives its mean over the training rows."""
    mean = 0.0
    waiting: list[tuple[int, tuple[_Step, ...], float]] = [(0, (), 1.0)]
    while waiting:
        number, path, weight = waiting.pop()
        node = nodes[number]
        if node["is_leaf"]:
            mean += weight * float(node["value"])
            _add_leaf(float(node["value"]), path, shares)
            continue
        feature = int(node["feature_idx"])
        column = points[:, feature]
        left = np.where(np.isnan(column), bool(node["missing_go_to_left"]), column <= node["num_threshold"])
        for child, followed in ((int(node["left"]), left), (int(node["right"]), ~left)):
            share = float(nodes[child]["count"]) / float(node["count"])
            waiting.append((child, _joined(path, _Step(feature=feature, followed=followed, share=share)), weight * share))
    return mean


def _joined(path: tuple[_Step, ...], step: _Step) -> tuple[_Step, ...]:
    """The path with one step more; several steps on one feature are one."""
    for place, known in enumerate(path):
        if known.feature == step.feature:
            both = _Step(feature=step.feature, followed=known.followed & step.followed, share=known.share * step.share)
            return (*path[:place], both, *path[place + 1 :])
    return (*path, step)


def _add_leaf(value: float, path: tuple[_Step, ...], shares: Floats) -> None:
    length, nothing = len(path), np.zeros(len(shares))
    for step in path:
        # sums[k]: over sets of k known features other than this one, the product of who follows and the others' shares
        sums = [np.ones(len(shares))]
        for other in path:
            if other is step:
                continue
            unknown = [known * other.share for known in sums]
            known = [each * other.followed for each in sums]
            sums = [a + b for a, b in zip([*unknown, nothing], [nothing, *known], strict=True)]
        weights = [factorial(k) * factorial(length - k - 1) / factorial(length) for k in range(length)]
        total = sum(weight * each for weight, each in zip(weights, sums, strict=True))
        shares[:, step.feature] += value * (step.followed - step.share) * total
