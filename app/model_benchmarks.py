"""Reads public data sets (docs/guides/model-benchmarks.md says how they lie) and evaluates models of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from app.field_benchmarks import carobd, ev_field_pack
from app.output import say
from datafiles.number_table import read_header, read_number_lines, read_numbers
from domain.errors import DataFileError, InputError
from models.public import air_pressure, component_x, machine_failure
from models.public.cell_life import FEATURES, SPLITS, Cells, cross_validate_cells, evaluate_parts
from models.public.machine_failure import FAILED, QUALITIES, READINGS, nested_cross_validation
from models.public.turbofan import SENSORS, SETTINGS, Histories
from models.public.turbofan_life import RECIPE, Recipe, cross_validate, evaluate_held_out

Floats = NDArray[np.float64]
Figures = dict[str, Any]

SUBSETS = ("FD001", "FD002", "FD003", "FD004")
CELL_FOLDS = 5


def run_benchmark(name: str, folder: Path, *, cv: bool, seeds: int) -> Figures:
    """Figures of one data set; long computations use one thread, so that they do not wait for each other.

    Raises:
        DataFileError: a file is missing or not as documented.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return BENCHMARKS[name](folder, cv, seeds)


def turbofan(folder: Path, cv: bool, seeds: int, recipe: Recipe = RECIPE) -> Figures:
    """Each subset of C-MAPSS that is there: figures on its test engines, and with `cv` those of cross-validation by engine."""
    figures: Figures = {}
    for subset in SUBSETS:
        training_file, test_file, remaining_file = (
            folder / name.format(subset) for name in ("train_{}.csv.gz", "test_{}.csv.gz", "RUL_{}.txt")
        )
        tested = test_file.exists() or remaining_file.exists()
        if not training_file.exists() or not (tested or cv):
            continue
        training = read_histories(training_file)
        held_out = read_test_engines(test_file, remaining_file) if tested else None
        figures[subset] = {}
        try:
            if held_out is not None:
                figures[subset] |= evaluate_held_out(training, *held_out, recipe, seed=0)
            if cv:
                figures[subset] |= _over_seeds([cross_validate(training, recipe, seed) for seed in range(seeds)])
        except InputError as problem:
            raise DataFileError(problem.what, file=training_file, mend=problem.mend) from problem
        say(f"{subset}: done")
    if not figures:
        wanted = "train_FD001.csv.gz, test_FD001.csv.gz and RUL_FD001.txt"
        raise DataFileError(
            "holds no subset to evaluate", file=folder, mend=f"put {wanted} there, or give --cv for training engines only"
        )
    return figures


def read_histories(file: Path) -> Histories:
    """Engines of one file; rows may lie in any order.

    Raises:
        DataFileError: the file is not as documented, or an engine has a cycle twice.
    """
    table = read_numbers(file, ("unit_id", "cycle", *SETTINGS, *SENSORS))
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    keys = table[:, :2].astype(np.int64)
    if (keys != table[:, :2]).any():
        raise DataFileError("unit_id or cycle is not a whole number", file=file, mend="number engines and cycles from 1")
    twice = np.flatnonzero((np.diff(keys, axis=0) == 0).all(axis=1))
    if len(twice):
        engine, cycle = keys[twice[0]].tolist()
        raise DataFileError(f"engine {engine} has cycle {cycle} twice", file=file, mend="leave one of the rows out")
    split = 2 + len(SETTINGS)
    return Histories(engine=keys[:, 0], cycle=keys[:, 1], settings=table[:, 2:split], sensors=table[:, split:])


def read_test_engines(test_file: Path, remaining_file: Path) -> tuple[Histories, Floats]:
    """Test engines, and the cycles that each had left (in order of engine ids).

    Raises:
        DataFileError: a file is not as documented, or they do not tell of the same number of engines.
    """
    test, remaining = read_histories(test_file), read_number_lines(remaining_file)
    engines = len(test.last_rows())
    if len(remaining) != engines:
        what = f"has {len(remaining)} lines for {engines} engines of {test_file.name}"
        raise DataFileError(what, file=remaining_file, line=min(len(remaining), engines) + 1, mend="give one line per engine")
    if remaining.min() < 0:
        line = int(remaining.argmin()) + 1
        raise DataFileError("is negative", file=remaining_file, line=line, mend="write the cycles that the engine had left")
    return test, remaining


def machine_failures(folder: Path, _cv: bool, seeds: int, recipe: machine_failure.Recipe = machine_failure.RECIPE) -> Figures:
    """AI4I 2020, always by nested cross-validation: it has no test part."""
    file = folder / "ai4i2020.csv.gz"
    table = read_numbers(file, (*READINGS, FAILED), words={"Type": QUALITIES})
    readings, failed = table[:, :-1], table[:, -1].astype(np.int64)
    least = recipe.folds * recipe.inner_folds
    if not np.isin(table[:, -1], (0.0, 1.0)).all() or not least <= failed.sum() <= len(failed) - least:
        mend = f"write 0 or 1, with at least {least} rows of each"
        raise DataFileError(f"column {FAILED!r} does not tell failures from others", file=file, mend=mend)
    figures = _over_seeds([nested_cross_validation(readings, failed, recipe, seed) for seed in range(seeds)], "")
    return figures | {"rows": len(failed), "failures": int(failed.sum())}


