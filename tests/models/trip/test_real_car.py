"""The shipped trip detectors on recordings of one healthy car (carOBD), where they lie beside the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.field_benchmarks import carobd, read_trip, recorded_trips
from domain.errors import DataFileError
from domain.trouble_codes import dtc_batch
from models.trip.injected import Protocol
from models.trip.stage import TripDetectors

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "data" / "models" / "obd_carobd"
there = pytest.mark.skipif(not FOLDER.exists(), reason="recordings of the real car are not beside this checkout")


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return carobd(FOLDER, False, 1, Protocol(lives=60))


@there
def test_2_kelvin_are_found_within_4_trips(figures: dict[str, Any]) -> None:
    assert figures["coolant"]["step"]["median_trips"] <= 4
    assert figures["coolant"]["false_alarms_per_1000_trips"] <= 1


@there
def test_a_tenth_of_a_volt_is_found_within_5_trips(figures: dict[str, Any]) -> None:
    assert figures["charging_voltage"]["step"]["median_trips"] <= 5
    assert figures["charging_voltage"]["false_alarms_per_1000_trips"] <= 1


@there
def test_2_percent_of_fuel_trim_are_found_though_later(figures: dict[str, Any]) -> None:
    assert figures["fuel_trim"]["step"]["median_trips"] <= 11
    assert figures["fuel_trim"]["false_alarms_per_1000_trips"] <= 4


@there
def test_the_healthy_car_raises_nothing_as_it_was_recorded() -> None:
    stage = TripDetectors()
    batches = [read_trip(name, content, day) for day, (name, content) in enumerate(recorded_trips(FOLDER))]
    assert [finding for batch in batches[::4] for finding in stage.evaluate(batch, dtc_batch((), ()))] == []


def test_a_folder_without_trips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no trips"):
        carobd(tmp_path, False, 1)


def test_a_trip_without_a_column_is_refused() -> None:
    with pytest.raises(DataFileError, match="COOLANT_TEMPERATURE"):
        read_trip("trip.csv", b"ENGINE_RUN_TINE (), ENGINE_RPM ()\n1, 800\n", 0)
