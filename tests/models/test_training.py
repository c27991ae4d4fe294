"""Training: scikit-learn's curves carried over exactly, the threshold within its budget, the artefact as a file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.simulated_trips import DAY_NS, simulated_trips
from domain.errors import DataFileError, InputError
from models.artefact import SHIPPED, Artefact, load_artefact, save_artefact
from models.baseline import LEARNING_TRIPS, Prior, learnt_baseline
from models.calibration import CalibrationRecipe, alarm_threshold, fleet_prior, within_scatter
from models.coolant_detector import COOLANT
from models.cusum import CusumState, Limits, Verdict, advance
from models.training import COOLANT_RECIPE, TripPoints, export_model, fit_pipeline, train_coolant
from simulator.drive_spec import FIRST_START_NS as START_NS
from tests.models.trips import steady_trip

QUICK = replace(COOLANT_RECIPE, calibration=replace(COOLANT_RECIPE.calibration, replicates=50, horizon=60))


def points(seed: int, trips: int = 12) -> list[TripPoints]:
    """Trips with a known law: 90 + speed / 50 + ambient / 20, some inputs missing in some trips."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(trips):
        x = rng.uniform(0, 100, (60, len(COOLANT.features)))
        if number % 3 == 0:
            x[:, 6:8] = np.nan
        target = 90 + x[:, 1] / 50 + np.nan_to_num(x[:, 6], nan=40.0) / 20
        made.append(TripPoints(vehicle=f"v{number % 4}", time_ns=np.arange(60), points=x, target=target))
    return made


def test_predictions_equal_those_of_scikit_learn() -> None:
    pipeline = fit_pipeline(COOLANT, QUICK, points(1), np.random.default_rng(0))
    model = export_model(COOLANT, pipeline)
    rng = np.random.default_rng(2)
    x = rng.uniform(-40, 160, (500, len(COOLANT.features)))
    x[rng.random(x.shape) < 0.2] = np.nan
    np.testing.assert_allclose(model.expect(x), pipeline.predict(x), rtol=0, atol=1e-9)


def test_the_curves_follow_a_law_that_is_in_the_data() -> None:
    model = export_model(COOLANT, fit_pipeline(COOLANT, QUICK, points(1), np.random.default_rng(0)))
    for trip in points(5, trips=2):
        # 2 K of spread are explained up to what leaving inputs out at random costs
        assert np.abs(model.expect(trip.points) - trip.target).mean() < 0.2


def test_training_again_gives_the_same_artefact() -> None:
    trips = list(simulated_trips(11, vehicles=2, trips=6, duration_s=(1500.0, 1800.0)))
    one, two = train_coolant(trips, QUICK), train_coolant(iter(trips), QUICK)
    assert one == two
    assert one.version == two.version
    assert one.training["trips"] > 8


def test_too_few_trips_are_refused() -> None:
    short = [steady_trip(minutes=6.0, start_ns=START_NS + day * DAY_NS) for day in range(20)]
    with pytest.raises(InputError, match="only 0 trips have enough settled driving"):
        train_coolant(short, QUICK)


RESIDUALS = {
    f"v{vehicle}": (offset + np.random.default_rng(vehicle).standard_t(4, 40) * 0.6).tolist()
    for vehicle, offset in enumerate((-3.0, 0.0, 1.0, 4.0))
}
RECIPE = CalibrationRecipe(least_within=0.5, least_between=2.0, steadiest=0.5, replicates=150, horizon=100)


def test_the_prior_is_measured_from_vehicle_to_vehicle_and_trip_to_trip() -> None:
    prior = fleet_prior(RESIDUALS, RECIPE)
    medians = [np.median(trips) for trips in RESIDUALS.values()]
    assert prior.location == pytest.approx(np.median(medians))
    assert prior.between == pytest.approx(np.std(medians, ddof=1))
    assert prior.within == pytest.approx(within_scatter(RESIDUALS))
    assert prior.within == pytest.approx(0.6 * np.sqrt(2), rel=0.2)


def test_a_fleet_steadier_than_life_gets_the_floors() -> None:
    prior = fleet_prior({"a": [1.0, 1.0], "b": [1.1, 1.1]}, RECIPE)
    assert (prior.between, prior.within) == (2.0, 0.5)


