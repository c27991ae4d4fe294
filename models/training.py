"""Trains a residual detector from healthy trips: curves by scikit-learn, the fleet's prior, and a threshold for a false-alarm budget.

Vehicles are split first: curves are fitted on one part, and everything that follows (scatter, prior, threshold) on the other,
so that no figure flatters itself. Where there is one vehicle only, its trips are split instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pydantic
from numpy.typing import NDArray

from domain.errors import InputError
from domain.signals import SampleBatch
from models.artefact import Artefact
from models.calibration import CalibrationRecipe, alarm_threshold, fleet_prior, within_scatter
from models.coolant_detector import COOLANT, NAME
from models.cusum import Limits
from models.feature_set import FeatureSet
from models.features import PaneStream
from models.residual import AdditiveModel, Curve, Trip, add_residuals, new_trip, settled_points, trip_statistic

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train.

    Attributes:
        min_panes: panes that a trip needs. plausible: range of the target that may be learnt as normal.
        smallest_drift: shifts below it are not worth a visit. calibration: of the prior and the threshold.
        knots, degree, penalty: of the spline and the ridge. dropout: share of extra copies of trips in which optional inputs are
            left out at random, so that a car without them is still expected well.
        calibration_share: of vehicles (or trips) kept from the curves. seed: of everything random.
    """

    min_panes: int = 18
    plausible: tuple[float, float]
    smallest_drift: float
    calibration: CalibrationRecipe
    knots: int = 6
    degree: int = 3
    penalty: float = 1.0
    dropout: float = 1.0
    calibration_share: float = 0.4
    seed: int = 20260301


