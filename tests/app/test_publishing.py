"""Recorded drives published to a broker arrive as their car would have sent them, and are judged as a replay judges them."""

import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner

from app.broker import EmbeddedBroker
from app.cli import cli
from app.publishing import device_vins, publish_drives
from domain.errors import InputError
from domain.fleet import DEVELOPMENT_KEY, pseudonym
from ingest.logs import open_log
from ingest.mqtt.batching import parse_messages
from ingest.mqtt.settings import MqttSettings
from ingest.mqtt.socket_receiver import SocketReceiver
from pipeline.casework import Casework
from pipeline.live import LiveRunner
from storage.memory_store import MemoryStore
from tests.end_to_end.live_drives import outcome, parts_of, sample_fleet
from tests.end_to_end.replays import ROOT, SAMPLES, replayed

MANIFEST = SAMPLES / "manifest_faulty.csv"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with EmbeddedBroker(tmp_path_factory.mktemp("broker"), ack_wait_s=1.0) as running:
        yield running


@pytest.fixture
def two_drives():
    choice = sample_fleet()
    return replace(choice, drives=choice.drives[:2])


def vins():
    return device_vins(DEVELOPMENT_KEY, vin=None, manifest=MANIFEST)


def parse(messages):
    return parse_messages(messages, pseudonym_of=lambda vin: pseudonym(DEVELOPMENT_KEY, vin))


class Received:
    """Everything that a subscriber gets while it is entered."""

    def __init__(self, broker, name):
        settings = MqttSettings(host="127.0.0.1", port=broker.port, client_id=name, first_backoff_s=0.05, longest_backoff_s=0.2)
        self._receiver, self.messages = SocketReceiver(settings), []

    def __enter__(self):
        self._receiver.start()
        deadline = time.monotonic() + 10
        while not self._receiver.connected:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self._receiver.stop()

    def take(self, count):
        deadline = time.monotonic() + 20
        while len(self.messages) < count and time.monotonic() < deadline:
            batch = self._receiver.take(1000, 0.1)
            self.messages += batch
            self._receiver.acknowledge([message.token for message in batch])
        return self.messages


