"""Features of a simulated fleet: known in time, the same however the fleet is cut, and fit to be trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from app import fleet_year_features
from app.fleet_year_features import DAY_NS, weekly_rows, write_features
from app.kernels import compiler
from app.risk_files import read_features, read_lives
from models.risk.feature_words import feature_names
from simulator.life import plan_fleet_year


def test_rows_tell_of_the_trips_of_the_two_weeks_before() -> None:
    ends = [3.5, 10.5, 16.0, 20.9, 21.0]
    table = np.column_stack([ends, [1.0, 2.0, 3.0, 4.0, 50.0], np.zeros(5)])
    found = weekly_rows({"a": [table[:2], table[2:]]}, ("a", "b"), np.array([6, 20, 60]))
    # day 6 ends at 7.0, day 20 at 21.0: the trip that ends at 21.0 is of the next day
    np.testing.assert_allclose(found[:, 0], [1.0, 3.0, np.nan])
    assert np.isnan(found[:, 2:]).all()


def test_a_fleet_becomes_files_that_a_risk_is_trained_on(tmp_path: Path, monkeypatch) -> None:
    year = plan_fleet_year(cars=3, days=35, seed=5, parameters="development")
    count = write_features(year, tmp_path / "whole", jit=compiler())
    rows = read_features(tmp_path / "whole" / "features.parquet")
    assert len(rows.values) == count > 0
    assert rows.features[0] == "age_days"
    assert set(rows.vehicles) <= {car.id for car in year.vehicles}
    assert all(rows.regions)
    assert all(name in feature_names() for name in rows.features)
    assert (rows.available_ns <= year.start_ns + 36 * DAY_NS).all()
    lives = read_lives(tmp_path / "whole" / "lives.csv", "battery_12v", rows.vehicles)
    assert (lives.ends_ns <= year.start_ns + 35 * DAY_NS).all()
    monkeypatch.setattr(fleet_year_features, "GROUP", 1)
    write_features(year, tmp_path / "one", jit=compiler())
    assert pq.read_table(tmp_path / "one" / "features.parquet") == pq.read_table(tmp_path / "whole" / "features.parquet")