COOLANT_RECIPE = Recipe(
    plausible=(76.0, 112.0),
    smallest_drift=1.5,
    calibration=CalibrationRecipe(
        # a real engine scatters by this under curves that were fitted to others, or where inputs are missing
        least_within=1.25,
        # rated opening temperatures of road engines' thermostats lie between about 76 and 105 °C
        least_between=6.0,
        # the coolant temperature of SAE J1979 comes in steps of 1 K
        steadiest=0.5,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TripPoints:
    """The counting panes of one trip."""

    vehicle: str
    time_ns: NDArray[np.int64]
    points: Floats
    target: Floats


def train_coolant(trips: Iterable[SampleBatch], recipe: Recipe = COOLANT_RECIPE, data: str = "") -> Artefact:
    """The coolant detector, from batches that each hold whole trips of healthy vehicles; see `train`."""
    return train(NAME, COOLANT, recipe, trips, data)


def train(name: str, features: FeatureSet, recipe: Recipe, trips: Iterable[SampleBatch], data: str = "") -> Artefact:
    """Train one signal family from whole trips of healthy vehicles; `data` says in words where they come from.

    Raises:
        InputError: fewer than 8 trips have enough settled panes.
    """
    read = [trip for batch in trips for trip in _read(features, batch) if len(trip.target) >= recipe.min_panes]
    if len(read) < 8:
        raise InputError(f"only {len(read)} trips have enough settled driving", mend="give at least 8 longer trips")
    rng = np.random.default_rng(recipe.seed)
    fitting, calibrating = _split(read, recipe.calibration_share, rng)
    pipeline = fit_pipeline(features, recipe, fitting, rng)
    model = export_model(features, pipeline)
    residuals = trip_residuals(features, model, recipe.min_panes, calibrating)
    prior = fleet_prior(residuals, recipe.calibration)
    threshold, found = alarm_threshold(residuals, prior, recipe.calibration, rng)
    training = {
        "data": data,
        "seed": recipe.seed,
        "vehicles": len({trip.vehicle for trip in read}),
        "trips": len(read),
        "trips_fitted": len(fitting),
        "trips_calibrated": len(calibrating),
        "within_measured": within_scatter(residuals),
        "threshold": found,
    }
    artefact = Artefact(
        name=name,
        features=features,
        model=model,
        prior=prior,
        limits=Limits(threshold=threshold, smallest_drift=recipe.smallest_drift),
        min_panes=recipe.min_panes,
        plausible=recipe.plausible,
        training=training,
    )
    # once through validation, so that what is hashed is what a reader of the file gets
    return pydantic.TypeAdapter(Artefact).validate_python(asdict(artefact))


def _read(features: FeatureSet, batch: SampleBatch) -> list[TripPoints]:
    """Counting panes of each trip of a batch; what is open at its end counts as a trip."""
    open_trips, pieces, done = dict[str, Trip](), dict[str, list[TripPoints]](), list[list[TripPoints]]()
    for part in PaneStream(features).cut(batch):
        trip = open_trips.setdefault(part.vehicle, new_trip(features))
        points, counts = settled_points(features, trip, part.values)
        piece = TripPoints(
            vehicle=part.vehicle, time_ns=part.time_ns[counts], points=points[counts], target=part.values[counts, 0]
        )
        pieces.setdefault(part.vehicle, []).append(piece)
        if part.closed_ns is not None:
            done.append(pieces.pop(part.vehicle))
            del open_trips[part.vehicle]
    return [_joined(each) for each in (*done, *pieces.values())]


def _joined(pieces: Sequence[TripPoints]) -> TripPoints:
    return TripPoints(
        vehicle=pieces[0].vehicle,
        time_ns=np.concatenate([each.time_ns for each in pieces]),
        points=np.concatenate([each.points for each in pieces]),
        target=np.concatenate([each.target for each in pieces]),
    )


def _split(trips: Sequence[TripPoints], share: float, rng: np.random.Generator) -> tuple[list[TripPoints], list[TripPoints]]:
    """(to fit on, to calibrate on), by vehicle where there are at least 5, else by trip."""
    vehicles = sorted({trip.vehicle for trip in trips})
    groups = [vehicles.index(trip.vehicle) for trip in trips] if len(vehicles) >= 5 else list(range(len(trips)))
    shuffled = rng.permutation(max(groups) + 1)
    held = set(shuffled[: max(1, round(share * len(shuffled)))].tolist())
    fitting = [trip for trip, group in zip(trips, groups, strict=True) if group not in held]
    return fitting, [trip for trip, group in zip(trips, groups, strict=True) if group in held]


def fit_pipeline(features: FeatureSet, recipe: Recipe, trips: Sequence[TripPoints], rng: np.random.Generator) -> Any:
    """A scikit-learn pipeline: splines of each feature and flags of missing ones into a ridge; every trip weighs the same."""
    from sklearn.impute import MissingIndicator
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import SplineTransformer

    copies = [*trips, *_with_dropout(features, recipe, trips, rng)]
    points = np.concatenate([trip.points for trip in copies])
    target = np.concatenate([trip.target for trip in copies])
    weight = np.concatenate([np.full(len(trip.target), 1.0 / len(trip.target)) for trip in copies])
    splines = SplineTransformer(
        n_knots=recipe.knots,
        degree=recipe.degree,
        knots=_knots(points, recipe.knots),
        extrapolation="constant",
        handle_missing="zeros",
    )
    flags = MissingIndicator(features="all")
    basis = FeatureUnion([("splines", splines), ("missing", flags)])
    pipeline = Pipeline([("basis", basis), ("ridge", Ridge(alpha=recipe.penalty))])
    return pipeline.fit(points, target, ridge__sample_weight=weight * len(copies) / weight.sum() * 10.0)


def _knots(points: Floats, count: int) -> Floats:
    """Knots [count, features], evenly from the 1st to the 99th percentile; 0 to 1 for a feature that is never there."""
    knots = np.empty((count, points.shape[1]))
    for column in range(points.shape[1]):
        seen = points[~np.isnan(points[:, column]), column]
        low, high = np.percentile(seen, (1, 99)) if len(seen) else (0.0, 1.0)
        knots[:, column] = np.linspace(low, max(high, low + 1.0), count)
    return knots


def _with_dropout(
    features: FeatureSet, recipe: Recipe, trips: Sequence[TripPoints], rng: np.random.Generator
) -> list[TripPoints]:
    optional = np.array([number for number in range(len(features.inputs)) if number not in features.required], np.int64)
    copies = []
    for trip in trips:
        if rng.random() < recipe.dropout and len(optional):
            points = trip.points.copy()
            points[:, optional[rng.random(len(optional)) < 0.5]] = np.nan
            copies.append(replace(trip, points=points))
    return copies


def export_model(features: FeatureSet, pipeline: Any) -> AdditiveModel:
    """The pipeline as curves that need no scikit-learn, equal to its predictions within rounding."""
    from scipy.interpolate import BSpline, PPoly

    splines = pipeline.named_steps["basis"].transformer_list[0][1]
    ridge = pipeline.named_steps["ridge"]
    width = splines.n_features_out_ // splines.n_features_in_
    flags = ridge.coef_[splines.n_features_out_ :]
    curves = []
    for number, feature in enumerate(features.features):
        basis = splines.bsplines_[number]
        own = BSpline(basis.t, basis.c[:, :width] @ ridge.coef_[number * width : (number + 1) * width], basis.k)
        pieces = PPoly.from_spline((own.t, own.c, own.k))
        inner = slice(basis.k, len(basis.t) - basis.k - 1)
        curves.append(
            Curve(
                feature=feature,
                breaks=tuple(pieces.x[basis.k : len(basis.t) - basis.k].tolist()),
                coefficients=tuple(tuple(row) for row in pieces.c[:, inner].T.tolist()),
                absent=float(flags[number]),
            )
        )
    return AdditiveModel(intercept=float(ridge.intercept_), curves=tuple(curves))


def trip_residuals(
    features: FeatureSet, model: AdditiveModel, min_panes: int, trips: Iterable[TripPoints]
) -> dict[str, list[float]]:
    """Vehicle -> residual of each of its trips."""
    found: dict[str, list[float]] = {}
    for each in trips:
        trip, known = new_trip(features), model.knows(each.points, features.required)
        add_residuals(trip, each.time_ns[known], each.target[known], model.expect(each.points[known]))
        statistic = trip_statistic(trip, min_panes)
        if statistic is not None:
            found.setdefault(each.vehicle, []).append(statistic.residual)
    return found
