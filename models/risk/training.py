"""Fits, calibrates and judges a hazard on vehicles and times that are kept apart.

Vehicles are dealt to three parts by a hash of their name: trees are fitted on one, calibration and margins come from the second, and
figures from the third, at decisions after a moment at which the other two end. What was not known by then does not count there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from models.conformal import Margins, learn_margins
from models.risk.components import Component
from models.risk.hazard import Hazard, TreeRecipe, fit_trees
from models.risk.lives import DAY_NS, Decisions, FeatureRows, Lives, Windows, check, decisions, outcomes, period_rows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_FAILURES = 20
COVERAGE = 0.9
MARGIN_GROUPS = 4
MOST_REFERENCE = 2000
WINDOWS, TREES = Windows(), TreeRecipe()


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRecipe:
    """How to train.

    Attributes:
        fit_share, calibrate_share: of the vehicles; the rest are judged. time_share: of the time before figures begin.
        seed: of everything random.
    """

    windows: Windows = WINDOWS
    trees: TreeRecipe = TREES
    fit_share: float = 0.55
    calibrate_share: float = 0.2
    time_share: float = 0.6
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Decisions about vehicles and times that the model never saw, with what came of them.

    Attributes:
        asked: the decisions; risk, likely_days: what the model said [decisions].
        lives: all lives of the vehicles that are judged. vehicles: their numbers.
    """

    hazard: Hazard
    component: Component
    lives: Lives
    asked: Decisions
    risk: Floats
    likely_days: Floats
    vehicles: NDArray[np.int64]
    from_ns: int


def train_risk(rows: FeatureRows, lives: Lives, component: Component, recipe: RiskRecipe) -> tuple[Hazard, Judged]:
    """A hazard of one component, and decisions to judge it by.

    Raises:
        InputError: fewer failures than `LEAST_FAILURES` to fit on, or data that `lives.check` refuses.
    """
    check(rows, lives)
    fitted, held = _parts(rows.vehicles, recipe)
    judged = judged_part(rows.vehicles, recipe)
    cut_ns = split_time(lives, recipe.time_share)
    hazard = fit(rows, lives.of(fitted[lives.vehicle]).known_by(cut_ns), recipe)
    hazard = calibrated(hazard, rows, lives.of(held[lives.vehicle]).known_by(cut_ns))
    return hazard, judge(hazard, component, rows, lives.of(judged[lives.vehicle]), cut_ns)


def judged_part(vehicles: Sequence[str], recipe: RiskRecipe) -> Bools:
    """Which vehicles are dealt to be judged [vehicles]."""
    fitted, held = _parts(vehicles, recipe)
    return ~fitted & ~held


def _parts(vehicles: Sequence[str], recipe: RiskRecipe) -> tuple[Bools, Bools]:
    """Which vehicles trees are fitted on, and which calibration comes from [vehicles]."""
    dealt = np.array([_dealt(name, recipe.seed) for name in vehicles])
    fitted = dealt < recipe.fit_share
    return fitted, ~fitted & (dealt < recipe.fit_share + recipe.calibrate_share)


def split_time(lives: Lives, share: float) -> int:
    """The moment before which this share of the watched time lies, on a step's boundary of whole days."""
    first, last = int(lives.begins_ns.min()), int(lives.ends_ns.max())
    return (first + round(share * (last - first))) // DAY_NS * DAY_NS


def fit(rows: FeatureRows, lives: Lives, recipe: RiskRecipe) -> Hazard:
    """Trees alone, without calibration.

    Raises:
        InputError: too few failures.
    """
    asked = decisions(rows, lives, recipe.windows)
    periods = period_rows(asked, lives, recipe.windows)
    failures = len(np.unique(asked.life[periods.decision[periods.failed]]))
    if failures < LEAST_FAILURES:
        mend = f"give labels with at least {LEAST_FAILURES} failures that features precede"
        raise InputError(f"only {failures} failures to learn from", mend=mend)
    estimator = fit_trees(rows, asked.row, periods, recipe.trees, recipe.seed)
    seen = rows.values[np.unique(asked.row)]
    known = [column[~np.isnan(column)] for column in seen.T]
    usual = np.array([np.median(column) if len(column) else np.nan for column in known])
    reference = _reference(rows, int(lives.ends_ns.max()), recipe)
    return Hazard(
        features=rows.features,
        estimator=estimator,
        windows=recipe.windows,
        usual=usual,
        reference=rows.values[reference],
        reference_regions=tuple(rows.regions[vehicle] for vehicle in rows.vehicle[reference].tolist()),
    )


