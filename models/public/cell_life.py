"""Cycle life of lithium-ion cells from their first 100 cycles (Severson et al., Nature Energy 2019): the mean of three models of log life."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPLITS = {"train": 0.0, "test1": 1.0, "test2": 2.0}
FEATURES = ("logvar", "logmin", "logmean", "logabssum", "iqr", "q2", "q100", "fade", "lvar_50_10")
"""Of the change of the discharge curve Q(V) from cycle 10 to 100 (and 50), and of capacity. `qdiff` of the published features is left out:
broken discharges of two training cells (44 and 32 Ah from cells of 1.1 Ah) would govern its scale."""
SHORT_CYCLES = 200.0
"""A cell of the first test part that was worn out before this; the paper gives its figures with and without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Cells of all parts.

    Attributes:
        split: a value of `SPLITS` [cells]. life: cycles to 80 % of capacity [cells]. features: [cells, 9] in order of `FEATURES`.
    """

    split: Ints
    life: Floats
    features: Floats

    def part(self, name: str) -> Cells:
        """The cells of one part."""
        chosen = self.split == SPLITS[name]
        return Cells(split=self.split[chosen], life=self.life[chosen], features=self.features[chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLifeModel:
    """Fitted models of log10 life."""

    members: Sequence[Any]

    def predict(self, features: Floats) -> Floats:
        """Cycles [cells]: ten to the members' mean."""
        return np.asarray(10.0 ** np.mean([member.predict(features) for member in self.members], axis=0), np.float64)


def fit_cell_life(features: Floats, life: Floats, seed: int = 0) -> CellLifeModel:
    """The paper's variance model, a penalised line through all features, and a Gaussian process."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNetCV, LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    members = (
        make_pipeline(FunctionTransformer(_variance_alone), LinearRegression()),
        make_pipeline(StandardScaler(), ElasticNetCV(l1_ratio=(0.1, 0.5, 0.9), cv=5, max_iter=100_000)),
        make_pipeline(StandardScaler(), _gaussian_process(seed)),
    )
    with warnings.catch_warnings():
        # a length or noise at the end of its range says that a feature does not matter, which is an answer
        warnings.simplefilter("ignore", ConvergenceWarning)
        return CellLifeModel(members=[member.fit(features, np.log10(life)) for member in members])


def _variance_alone(features: Floats) -> Floats:
    return features[:, :1]


def _gaussian_process(seed: int) -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    kernel = ConstantKernel(1.0) * RBF(1.0) + WhiteKernel(0.1)
    return GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed)


def evaluate_parts(cells: Cells) -> dict[str, dict[str, float]]:
    """Figures of both test parts by one model, fitted once on the training part; see `_figures`."""
    training = cells.part("train")
    model = fit_cell_life(training.features, training.life)
    tests = {name: cells.part(name) for name in ("test1", "test2")}
    return {name: dict(_figures(part.life, model.predict(part.features))) for name, part in tests.items()}


def cross_validate_cells(cells: Cells, folds: int, seed: int) -> float:
    """Mean absolute relative error over the training cells, each predicted without its fold."""
    training = cells.part("train")
    fold = np.random.default_rng(seed).permutation(len(training.life)) % folds
    predicted = np.empty(len(fold))
    for number in range(folds):
        held = fold == number
        model = fit_cell_life(training.features[~held], training.life[~held])
        predicted[held] = model.predict(training.features[held])
    return relative_error(training.life, predicted)


def relative_error(life: Floats, predicted: Floats) -> float:
    """Mean of |predicted - life| / life."""
    return float(np.mean(np.abs(predicted - life) / life))


def _figures(life: Floats, predicted: Floats) -> Mapping[str, float]:
    """`mape` (a fraction) and `rmse` (cycles), both also `…_without_short` cells, and how many cells."""
    long = life >= SHORT_CYCLES
    return {
        "mape": relative_error(life, predicted),
        "mape_without_short": relative_error(life[long], predicted[long]),
        "rmse": float(np.sqrt(np.mean((predicted - life) ** 2))),
        "rmse_without_short": float(np.sqrt(np.mean((predicted[long] - life[long]) ** 2))),
        "cells": len(life),
        "short_cells": int((~long).sum()),
    }
