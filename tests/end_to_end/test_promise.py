"""The promise: cuts, restarts, equal stamps, disorder within the lateness and neighbours change no alert."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.composition import build_line, load_profiles
from domain.frames import FrameBatch, concat_frames
from ingest.logs import open_log
from pipeline.casework import Casework
from storage.memory_store import MemoryStore
from tests.end_to_end.replays import SAMPLES, fleet, replayed, without_wall_time

NAMES = ("faulty_petrol_misfire.log.gz", "faulty_truck_red_stop.log.gz", "faulty_petrol_overheating.log.gz")


@pytest.fixture(scope="module")
def drives():
    chosen = [d for d in fleet(SAMPLES / "manifest_faulty.csv").drives if d.log.name in NAMES]
    vehicles = [drive.vehicle for drive in chosen]
    profiles = load_profiles(vehicles)
    batches = {d.vehicle.id: concat_frames(list(open_log(d.log, vehicle=d.vehicle.id))) for d in chosen}
    return vehicles, profiles, batches


class Run:
    """The line and the casework over frames, with a store in memory; may be restarted at any point."""

    def __init__(self, vehicles, profiles):
        self.vehicles, self.profiles = vehicles, profiles
        self.store = MemoryStore()
        self.start()

    def start(self):
        parts = build_line(self.vehicles, profiles=self.profiles)
        self.line = parts.line
        self.casework = Casework(store=self.store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing)
        self.found = getattr(self, "found", [])

    def restart(self):
        states = [state for vehicle in self.vehicles for state in self.line.snapshot(vehicle.id)]
        self.start()
        self.line.restore(states)

    def push(self, frames: FrameBatch):
        self.found += self.line.push(frames).findings

    def finish(self):
        for vehicle in self.vehicles:
            self.found += self.line.close(vehicle.id).findings
        per_vehicle = sorted(self.found, key=lambda f: f.vehicle)  # stable: each vehicle's own order stays
        decided = self.casework.handle(per_vehicle)
        return [alert for case in sorted(decided.cases, key=lambda c: c.vehicle) for alert in case.alerts]


@pytest.fixture(scope="module")
def alone(drives):
    """Each vehicle by itself, in one piece."""
    vehicles, profiles, batches = drives
    alerts = []
    for vehicle in sorted(vehicles, key=lambda v: v.id):
        run = Run([vehicle], profiles)
        run.push(batches[vehicle.id])
        alerts += run.finish()
    assert len(alerts) >= 4
    return alerts


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.integers(0, 2**32 - 1), st.data())
def test_alerts_do_not_depend_on_cuts_restarts_disorder_or_neighbours(drives, alone, cuts, seed, data):
    vehicles, profiles, batches = drives
    random = np.random.default_rng(seed)
    mixed = concat_frames([batches[vehicle.id] for vehicle in vehicles])
    # arrival: the vehicles' drives run side by side, and a frame may overtake others by less than the lateness
    begins = np.array([batches[vehicle.id].time_ns[0] for vehicle in vehicles])
    arrival = mixed.time_ns - begins[mixed.vehicle] + random.integers(0, 900_000_000, len(mixed))
    mixed = mixed.take(np.argsort(arrival, kind="stable"))
    run = Run(vehicles, profiles)
    edges = [0, *sorted(int(c * len(mixed)) for c in cuts), len(mixed)]
    for start, end in itertools.pairwise(edges):
        run.push(mixed.take(slice(start, end)))
        if data.draw(st.booleans()):
            run.restart()
    assert run.finish() == alone


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(10_000_000, 200_000_000))
def test_equal_stamps_are_cut_like_any_other(drives, grain_ns):
    """Stamps rounded to a coarse grain: many records share one."""
    vehicles, profiles, batches = drives

    def coarse(frames):
        return replace(frames, time_ns=frames.time_ns // grain_ns * grain_ns)

    def run_with(pieces):
        run = Run(vehicles[:1], profiles)
        frames = coarse(batches[vehicles[0].id])
        for part in np.array_split(np.arange(len(frames)), pieces):
            run.push(frames.take(part))
        return run.finish()

    whole = run_with(1)
    assert whole
    assert run_with(13) == whole


def test_the_size_of_the_steps_changes_nothing_in_the_document():
    choice = fleet(SAMPLES / "manifest_faulty.csv")
    assert without_wall_time(replayed(choice, batch_frames=7_919).document()) == without_wall_time(replayed(choice).document())
