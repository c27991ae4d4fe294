"""Expected value of a target given its operating point, and what one trip says about the difference.

The expectation is a sum of one smooth curve per feature (piecewise cubic, constant outside the range of the training), evaluated
in a fixed order without matrix products, so that it is the same to the last bit in batches of any size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.feature_set import FeatureSet

Floats = NDArray[np.float64]

BIN = 0.05
"""Residuals are counted in bins of this width, in the target's unit: fine against any sensor's step, and bounded in size."""
BIN_LIMIT = 4000

MARGIN = 0.05
"""How far beyond the training's range, as a share of it, an operating point is still judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What one feature adds to the expectation.

    Attributes:
        breaks: k + 1 increasing knots. coefficients: k rows of polynomial coefficients, highest power first, of (x - left knot).
        absent: added where the feature is missing.
    """

    feature: str
    breaks: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    absent: float

    def __call__(self, x: Floats) -> Floats:
        """Contribution of each value; NaN counts as missing."""
        missing = np.isnan(x)
        breaks = np.array(self.breaks)
        inside = np.clip(np.where(missing, breaks[0], x), breaks[0], breaks[-1])
        piece = np.clip(np.searchsorted(breaks, inside, side="right") - 1, 0, len(breaks) - 2)
        powers = np.array(self.coefficients)[piece]
        step = inside - breaks[piece]
        value = powers[:, 0]
        for power in range(1, powers.shape[1]):
            value = value * step + powers[:, power]
        return np.where(missing, self.absent, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditiveModel:
    """Intercept plus one curve per feature."""

    intercept: float
    curves: tuple[Curve, ...]

    def expect(self, points: Floats) -> Floats:
        """Expected target of each operating point [n, features in the order of `curves`]."""
        expected = np.full(len(points), self.intercept)
        for column, curve in enumerate(self.curves):
            expected = expected + curve(points[:, column])
        return expected

    def knows(self, points: Floats, columns: Sequence[int]) -> NDArray[np.bool_]:
        """Whether each operating point lies where the training has been, as far as these columns go."""
        known = np.ones(len(points), np.bool_)
        for column in columns:
            low, high = self.curves[column].breaks[0], self.curves[column].breaks[-1]
            slack = MARGIN * (high - low)
            known &= (points[:, column] >= low - slack) & (points[:, column] <= high + slack)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class TripStatistic:
    """One trip in one figure.

    Attributes:
        residual: median of observed minus expected. spread: median absolute deviation of the panes. panes: how many.
        observed, expected: means over the panes. start_ns, end_ns: event times of the first and last pane.
    """

    residual: float
    spread: float
    panes: int
    observed: float
    expected: float
    start_ns: int
    end_ns: int


@dataclass(slots=True, kw_only=True)
class Trip:
    """A trip under way: smoothed inputs, running time, and its residuals so far."""

    smoothed: list[float]
    running_s: float = 0.0
    start: float | None = None
    counts: dict[int, int] = field(default_factory=dict)
    observed: float = 0.0
    expected: float = 0.0
    start_ns: int = 0
    end_ns: int = 0


def new_trip(features: FeatureSet) -> Trip:
    """A trip of which nothing is known."""
    return Trip(smoothed=[math.nan] * len(features.inputs))


def settled_points(features: FeatureSet, trip: Trip, values: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Operating point of each pane [k, features], and whether it counts: engine running, settled, nothing required missing.

    Advances the trip's moving averages and its running time; time with the engine at rest takes away half of what running gave.
    """
    settling, inputs = features.settling, features.inputs
    gains = [1.0 - math.exp(-features.pane_s / each.smooth_s) if each.smooth_s else 1.0 for each in inputs]
    running = [each.name for each in inputs].index(settling.running)
    points = np.full((len(values), len(inputs) + 1), np.nan)
    counts = np.zeros(len(values), np.bool_)
    for row, (target, *pane) in enumerate(values.tolist()):
        for number, value in enumerate(pane):
            if not math.isnan(value):
                before = trip.smoothed[number]
                trip.smoothed[number] = value if math.isnan(before) else before + gains[number] * (value - before)
                points[row, number] = trip.smoothed[number]
        turns = pane[running] > settling.running_above
        trip.running_s = trip.running_s + features.pane_s if turns else max(0.0, trip.running_s - features.pane_s / 2)
        points[row, -1] = trip.running_s
        if trip.start is None and not math.isnan(target):
            trip.start = target
        complete = (
            trip.start is not None and not math.isnan(target) and not any(math.isnan(pane[each]) for each in features.required)
        )
        counts[row] = turns and complete and trip.running_s >= settling.needed_s(trip.start or 0.0)
    return points, counts


def add_residuals(trip: Trip, time_ns: NDArray[np.int64], observed: Floats, expected: Floats) -> None:
    """Take these panes into the trip's figures."""
    if not len(time_ns):
        return
    trip.start_ns = trip.start_ns or int(time_ns[0])
    trip.end_ns = int(time_ns[-1])
    bins = np.clip(np.rint((observed - expected) / BIN), -BIN_LIMIT, BIN_LIMIT).astype(np.int64)
    for number, seen, due in zip(bins.tolist(), observed.tolist(), expected.tolist(), strict=True):
        trip.counts[number] = trip.counts.get(number, 0) + 1
        trip.observed += seen
        trip.expected += due


def trip_statistic(trip: Trip, min_panes: int) -> TripStatistic | None:
    """The trip's figures, None where fewer than `min_panes` panes counted."""
    panes = sum(trip.counts.values())
    if panes < max(1, min_panes):
        return None
    middle = _median(trip.counts)
    away: dict[int, int] = {}
    for number, count in trip.counts.items():
        distance = round(2 * abs(number - middle))
        away[distance] = away.get(distance, 0) + count
    return TripStatistic(
        residual=middle * BIN,
        spread=_median(away) / 2 * BIN,
        panes=panes,
        observed=trip.observed / panes,
        expected=trip.expected / panes,
        start_ns=trip.start_ns,
        end_ns=trip.end_ns,
    )


def _median(counts: Mapping[int, int]) -> float:
    """Median of numbers given as number -> how often."""
    total = sum(counts.values())
    below, lower = 0, None
    for number in sorted(counts):
        below += counts[number]
        if lower is None and 2 * below >= total:
            lower = number
        if 2 * below > total:
            return (number + (lower if lower is not None else number)) / 2
    raise ValueError("no numbers")


def shifted(statistic: TripStatistic, by: float) -> TripStatistic:
    """The same trip, had the target stood higher by `by` all along (a step fault, for calibration and evaluation)."""
    return replace(statistic, residual=statistic.residual + by, observed=statistic.observed + by)
