"""From the trip residuals of healthy vehicles to the fleet's prior and a threshold that keeps a false-alarm budget."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baseline import LEARNING_TRIPS, Prior, learnt_baseline
from models.cusum import CusumState, Limits, advance
from models.residual_detector import LEARNABLE_WITHIN

Floats = NDArray[np.float64]
Residuals = Mapping[str, Sequence[float]]
"""Vehicle -> residual of each of its trips."""

LEAST_THRESHOLD = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRecipe:
    """How to calibrate; figures in the target's unit.

    Attributes:
        least_within, least_between: floors of the prior's scatter, where the training fleet is more uniform than real ones.
        steadiest: floor of a vehicle's own scatter.
        false_alarms_per_trip: the budget. replicates, horizon: vehicles, and trips of each, that the threshold is set on.
    """

    least_within: float
    least_between: float
    steadiest: float
    false_alarms_per_trip: float = 0.001
    replicates: int = 1000
    horizon: int = 200


def _away(residuals: Residuals) -> Floats:
    """How far each trip lies from its vehicle's median; vehicles with one trip say nothing."""
    return np.array([trip - statistics.median(trips) for trips in residuals.values() for trip in trips if len(trips) > 1])


def within_scatter(residuals: Residuals) -> float:
    """Standard deviation from trip to trip of one vehicle; not a robust one, as a sum of trips feels the outliers too."""
    away = _away(residuals)
    return float(np.sqrt(np.mean(away**2))) if len(away) else 0.0


def fleet_prior(residuals: Residuals, recipe: CalibrationRecipe) -> Prior:
    """What may be expected of a vehicle of which nothing is known."""
    middles = [statistics.median(trips) for trips in residuals.values()]
    between = statistics.stdev(middles) if len(middles) > 1 else 0.0
    return Prior(
        location=statistics.median(middles),
        between=max(recipe.least_between, between),
        within=max(recipe.least_within, within_scatter(residuals)),
        steadiest=recipe.steadiest,
    )


def alarm_threshold(
    residuals: Residuals, prior: Prior, recipe: CalibrationRecipe, rng: np.random.Generator
) -> tuple[float, dict[str, Any]]:
    """Least threshold within the budget, over vehicles whose trips are drawn with replacement from the calibration trips."""
    away = _away(residuals)
    unit = away / within_scatter(residuals) if away.any() else rng.normal(0.0, 1.0, 1000)
    offsets = rng.normal(prior.location, prior.between, recipe.replicates)
    scatters = rng.uniform(prior.steadiest, prior.within, recipe.replicates)
    peaks = np.sort(
        [
            _peak(offset + scatter * rng.choice(unit, recipe.horizon), prior)
            for offset, scatter in zip(offsets, scatters, strict=True)
        ]
    )
    allowed = int(recipe.false_alarms_per_trip * recipe.replicates * recipe.horizon)
    threshold = max(LEAST_THRESHOLD, float(np.ceil(peaks[-1 - allowed] * 4) / 4))
    return threshold, {
        "method": "vehicles (offset and scatter) drawn from the prior, trips by bootstrap, baselines learnt; first alarms counted",
        "budget_per_trip": recipe.false_alarms_per_trip,
        "trips_drawn": recipe.replicates * recipe.horizon,
        "false_alarms_per_1000_trips": 1000.0 * float(np.mean(peaks > threshold)) / recipe.horizon,
    }


def _peak(trips: Floats, prior: Prior) -> float:
    """Greatest sum that a healthy vehicle with these trips reaches while it learns its baseline and afterwards."""
    limits = Limits(threshold=float("inf"), smallest_drift=0.0)
    state, learnt, peak = CusumState(), list[float](), 0.0
    baseline = learnt_baseline(prior, learnt)
    for trip in trips.tolist():
        deviation = trip - baseline.location
        state, _ = advance(state, deviation, baseline.scale, 0, limits)
        peak = max(peak, state.high.total, state.low.total)
        if len(learnt) < LEARNING_TRIPS and abs(deviation) <= LEARNABLE_WITHIN * baseline.scale:
            learnt.append(trip)
            baseline = learnt_baseline(prior, learnt)
    return peak
