"""Logins, TLS, hostile brokers: what a receiver does where things go wrong."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from domain.errors import InputError
from ingest.mqtt.network_receiver import Backoff, NetworkReceiver
from ingest.mqtt.paho_receiver import PahoReceiver
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.socket_receiver import SocketReceiver
from tests.ingest.mqtt.brokers import MosquittoBroker, NatsBroker, await_connection, free_port, needs_mosquitto
from tests.ingest.mqtt.certificates import write_certificates
from tests.ingest.mqtt.test_receivers import TOPIC, numbered, settings_of, started, taken, wait_until

Kind = type[PahoReceiver] | type[SocketReceiver]
both = pytest.mark.parametrize("kind", [PahoReceiver, SocketReceiver])


@contextlib.contextmanager
def stopping(receiver: NetworkReceiver) -> Iterator[NetworkReceiver]:
    try:
        yield receiver
    finally:
        receiver.stop()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MosquittoBroker]:
    """Mosquitto with TLS, client certificates, passwords, and a topic tree for each user."""
    folder = tmp_path_factory.mktemp("guarded")
    write_certificates(folder)
    for user, word in (("pitcall", "s3cret-word"), ("WVW1", "car-word")):
        switch = ["-c"] if user == "pitcall" else []
        subprocess.run(["mosquitto_passwd", "-b", *switch, str(folder / "passwords"), user, word], check=True)
    (folder / "acl").write_text("user pitcall\ntopic read pitcall/v1/+/+\n\npattern write pitcall/v1/%u/+\n")
    broker = MosquittoBroker(folder)
    broker.listener = (
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/server.pem",
        f"keyfile {folder}/server.key",
        "require_certificate true",
        "allow_anonymous false",
        f"password_file {folder}/passwords",
        f"acl_file {folder}/acl",
    )
    broker.start()
    yield broker
    broker.stop()


def guarded_settings(broker: MosquittoBroker, **others: Any) -> MqttSettings:
    files = {"ca_file": "ca.pem", "certificate_file": "client.pem", "key_file": "client.key"}
    given = {"username": "pitcall", "password": "s3cret-word", **{name: broker.folder / file for name, file in files.items()}}
    return settings_of(broker, tls=True, **{**given, **others})


@contextlib.contextmanager
def device_of(broker: MosquittoBroker) -> Iterator[paho.Client]:
    """The car with the user name WVW1."""
    context = ssl.create_default_context(cafile=broker.folder / "ca.pem")
    context.load_cert_chain(broker.folder / "client.pem", broker.folder / "client.key")
    device = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="device", reconnect_on_failure=False)
    device.tls_set_context(context)
    device.username_pw_set("WVW1", "car-word")
    device.connect("127.0.0.1", broker.port)
    device.loop_start()
    await_connection(device)
    try:
        yield device
    finally:
        device.disconnect()
        device.loop_stop()


@needs_mosquitto()
@both
def test_tls_with_client_certificate_and_password_and_a_car_may_only_write_its_own_topics(
    kind: Kind, guarded: MosquittoBroker
) -> None:
    with stopping(kind(guarded_settings(guarded, client_id=kind.__name__))) as receiver:
        started(receiver)
        with device_of(guarded) as forger, contextlib.suppress(RuntimeError):  # Mosquitto may close the line on it
            forger.publish("pitcall/v1/OTHER/can", b"forged", qos=1).wait_for_publish(1)
        with device_of(guarded) as device:
            for payload in [*numbered(50), bytes(500_000)]:
                device.publish(TOPIC, payload, qos=1).wait_for_publish(5)
        assert [m.payload for m in taken(receiver, 51)] == [*numbered(50), bytes(500_000)]


@needs_mosquitto()
@both
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "wr0ng-word"}, "refuses the login"),
        ({"certificate_file": None, "key_file": None}, ""),
        ({"ca_file": None}, "certificate verify failed"),
    ],
)
def test_a_refused_login_is_an_error_state_and_one_log_line_without_secrets(
    kind: Kind, guarded: MosquittoBroker, wrong: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with stopping(kind(guarded_settings(guarded, **wrong, client_id="refused"))) as receiver:
        receiver.start()
        wait_until(lambda: receiver.last_error != "")
        time.sleep(0.4)  # more attempts
        assert not receiver.connected
        assert words in receiver.last_error
        lines = [r.getMessage() for r in caplog.records if r.name.startswith("ingest")]
        assert len(lines) == len(set(lines)) <= 2  # without a certificate the loss is seen at the reading or at the writing
        assert not any(secret in line for line in lines for secret in ("word", "pitcall@"))


@both
def test_a_broker_that_comes_later_is_found(kind: Kind, tmp_path: Path) -> None:
    broker = NatsBroker(tmp_path)
    with stopping(kind(settings_of(broker))) as receiver:
        receiver.start()
        wait_until(lambda: receiver.last_error != "")
        assert "refused" in receiver.last_error
        broker.start()
        try:
            wait_until(lambda: receiver.connected)
            assert receiver.last_error == ""
        finally:
            receiver.stop()
            broker.stop()


@pytest.fixture
def two_receivers(tmp_path: Path) -> Iterator[tuple[NatsBroker, list[NetworkReceiver]]]:
    """One of each kind, with sessions of their own."""
    broker = NatsBroker(tmp_path)
    broker.start()
    with contextlib.ExitStack() as stack:
        stack.callback(broker.stop)
        kinds = (PahoReceiver, SocketReceiver)
        yield broker, [stack.enter_context(stopping(k(settings_of(broker, client_id=k.__name__, keepalive_s=2)))) for k in kinds]


def test_a_message_in_our_hands_is_not_handed_over_again_on_the_same_connection(
    two_receivers: tuple[NatsBroker, list[NetworkReceiver]],
) -> None:
    """NATS repeats after `ack_wait` (here half a second), also to a client that is still busy with the message."""
    broker, receivers = two_receivers
    for receiver in receivers:
        started(receiver)
    broker.publish(TOPIC, numbered(20))
    tokens = [[m.token for m in taken(receiver, 20)] for receiver in receivers]
    time.sleep(0.8)
    assert [receiver.take(1, 0) for receiver in receivers] == [[], []]
    for receiver, mine in zip(receivers, tokens, strict=True):
        receiver.acknowledge(mine)
        receiver.stop()
        started(receiver)
    time.sleep(0.8)
    assert [receiver.take(1, 0) for receiver in receivers] == [[], []]


CONNACK, SUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01"
PUBLISH = b"\x32\x0a\x00\x05topic\x00\x01x"
GARBAGE = {
    "nothing at all": b"",
    "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a broken length": b"\x30\xff\xff\xff\xff\x01",
    "a topic longer than its packet": CONNACK + SUBACK + b"\x30\x03\x00\xff\x00",
    "an empty publish": CONNACK + SUBACK + b"\x30\x00",
    "quality 3": CONNACK + SUBACK + b"\x36\x05\x00\x01a\x00\x01",
    "an unknown packet": CONNACK + SUBACK + b"\xf0\x00",
    "a short CONNACK": b"\x20\x01\x00",
    "a refused subscription": CONNACK + b"\x90\x03\x00\x01\x80",
}


@both
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_from_the_broker_is_an_error_state_and_the_receiver_recovers(kind: Kind, garbage: bytes) -> None:
    """The first connections meet garbage, the later ones a broker that behaves."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        calls = 0

        def serve() -> None:
            nonlocal calls
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    calls += 1
                    with line:
                        line.settimeout(5)
                        line.recv(1000)
                        if calls <= 2:
                            line.sendall(garbage)
                            line.shutdown(socket.SHUT_WR)
                            while line.recv(1000):
                                pass
                            continue
                        line.sendall(CONNACK)
                        line.recv(1000)
                        line.sendall(SUBACK + PUBLISH)
                        while line.recv(1000):
                            pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        settings = MqttSettings(
            host="127.0.0.1", port=server.getsockname()[1], first_backoff_s=0.02, longest_backoff_s=0.05, connect_timeout_s=1
        )
        with stopping(kind(settings)) as receiver:
            receiver.start()
            wait_until(lambda: calls >= 2)
            assert taken(receiver, 1)[0].topic == "topic"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@both
