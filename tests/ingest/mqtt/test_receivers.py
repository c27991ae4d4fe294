"""One contract for every receiver, against every broker."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.messages import RawMessage, Receiver
from ingest.mqtt.memory_receiver import MemoryBroker, MemoryReceiver
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.socket_receiver import SocketReceiver
from tests.ingest.mqtt.brokers import Broker, MosquittoBroker, NatsBroker, needs_mosquitto

TOPIC = "pitcall/v1/WVW1/can"


@dataclass
class Setting:
    """A broker with a way to make receivers of one session."""

    publish: Callable[[list[bytes]], object]
    receiver: Callable[..., Receiver]
    restart: Callable[[], None]
    topic: str = TOPIC
    repeats_after_s: float = 0.0


CASES = [
    pytest.param((None, None), id="memory"),
    pytest.param((PahoReceiver, NatsBroker), id="paho-nats"),
    pytest.param((SocketReceiver, NatsBroker), id="socket-nats"),
    pytest.param((PahoReceiver, MosquittoBroker), id="paho-mosquitto", marks=needs_mosquitto()),
    pytest.param((SocketReceiver, MosquittoBroker), id="socket-mosquitto", marks=needs_mosquitto()),
]


def settings_of(broker: Broker, **others: Any) -> MqttSettings:
    return MqttSettings(host="127.0.0.1", port=broker.port, first_backoff_s=0.05, longest_backoff_s=0.2, **others)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[type[Broker]], Broker]]:
    """One running broker of each kind; tests keep apart by topic and client id."""
    running: dict[type[Broker], Broker] = {}

    def broker_of(kind: type[Broker]) -> Broker:
        if kind not in running:
            running[kind] = kind(tmp_path_factory.mktemp("broker"))
            running[kind].start()
        return running[kind]

    yield broker_of
    for broker in running.values():
        broker.stop()


@pytest.fixture(params=CASES)
def setting(request: pytest.FixtureRequest, brokers: Callable[[type[Broker]], Broker]) -> Iterator[Setting]:
    kind, broker_kind = request.param
    if kind is None:
        memory = MemoryBroker()
        yield Setting(
            publish=lambda payloads: [memory.publish(TOPIC, payload) for payload in payloads],
            receiver=lambda **_: MemoryReceiver(memory),
            restart=memory.restart,
        )
        return
    broker, own = brokers(broker_kind), uuid.uuid4().hex
    topic = f"pitcall/v1/{own}/can"
    made: list[Receiver] = []

    def receiver(**others: Any) -> Receiver:
        made.append(kind(settings_of(broker, client_id=own, topics=(topic,), **others)))
        return made[-1]

    yield Setting(lambda payloads: broker.publish(topic, payloads), receiver, broker.restart, topic, repeats_after_s=0.5)
    for one in made:
        one.stop()


def started(receiver: Receiver) -> Receiver:
    receiver.start()
    wait_until(lambda: receiver.connected)
    return receiver


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def taken(receiver: Receiver, count: int, seconds: float = 10) -> list[RawMessage]:
    """Exactly `count` messages."""
    found: list[RawMessage] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        found += receiver.take(count - len(found), 0.2)
    assert len(found) == count
    return found


ACKNOWLEDGED_IN_S = 0.5
"""Acknowledgements are sent by the network thread; after this they have reached the broker, also on a busy machine."""


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [str(n).encode() for n in range(first, first + count)]


def test_messages_arrive_once_in_order_with_growing_tokens(setting: Setting) -> None:
    receiver = started(setting.receiver())
    before = time.time_ns()
    setting.publish(numbered(200))
    messages = taken(receiver, 200)
    assert [m.payload for m in messages] == numbered(200)
    assert {m.topic for m in messages} == {setting.topic}
    assert all(a.token < b.token for a, b in itertools.pairwise(messages))
    assert all(before <= m.received_ns <= time.time_ns() and not m.redelivered for m in messages)
    assert receiver.take(10, 0.05) == []


def test_what_was_not_acknowledged_comes_again_after_a_crash_and_the_rest_does_not(setting: Setting) -> None:
    crashing = started(setting.receiver())
    setting.publish(numbered(20))
    messages = taken(crashing, 20)
    crashing.acknowledge([m.token for m in messages[:5]] + [m.token for m in messages[10:12]])
    time.sleep(ACKNOWLEDGED_IN_S)
    crashing.stop()
    again = taken(started(setting.receiver()), 13)
    assert sorted(int(m.payload) for m in again) == [*range(5, 10), *range(12, 20)]
    assert all(m.redelivered for m in again)


def test_messages_published_while_nobody_listens_are_kept(setting: Setting) -> None:
    first = started(setting.receiver())
    first.stop()
    assert not first.connected
    setting.publish(numbered(30))
    assert [m.payload for m in taken(started(setting.receiver()), 30)] == numbered(30)


def test_a_restarted_broker_is_found_again_and_old_tokens_say_nothing(setting: Setting) -> None:
    receiver = started(setting.receiver())
    setting.publish(numbered(10))
    old = taken(receiver, 10)
    setting.restart()
    wait_until(lambda: receiver.connected)
    again = taken(receiver, 10)
    receiver.acknowledge([m.token for m in old])
    receiver.acknowledge([m.token for m in again[:4]])
    time.sleep(ACKNOWLEDGED_IN_S)
    receiver.stop()
    rest = taken(started(setting.receiver()), 6)
    assert sorted(int(m.payload) for m in rest) == sorted(int(m.payload) for m in again[4:])


def test_acknowledging_twice_or_out_of_order_is_harmless(setting: Setting) -> None:
    receiver = started(setting.receiver())
    setting.publish(numbered(6))
    tokens = [m.token for m in taken(receiver, 6)]
    receiver.acknowledge(tokens[::-1])
    receiver.acknowledge(tokens)
    time.sleep(ACKNOWLEDGED_IN_S)
    setting.publish(numbered(3, first=6))
    assert [m.payload for m in taken(receiver, 3)] == numbered(3, first=6)
    receiver.stop()
    assert [m.payload for m in taken(started(setting.receiver()), 3)] == numbered(3, first=6)


def test_a_slow_consumer_gets_everything_once_while_the_queue_stays_bounded(setting: Setting) -> None:
    receiver = started(setting.receiver(queue_messages=50))
    payload = bytes(20_000)
    setting.publish([str(n).encode() + payload for n in range(600)])
    time.sleep(1.5 * setting.repeats_after_s)
    # one read from the socket may bring more than the limit, but not much more
    assert receiver.queued <= 50 + 2 * 256 * 1024 // len(payload)  # type: ignore[attr-defined]  # beside the contract, for metrics
    messages: list[RawMessage] = []
    while len(messages) < 600:
        some = receiver.take(100, 5)
        assert some
        messages += some
        receiver.acknowledge([m.token for m in some])
    assert [int(m.payload.rstrip(b"\0")) for m in messages] == list(range(600))
    assert receiver.take(1, 0.3) == []


def test_a_taker_waits_no_longer_than_it_said_and_not_after_the_stop(setting: Setting) -> None:
    receiver = started(setting.receiver())
    began = time.monotonic()
    assert receiver.take(1, 0.1) == []
    assert 0.09 <= time.monotonic() - began < 2
    receiver.stop()
    assert receiver.take(1, 5) == []
    assert time.monotonic() - began < 2


def test_default_topics_cover_data_and_status() -> None:
    settings = MqttSettings.from_url("mqtt://broker", topic_prefix="own/v1")
    assert settings.filters == ("own/v1/+/+",)
    assert replace(settings, topics=("a", "b")).filters == ("a", "b")
