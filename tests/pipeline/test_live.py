"""The live runner step by step, over a line that only notes what it is given."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

import pytest

from domain.errors import StorageError
from domain.frames import FrameBatch
from domain.messages import RawMessage
from domain.records import DeadLetter, StageState
from ingest.mqtt.batching import ParsedMessages, parse_messages
from ingest.mqtt.memory_receiver import MemoryBroker, MemoryReceiver
from ingest.mqtt.payloads import encode_frames
from pipeline.casework import Decided
from pipeline.live import AT_REST, DRIVING, PRESENCE_STAGE, LiveRunner
from storage.memory_store import MemoryStore
from tests.pipeline.frames import frames_of

SECOND_NS = 1_000_000_000


@dataclass
class NotingLine:
    """Counts each vehicle's frames as its only state; a closing is noted and told as a dead letter."""

    counts: dict[str, int] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)

    @dataclass
    class Pushed:
        findings: tuple = ()
        ended: tuple = ()
        dead_letters: tuple = ()
        late_records: int = 0
        usage: tuple = ()

    def push(self, frames: FrameBatch) -> Pushed:
        for number in frames.vehicle.tolist():
            self.counts[frames.vehicles[number]] = self.counts.get(frames.vehicles[number], 0) + 1
        return self.Pushed()

    def close(self, vehicle: str) -> Pushed:
        self.closed.append(vehicle)
        self.counts[vehicle] = self.counts.get(vehicle, 0) + 1_000
        letter = DeadLetter(id=f"{vehicle}{len(self.closed)}", origin="test", position=0, reason="closed", detail="", content=b"")
        return self.Pushed(dead_letters=(letter,))

    def snapshot(self, vehicle: str) -> tuple[StageState, ...]:
        told = str(self.counts.get(vehicle, 0)).encode()
        fixed = StageState(vehicle=vehicle, stage="never changes", version="1", state=b"same")
        return (StageState(vehicle=vehicle, stage="count", version="1", state=told), fixed)

    def restore(self, states) -> None:
        for state in states:
            if state.stage == "count":
                self.restored.append(state.vehicle)
                self.counts[state.vehicle] = int(state.state)

    def lower(self, vehicle: str, sources) -> None:
        pass

    def forget(self, vehicle: str) -> None:
        self.counts.pop(vehicle, None)

    def reached(self, vehicle: str) -> None:
        return None


class NoCasework:
    """Nothing is ever found."""

    reloads = 0

    def handle(self, findings, ended=()):
        return Decided()

    def forget(self, vehicle):
        pass

    def reload(self):
        self.reloads += 1


class WatchedStore(MemoryStore):
    """Notes commits, and fails where it is told to."""

    def __init__(self):
        super().__init__()
        self.commits = []
        self.failing = set()

    def commit(self, changes):
        if "commit" in self.failing:
            raise StorageError("the database failed (database is locked)")
        self.commits.append(changes)
        super().commit(changes)

    def states(self, vehicle):
        if "states" in self.failing:
            raise StorageError("the database failed (database is locked)")
        return super().states(vehicle)


class Bench:
    """A broker, a store, a clock and one runner over them."""

    def __init__(self, **settings):
        self.broker, self.store, self.line, self.casework = MemoryBroker(), WatchedStore(), NotingLine(), NoCasework()
        self.now_ns = 1_000 * SECOND_NS
        self.settings = settings
        self.start()

    def start(self):
        self.receiver = MemoryReceiver(self.broker, clock_ns=lambda: self.now_ns)
        self.receiver.start()
        self.line = NotingLine()
        self.runner = LiveRunner(
            self.receiver,
            self.line,
            self.casework,
            self.store,
            parse,
            clock=lambda: self.now_ns,
            batch_wait_s=0.0,
            **self.settings,
        )

    def send(self, vehicle: str, *sequences: int | None, boot_session: int = 1):
        for sequence in sequences:
            payload = encode_frames(frames_of([(5, 0), (6, 1)]), boot_session=boot_session, sequence=sequence)
            self.broker.publish(f"pitcall/v1/{vehicle}/can", payload)

    def status(self, vehicle: str, word: str):
        self.broker.publish(f"pitcall/v1/{vehicle}/status", f'{{"status": "{word}"}}'.encode())

    def step(self, after_s: float = 0.0):
        self.now_ns += round(after_s * SECOND_NS)
        return self.runner.step()

    def presence(self) -> dict[str, bytes]:
        return {state.vehicle: state.state for state in self.store.states_of(PRESENCE_STAGE)}


def parse(messages: list[RawMessage]) -> ParsedMessages:
    return parse_messages(messages, pseudonym_of=lambda vin: vin)


