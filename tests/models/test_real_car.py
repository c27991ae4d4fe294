"""The detector on recordings of one healthy car (carOBD, github.com/eron93br/carOBD), where they lie beside the checkout."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.simulated_trips import DAY_NS, trip
from domain.signals import SampleBatch
from domain.trouble_codes import dtc_batch
from models.artefact import Artefact, load_artefact
from models.baseline import learnt_baseline
from models.coolant_detector import COOLANT, CoolantDetector
from models.cusum import CusumState, Verdict
from models.residual import TripStatistic, shifted
from models.residual_detector import judge
from models.training import COOLANT_RECIPE, train_coolant
from simulator.drive_spec import FIRST_START_NS as START_NS
from tests.models.trips import COOLANT_PATH

ARCHIVE = Path(__file__).parents[2] / ".." / "shared" / "data" / "models" / "obd_carobd" / "trips.tar.xz"
pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="recordings of the real car are not beside this checkout")

PATH_OF = {
    "COOLANT_TEMPERATURE": COOLANT_PATH,
    "ENGINE_RPM": "Vehicle.Powertrain.CombustionEngine.Speed",
    "VEHICLE_SPEED": "Vehicle.Speed",
    "ENGINE_LOAD": "Vehicle.OBD.EngineLoad",
    "INTAKE_MANIFOLD_PRESSURE": "Vehicle.Powertrain.CombustionEngine.MAP",
    "INTAKE_AIR_TEMP": "Vehicle.OBD.IntakeTemp",
}


def read_trip(content: bytes, day: int) -> SampleBatch:
    table = pd.read_csv(io.BytesIO(content), index_col=False, skipinitialspace=True, low_memory=False)
    table.columns = [name.split(" (")[0].strip() for name in table.columns]
    table = table.apply(pd.to_numeric, errors="coerce")
    seconds = np.maximum.accumulate(table["ENGINE_RUN_TINE"].ffill().fillna(0.0).to_numpy())
    time_ns = START_NS + day * DAY_NS + (seconds * 1e9).astype(np.int64)
    return trip("etios", {path: (time_ns, table[name].to_numpy(np.float64)) for name, path in PATH_OF.items()})


@pytest.fixture(scope="module")
def trips() -> list[SampleBatch]:
    """All trips of the car, one a day, in an order drawn once (when each was driven is not recorded)."""
    with tarfile.open(ARCHIVE) as archive:
        files = [archive.extractfile(member) for member in sorted(archive.getmembers(), key=lambda each: each.name)]
        contents = [file.read() for file in files if file is not None]
    order = np.random.default_rng(5).permutation(len(contents))
    return [read_trip(contents[number], day) for day, number in enumerate(order)]


@pytest.fixture(scope="module")
def own_artefact(trips: list[SampleBatch]) -> Artefact:
    """Trained on the first half of the car's trips; its prior is that of this car."""
    calibration = replace(COOLANT_RECIPE.calibration, least_within=0.5, replicates=300)
    return train_coolant(trips[:40], replace(COOLANT_RECIPE, calibration=calibration))


def statistics(artefact: Artefact, trips: list[SampleBatch]) -> list[TripStatistic]:
    detector = CoolantDetector(artefact)
    return [statistic for batch in trips for _, _, statistic in detector.trips(batch)]


def run_length(artefact: Artefact, known: list[TripStatistic], drawn: list[TripStatistic]) -> int:
    """Trips until an alarm, one more than there are where none comes."""
    baseline = learnt_baseline(artefact.prior, [each.residual for each in known])
    state = CusumState()
    for number, statistic in enumerate(drawn, start=1):
        state, verdict = judge(state, baseline, statistic, artefact.limits)
        if verdict is Verdict.RAISED:
            return number
    return len(drawn) + 1


def test_the_shipped_artefact_raises_nothing_on_a_healthy_car_that_it_never_saw(trips: list[SampleBatch]) -> None:
    detector = CoolantDetector(load_artefact())
    judged = [trip for batch in trips for trip in detector.trips(batch)]
    assert len(judged) >= 30
    assert detector.judge_trips(judged) == []


def test_trips_of_the_car_itself_scatter_by_less_than_a_kelvin(trips: list[SampleBatch], own_artefact: Artefact) -> None:
    held = [each.residual for each in statistics(own_artefact, trips[40:])]
    assert len(held) >= 25
    assert np.std(held) < 1.0


def test_held_out_trips_raise_nothing(trips: list[SampleBatch], own_artefact: Artefact) -> None:
    detector = CoolantDetector(own_artefact)
    assert [finding for batch in trips for finding in detector.evaluate(batch, dtc_batch((), ()))] == []


@pytest.mark.parametrize("by", [2.0, -2.0])
def test_a_shift_of_2_k_is_found_in_about_five_trips(trips: list[SampleBatch], own_artefact: Artefact, by: float) -> None:
    known, held = statistics(own_artefact, trips[:40]), statistics(own_artefact, trips[40:])
    rng = np.random.default_rng(0)
    lengths = [
        run_length(own_artefact, known[-30:], [shifted(held[number], by) for number in rng.integers(0, len(held), 40)])
        for _ in range(200)
    ]
    assert 3 <= np.median(lengths) <= 7
    assert np.percentile(lengths, 90) <= 10


def test_false_alarms_on_resampled_held_out_trips_are_rare(trips: list[SampleBatch], own_artefact: Artefact) -> None:
    known, held = statistics(own_artefact, trips[:40]), statistics(own_artefact, trips[40:])
    rng = np.random.default_rng(0)
    lengths = [
        run_length(own_artefact, known[-30:], [held[number] for number in rng.integers(0, len(held), 50)]) for _ in range(100)
    ]
    assert sum(length <= 50 for length in lengths) <= 15


def test_all_paths_are_inputs_of_the_detector() -> None:
    assert set(PATH_OF.values()) <= {each.path for each in COOLANT.columns}
