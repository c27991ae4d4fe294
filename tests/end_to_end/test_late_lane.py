"""What a device sends too late is judged by itself, marked late, and touches nothing else, however the records were cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.composition import build_line, load_profiles
from domain.findings import Alert, AlertState
from domain.fleet import Vehicle
from domain.frames import FrameBatch, concat_frames
from ingest.logs import open_log
from ingest.profiles import Profile
from pipeline.casework import Casework
from storage.memory_store import MemoryStore
from tests.end_to_end.replays import SAMPLES, fleet

MINUTE_NS = 60_000_000_000
Drive = tuple[Vehicle, dict[str, Profile], FrameBatch]


@pytest.fixture(scope="module")
def overheating() -> Drive:
    drive = next(d for d in fleet(SAMPLES / "manifest_faulty.csv").drives if d.log.name == "faulty_petrol_overheating.log.gz")
    frames = concat_frames(list(open_log(drive.log, vehicle=drive.vehicle.id)))
    return drive.vehicle, load_profiles([drive.vehicle]), frames


def judged(drive: Drive, frames: FrameBatch, cuts: list[float] | None = None, *, restarts: bool = False) -> tuple[Alert, ...]:
    """The alerts of these frames, in this order of arrival."""
    vehicle, profiles, _ = drive
    store = MemoryStore()
    line = build_line([vehicle], profiles=profiles).line
    casework = Casework(store=store, knowledge=build_line([vehicle], profiles=profiles).knowledge)
    edges = sorted({0, *(int(cut * len(frames)) for cut in cuts or ()), len(frames)})
    found = []
    for start, end in itertools.pairwise(edges):
        found.append(line.push(frames.take(slice(start, end))).findings)
        if restarts:
            states = line.snapshot(vehicle.id)
            line = build_line([vehicle], profiles=profiles).line
            line.restore(states)
    found.append(line.close(vehicle.id).findings)
    decided = [case for findings in found for case in casework.handle(findings).cases]
    return decided[-1].alerts if decided else ()


def withheld(frames: FrameBatch, start: float, end: float, until: float) -> FrameBatch:
    """A stretch of the records arrives only after a later share of them."""
    a, b, c = (int(share * len(frames)) for share in (start, end, until))
    rows = np.concatenate([np.arange(a), np.arange(b, c), np.arange(a, b), np.arange(c, len(frames))])
    return frames.take(rows)


def test_a_fault_in_a_stretch_that_came_too_late_is_found_and_marked(overheating: Drive) -> None:
    frames = overheating[2]
    on_time = judged(overheating, frames)
    assert on_time
    assert not any(alert.late for alert in on_time)
    first = int(np.searchsorted(frames.time_ns, on_time[0].opened_ns - MINUTE_NS)) / len(frames)
    # everything from a minute before the alert on comes after the car has been heard of with a later stamp
    last = frames.take(slice(len(frames) - 1, None))
    rows = np.concatenate(
        [np.arange(int(first * len(frames))), [len(frames) - 1], np.arange(int(first * len(frames)), len(frames) - 1)]
    )
    late = judged(overheating, frames.take(rows))
    assert len(last) == 1
    assert {alert.source.id for alert in late} == {alert.source.id for alert in on_time}
    assert any(alert.late for alert in late)
    assert not any(alert.late and alert.state is AlertState.RESOLVED and alert.updated_ns < alert.opened_ns for alert in late)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(st.floats(0.1, 0.5), st.floats(0.05, 0.3), st.floats(0.05, 0.2)),
    st.lists(st.floats(0, 1), max_size=5),
    st.booleans(),
)
def test_the_late_lane_does_not_depend_on_cuts_or_restarts(
    overheating: Drive, stretch: tuple[float, float, float], cuts: list[float], restarts: bool
) -> None:
    start, size, wait = stretch
    arrived = withheld(overheating[2], start, start + size, start + size + wait)
    assert judged(overheating, arrived, cuts, restarts=restarts) == judged(overheating, arrived)


def test_late_records_touch_nothing_that_came_in_time(overheating: Drive) -> None:
    """A copy of the healthy beginning, sent again at the end under other numbers, changes no alert."""
    frames = overheating[2]
    again = frames.take(slice(0, len(frames) // 10))
    half = len(frames) // 2
    arrived = concat_frames([frames.take(slice(0, half)), again, frames.take(slice(half, None))])
    assert [alert for alert in judged(overheating, arrived) if not alert.late] == list(judged(overheating, frames))
