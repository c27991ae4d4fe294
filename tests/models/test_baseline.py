"""Baselines: the prior at first, the vehicle's own trips later; and their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domain.errors import DataFileError
from models.baseline import Baseline, Prior, learnt_baseline, load_baselines, save_baselines

PRIOR = Prior(location=1.0, between=6.0, within=1.25, steadiest=0.5)


def test_without_trips_the_baseline_is_the_prior() -> None:
    baseline = learnt_baseline(PRIOR, [])
    assert baseline.location == 1.0
    assert baseline.scale == pytest.approx(np.hypot(6.0, 1.25))


def test_one_trip_moves_it_as_normal_updating_does() -> None:
    weight = 36.0 / (36.0 + 1.25**2)
    assert learnt_baseline(PRIOR, [5.0]).location == pytest.approx(weight * 5.0 + (1 - weight) * 1.0)


def test_many_trips_leave_nothing_of_the_prior() -> None:
    trips = np.random.default_rng(1).normal(-3.0, 0.8, 30).tolist()
    baseline = learnt_baseline(PRIOR, trips)
    assert baseline.location == pytest.approx(np.median(trips), abs=0.05)
    assert 0.7 < baseline.scale < 1.25


def test_a_wild_trip_among_many_hardly_counts() -> None:
    trips = np.random.default_rng(1).normal(-3.0, 0.8, 30).tolist()
    wild = learnt_baseline(PRIOR, [*trips[:-1], 40.0])
    assert wild.location == pytest.approx(learnt_baseline(PRIOR, trips).location, abs=0.2)


def test_no_vehicle_is_believed_to_be_steadier_than_its_sensor() -> None:
    assert learnt_baseline(PRIOR, [2.0] * 30).scale > 0.5


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    baselines = {
        "b": Baseline(location=-2.3, scale=0.1 + 0.2, trips=30, model="abc"),
        "a": Baseline(location=0.0, scale=1.0, trips=1),
    }
    save_baselines(tmp_path / "baselines.csv", baselines)
    assert load_baselines(tmp_path / "baselines.csv") == baselines


def test_rows_of_other_detectors_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "baselines.csv"
    file.write_text("vehicle,detector,location,scale\na,coolant_residual,1,2\na,voltage_residual,3,4\n")
    assert load_baselines(file) == {"a": Baseline(location=1.0, scale=2.0, trips=0)}
    assert load_baselines(file, "voltage_residual") == {"a": Baseline(location=3.0, scale=4.0, trips=0)}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,coolant_residual,x,2", "column location"),
        ("a,coolant_residual,nan,2", "column location"),
        ("a,coolant_residual,1,0", "column scale"),
        (",coolant_residual,1,2", "fill the cell"),
        ("b,coolant_residual,1,2", "stands here twice"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, row: str, says: str) -> None:
    file = tmp_path / "baselines.csv"
    file.write_text(f"vehicle,detector,location,scale\nb,coolant_residual,1,2\n{row}\n")
    with pytest.raises(DataFileError, match=says) as problem:
        load_baselines(file)
    assert f"{file}:3: " in str(problem.value)


def test_a_file_that_is_not_there_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="cannot be read"):
        load_baselines(tmp_path / "none.csv")
    with pytest.raises(DataFileError, match="cannot be written"):
        save_baselines(tmp_path / "no" / "baselines.csv", {})
