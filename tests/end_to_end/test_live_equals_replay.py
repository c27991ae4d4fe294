"""The same drives, published as messages and run live, give what their replay gives: whatever the broker and the database do."""

import random
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import StorageError
from ingest.mqtt.payloads import encode_frames
from pipeline import sequencing
from storage.memory_store import MemoryStore
from tests.end_to_end.live_drives import Live, disturbed, frames_of_drive, interleaved, messages_of, outcome, sample_fleet
from tests.end_to_end.replays import replayed

SEEDS = st.integers(0, 2**32)


@cache
def expected() -> dict[str, Any]:
    """What the replay of the drives gives."""
    store = MemoryStore()
    replayed(sample_fleet(), store)
    want = outcome(store, sample_fleet())
    assert len(want["alerts"]) > 10
    assert len(want["orders"]) > 5
    assert want["late"] == []
    assert sum(day.distance_km for days in want["usage"].values() for day in days.values()) > 10
    return want


def published(seed: int, *, calm: bool = False):
    """All drives in messages of random size, interleaved; disturbed but for `calm`."""
    rng = random.Random(seed)
    sent = interleaved([messages_of(drive, rng, largest=800) for drive in sample_fleet().drives], rng)
    return sent if calm else disturbed(sent, rng)


class Crash(BaseException):
    """The process dies here."""


class CrashingStore(MemoryStore):
    """Dies right before, or right after, its n-th commit, whatever `deaths` says next; 0 for never."""

    def __init__(self):
        super().__init__()
        self.deaths: list[tuple[int, bool]] = []

    def commit(self, changes):
        if not self.deaths:
            return super().commit(changes)
        left, after = self.deaths[0]
        self.deaths[0] = (left - 1, after)
        if left > 1:
            return super().commit(changes)
        del self.deaths[0]
        if after:
            super().commit(changes)
        raise Crash


class FailingStore(MemoryStore):
    """Raises StorageError in as many of the next calls as it is told, as a locked or full database does."""

    def __init__(self):
        super().__init__()
        self.rng = random.Random()
        self.share = 0.0

    def _maybe(self):
        if self.rng.random() < self.share:
            raise StorageError("the database failed (disk I/O error); check its server, disk space and permissions")

    def commit(self, changes):
        self._maybe()
        super().commit(changes)
        self._maybe()  # it is stored, but nobody was told

    def states(self, vehicle):
        self._maybe()
        return super().states(vehicle)

    def seen(self, vehicle):
        self._maybe()
        return super().seen(vehicle)

    def case(self, vehicle):
        self._maybe()
        return super().case(vehicle)


@settings(max_examples=4, deadline=None)
@given(SEEDS, st.integers(1, 300))
def test_doubled_and_disordered_messages_of_any_size_change_nothing(seed, batch_messages):
    live = Live()
    live.register()
    live.publish(published(seed))
    runner = live.start(batch_messages=batch_messages)
    live.finish(runner)
    assert outcome(live.store, live.choice) == expected()
    assert runner.figures.duplicates > 0
    assert (runner.figures.gaps, runner.figures.late, runner.figures.dead_letters) == (0, 0, 0)
    assert runner.figures.alerts == len(expected()["alerts"])


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SEEDS, st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=4))
def test_a_process_that_dies_around_any_commit_leaves_nothing_lost_or_doubled(seed, deaths):
    """A new process on the same store gets what was not acknowledged, among it what was committed and not yet acknowledged."""
    store = CrashingStore()
    live = Live(store=store)
    live.register()
    live.publish(published(seed))
    store.deaths = list(deaths)
    runner = live.start(batch_messages=60)
    died = 0
    while store.deaths and live.broker.unacknowledged:
        try:
            runner.step()
        except Crash:
            died += 1
            runner = live.start(batch_messages=60)
    store.deaths = []
    live.finish(runner)
    assert died
    assert outcome(store, live.choice) == expected()


@settings(max_examples=4, deadline=None)
@given(SEEDS, st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True))
def test_a_process_that_is_replaced_between_any_two_steps_changes_nothing(seed, stops):
    live = Live()
    live.register()
    live.publish(published(seed))
    runner = live.start(batch_messages=60)
    for step in range(31):
        runner.step()
        if step in stops:
            runner = live.start(batch_messages=60)
    live.finish(runner)
    assert outcome(live.store, live.choice) == expected()


@settings(max_examples=4, deadline=None)
@given(SEEDS, st.floats(0.2, 0.5))
def test_a_database_that_fails_again_and_again_only_costs_time(seed, share):
    store = FailingStore()
    live = Live(store=store)
    live.register()
    live.publish(published(seed))
    store.rng, store.share = random.Random(seed), share
    runner = live.start(batch_messages=40)
    failures = 0
    while live.broker.unacknowledged and failures < 200:
        failures += bool(runner.step().failure)
    store.share = 0.0
    live.finish(runner)
    assert failures
    assert runner.figures.failures >= failures
    assert outcome(store, live.choice) == expected()