def test_a_broker_that_accepts_and_says_nothing_is_given_up(kind: Kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = MqttSettings(host="127.0.0.1", port=server.getsockname()[1], connect_timeout_s=0.2)
        with stopping(kind(settings)) as receiver:
            receiver.start()
            wait_until(lambda: receiver.last_error == "the broker does not answer")


def test_a_quiet_line_is_kept_alive(two_receivers: tuple[NatsBroker, list[NetworkReceiver]]) -> None:
    """The broker closes a line that is silent for one and a half keep-alive times, here two seconds each."""
    broker, receivers = two_receivers
    for receiver in receivers:
        started(receiver)
    time.sleep(3.6)
    assert [receiver.connections for receiver in receivers] == [1, 1]
    broker.publish(TOPIC, [b"x"])
    assert [taken(receiver, 1)[0].payload for receiver in receivers] == [b"x", b"x"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://h", ("h", 1883, False, "", "")),
        ("mqtts://u%40x:p%3Aw@h:99", ("h", 99, True, "u@x", "p:w")),
        ("mqtt://[::1]:1884/", ("::1", 1884, False, "", "")),
    ],
)
def test_addresses_are_read(url: str, expected: tuple[str, int, bool, str, str]) -> None:
    settings = MqttSettings.from_url(url)
    assert (settings.host, settings.port, settings.tls, settings.username, settings.password) == expected
    assert "p:w" not in repr(settings) + settings.place


@pytest.mark.parametrize("url", ["h:1883", "http://h", "mqtt://", "mqtt://u:s3cret@h:port", "mqtt://h/topic", "mqtt://h:99999"])
def test_addresses_that_are_none_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(InputError) as caught:
        MqttSettings.from_url(url)
    assert "s3cret" not in str(caught.value)
    assert "mqtt://HOST:PORT" in str(caught.value)


def test_a_missing_certificate_is_told_at_once(tmp_path: Path) -> None:
    settings = MqttSettings(host="h", port=free_port(), tls=True, ca_file=tmp_path / "none.pem")
    for kind in (PahoReceiver, SocketReceiver):
        with pytest.raises(InputError, match=r"none\.pem"):
            kind(settings)


def test_waits_double_up_to_the_longest_and_begin_again() -> None:
    backoff = Backoff(1, 5, chance=lambda: 0.0)
    assert [backoff.next_s() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next_s() == 1
    assert Backoff(1, 5, chance=lambda: 1.0).next_s() == 0.5
