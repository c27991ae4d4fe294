"""Features as a table and as a file: what was known when, and nothing of the future."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from click.testing import CliRunner

from app.commands.models import command
from models.trip.feature_table import trip_features
from models.trip.panes import NS_PER_S
from models.trip.stage import TripDetectors
from storage.feature_file import FeatureFile
from storage.sample_file import SampleFile
from tests.models.trip.lives import life
from tests.models.trips import rows_of

LIFE = life(trips=2, minutes=4)
HOUR_NS = 3600 * NS_PER_S


def test_a_later_trip_changes_no_feature_that_was_known_before() -> None:
    ends = np.flatnonzero(LIFE.signal < 0)
    whole = trip_features(TripDetectors(), LIFE, lambda end_ns: end_ns + HOUR_NS)
    first = trip_features(TripDetectors(), rows_of(LIFE, slice(0, int(ends[0]) + 1)), lambda end_ns: end_ns + HOUR_NS)
    then = int(LIFE.time_ns[ends[0]])
    assert len(whole.known_at(then)) == 0
    known = whole.known_at(then + HOUR_NS)
    assert 0 < len(known) == len(first) < len(whole)
    assert sorted(zip(known.feature.tolist(), known.value.tolist(), known.expected.tolist(), strict=True)) == sorted(
        zip(first.feature.tolist(), first.value.tolist(), first.expected.tolist(), strict=True)
    )


def test_the_file_holds_the_rows_of_the_table(tmp_path: Path) -> None:
    table = trip_features(TripDetectors(), LIFE)
    with FeatureFile(tmp_path / "features.parquet") as file:
        file.write(table)
    found = pq.read_table(tmp_path / "features.parquet")
    assert found.column("value").to_pylist() == table.value.tolist()
    assert found.column("feature").to_pylist() == [table.features[number] for number in table.feature.tolist()]
    assert [each.value for each in found.column("available_time").to_pandas()] == table.available_ns.tolist()


def test_the_command_writes_the_features_of_a_file_of_samples(tmp_path: Path) -> None:
    with SampleFile(tmp_path / "samples.parquet") as file:
        file.write(LIFE)
    out = tmp_path / "features.parquet"
    result = CliRunner().invoke(command, ["features", str(tmp_path / "samples.parquet"), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    assert pq.read_table(out).num_rows == len(trip_features(TripDetectors(), LIFE))