def test_garbage_among_the_messages_becomes_dead_letters_and_touches_nobody():
    rng = random.Random(5)
    live = Live()
    live.register()
    target = live.choice.drives[0].vehicle.id
    for topic, payload in published(5):
        live.broker.publish(topic, payload)
        if rng.random() < 0.2:
            live.broker.publish(f"pitcall/v1/{target}/can", rng.randbytes(rng.randint(1, 300)))
        if rng.random() < 0.1:
            live.broker.publish("elsewhere/on/the/broker", b"not for us")
        if rng.random() < 0.1:
            live.broker.publish(f"pitcall/v1/{target}/can", payload[: rng.randint(0, len(payload) - 1)])
    runner = live.start()
    live.finish(runner)
    assert outcome(live.store, live.choice) == expected()
    assert runner.figures.dead_letters > 100
    assert runner.figures.gaps == 0


def test_vehicles_that_leave_memory_between_their_messages_come_back_from_the_store():
    live = Live()
    live.register()
    sent = published(9, calm=True)
    runner = live.start(evict_after_s=1.0)
    for at in range(0, len(sent), 150):
        live.publish(sent[at : at + 150])
        while runner.step().messages:
            live.clock.advance(2)
        assert runner.figures.vehicles == 0 or runner.step().vehicles == 0
    live.finish(runner)
    assert outcome(live.store, live.choice) == expected()


def test_each_vehicles_records_reach_the_line_in_their_order():
    """Per-vehicle order violations: none, though messages come doubled and disordered, and processes are replaced."""
    live = Live()
    live.register()
    live.publish(published(11))
    reached: dict[str, list[tuple[int, int]]] = {}

    def watch(runner):
        push = runner._line.push

        def watched(frames):
            table = frames.messages
            for number in dict.fromkeys(frames.vehicle.tolist()):
                own = frames.vehicle == number
                sequences = table.sequence[frames.message[own]].tolist()
                reached.setdefault(frames.vehicles[number], []).extend(zip(sequences, frames.index[own].tolist(), strict=True))
            return push(frames)

        runner._line.push = watched
        return runner

    runner = watch(live.start(batch_messages=40))
    for _ in range(8):
        for _ in range(4):
            runner.step()
        runner = watch(live.start(batch_messages=40))
    live.finish(runner)
    assert len(reached) == len(live.choice.vehicles)
    for places in reached.values():
        assert places == sorted(set(places))


@pytest.mark.parametrize("restart", [False, True])
def test_a_drive_that_was_ended_too_early_goes_on_as_if_it_had_not_been(restart):
    """Cars are out of reach for longer than the silence that ends a drive, and then send what they have recorded meanwhile."""
    rng = random.Random(13)
    streams = [messages_of(drive, rng) for drive in sample_fleet().drives]
    live = Live()
    live.register()
    live.publish(interleaved([stream[: len(stream) // 2] for stream in streams], rng))
    runner = live.start()
    live.finish(runner)
    assert runner.figures.closed == len(streams)
    if restart:
        runner = live.start()
    live.publish(interleaved([stream[len(stream) // 2 :] for stream in streams], rng))
    live.finish(runner)
    got, want = outcome(live.store, live.choice), expected()
    assert got["late"] == []
    assert {alert["id"] for alert in got["alerts"]} == {alert["id"] for alert in want["alerts"]}
    assert {order["data"]["order_id"] for order in got["orders"]} == {order["data"]["order_id"] for order in want["orders"]}
    assert got["alerts"] == want["alerts"]
    assert got["orders"] == want["orders"]


def test_repetitions_from_boot_sessions_that_have_left_memory_are_known_from_the_store(monkeypatch):
    monkeypatch.setattr(sequencing, "KEPT_SESSIONS", 1)
    live = Live()
    live.register()
    drive = live.choice.drives[0]
    frames = frames_of_drive(drive)
    sent = [
        (
            f"pitcall/v1/{drive.vehicle.id}/can",
            encode_frames(frames.take(slice(100 * n, 100 * n + 100)), boot_session=n, sequence=0),
        )
        for n in range(1, 7)
    ]
    runner = live.start()
    for each in [*sent, *reversed(sent)]:
        live.publish([each])
        runner.step()
        live.clock.advance(7)
        runner.step()
    assert live.broker.unacknowledged == 0
    assert (runner.figures.frames, runner.figures.duplicates) == (600, 6)
    assert len(runner._sequencing._vehicles[drive.vehicle.id].sessions) < 6
