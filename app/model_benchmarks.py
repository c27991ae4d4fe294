"""Reads public data sets (docs/guides/model-benchmarks.md says how they lie) and evaluates models of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.output import say
from datafiles.number_table import read_number_lines, read_numbers
from domain.errors import DataFileError
from models.public.turbofan import SENSORS, SETTINGS, Histories
from models.public.turbofan_life import RECIPE, Recipe, cross_validate, evaluate_held_out

Floats = NDArray[np.float64]
Figures = dict[str, Any]

SUBSETS = ("FD001", "FD002", "FD003", "FD004")


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
        figures[subset] = {}
        if tested:
            test, remaining = read_test_engines(test_file, remaining_file)
            figures[subset] |= evaluate_held_out(training, test, remaining, recipe, seed=0)
        if cv:
            figures[subset] |= _over_seeds([cross_validate(training, recipe, seed) for seed in range(seeds)])
        say(f"{subset}: {figures[subset]}")
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
    return test, remaining


def _over_seeds(runs: list[dict[str, float]]) -> Figures:
    """Mean and each seed's figure, as `cv_NAME` and `cv_NAME_by_seed`."""
    means = {f"cv_{name}": float(np.mean([run[name] for run in runs])) for name in runs[0]}
    return means | {f"cv_{name}_by_seed": [run[name] for run in runs] for name in runs[0]}


BENCHMARKS: Mapping[str, Callable[[Path, bool, int], Figures]] = {"cmapss": turbofan}
