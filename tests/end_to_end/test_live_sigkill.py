"""The pipeline process is killed with SIGKILL, anywhere, again and again: nothing is lost and nothing doubled."""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
import pytest

from app.broker import EmbeddedBroker
from domain.fleet import DEVELOPMENT_KEY
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.socket_receiver import SocketReceiver
from pipeline.casework import Casework
from pipeline.live import DRIVING, PRESENCE_STAGE, LiveRunner
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore
from tests.end_to_end.live_drives import (
    Live,
    Publish,
    disturbed,
    interleaved,
    messages_of,
    outcome,
    parse,
    parts_of,
    sample_fleet,
)
from tests.end_to_end.replays import replayed

FORK = multiprocessing.get_context("fork")
RECEIVERS = {"paho": PahoReceiver, "socket": SocketReceiver}


@pytest.fixture(scope="module")
def expected():
    store = MemoryStore()
    replayed(sample_fleet(), store)
    return outcome(store, sample_fleet())


def fleet_messages(seed: int, largest: int) -> list[Publish]:
    rng = random.Random(seed)
    return interleaved([messages_of(drive, rng, largest=largest) for drive in sample_fleet().drives], rng)


def prepared(url: str) -> str:
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        Live(store=store).register()
    return url


class KilledAt(SqlStore):
    """A store whose process dies by SIGKILL right before or right after its n-th commit; 0 for never."""

    countdown = 0
    after = False

    def commit(self, changes):
        type(self).countdown -= 1
        if self.countdown == 0 and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        super().commit(changes)
        if self.countdown == 0 and self.after:
            os.kill(os.getpid(), signal.SIGKILL)


def consume(url: str, sent: list[Publish], countdown: int, after: bool) -> None:
    """One life of the pipeline; the worst broker: it has forgotten every acknowledgement of the life before."""
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        KilledAt.countdown, KilledAt.after = countdown, after
        store.__class__ = KilledAt
        live = Live(store=store)
        live.publish(sent)
        live.finish(live.start(batch_messages=25))


def test_a_process_killed_around_its_commits_leaves_nothing_lost_or_doubled(expected, tmp_path):
    url = prepared(f"sqlite:///{tmp_path / 'killed.sqlite3'}")
    rng = random.Random(20261122)
    sent = fleet_messages(1, 800)
    for life in range(4):
        process = FORK.Process(target=consume, args=(url, disturbed(sent, rng), rng.randint(1, 4), life % 2 == 0))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    consume(url, disturbed(sent, rng), 0, after=False)
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        assert outcome(store, sample_fleet()) == expected


@dataclass
class OrderWatch:
    """The greatest (sequence, index) of each vehicle that has reached this process's line, and how often one came out of order."""

    violations: int = 0

    def __call__(self, runner: LiveRunner) -> None:
        last: dict[str, tuple[int, int]] = defaultdict(lambda: (-1, -1))
        push = runner._line.push

        def watched(frames: Any) -> Any:
            sequences = frames.messages.sequence[frames.message]
            for number, sequence, index in zip(frames.vehicle.tolist(), sequences.tolist(), frames.index.tolist(), strict=True):
                name = frames.vehicles[number]
                self.violations += (sequence, index) <= last[name]
                last[name] = (sequence, index)
            return push(frames)

        runner._line.push = watched


def serve(url: str, broker_url: str, receiver: str, silent_after_s: float, violations: Any, connected: Any) -> None:
    """A pipeline process until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        parts = parts_of(sample_fleet())
        settings = MqttSettings.from_url(broker_url, client_id="pipeline-that-dies", first_backoff_s=0.05)
        runner = LiveRunner(
            RECEIVERS[receiver](settings),
            parts.line,
            Casework(store=store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing),
            store,
            parse,
            clock=time.time_ns,
            batch_messages=25,
            batch_wait_s=0.02,
            silent_after_s=silent_after_s,
        )
        watch = OrderWatch()
        watch(runner)
        step = runner.step

        def watched_step() -> Any:
            report = step()
            connected.value |= runner.figures.connected
            violations.value += watch.violations
            watch.violations = 0
            return report

        runner.step = watched_step
        runner.run(stop)


def publish_all(broker_url: str, messages: list[Publish], over_s: float) -> None:
    """An ordinary client that sends everything at QoS 1, spread over some seconds."""
    settings = MqttSettings.from_url(broker_url)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="cars", protocol=paho.MQTTv311)
    client.max_inflight_messages_set(1_000)
    client.connect(settings.host, settings.port)
    client.loop_start()
    sent = []
    for topic, payload in messages:
        sent.append(client.publish(topic, payload, qos=1))
        time.sleep(over_s / len(messages))
    for each in sent:
        each.wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def await_store(url: str, done: Any, *, within_s: float) -> None:
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        await_that(lambda: done(store), "everything is stored", within_s=within_s)


def await_that(true: Any, what: str, *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.1)


@pytest.mark.parametrize("receiver", ["paho", "socket"])
def test_a_pipeline_killed_at_random_over_the_embedded_broker_loses_and_doubles_nothing(expected, tmp_path, receiver):
    url = prepared(f"sqlite:///{tmp_path / 'live.sqlite3'}")
    messages = fleet_messages(3, 257)
    assert len(messages) > 1_400
    sent = defaultdict(int)
    for topic, _ in messages:
        sent[topic.split("/")[2]] += 1
    rng = random.Random(7)
    violations, connected = FORK.Value("q", 0), FORK.Value("b", 0)
    processes = []

    def start(silent_after_s=300.0):
        processes.append(FORK.Process(target=serve, args=(url, broker.url, receiver, silent_after_s, violations, connected)))
        processes[-1].start()
        return processes[-1]

    def all_seen(store):
        return all([seen.ranges for seen in store.seen(vehicle)] == [((0, count - 1),)] for vehicle, count in sent.items())

    def all_at_rest(store):
        return not any(state.state == DRIVING for state in store.states_of(PRESENCE_STAGE))

    with EmbeddedBroker(tmp_path / "broker", ack_wait_s=1.0) as broker:
        try:
            pipeline = start()
            await_that(
                lambda: connected.value, "the pipeline connects", within_s=20
            )  # a broker keeps nothing for a session to come
            publisher = FORK.Process(target=publish_all, args=(broker.url, messages, 5.0))
            publisher.start()
            processes.append(publisher)
            for _ in range(6):
                time.sleep(rng.uniform(0.3, 1.2))
                pipeline.kill()
                pipeline.join()
                pipeline = start()
            publisher.join(30)
            assert publisher.exitcode == 0
            await_store(url, all_seen, within_s=30)
            pipeline.terminate()
            pipeline.join(10)
            assert pipeline.exitcode == 0
            pipeline = start(silent_after_s=0.5)
            await_store(url, all_at_rest, within_s=20)
            pipeline.terminate()
            pipeline.join(10)
        finally:
            for process in processes:
                process.kill()
                process.join()
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        assert outcome(store, sample_fleet()) == expected
    assert violations.value == 0