def _reference(rows: FeatureRows, time_ns: int, recipe: RiskRecipe) -> NDArray[np.int64]:
    """Rows of some vehicles as they were known at this time."""
    latest = rows.latest_by(time_ns, recipe.windows.fresh_days * DAY_NS)
    if len(latest) <= MOST_REFERENCE:
        return latest
    return np.sort(np.random.default_rng(recipe.seed).choice(latest, MOST_REFERENCE, replace=False))


def calibrated(hazard: Hazard, rows: FeatureRows, lives: Lives) -> Hazard:
    """With calibrated risks where that betters the Brier score on vehicles that the calibration has not seen, and with margins."""
    asked = decisions(rows, lives, hazard.windows)
    if not len(asked.life):
        return hazard
    odds = hazard.odds(rows.values[asked.row])
    known, failed = outcomes(asked, lives, hazard.windows)
    half = lives.vehicle[asked.life] % 2 == 0
    raw = hazard.risk(odds)
    slope, offset = _fit_line(raw[known], failed[known])
    crossed = np.empty(len(raw))
    for part in (half, ~half):
        a, b = _fit_line(raw[known & ~part], failed[known & ~part])
        crossed[part] = replace(hazard, slope=a, offset=b).risk(odds[part])
    better = np.mean((crossed[known] - failed[known]) ** 2) < np.mean((raw[known] - failed[known]) ** 2) if known.any() else False
    if better and slope > 0.0:
        hazard = replace(hazard, slope=slope, offset=offset)
    return replace(hazard, margins=_margins(hazard, lives, asked, odds))


def _fit_line(risk: Floats, failed: Bools) -> tuple[float, float]:
    """(slope, offset) of Platt's calibration; (1, 0) where one outcome is too rare to say."""
    if min(failed.sum(), (~failed).sum()) < 5:
        return 1.0, 0.0
    from sklearn.linear_model import LogisticRegression

    odds = np.log(risk / (1.0 - risk))
    line = LogisticRegression(C=1e6, max_iter=1000).fit(odds[:, None], failed)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def _margins(hazard: Hazard, lives: Lives, asked: Decisions, odds: Floats) -> Margins | None:
    """Margins of the remaining life, from failures within reach; every failure counts the same."""
    within, days, weight = failures_in_reach(hazard.windows, lives, asked)
    try:
        predicted = hazard.likely_days(odds[within])[1]
        return learn_margins(predicted, days, share=COVERAGE, groups=MARGIN_GROUPS, weight=weight)
    except InputError:
        return None


def failures_in_reach(windows: Windows, lives: Lives, asked: Decisions) -> tuple[Bools, Floats, Floats]:
    """(decisions before a failure within reach, days until it, weight by which every failure counts the same)."""
    left = (lives.ends_ns[asked.life] - asked.time_ns) / DAY_NS
    within = lives.failed[asked.life] & (left > windows.gap_days) & (left <= windows.reach_days)
    life = asked.life[within]
    counts = np.bincount(life, minlength=len(lives.vehicle))
    return within, left[within], 1.0 / counts[life]


def judge(hazard: Hazard, component: Component, rows: FeatureRows, lives: Lives, from_ns: int) -> Judged:
    """What the model says at every decision from this moment on."""
    asked = decisions(rows, lives, hazard.windows, since_ns=from_ns)
    odds = hazard.odds(rows.values[asked.row]) if len(asked.row) else np.empty((0, hazard.windows.periods))
    return Judged(
        hazard=hazard,
        component=component,
        lives=lives,
        asked=asked,
        risk=hazard.risk(odds),
        likely_days=hazard.likely_days(odds)[1],
        vehicles=np.unique(lives.vehicle),
        from_ns=from_ns,
    )


def _dealt(name: str, seed: int) -> float:
    """Where a vehicle falls in [0, 1): the same in every fleet it is part of."""
    return int.from_bytes(hashlib.sha256(f"{seed}|{name}".encode()).digest()[:8], "big") / 2.0**64