def alarms(threshold: float, prior: Prior, vehicles: int, trips: int, seed: int) -> int:
    """Vehicles of the fleet in RESIDUALS that raise a false alarm within these trips, counted trip by trip."""
    rng = np.random.default_rng(seed)
    unit = np.concatenate([np.array(each) - np.median(each) for each in RESIDUALS.values()]) / within_scatter(RESIDUALS)
    limits, count = Limits(threshold=threshold, smallest_drift=0.0), 0
    for _ in range(vehicles):
        residuals = rng.normal(prior.location, prior.between) + rng.uniform(prior.steadiest, prior.within) * rng.choice(
            unit, trips
        )
        state, learnt = CusumState(), list[float]()
        for residual in residuals.tolist():
            baseline = learnt_baseline(prior, learnt)
            deviation = residual - baseline.location
            state, verdict = advance(state, deviation, baseline.scale, 0, limits)
            if verdict is Verdict.RAISED:
                count += 1
                break
            if len(learnt) < LEARNING_TRIPS and abs(deviation) <= 3.5 * baseline.scale:
                learnt.append(residual)
    return count


def test_the_threshold_keeps_its_budget_on_other_draws_and_not_by_far() -> None:
    prior = fleet_prior(RESIDUALS, RECIPE)
    threshold, found = alarm_threshold(RESIDUALS, prior, RECIPE, np.random.default_rng(0))
    assert found["false_alarms_per_1000_trips"] <= 1.0
    # budget: 1 in 1000 trips is 15 in 150 vehicles of 100 trips; with four standard deviations of slack
    assert alarms(threshold, prior, 150, 100, seed=1) <= 30
    assert alarms(threshold / 2, prior, 150, 100, seed=1) > 30


@pytest.fixture
def artefact(tmp_path: Path) -> tuple[Path, Artefact]:
    save_artefact(tmp_path / "own.json", load_artefact())
    return tmp_path / "own.json", load_artefact()


def test_an_artefact_survives_its_file(artefact: tuple[Path, Artefact]) -> None:
    file, content = artefact
    assert load_artefact(file) == content
    assert load_artefact(file).sha256 == content.sha256


def test_the_shipped_artefact_says_how_it_was_made() -> None:
    shipped = load_artefact()
    assert shipped.features == COOLANT
    assert "simulated" in shipped.training["data"]
    assert shipped.training["threshold"]["budget_per_trip"] == 0.001
    assert shipped.training["threshold"]["false_alarms_per_1000_trips"] <= 1.0
    assert (len(shipped.version), len(shipped.sha256)) == (16, 64)


def test_any_change_changes_the_version() -> None:
    shipped = load_artefact()
    assert replace(shipped, limits=replace(shipped.limits, threshold=8.5)).version != shipped.version


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda document: document["artefact"]["limits"].update(threshold=1.0), "sha256"),
        (lambda document: document.update(format=99), "format"),
        (lambda document: document["artefact"].pop("prior"), "prior"),
        (lambda document: document.pop("artefact"), "train the model again"),
    ],
)
def test_an_artefact_that_was_tampered_with_is_refused(
    artefact: tuple[Path, Artefact], change: Callable[[dict[str, Any]], object], says: str
) -> None:
    file, _ = artefact
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    with pytest.raises(DataFileError, match=says):
        load_artefact(file)


@pytest.mark.parametrize("content", ["", "{", "[]", "3"])
def test_what_is_no_artefact_is_refused_with_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / SHIPPED
    file.write_text(content)
    with pytest.raises(DataFileError) as problem:
        load_artefact(file)
    assert str(problem.value).startswith(f"{file}: ")
    assert "\n" not in str(problem.value)


def test_a_replay_needs_neither_scikit_learn_nor_scipy_nor_pandas() -> None:
    program = (
        "import sys\n"
        "from models.artefact import load_artefact\n"
        "from models.coolant_detector import CoolantDetector\n"
        "from domain.signals import empty_samples\n"
        "from domain.trouble_codes import dtc_batch\n"
        "CoolantDetector(load_artefact()).evaluate(empty_samples(), dtc_batch((), ()))\n"
        "print([name for name in ('sklearn', 'scipy', 'pandas', 'numba') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
