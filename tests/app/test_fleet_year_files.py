import csv

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import cli
from domain.errors import StorageError
from simulator.life import plan_fleet_year
from storage.sample_file import read_samples


def test_a_fleet_is_written_by_month_with_its_truth_and_frames(tmp_path):
    year = plan_fleet_year(cars=3, days=40, seed=11)
    trips = year.life(0).trips
    driven_s = np.bincount(trips.day, trips.duration_s, minlength=40)[:40]
    day = int(np.argmin(np.where(driven_s > 0, driven_s, np.inf)))  # frames take long to simulate
    words = ["simulate", "year", "--cars", 3, "--days", 40, "--seed", 11, "--can-days", day, "--can-cars", 1, "--out", tmp_path]
    result = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    files = sorted((tmp_path / "samples").iterdir())
    assert [file.name for file in files] == ["2025-01.parquet", "2025-02.parquet"]
    for file, first_day, days in zip(files, (0, 31), (31, 9), strict=True):
        (written,), simulated = list(read_samples(file)), year.samples(range(3), first_day=first_day, days=days)
        assert written.vehicles == simulated.vehicles
        for name in ("time_ns", "vehicle", "signal", "value"):
            assert np.array_equal(getattr(written, name), getattr(simulated, name)), name
        assert [written.paths[n] for n in written.signal[written.signal >= 0][:50]] == [
            simulated.paths[n] for n in simulated.signal[simulated.signal >= 0][:50]
        ]
    with (tmp_path / "vehicles.csv").open(encoding="utf-8") as stream:
        assert [row["vehicle"] for row in csv.DictReader(stream)] == [vehicle.id for vehicle in year.vehicles]
    assert {"faults.csv", "services.csv", "breakdowns.csv"} <= {file.name for file in tmp_path.iterdir()}
    assert (tmp_path / "can" / "manifest.csv").read_text(encoding="utf-8").count("LTEST") >= 1


def test_a_file_of_anything_else_is_refused(tmp_path):
    file = tmp_path / "x.parquet"
    file.write_bytes(b"nothing")
    with pytest.raises(StorageError, match="write it again"):
        list(read_samples(file))
