"""SIGKILL of the embedded broker while messages go through it: what it had acknowledged is delivered all the same."""

from __future__ import annotations

import random
import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from app.broker import EmbeddedBroker
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.socket_receiver import SocketReceiver

KILLS = 5
MESSAGES = 4_000
WITHIN_S = 60.0


class Consumer:
    """Takes messages and acknowledges each batch only after having kept it, as the pipeline does."""

    def __init__(self, receiver):
        self.kept: list[int] = []
        self._receiver, self._stop = receiver, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._receiver.start()
        wait_until(lambda: self._receiver.connected)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._receiver.stop()

    def _run(self):
        while not self._stop.is_set():
            batch = self._receiver.take(200, 0.05)
            self.kept += [int.from_bytes(message.payload[:4], "big") for message in batch]
            self._receiver.acknowledge([message.token for message in batch])


class Device:
    """Publishes numbered messages at QoS 1; `acknowledged` are those that the broker has taken charge of."""

    def __init__(self, port):
        self.acknowledged: set[int] = set()
        self._number_of: dict[int, int] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="device")
        self._client.max_inflight_messages_set(200)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = lambda _client, _data, mid, *_: self.acknowledged.add(self._number_of[mid])
        self._client.connect("127.0.0.1", port)

    def __enter__(self):
        self._client.loop_start()
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, number):
        # the number is noted before the broker can answer: paho gives packet identifiers in order
        self._number_of[number % 65_535 + 1] = number
        sent = self._client.publish("pitcall/v1/WVWZZZ1JZXW000001/can", number.to_bytes(4, "big") + bytes(1_500), qos=1)
        assert sent.mid == number % 65_535 + 1


def wait_until(holds, within_s=WITHIN_S):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


@pytest.mark.parametrize("kind", [SocketReceiver, PahoReceiver])
def test_no_acknowledged_message_is_lost_over_five_kills_of_the_broker(tmp_path, kind):
    rng = random.Random(kind.__name__)
    killed_at = sorted(rng.sample(range(100, MESSAGES), KILLS))
    with EmbeddedBroker(tmp_path, ack_wait_s=1.0) as broker:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, first_backoff_s=0.05, longest_backoff_s=0.2)
        with Consumer(kind(settings)) as consumer, Device(broker.port) as device:
            for number in range(MESSAGES):
                device.publish(number)
                if number in killed_at:
                    wait_until(lambda at=number: len(device.acknowledged) > at // 2)  # it is in the middle of its work
                    broker.kill()
                    broker.start()
            wait_until(lambda: len(device.acknowledged) == MESSAGES)
            wait_until(lambda: device.acknowledged <= set(consumer.kept))
    assert len(set(consumer.kept)) == MESSAGES


def test_what_was_acknowledged_waits_on_disk_for_a_consumer_that_is_away(tmp_path):
    """The harder half: nobody has received the messages when the broker dies."""
    with EmbeddedBroker(tmp_path, ack_wait_s=1.0) as broker:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, first_backoff_s=0.05, longest_backoff_s=0.2)
        with Consumer(SocketReceiver(settings)):
            pass  # the session is there now
        with Device(broker.port) as device:
            for number in range(500):
                device.publish(number)
            wait_until(lambda: len(device.acknowledged) >= 300)
            broker.kill()
        acknowledged = set(device.acknowledged)
        broker.start()
        with Consumer(SocketReceiver(settings)) as consumer:
            wait_until(lambda: acknowledged <= set(consumer.kept), within_s=10)
