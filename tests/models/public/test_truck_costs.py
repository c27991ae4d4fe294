"""Trucks decided by cost: air pressure systems (APS) and Component X, on small files of the published form."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import cli
from app.model_benchmarks import run_benchmark, truck_air_pressure
from domain.errors import DataFileError
from models.public import air_pressure, component_x
from models.public.air_pressure import cost_figures
from models.public.component_x import COSTS, Readouts, features, training_rows

LICENCE = "This file is part of APS Failure and Operational Data for Scania Trucks.\n\n"


def write_trucks(folder: Path, part: str, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    failed = rng.random(rows) < 0.15
    with (folder / f"aps_failure_{part}_set.csv").open("w", encoding="utf-8", newline="") as stream:
        stream.write(LICENCE)
        writer = csv.writer(stream)
        writer.writerow(("class", "aa_000", "ab_000"))
        for fails in failed:
            shown = "na" if fails and rng.random() < 0.5 else f"{rng.normal(8.0 if fails else 0.0):.3f}"
            writer.writerow(("pos" if fails else "neg", shown, f"{rng.normal():.2f}"))


def test_trucks_that_differ_are_told_apart_by_value_and_by_what_is_missing(tmp_path: Path) -> None:
    write_trucks(tmp_path, "training", 600, 1)
    write_trucks(tmp_path, "test", 300, 2)
    result = CliRunner().invoke(cli, ["models", "evaluate", "--benchmark", "aps", "--data", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["rows"] == 300
    assert told["cost_ci"][0] <= told["cost"] <= told["cost_ci"][1]
    assert told["cost"] == 10 * told["false_alarms"] + 500 * told["misses"]
    assert told["cost"] < 10 * (300 - told["failures"]) < 500 * told["failures"]
    quick = truck_air_pressure(tmp_path, cv=True, seeds=2, recipe=replace(air_pressure.RECIPE, trees=10, folds=3))
    assert len(quick["cv_cost_per_row_by_seed"]) == 2


def test_costs_of_checking_all_and_none_are_the_published_ones() -> None:
    failed = np.arange(16_000) < 375
    assert cost_figures(np.zeros(16_000), failed, 0)["cost"] == 187_500
    assert cost_figures(np.ones(16_000), failed, 0)["cost"] == 156_250


def test_the_matrix_gives_the_published_costs_of_component_x() -> None:
    """On the test vehicles, whose classes follow from the two published costs and 60 of class 4."""
    counts = np.array([4903, 26, 15, 41, 60])
    assert counts.sum() == 5045
    assert counts @ COSTS[:, 0] == 56_100
    assert counts @ COSTS[:, 4] == 49_671


def trucks(vehicles: int, seed: int) -> tuple[Readouts, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A counter that runs faster in the last 50 steps before a failure; half of the trucks leave the watch sound."""
    rng = np.random.default_rng(seed)
    length, failed = rng.uniform(60.0, 200.0, vehicles), rng.random(vehicles) < 0.5
    rows = []
    for vehicle in range(vehicles):
        step = np.sort(rng.uniform(0.0, length[vehicle], 15))
        left = np.where(failed[vehicle], length[vehicle] - step, 1e9)
        speed = 1.0 + np.clip((50.0 - left) / 10.0, 0.0, 5.0)
        rows.append(np.column_stack([np.full(15, vehicle), step, np.cumsum(np.diff(step, prepend=0.0) * speed)]))
    table = np.vstack(rows)
    readouts = Readouts(vehicle=table[:, 0].astype(np.int64), step=table[:, 1], counters=table[:, 2:])
    return readouts, (np.arange(vehicles), length, failed)


def test_histories_are_cut_where_their_class_is_known() -> None:
    readouts, lives = trucks(60, seed=1)
    rows, classes = training_rows(readouts, lives, component_x.RECIPE, seed=1)
    assert np.bincount(readouts.vehicle[rows]).max() == component_x.RECIPE.cuts
    for row, found in zip(rows.tolist(), classes.tolist(), strict=True):
        vehicle = readouts.vehicle[row]
        left = lives[1][vehicle] - readouts.step[row]
        if lives[2][vehicle]:
            assert found == sum(left <= edge for edge in (48, 24, 12, 6))
        else:
            assert left > 48
            assert found == 0


def test_rates_never_reach_into_another_vehicle() -> None:
    readouts = Readouts(vehicle=np.array([1, 1, 2]), step=np.array([0.0, 2.0, 5.0]), counters=np.array([[1.0], [7.0], [9.0]]))
    np.testing.assert_array_equal(features(readouts, np.array([0, 1, 2]))[:, 2], [np.nan, 3.0, np.nan])


def write_component_x(folder: Path, *, labels: bool = True) -> None:
    for part, count, seed in (("train", 150, 1), ("validation", 80, 2)):
        readouts, (vehicles, length, failed) = trucks(count, seed)
        header = "vehicle_id,time_step,171_0\n"
        cut = (
            readouts.step < np.random.default_rng(seed).uniform(20.0, 1.0 + length)[readouts.vehicle]
            if part != "train"
            else slice(None)
        )
        first = np.append(True, np.diff(readouts.vehicle) != 0)
        cut = cut | first if part != "train" else cut
        table = np.column_stack([readouts.vehicle, readouts.step, readouts.counters])[cut]
        body = "".join(f"{int(v)},{s:.3f},{c:.3f}\n" for v, s, c in table)
        (folder / f"{part}_operational_readouts.csv").write_text(header + body, encoding="utf-8")
        if part == "train":
            lives = "".join(f"{v},{n:.3f},{int(f)}\n" for v, n, f in zip(vehicles, length, failed, strict=True))
            text = "vehicle_id,length_of_study_time_step,in_study_repair\n" + lives
            (folder / "train_tte.csv").write_text(text, encoding="utf-8")
        elif labels:
            last = {int(v): s for v, s, _ in table}
            known = [
                0 if not f else sum(n - last[v] <= edge for edge in (48, 24, 12, 6))
                for v, n, f in zip(vehicles.tolist(), length, failed, strict=True)
            ]
            text = "vehicle_id,class_label\n" + "".join(f"{v},{c}\n" for v, c in enumerate(known))
            (folder / "validation_labels.csv").write_text(text, encoding="utf-8")


def test_component_x_is_judged_by_its_matrix(tmp_path: Path) -> None:
    write_component_x(tmp_path)
    told = run_benchmark("component_x", tmp_path, cv=False, seeds=1)["validation"]
    assert told["vehicles"] == sum(told["said"]) == sum(told["true"]) == 80
    assert told["cost"] < min(told["cost_of_nothing"], told["cost_of_all"])


def test_files_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    write_component_x(tmp_path)
    labels = tmp_path / "validation_labels.csv"
    labels.write_text(labels.read_text().rsplit("\n", 2)[0] + "\n", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"validation_labels.csv: does not tell of the vehicles of the readouts, each once"):
        run_benchmark("component_x", tmp_path, cv=False, seeds=1)
    with pytest.raises(DataFileError, match=r"aps_failure_training_set.csv: cannot be read"):
        run_benchmark("aps", tmp_path, cv=False, seeds=1)
    (tmp_path / "aps_failure_training_set.csv").write_text(LICENCE, encoding="utf-8")
    with pytest.raises(DataFileError, match="has no header that begins with 'class'"):
        run_benchmark("aps", tmp_path, cv=False, seeds=1)
