"""Cells that stand apart from their pack: made-up packs, and recordings of two cars where they lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.field_benchmarks import ev_field_pack
from domain.errors import DataFileError, InputError
from models.cell_deviation import deviating_cells

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "data" / "models" / "ev_field_pack"


def pack(seed: int, *, cells: int = 40, records: int = 5000, spread_mv: float = 4.0) -> tuple[list[str], np.ndarray, np.ndarray]:
    """A sound pack that is driven and charged; its cells lie `spread_mv` apart."""
    rng = np.random.default_rng(seed)
    current = rng.choice([-40.0, 0.0, 30.0, 90.0], records)
    level = 3.8 + 0.1 * np.sin(np.arange(records) / 700.0) - 0.0004 * current
    volts = level[:, None] + 0.001 * (spread_mv * rng.standard_normal(cells) + rng.integers(-1, 2, (records, cells)))
    return [f"V_{number + 1}" for number in range(cells)], current, volts


@given(st.integers(0, 10_000), st.sampled_from([2.0, 5.0, 20.0]))
@settings(max_examples=25, deadline=None)
def test_in_a_sound_pack_no_cell_deviates_however_far_its_cells_lie_apart(seed: int, spread_mv: float) -> None:
    assert not any(cell.deviating for cell in deviating_cells(*pack(seed, spread_mv=spread_mv)))


@pytest.mark.parametrize("reason", ["level", "growth", "current"])
def test_a_cell_that_stands_apart_is_found_with_its_reason(reason: str) -> None:
    names, current, volts = pack(7)
    middle = np.median(volts, axis=1)
    volts[:, 11] = middle + 0.001 * np.random.default_rng(1).integers(-1, 2, len(volts))
    ramp = np.linspace(0.0, 1.0, len(volts))
    volts[:, 11] -= {"level": 0.04, "growth": 0.06 * ramp, "current": 0.0006 * current}[reason]
    (found, *others) = deviating_cells(names, current, volts)
    assert (found.name, found.deviating) == ("V_12", True)
    if reason == "level":
        assert (found.reason, found.first_window) == ("level", 0)
    assert not any(cell.deviating for cell in others)


def test_where_the_cell_stands_in_the_file_does_not_matter() -> None:
    names, current, volts = pack(3)
    volts[:, 5] -= 0.05
    order = np.random.default_rng(2).permutation(len(names))
    straight = deviating_cells(names, current, volts)
    shuffled = deviating_cells([names[number] for number in order], current, volts[:, order])
    assert [cell.name for cell in straight if cell.deviating] == [cell.name for cell in shuffled if cell.deviating] == ["V_6"]


def test_labels_of_cells_shuffled_in_time_find_nothing() -> None:
    names, current, volts = pack(3)
    volts[:, 5] -= 0.05
    rng = np.random.default_rng(4)
    assert not any(cell.deviating for cell in deviating_cells(names, current, rng.permuted(volts, axis=1)))


def test_records_with_impossible_voltages_are_left_out() -> None:
    names, current, volts = pack(9)
    expected = deviating_cells(names, current, volts)
    spoilt = np.insert(volts, [10, 2000, 4000], 65.535, axis=0)
    spoilt[2001, 3:] = np.nan
    assert deviating_cells(names, np.insert(current, [10, 2000, 4000], 0.0), spoilt) == expected


def test_too_few_records_are_refused() -> None:
    names, current, volts = pack(1, records=900)
    with pytest.raises(InputError, match="too few"):
        deviating_cells(names, current, volts)


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no pack records"):
        ev_field_pack(tmp_path, False, 1)


def test_a_file_without_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "car9_processed.csv").write_text("tboxTime,BMSBatteryCurrent\n2021-05-05 09:10:00,1\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="V_1"):
        ev_field_pack(tmp_path, False, 1)


@pytest.mark.skipif(not RECORDINGS.exists(), reason="recordings of electric cars are not beside this checkout")
def test_the_deviating_cell_of_car_3_is_found_and_nothing_on_car_1() -> None:
    figures = ev_field_pack(RECORDINGS, False, 1)
    assert figures["car1"]["deviating"] == []
    assert figures["car3"]["deviating"][0]["name"] == "V_81"