def await_that(true, within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_step_commits_states_and_numbers_together_and_then_acknowledges():
    bench = Bench()
    bench.send("car", 0, 1)
    bench.send("van", 0)
    report = bench.step()
    assert (report.messages, report.passed, report.frames, report.vehicles, report.committed) == (3, 3, 6, 2, True)
    (changes,) = bench.store.commits
    assert {(s.vehicle, s.stage): s.state for s in changes.states if s.stage == "count"} == {
        ("car", "count"): b"4",
        ("van", "count"): b"2",
    }
    assert {(s.vehicle, s.boot_session, s.ranges) for s in changes.seen} == {("car", 1, ((0, 1),)), ("van", 1, ((0, 0),))}
    assert bench.broker.unacknowledged == 0


def test_nothing_taken_commits_nothing():
    bench = Bench()
    assert not bench.step().committed
    assert bench.store.commits == []


def test_states_that_have_not_changed_are_not_written_again():
    bench = Bench()
    bench.send("car", 0)
    bench.step()
    bench.send("car", 1)
    bench.step()
    first, second = ({state.stage for state in changes.states} for changes in bench.store.commits)
    assert first == {"count", "never changes", PRESENCE_STAGE}
    assert second == {"count"}


def test_only_vehicles_of_the_step_are_looked_at():
    bench = Bench()
    bench.send("car", 0)
    bench.step()
    bench.send("van", 0)
    bench.step()
    assert {state.vehicle for state in bench.store.commits[1].states} == {"van"}


def test_messages_behind_a_gap_are_not_acknowledged_until_it_is_filled():
    bench = Bench()
    bench.send("car", 0, 2)
    assert (bench.step().passed, bench.broker.unacknowledged, bench.runner.figures.waiting) == (1, 1, 1)
    bench.send("car", 1)
    assert (bench.step().passed, bench.broker.unacknowledged, bench.runner.figures.waiting) == (2, 0, 0)


def test_a_gap_is_given_up_after_its_time_and_counted():
    bench = Bench(gap_timeout_s=6.0)
    bench.send("car", 0, 5)
    bench.step()
    assert bench.step(after_s=5.9).passed == 0
    assert bench.step(after_s=0.1).passed == 1
    assert (bench.runner.figures.gaps, bench.runner.figures.missing) == (1, 4)


def test_a_backlog_is_not_taken_for_a_gap():
    """The missing message lies in the queue, behind more messages than one step takes."""
    bench = Bench(batch_messages=2)
    bench.send("car", 0, 2, 1)
    bench.runner.step()
    taken = bench.runner.step()
    assert bench.runner.figures.missing == 0
    assert taken.passed == 2


def test_a_vehicle_whose_messages_lie_in_a_backlog_is_not_silent():
    bench = Bench(batch_messages=1, silent_after_s=300.0)
    bench.send("car", 0)
    bench.step()
    bench.now_ns += 290 * SECOND_NS
    take, received_ns = bench.receiver.take, bench.now_ns
    bench.receiver.take = lambda *limits: [replace(message, received_ns=received_ns) for message in take(*limits)]
    bench.send("van", 0)
    bench.send("car", 1)
    assert bench.step(after_s=20).closed == 0
    assert bench.step().closed == 0


@pytest.mark.parametrize("failing", ["commit", "states"])
def test_while_the_store_fails_nothing_is_acknowledged_and_nothing_more_taken(failing):
    bench = Bench()
    bench.send("car", 0)
    bench.store.failing = {failing}
    assert "locked" in bench.step().failure
    bench.send("car", 1)
    assert "locked" in bench.step().failure
    assert bench.broker.unacknowledged == 2
    bench.store.failing = set()
    assert (bench.step().frames, bench.broker.unacknowledged) == (2, 1)
    assert (bench.step().frames, bench.broker.unacknowledged) == (2, 0)
    assert bench.line.counts == {"car": 4}
    assert bench.runner.figures.failures == 2


def test_a_process_that_dies_between_commit_and_acknowledgement_evaluates_nothing_twice():
    bench = Bench()
    bench.send("car", 0, 1)
    bench.receiver.acknowledge = lambda tokens: None
    bench.step()
    bench.start()
    bench.send("car", 2)
    report = bench.step()
    assert (report.messages, report.duplicates, report.frames) == (3, 2, 2)
    assert bench.line.counts == {"car": 6}
    assert bench.broker.unacknowledged == 0


def test_a_silent_vehicle_is_closed_once():
    bench = Bench(silent_after_s=300.0)
    bench.send("car", 0)
    bench.step()
    assert bench.presence() == {"car": DRIVING}
    assert bench.step(after_s=299).closed == 0
    assert bench.step(after_s=1).closed == 1
    assert bench.step(after_s=600).closed == 0
    assert bench.line.closed == ["car"]
    assert bench.presence() == {"car": AT_REST}
    assert [state.state for state in bench.store.states("car") if state.stage == "count"] == [b"1002"]


def test_a_vehicle_that_says_it_is_offline_is_closed_when_nothing_can_follow_any_more():
    bench = Bench(gap_timeout_s=6.0)
    bench.send("car", 0)
    bench.status("car", "offline")
    bench.send("car", 1)
    assert bench.step().closed == 0
    assert bench.broker.unacknowledged == 1  # the status is done with when the end of the drive is stored
    assert bench.step(after_s=6).closed == 1
    assert bench.broker.unacknowledged == 0


def test_a_vehicle_that_comes_back_online_goes_on_driving():
    bench = Bench(gap_timeout_s=6.0)
    bench.send("car", 0)
    bench.status("car", "offline")
    bench.step()
    bench.status("car", "online")
    bench.step(after_s=3)
    assert bench.broker.unacknowledged == 0
    assert bench.step(after_s=60).closed == 0


def test_the_status_of_a_vehicle_at_rest_is_only_acknowledged():
    bench = Bench()
    bench.status("car", "offline")
    assert not bench.step().committed
    assert bench.broker.unacknowledged == 0


def test_a_vehicle_with_messages_behind_a_gap_is_not_closed_before_they_have_passed():
    bench = Bench(gap_timeout_s=600.0, silent_after_s=300.0)
    bench.send("car", 0, 2)
    bench.step()
    assert bench.step(after_s=301).closed == 0
    report = bench.step(after_s=300)
    assert report.passed == 1
    assert bench.step(after_s=2).closed + report.closed == 1


def test_a_drive_that_was_open_when_the_process_died_is_closed_by_the_next_one():
    bench = Bench(silent_after_s=300.0)
    bench.send("car", 0)
    bench.send("van", 0)
    bench.step()
    bench.now_ns += 200 * SECOND_NS
    bench.send("van", 1)
    bench.start()
    bench.step()
    bench.step(after_s=299)
    assert bench.step(after_s=1).closed == 2
    assert bench.line.counts == {"car": 1002, "van": 1004}


def test_a_fleet_that_stops_at_once_is_closed_over_several_steps():
    bench = Bench()
    for number in range(100):
        bench.send(f"car{number}", 0)
    bench.step()
    assert bench.step(after_s=300).closed == LiveRunner.CLOSES_PER_STEP
    assert bench.step().closed == 100 - LiveRunner.CLOSES_PER_STEP


def test_an_idle_vehicle_leaves_memory_and_comes_back_from_the_store():
    bench = Bench(evict_after_s=900.0)
    bench.send("car", 0)
    bench.step()
    assert bench.runner.figures.vehicles == 1
    bench.step(after_s=901)
    bench.step(after_s=2)
    assert bench.runner.figures.vehicles == 0
    assert bench.line.counts == {}
    bench.send("car", 0, 1)
    assert bench.step().duplicates == 1
    assert bench.line.restored == ["car"]
    assert bench.line.counts == {"car": 1004}


def test_garbage_is_stored_and_acknowledged():
    bench = Bench()
    bench.broker.publish("pitcall/v1/car/can", b"garbage")
    report = bench.step()
    assert (report.dead_letters, report.committed) == (1, True)
    assert bench.broker.unacknowledged == 0


def test_figures_tell_totals_and_the_age_of_the_newest_message():
    bench = Bench()
    bench.send("car", 0, 0, 1)
    bench.broker.publish("pitcall/v1/car/can", b"garbage")
    bench.step()
    figures = bench.runner.figures
    assert (figures.messages, figures.frames, figures.duplicates, figures.dead_letters, figures.commits) == (4, 4, 1, 1, 1)
    assert (figures.last_commit_ns, figures.lag_s, figures.connected) == (bench.now_ns, 0.0, True)


def test_a_run_ends_with_the_step_at_hand_and_keeps_the_session():
    bench = Bench()
    bench.send("car", *range(50))
    stop = threading.Event()
    thread = threading.Thread(target=bench.runner.run, args=(stop,))
    thread.start()
    await_that(lambda: bench.broker.unacknowledged == 0)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert not bench.receiver.connected
    assert bench.store.seen("car")[0].ranges == ((0, 49),)


def test_a_run_outlives_a_store_that_fails():
    bench = Bench()
    bench.store.failing = {"commit"}
    bench.send("car", 0)
    stop = threading.Event()
    thread = threading.Thread(target=bench.runner.run, args=(stop,))
    thread.start()
    await_that(lambda: bench.runner.figures.failures)
    bench.store.failing = set()
    await_that(lambda: bench.broker.unacknowledged == 0)
    stop.set()
    thread.join(5)
    assert bench.line.counts == {"car": 2}
