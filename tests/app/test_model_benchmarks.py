"""`pitcall models evaluate --benchmark`: what it prints, and what it says of files that cannot be used."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from app.model_benchmarks import machine_failures, read_histories, run_benchmark, turbofan
from domain.errors import DataFileError
from models.public import machine_failure
from models.public.cell_life import FEATURES
from models.public.machine_failure import FAILED, READINGS
from models.public.turbofan_life import RECIPE
from tests.models.public.engines import engines, first_cycles, write
from tests.models.public.test_cell_life import cells
from tests.models.public.test_machine_failure import machines

QUICK = replace(RECIPE, trees=10, folds=3)


def evaluate(*words: object) -> Result:
    return CliRunner().invoke(cli, ["models", "evaluate", *(str(word) for word in words)])


def put_subset(folder: Path, subset: str, *, test: bool = True) -> None:
    write(folder / f"train_{subset}.csv.gz", engines(6, seed=1))
    if test:
        known, left = first_cycles(engines(4, seed=2), 0.6)
        write(folder / f"test_{subset}.csv.gz", known)
        (folder / f"RUL_{subset}.txt").write_text("".join(f"{cycles}\n" for cycles in left), encoding="utf-8")


def test_subsets_that_are_there_are_evaluated(tmp_path: Path) -> None:
    put_subset(tmp_path, "FD002")
    put_subset(tmp_path, "FD004", test=False)
    result = evaluate("--benchmark", "cmapss", "--data", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert list(figures) == ["FD002"]
    assert set(figures["FD002"]) == {"rmse", "score", "coverage", "rmse_ci", "engines"}
    assert figures["FD002"]["engines"] == 4


def test_training_engines_alone_are_cross_validated(tmp_path: Path) -> None:
    put_subset(tmp_path, "FD003", test=False)
    figures = turbofan(tmp_path, cv=True, seeds=2, recipe=QUICK)["FD003"]
    assert figures["cv_rmse"] == pytest.approx(np.mean(figures["cv_rmse_by_seed"]))
    assert len(set(figures["cv_rmse_by_seed"])) == 2
    assert "rmse" not in figures


def test_the_same_data_give_the_same_figures(tmp_path: Path) -> None:
    put_subset(tmp_path, "FD001")
    assert turbofan(tmp_path, cv=False, seeds=1, recipe=QUICK) == turbofan(tmp_path, cv=False, seeds=1, recipe=QUICK)


def test_rows_may_lie_in_any_order(tmp_path: Path) -> None:
    fleet = engines(3, seed=3)
    write(tmp_path / "a.csv.gz", fleet)
    pd.read_csv(tmp_path / "a.csv.gz").sample(frac=1.0, random_state=1).to_csv(tmp_path / "b.csv.gz", index=False)
    for name in ("a.csv.gz", "b.csv.gz"):
        read = read_histories(tmp_path / name)
        np.testing.assert_allclose(read.sensors, fleet.sensors)
        assert read.cycle.tolist() == fleet.cycle.tolist()


def edit(file: Path, change: Callable[[str], str]) -> None:
    file.write_bytes(gzip.compress(change(gzip.decompress(file.read_bytes()).decode()).encode()))


def spoil_cell(folder: Path) -> None:
    edit(folder / "train_FD001.csv.gz", lambda text: "\n".join([*text.split("\n")[:4], "1,4,x" + ",0" * 15]))


def spoil_header(folder: Path) -> None:
    edit(folder / "test_FD001.csv.gz", lambda text: text.replace("sensor_14", "sensor_5", 1))


def repeat_row(folder: Path) -> None:
    edit(folder / "train_FD001.csv.gz", lambda text: text + text.split("\n")[1] + "\n")


def cut_off(folder: Path) -> None:
    file = folder / "train_FD001.csv.gz"
    file.write_bytes(file.read_bytes()[:-200])


def drop_answer(folder: Path) -> None:
    (folder / "RUL_FD001.txt").write_text("5\n6\n7\n", encoding="utf-8")


def no_answers(folder: Path) -> None:
    (folder / "RUL_FD001.txt").unlink()


def infinite_answer(folder: Path) -> None:
    (folder / "RUL_FD001.txt").write_text("5\ninf\n7\n8\n", encoding="utf-8")


def negative_answer(folder: Path) -> None:
    (folder / "RUL_FD001.txt").write_text("5\n6\n7\n-1\n", encoding="utf-8")


def half_a_cycle(folder: Path) -> None:
    edit(folder / "test_FD001.csv.gz", lambda text: text.replace("\n1,3,", "\n1,3.5,", 1))


def two_engines(folder: Path) -> None:
    write(folder / "train_FD001.csv.gz", engines(2, seed=1))


def copied_engine(folder: Path) -> None:
    write(folder / "test_FD001.csv.gz", first_cycles(engines(4, seed=1, first=11), 0.6)[0])
    write(folder / "train_FD001.csv.gz", engines(4, seed=1))


def nothing(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_cell, "train_FD001.csv.gz:5: column op_setting_1: 'x' cannot be used; write a finite number"),
        (spoil_header, "test_FD001.csv.gz:1: has no column 'sensor_14'; columns are unit_id, cycle, op_setting_1"),
        (repeat_row, "train_FD001.csv.gz: engine 1 has cycle 1 twice; leave one of the rows out"),
        (cut_off, "train_FD001.csv.gz: is not whole gzip data; fetch it again"),
        (drop_answer, "RUL_FD001.txt:4: has 3 lines for 4 engines of test_FD001.csv.gz; give one line per engine"),
        (no_answers, "RUL_FD001.txt: cannot be read (No such file or directory); check the path and its permissions"),
        (infinite_answer, "RUL_FD001.txt:2: column 1: 'inf' cannot be used; write a finite number"),
        (negative_answer, "RUL_FD001.txt:4: is negative; write the cycles that the engine had left"),
        (half_a_cycle, "test_FD001.csv.gz: unit_id or cycle is not a whole number; number engines and cycles from 1"),
        (two_engines, "train_FD001.csv.gz: 2 engines cannot be cut into 3 folds; give at least 3 engines"),
        (copied_engine, "train_FD001.csv.gz: test engine 11 is training engine 1; leave it out of one of the files"),
        (nothing, "holds no subset to evaluate; put train_FD001.csv.gz, test_FD001.csv.gz and RUL_FD001.txt there"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_cannot_be_used_is_named_with_its_place_and_mend(tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    put_subset(tmp_path, "FD001")
    spoil(tmp_path)
    with pytest.raises(DataFileError) as caught:
        turbofan(tmp_path, cv=False, seeds=1, recipe=QUICK)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def machine_table(rows: int = 300) -> pd.DataFrame:
    readings, failed = machines(rows, seed=4)
    table = pd.DataFrame(readings, columns=READINGS)
    table["Type"] = np.array(["L", "M", "H"])[readings[:, 0].astype(int)]
    return table.assign(**{FAILED: failed})


def test_columns_that_name_the_failure_are_not_read(tmp_path: Path) -> None:
    table = machine_table()
    quick = machine_failure.Recipe(trees=5, folds=3)
    table.to_csv(tmp_path / "ai4i2020.csv.gz", index=False)
    figures = machine_failures(tmp_path, False, seeds=1, recipe=quick)
    table.assign(TWF=table[FAILED], HDF=table[FAILED]).to_csv(tmp_path / "ai4i2020.csv.gz", index=False)
    assert machine_failures(tmp_path, False, seeds=1, recipe=quick) == figures
    assert figures["rows"] == 300
    assert 0.0 < figures["f1"] < 1.0


def cell_table() -> pd.DataFrame:
    made = cells(seed=1)
    names = np.array(["train", "test1", "test2"])[made.split]
    return pd.DataFrame(made.features, columns=FEATURES).assign(split=names, life=made.life)


def test_cells_are_evaluated_by_name(tmp_path: Path) -> None:
    cell_table().to_csv(tmp_path / "features.csv", index=False)
    result = evaluate("--benchmark", "severson", "--data", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert list(figures) == ["test1", "test2"]
    assert figures["test1"]["cells"] == 15


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [
        (
            "ai4i2020",
            lambda: machine_table().replace({"Type": {"H": "X"}}),
            "column Type: 'X' cannot be used; write one of L, M, H",
        ),
        ("ai4i2020", lambda: machine_table().assign(**{FAILED: 0}), "write 0 or 1, with at least 15 rows of each"),
        ("severson", lambda: cell_table().replace({"split": {"test2": "test3"}}), "write one of train, test1, test2"),
        ("severson", lambda: cell_table().query("split != 'test2'"), "has 0 cells of test2; give at least 1"),
        ("severson", lambda: cell_table().assign(life=0), "has a life of 0 cycles or less; leave the cell out"),
        ("severson", lambda: cell_table().drop(columns="iqr"), "features.csv:1: has no column 'iqr'"),
    ],
)
def test_tables_that_cannot_be_used_are_named(tmp_path: Path, name: str, table: Callable[[], pd.DataFrame], words: str) -> None:
    table().to_csv(tmp_path / {"ai4i2020": "ai4i2020.csv.gz", "severson": "features.csv"}[name], index=False)
    with pytest.raises(DataFileError) as caught:
        run_benchmark(name, tmp_path, cv=False, seeds=1)
    assert words in str(caught.value)


def test_words_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    assert evaluate().exit_code == 2
    assert evaluate("--benchmark", "cmapss").exit_code == 2
    result = evaluate("--benchmark", "cmapss", "--data", tmp_path)
    assert result.exit_code != 0
