"""The coolant detector with the shipped artefact: what it raises, what it keeps quiet about, and that cuts do not matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.simulated_trips import DAY_NS, simulated_trips
from domain.errors import InputError, StorageError
from domain.findings import Finding, Severity, SourceKind, Transition, Urgency
from domain.ports import FindingStage
from domain.signals import SampleBatch
from domain.trouble_codes import dtc_batch
from models.artefact import load_artefact
from models.baseline import Baseline
from models.coolant_detector import CoolantDetector
from simulator.drive_spec import FIRST_START_NS as START_NS
from tests.models.trips import AMBIENT_PATHS, COOLANT_PATH, LOAD_PATHS, joined, rows_of, steady_trip, without

ARTEFACT = load_artefact()
NO_CODES = dtc_batch((), ())
KNOWN = {"car": Baseline(location=0.0, scale=0.7, trips=30)}


def findings(detector: FindingStage, batches: Iterable[SampleBatch]) -> list[Finding]:
    return [finding for batch in batches for finding in detector.evaluate(batch, NO_CODES)]


def days(levels: Sequence[float], vehicle: str = "car") -> list[SampleBatch]:
    """One steady trip a day with the coolant at these temperatures."""
    return [steady_trip(vehicle, coolant=level, start_ns=START_NS + day * DAY_NS) for day, level in enumerate(levels)]


def normal() -> float:
    """Where the coolant of the steady trip should stand."""
    detector = CoolantDetector(ARTEFACT)
    ((_, _, statistic),) = detector.trips(steady_trip(coolant=90.0))
    return statistic.expected


NORMAL = normal()


def transitions(found: Sequence[Finding]) -> list[Transition]:
    return [finding.transition for finding in found]


def test_a_car_at_its_baseline_raises_nothing() -> None:
    assert findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL] * 50)) == []


def test_a_thermostat_that_costs_15_k_is_raised_at_the_end_of_the_first_trip() -> None:
    (found,) = findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL, NORMAL, NORMAL - 15]))
    assert found.transition is Transition.RAISED
    assert (found.vehicle, found.group_key) == ("car", "engine.cooling")
    assert (found.source.kind, found.source.id, found.source.version) == (SourceKind.MODEL, "coolant_residual", ARTEFACT.version)
    assert (found.severity, found.urgency) == (Severity.MEDIUM, Urgency.NEXT)
    assert found.time_ns == START_NS + 2 * DAY_NS + 20 * 60 * 1_000_000_000


def test_the_finding_shows_observed_against_expected() -> None:
    (found,) = findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL - 15]))
    level, drift = found.evidence
    assert {level.kind, drift.kind} == {"model"}
    assert level.signal == COOLANT_PATH
    assert (level.value, level.threshold, level.unit) == (
        pytest.approx(NORMAL - 15, abs=0.1),
        pytest.approx(NORMAL, abs=0.1),
        "celsius",
    )
    assert (drift.value, drift.unit, drift.comparison) == (pytest.approx(-15, abs=0.05), "K", "<")
    assert START_NS < (drift.window_start_ns or 0) < (drift.window_end_ns or 0) <= found.time_ns


def test_the_explanation_speaks_both_languages() -> None:
    (cold,) = findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL - 15]))
    (hot,) = findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL + 15]))
    for words in ("thermostat", f"{NORMAL - 15:.0f} °C", f"{NORMAL:.0f} °C", "about 15.0 K too cold over one drive"):
        assert words in cold.explanation.en
    for words in ("节温器", f"{NORMAL - 15:.0f} °C", f"{NORMAL:.0f} °C", "偏低约 15.0 °C"):
        assert words in cold.explanation.zh
    assert "water pump" in hot.explanation.en
    assert "水泵" in hot.explanation.zh


def test_a_slight_chill_is_of_low_severity_and_a_hot_engine_is_sooner() -> None:
    (cold, *_) = findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL - 3] * 5))
    (hot, *_) = findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL + 3] * 5))
    assert (cold.severity, cold.urgency) == (Severity.LOW, Urgency.NEXT)
    assert (hot.severity, hot.urgency) == (Severity.MEDIUM, Urgency.SOON)


def test_an_episode_is_raised_repeated_and_cleared_after_the_repair() -> None:
    found = findings(CoolantDetector(ARTEFACT, KNOWN), days([NORMAL - 15, NORMAL - 15, NORMAL, NORMAL, NORMAL, NORMAL]))
    assert transitions(found) == [Transition.RAISED, Transition.REPEATED, Transition.CLEARED]
    assert "back" in found[-1].explanation.en


def test_a_car_without_a_baseline_learns_its_own() -> None:
    # another make of thermostat, 7 K above what the model expects, then a fault
    levels = [NORMAL + 7 + wobble for wobble in np.random.default_rng(3).normal(0, 0.5, 30)]
    detector = CoolantDetector(ARTEFACT)
    found = findings(detector, days([*levels, NORMAL - 8, NORMAL - 8]))
    assert transitions(found) == [Transition.RAISED, Transition.REPEATED]
    assert detector.learnt_baselines()["car"].location == pytest.approx(7, abs=0.5)
    assert detector.learnt_baselines()["car"].trips == 30


def test_a_fault_from_the_first_trip_on_is_not_learnt_as_normal() -> None:
    found = findings(CoolantDetector(ARTEFACT), days([NORMAL - 22] * 4))
    assert Transition.RAISED in transitions(found)
    assert found[0].time_ns < START_NS + 3 * DAY_NS


def test_short_trips_say_nothing() -> None:
    short = [steady_trip(coolant=60.0, start_ns=START_NS + day * DAY_NS, minutes=7.5) for day in range(10)]
    detector = CoolantDetector(ARTEFACT, KNOWN)
    assert [detector.trips(batch) for batch in short] == [[]] * 10


def test_a_coolant_value_that_froze_says_nothing() -> None:
    batch = steady_trip(coolant=60.0)
    frozen = (batch.signal == batch.paths.index(COOLANT_PATH)) & (batch.time_ns > START_NS + 60_000_000_000)
    assert CoolantDetector(ARTEFACT, KNOWN).trips(rows_of(batch, np.flatnonzero(~frozen))) == []


@pytest.fixture(scope="module")
def fresh_fleet() -> list[SampleBatch]:
    """Healthy drives of seeds that no training saw."""
    return list(simulated_trips(90_210, vehicles=3, trips=12, duration_s=(1200.0, 1800.0)))


@pytest.mark.parametrize("absent", [(), LOAD_PATHS, AMBIENT_PATHS, (*LOAD_PATHS, *AMBIENT_PATHS)])
def test_healthy_drives_raise_nothing_with_all_inputs_or_without_some(
    fresh_fleet: list[SampleBatch], absent: tuple[str, ...]
) -> None:
    detector = CoolantDetector(ARTEFACT)
    judged = [trip for batch in fresh_fleet for trip in detector.trips(without(batch, absent))]
    assert len(judged) > 25
    assert detector.judge_trips(judged) == []


@pytest.mark.parametrize("required", ["Vehicle.Speed", "Vehicle.Powertrain.CombustionEngine.Speed", COOLANT_PATH])
def test_without_a_required_input_nothing_is_judged(required: str) -> None:
    assert CoolantDetector(ARTEFACT, KNOWN).trips(without(steady_trip(coolant=60.0), (required,))) == []


@pytest.mark.parametrize(("fault", "hotter"), [("thermostat_stuck_open", False), ("overheating", True)])
def test_faults_of_fresh_seeds_are_found_within_two_trips(fault: str, hotter: bool) -> None:
    trips = list(
        simulated_trips(4711, vehicles=3, trips=5, fault=fault, faulty_from=3, ambient=(0.0, 30.0), duration_s=(1500.0, 2100.0))
    )
    raised = [each for each in findings(CoolantDetector(ARTEFACT), trips) if each.transition is Transition.RAISED]
    assert len({each.vehicle for each in raised}) == len(raised) == 3
    assert all(START_NS + 3 * DAY_NS < each.time_ns < START_NS + 5 * DAY_NS for each in raised)
    assert all(each.evidence[0].comparison == (">" if hotter else "<") for each in raised)


def test_a_silence_ends_a_trip_as_a_tick_does() -> None:
    batches = [replace_tick(batch) for batch in days([NORMAL - 15, NORMAL])]
    (found,) = findings(CoolantDetector(ARTEFACT, KNOWN), batches)
    assert found.time_ns == START_NS + DAY_NS


def replace_tick(batch: SampleBatch) -> SampleBatch:
    return rows_of(batch, slice(0, len(batch) - 1))


def history() -> SampleBatch:
    """Three cars over some days: one falls ill and is repaired, one learns a baseline, one makes a short trip."""
    ill = days([NORMAL, NORMAL - 15, NORMAL - 15, NORMAL, NORMAL, NORMAL, NORMAL])
    learning = days([NORMAL + 6, NORMAL + 5, NORMAL + 6.5, NORMAL - 20], "other")
    short = [steady_trip("third", coolant=70.0, minutes=6.0)]
    thinned = [rows_of(each, every_tenth_second(each)) for each in (*ill, *learning, *short)]
    return joined(thinned)


def every_tenth_second(batch: SampleBatch) -> np.ndarray:
    """Rows of every fifth second (within the staleness of all inputs) and the tick."""
    return np.flatnonzero((batch.time_ns // 1_000_000_000 % 5 == 0) | (batch.signal < 0))


HISTORY = history()
EXPECTED = CoolantDetector(ARTEFACT, KNOWN).evaluate(HISTORY, NO_CODES)


def test_the_history_of_the_property_test_has_something_to_say() -> None:
    assert {finding.transition for finding in EXPECTED} == {Transition.RAISED, Transition.REPEATED, Transition.CLEARED}
    assert {finding.vehicle for finding in EXPECTED} == {"car", "other"}


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_findings_do_not_depend_on_cuts_snapshots_or_other_vehicles(data: st.DataObject) -> None:
    detector = CoolantDetector(ARTEFACT, KNOWN)
    found: list[Finding] = []
    own_rows = [np.flatnonzero(HISTORY.vehicle == number) for number in range(len(HISTORY.vehicles))]
    pieces = data.draw(st.integers(1, 5))
    cuts = [
        [0, *sorted(data.draw(st.lists(st.integers(0, len(rows)), min_size=pieces, max_size=pieces))), len(rows)]
        for rows in own_rows
    ]
    for piece in range(pieces + 1):
        rows = [own[bounds[piece] : bounds[piece + 1]] for own, bounds in zip(own_rows, cuts, strict=True)]
        together = data.draw(st.booleans())
        for part in [np.concatenate(rows)] if together else rows[::-1]:
            found += detector.evaluate(rows_of(HISTORY, part), NO_CODES)
        if data.draw(st.booleans()):
            states = {vehicle: detector.snapshot(vehicle) for vehicle in HISTORY.vehicles}
            detector = CoolantDetector(ARTEFACT, KNOWN)
            for vehicle, state in states.items():
                if state is not None:
                    detector.restore(vehicle, state)
    assert sorted(found, key=lambda each: (each.vehicle, each.time_ns)) == EXPECTED


def test_a_snapshot_is_small_and_forgetting_leaves_nothing() -> None:
    detector = CoolantDetector(ARTEFACT)
    findings(detector, days([NORMAL + wobble for wobble in np.random.default_rng(3).normal(0, 0.5, 30)]))
    detector.evaluate(replace_tick(steady_trip(start_ns=START_NS + 40 * DAY_NS)), NO_CODES)
    state = detector.snapshot("car")
    assert state is not None
    assert len(state) < 2000
    detector.forget("car")
    assert detector.snapshot("car") is None


def test_a_car_of_which_nothing_is_known_has_no_state() -> None:
    detector = CoolantDetector(ARTEFACT)
    detector.evaluate(steady_trip(minutes=5.0), NO_CODES)
    assert detector.snapshot("car") is None


@pytest.mark.parametrize("state", [b"", b"nonsense", b"x\x9c\xabV\x02\x00\x00\xfb\x00|"])
def test_a_damaged_state_is_refused(state: bytes) -> None:
    with pytest.raises(StorageError):
        CoolantDetector(ARTEFACT).restore("car", state)


def test_a_baseline_of_another_model_is_refused() -> None:
    with pytest.raises(InputError, match="make the baselines again"):
        CoolantDetector(ARTEFACT, {"car": replace(KNOWN["car"], model="0123456789abcdef")})
