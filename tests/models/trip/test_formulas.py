"""Which panes count, and what the operating point is told to be."""

from __future__ import annotations

import numpy as np

from models.trip.channels import COLUMNS
from models.trip.formulas import FORMULAS, REGRESSORS
from models.trip.panes import Panes


def panes(**columns: list[float]) -> Panes:
    count = len(next(iter(columns.values())))
    values = np.full((len(COLUMNS), count), np.nan)
    for name, column in columns.items():
        values[COLUMNS.index(name)] = column
    none = np.zeros(count, np.int64)
    return Panes(slot=none, end_ns=none, closed_ns=none, values=values, known=frozenset(columns))


def test_idling_says_nothing_about_the_charging_voltage() -> None:
    counted = FORMULAS["charging_voltage"].when(
        panes(engine_speed_rpm=[0.0, 780.0, 1400.0, 1400.0], running_s=[90.0, 90.0, 90.0, 20.0])
    )
    assert counted.tolist() == [False, False, True, False]


def test_a_cold_start_fades_and_a_warm_one_is_none() -> None:
    at = REGRESSORS["cold_start"].at(panes(first_coolant_c=[25.0, 25.0, 95.0, np.nan], running_s=[0.0, 600.0, 0.0, 0.0]))
    assert np.allclose(at, [3.0, 3.0 / np.e, 0.0, 0.0])