def cell_life(folder: Path, cv: bool, seeds: int) -> Figures:
    """Severson's cells: both test parts, and with `cv` cross-validation over the training cells."""
    file = folder / "features.csv"
    table = read_numbers(file, ("split", "life", *FEATURES), words={"split": SPLITS})
    cells = Cells(split=table[:, 0].astype(np.int64), life=table[:, 1], features=table[:, 2:])
    for name, least in (("train", 10), ("test1", 1), ("test2", 1)):
        if (found := len(cells.part(name).life)) < least:
            raise DataFileError(f"has {found} cells of {name}", file=file, mend=f"give at least {least}")
    if cells.life.min() <= 0:
        raise DataFileError("has a life of 0 cycles or less", file=file, mend="leave the cell out, or correct its life")
    figures: Figures = dict(evaluate_parts(cells))
    if cv:
        figures |= _over_seeds([{"mape": cross_validate_cells(cells, CELL_FOLDS, seed)} for seed in range(seeds)])
    return figures


def truck_air_pressure(folder: Path, cv: bool, seeds: int, recipe: air_pressure.Recipe = air_pressure.RECIPE) -> Figures:
    """Scania APS: cost of the test rows, and with `cv` that of each training row."""
    training, test = (_trucks(folder / f"aps_failure_{part}_set.csv") for part in ("training", "test"))
    if training[0].shape[1] != test[0].shape[1]:
        raise DataFileError(
            "does not have the columns of the training file", file=folder / "aps_failure_test_set.csv", mend="fetch both again"
        )
    figures = air_pressure.evaluate_trucks(training, test, recipe, seed=0)
    if cv:
        figures |= _over_seeds([air_pressure.cross_validate_trucks(*training, recipe, seed) for seed in range(seeds)])
    return figures


def _trucks(file: Path) -> tuple[Floats, NDArray[np.bool_]]:
    before, columns = read_header(file, air_pressure.CLASS)
    words = {air_pressure.CLASS: air_pressure.CLASSES}
    table = read_numbers(file, columns, words=words, missing=air_pressure.MISSING, before_header=before)
    failed = table[:, 0] == 1.0
    if min(failed.sum(), (~failed).sum()) < air_pressure.RECIPE.folds:
        mend = f"give at least {air_pressure.RECIPE.folds} rows of each class"
        raise DataFileError("has too few rows of a class", file=file, mend=mend)
    return table[:, 1:], failed


def truck_component(folder: Path, _cv: bool, _seeds: int, recipe: component_x.Recipe = component_x.RECIPE) -> Figures:
    """Scania Component X: cost of the validation vehicles, and of the test vehicles where their files are there."""
    training = _readouts(folder / "train_operational_readouts.csv")
    told = read_numbers(folder / "train_tte.csv", ("vehicle_id", "length_of_study_time_step", "in_study_repair"))
    told = told[np.argsort(told[:, 0])]
    lives = told[:, 0].astype(np.int64), told[:, 1], told[:, 2] == 1.0
    _same_vehicles(training, lives[0], folder / "train_tte.csv")
    figures: Figures = {}
    for part in ("validation", "test"):
        file = folder / f"{part}_labels.csv"
        if part == "test" and not file.exists():
            continue
        labels = read_numbers(file, ("vehicle_id", "class_label"))
        vehicle, known_class = labels[np.argsort(labels[:, 0])].astype(np.int64).T
        if not np.isin(known_class, range(component_x.CLASSES)).all():
            raise DataFileError("has a class that is not 0 to 4", file=file, mend="fetch it again")
        read = _readouts(folder / f"{part}_operational_readouts.csv")
        _same_vehicles(read, vehicle, file)
        figures[part] = component_x.evaluate_components(training, lives, read, (vehicle, known_class), recipe, seed=0)
    return figures


def _same_vehicles(read: component_x.Readouts, known: NDArray[np.int64], file: Path) -> None:
    if not np.array_equal(np.unique(read.vehicle), known):
        raise DataFileError("does not tell of the vehicles of the readouts, each once", file=file, mend="fetch both again")


def _readouts(file: Path) -> component_x.Readouts:
    """Readouts in order of vehicle and time; a million rows of a hundred columns, so that they are read by Arrow."""
    try:
        table = pyarrow.csv.read_csv(file)
    except (OSError, pa.ArrowException) as problem:
        raise DataFileError("cannot be read as CSV", file=file, mend="check the path, or fetch it again") from problem
    if table.column_names[:2] != ["vehicle_id", "time_step"] or not table.num_rows:
        mend = "columns are vehicle_id, time_step and counters"
        raise DataFileError("has not the columns of readouts, or no rows", file=file, line=1, mend=mend)
    try:
        vehicle, step, *counters = (column.cast(pa.float64()).to_numpy() for column in table.columns)
    except pa.ArrowException as problem:
        raise DataFileError("a cell is no number", file=file, mend="fetch it again") from problem
    order = np.lexsort((step, vehicle))
    values = np.empty((len(order), len(counters)))
    for place, counter in enumerate(counters):
        values[:, place] = counter[order]
    return component_x.Readouts(vehicle=vehicle[order].astype(np.int64), step=step[order], counters=values)


def _over_seeds(runs: list[dict[str, float]], prefix: str = "cv_") -> Figures:
    """Mean and each seed's figure, as `NAME` and `NAME_by_seed`."""
    means = {f"{prefix}{name}": float(np.mean([run[name] for run in runs])) for name in runs[0]}
    return means | {f"{prefix}{name}_by_seed": [run[name] for run in runs] for name in runs[0]}


BENCHMARKS: Mapping[str, Callable[[Path, bool, int], Figures]] = {
    "cmapss": turbofan,
    "ai4i2020": machine_failures,
    "severson": cell_life,
    "aps": truck_air_pressure,
    "component_x": truck_component,
    "carobd": carobd,
    "ev_field_pack": ev_field_pack,
}
