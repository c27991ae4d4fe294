"""The hazard model: boosted trees over (features, window), from log-odds of failing in each window to a risk and a remaining life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import DataFileError
from models.conformal import Margins
from models.risk.lives import FeatureRows, PeriodRows, Windows
from models.risk.tree_shares import contributions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRecipe:
    """How trees are boosted. `per_failure`: rows without a failure for each with one; more are drawn and weighted."""

    trees: int = 150
    depth: int = 4
    learning_rate: float = 0.06
    least_rows: int = 40
    ridge: float = 5.0
    per_failure: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A fitted model.

    Attributes:
        features: columns in their order; the window's number follows them. estimator: scikit-learn's boosted trees.
        windows: what it was fitted to answer. slope, offset: of the calibration in log-odds of the risk; (1, 0) for none.
        margins: of the remaining life, in days; None where there were too few failures to promise any.
        usual: median of each feature where it was fitted, NaN where it was never there [features].
        reference: one row of each of some vehicles as the training ended [vehicles, features], and their regions: what drift is seen against.
    """

    features: tuple[str, ...]
    estimator: Any
    windows: Windows
    usual: Floats
    reference: Floats
    reference_regions: tuple[str, ...]
    slope: float = 1.0
    offset: float = 0.0
    margins: Margins | None = None

    def odds(self, values: Floats) -> Floats:
        """Log-odds of failing in each window [rows, windows], for those that live at its start."""
        count = self.windows.periods
        return np.asarray(self.estimator.decision_function(_with_window(values, count)), np.float64).reshape(-1, count)

    def risk(self, odds: Floats) -> Floats:
        """Probability of a failure within the horizon [rows], calibrated."""
        raw = np.clip(1.0 - np.exp(_log_survival(odds[:, : self.windows.horizon]).sum(axis=1)), _LEAST, 1.0 - _LEAST)
        return _expit(self.slope * np.log(raw / (1.0 - raw)) + self.offset)

    def likely_days(self, odds: Floats) -> tuple[Floats, Floats]:
        """(probability of a failure within reach, days until it where it comes: the median) [rows]."""
        windows = self.windows
        survival = np.exp(np.cumsum(_log_survival(odds), axis=1))
        within = 1.0 - survival[:, -1]
        failed = np.hstack([np.zeros((len(odds), 1)), (1.0 - survival) / np.maximum(within, _LEAST)[:, None]])
        edges = windows.gap_days + windows.period_days * np.arange(windows.periods + 1)
        place = np.minimum((failed < 0.5).sum(axis=1), windows.periods)
        below, above = (np.take_along_axis(failed, (place - k)[:, None], axis=1)[:, 0] for k in (1, 0))
        part = (0.5 - below) / np.maximum(above - below, _LEAST)
        return within, edges[place - 1] + np.clip(part, 0.0, 1.0) * windows.period_days

    def explain(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """(score [rows], base [rows], contributions [rows, features]): the mean log-odds over the horizon's windows and what adds to it.

        The part of the window itself belongs to the base.
        """
        count = self.windows.horizon
        points = _with_window(values, count)
        base, shares = contributions(self.estimator, points)
        mean = shares.reshape(len(values), count, -1).mean(axis=1)
        score = self.odds(values)[:, :count].mean(axis=1)
        return score, base + mean[:, -1], mean[:, :-1]

    def parts(self) -> dict[str, Any]:
        """As a registry keeps it."""
        margins = None if self.margins is None else {"edges": self.margins.edges, "half_width": self.margins.half_width}
        return {
            "kind": "hazard",
            "features": list(self.features),
            "estimator": self.estimator,
            "windows": asdict(self.windows),
            "usual": self.usual,
            "reference": self.reference,
            "reference_regions": list(self.reference_regions),
            "slope": float(self.slope),
            "offset": float(self.offset),
            "margins": margins,
        }


def hazard_of(parts: Mapping[str, Any], file: str) -> Hazard:
    """The model of `Hazard.parts`.

    Raises:
        DataFileError: the parts are of another kind of model.
    """
    try:
        if parts["kind"] != "hazard":
            raise DataFileError("is no hazard model", file=file, mend="name a model of failure risk")
        margins = parts["margins"]
        return Hazard(
            features=tuple(parts["features"]),
            estimator=parts["estimator"],
            windows=Windows(**parts["windows"]),
            usual=parts["usual"],
            reference=parts["reference"],
            reference_regions=tuple(parts["reference_regions"]),
            slope=parts["slope"],
            offset=parts["offset"],
            margins=None if margins is None else Margins(**margins),
        )
    except (KeyError, TypeError) as problem:
        raise DataFileError("is not a whole hazard model", file=file, mend="train the model again") from problem


def fit_trees(rows: FeatureRows, row: Ints, periods: PeriodRows, recipe: TreeRecipe, seed: int) -> Any:
    """Boosted trees of the rows; `row` is the features' row of each decision."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    kept, weight = _thinned(periods, recipe, seed)
    points = np.hstack([rows.values[row[periods.decision[kept]]], periods.window[kept, None].astype(np.float64)])
    estimator = HistGradientBoostingClassifier(
        max_iter=recipe.trees,
        max_depth=recipe.depth,
        learning_rate=recipe.learning_rate,
        min_samples_leaf=recipe.least_rows,
        l2_regularization=recipe.ridge,
        early_stopping=False,
        random_state=seed,
    )
    return estimator.fit(points, periods.failed[kept].astype(np.int64), sample_weight=weight)


def _thinned(periods: PeriodRows, recipe: TreeRecipe, seed: int) -> tuple[Ints, Floats]:
    """All failures and some of the other rows, with weights that make up for those left out."""
    failed, others = np.flatnonzero(periods.failed), np.flatnonzero(~periods.failed)
    wanted = max(recipe.per_failure * len(failed), 2000)
    drawn = others if len(others) <= wanted else np.sort(np.random.default_rng(seed).choice(others, wanted, replace=False))
    kept = np.sort(np.concatenate([failed, drawn]))
    return kept, np.where(periods.failed[kept], 1.0, len(others) / max(1, len(drawn)))


def _with_window(values: Floats, count: int) -> Floats:
    return np.hstack([np.repeat(values, count, axis=0), np.tile(np.arange(float(count)), len(values))[:, None]])


def _log_survival(odds: Floats) -> Floats:
    """log(1 - hazard), exact for hazards near 0 and 1."""
    return -np.logaddexp(0.0, odds)


def _expit(odds: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -odds))