def test_every_frame_arrives_under_the_vin_with_gapless_numbers_from_0(broker, two_drives):
    drive = two_drives.drives[0]
    with Received(broker, "frames") as received:
        published = publish_drives([drive], broker.url, vins=vins(), batch_frames=150)
        parsed = parse(received.take(published.messages))
    (logged,) = open_log(drive.log, vehicle=drive.vehicle.id)
    vin = vins()[drive.vehicle.id]
    assert {message.topic for message in received.messages} == {f"pitcall/v1/{vin}/can", f"pitcall/v1/{vin}/status"}
    assert published.frames == len(logged) == len(parsed.frames)
    assert published.messages == -(-len(logged) // 150) + 1
    assert parsed.frames.messages.sequence.tolist() == list(range(published.messages - 1))
    assert set(parsed.frames.messages.boot_session.tolist()) == {int(logged.time_ns[0])}
    assert parsed.frames.vehicles == (drive.vehicle.id,)
    for column in ("time_ns", "can_id", "length", "payload"):
        assert getattr(parsed.frames, column).tolist() == getattr(logged, column).tolist(), column
    assert [(status.vehicle, status.online) for status in parsed.statuses] == [(drive.vehicle.id, False)]
    assert not parsed.dead_letters


def test_retimed_drives_begin_now_and_keep_their_distances(broker, two_drives):
    drive = two_drives.drives[0]
    before = time.time_ns()
    with Received(broker, "retimed") as received:
        published = publish_drives([drive], broker.url, vins=vins(), retime=True)
        frames = parse(received.take(published.messages)).frames
    (logged,) = open_log(drive.log, vehicle=drive.vehicle.id)
    assert before <= int(frames.time_ns[0]) <= time.time_ns()
    assert (frames.time_ns - frames.time_ns[0]).tolist() == (logged.time_ns - logged.time_ns[0]).tolist()


def test_speed_paces_the_messages(broker, two_drives):
    drive = two_drives.drives[0]
    (logged,) = open_log(drive.log, vehicle=drive.vehicle.id)
    recorded_s = (int(logged.time_ns[-1]) - int(logged.time_ns[0])) / 1e9
    with Received(broker, "paced"):
        published = publish_drives([drive], broker.url, vins=vins(), speed=recorded_s / 1.5)
    assert published.elapsed_s > 1.4  # how much later is the machine's affair


@pytest.mark.parametrize("disturbed", [False, True], ids=["quiet", "broker restarted meanwhile"])
def test_published_drives_lead_to_the_alerts_and_orders_of_their_replay(tmp_path, two_drives, disturbed):
    replay_store = MemoryStore()
    replayed(two_drives, replay_store)
    live_store = MemoryStore()
    live_store.register(two_drives.registered)
    live_store.save_dealers(two_drives.dealers)
    parts = parts_of(two_drives)
    with EmbeddedBroker(tmp_path, ack_wait_s=1.0) as broker:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, first_backoff_s=0.05, longest_backoff_s=0.2)
        receiver = SocketReceiver(settings)
        runner = LiveRunner(
            receiver,
            parts.line,
            Casework(store=live_store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing),
            live_store,
            parse,
            clock=time.time_ns,
            gap_timeout_s=4.0,
            offline_after_s=1.0,
        )
        stop = threading.Event()
        thread = threading.Thread(target=runner.run, args=(stop,))
        thread.start()
        try:
            wait_until(lambda: receiver.connected)
            restarter = threading.Timer(0.5, broker.restart)
            if disturbed:
                restarter.start()
            publish_drives(two_drives.drives, broker.url, vins=vins(), speed=800.0 if disturbed else None)
            wait_until(lambda: runner.figures.closed == 2)
        finally:
            stop.set()
            thread.join()
            if disturbed:
                restarter.join()
    assert outcome(live_store, two_drives) == outcome(replay_store, two_drives)
    assert outcome(replay_store, two_drives)["alerts"]
    assert runner.figures.gaps == 0


def wait_until(holds, within_s=30.0):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def test_the_command_publishes_and_gives_its_figures(broker):
    words = ["replay", str(SAMPLES / "faulty_petrol_misfire.log.gz"), "--vin", "LPCTEST0000000001", "--to", broker.url, "--json"]
    result = subprocess.run([sys.executable, "-m", "app.cli", *words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document) == {"drives", "frames", "messages", "elapsed_s"}
    assert document["drives"] == 1
    assert document["messages"] == -(-document["frames"] // 100) + 1


def test_where_no_broker_answers_the_error_says_what_to_do(two_drives):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(InputError, match=rf"no broker answers at mqtt://127.0.0.1:{port} .*; start one"):
            publish_drives(two_drives.drives, f"mqtt://127.0.0.1:{port}", vins=vins())


def test_a_refused_login_is_told_without_the_password(tmp_path, two_drives):
    with EmbeddedBroker(tmp_path, user="car", password="right") as broker:
        url = f"mqtt://car:wrong@127.0.0.1:{broker.port}"
        with pytest.raises(InputError, match="refused the connection") as caught:
            publish_drives(two_drives.drives, url, vins=vins())
        assert "wrong" not in str(caught.value)
        url = f"mqtt://car:right@127.0.0.1:{broker.port}"
        assert publish_drives(two_drives.drives[:1], url, vins=vins()).messages


@pytest.mark.parametrize("speed", ["0", "-1", "quick", "inf", "nan"])
def test_a_speed_must_be_a_number_above_0(speed):
    result = CliRunner().invoke(cli, ["replay", "x.log", "--vin", "A", "--to", "mqtt://127.0.0.1:1", "--speed", speed])
    assert result.exit_code == 2
    assert "write a number above 0" in result.output


def test_speed_without_a_broker_is_a_mistake():
    result = CliRunner().invoke(cli, ["replay", "--manifest", str(MANIFEST), "--speed", "10"])
    assert result.exit_code == 2
    assert "give --to too" in result.output
