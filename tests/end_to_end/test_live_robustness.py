"""What may go wrong around a live service, over real brokers and processes: nothing is lost, nothing doubled, and it recovers by itself.

The long forms stand in `test_live_long.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import paho.mqtt.client as paho
import pytest

from domain.fleet import pseudonym
from ingest.mqtt.payloads import encode_frames
from storage.memory_store import MemoryStore
from tests.app.live_service import KEY, LiveService, fleet, live_service, replayed, wait_for
from tests.app.test_serve import needs_broker
from tests.end_to_end.live_drives import frames_of_drive
from tests.end_to_end.robust_service import (
    assert_as_replayed,
    memory_mb,
    publishing,
    told,
    watched_service,
    write_lock_held,
)
from tests.end_to_end.storm_cars import StormCar, drive_all
from tests.end_to_end.watched_serve import lines
from tests.ingest.mqtt.brokers import MosquittoBroker, await_connection, needs_mosquitto
from tests.ingest.mqtt.certificates import write_certificates


@pytest.fixture(scope="module")
def expected() -> MemoryStore:
    return replayed()


@needs_broker
def test_a_pipeline_killed_between_commit_and_acknowledgement_doubles_nothing(tmp_path: Path, expected: MemoryStore) -> None:
    with watched_service(tmp_path, deaths=2, PITCALL_PIPELINE_BATCH_MESSAGES="100") as service:
        with publishing(service, speed=400.0):
            pass
        assert_as_replayed(service, expected)
        assert len(lines(tmp_path, "deaths")) == 2
        assert len(service.pids("pipeline")) == 3


@needs_broker
def test_a_broker_that_is_killed_loses_nothing_and_the_service_finds_back(tmp_path: Path, expected: MemoryStore) -> None:
    moments = random.Random(3)
    with watched_service(tmp_path) as service:
        with publishing(service, speed=300.0):
            for _ in range(2):
                time.sleep(moments.uniform(0.5, 1.5))
                service.broker.kill()
                service.broker.start()
        assert_as_replayed(service, expected)
        assert (len(service.pids("pipeline")), len(service.pids("web"))) == (1, 1)
        service.wait_until_ready()
        assert sum(told(service, "warning", "error").values()) <= 6


@needs_broker
def test_a_storm_of_five_hundred_cars_that_drop_and_return_loses_nothing(tmp_path: Path, expected: MemoryStore) -> None:
    cars = [StormCar(f"STORM{number:012d}", random.Random(number), messages=6, drops=3) for number in range(500)]
    with watched_service(tmp_path) as service:
        before = len(service.logged())
        with publishing(service, speed=400.0):
            asyncio.run(drive_all(cars, service.broker.port, over_s=3.0))
        assert sum(car.dropped for car in cars) == 1500
        assert all(car.acknowledged == set(range(6)) for car in cars)
        ids = [pseudonym(KEY.encode(), car.vin) for car in cars]
        wait_for(
            "every acknowledged message is stored",
            lambda: all([seen.ranges for seen in service.store.seen(car)] == [((0, 5),)] for car in ids),
            30,
        )
        assert_as_replayed(service, expected)
        assert (len(service.pids("pipeline")), len(service.pids("web"))) == (1, 1)
        service.wait_until_ready()
        assert len(service.logged()) - before < 10, told(service)
        assert not told(service, "error")


@needs_broker
def test_a_database_that_others_lock_for_seconds_only_costs_time(tmp_path: Path, expected: MemoryStore) -> None:
    """The queue is small, so that the receiver must stop reading while a commit waits."""
    with watched_service(tmp_path, PITCALL_BROKER_QUEUE_MESSAGES="200", PITCALL_PIPELINE_BATCH_MESSAGES="100") as service:
        pid = service.pids("pipeline")[-1]
        with publishing(service, speed=400.0) as cars:
            wait_for("the pipeline is at work", lambda: len(service.store.seen(fleet().drives[0].vehicle.id)))
            most_mb = before_mb = memory_mb(pid)
            with write_lock_held(tmp_path / "pitcall.db", holds_s=1.2, pauses_s=0.2) as held:
                while cars.is_alive() or len(held) < 4:
                    most_mb = max(most_mb, memory_mb(pid))
                    time.sleep(0.1)
        assert len(held) >= 3
        assert_as_replayed(service, expected)
        assert most_mb - before_mb < 120
        assert (len(service.pids("pipeline")), len(service.pids("web"))) == (1, 1)
        assert not told(service, "error")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of a few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave not a byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0")
    return filler


@needs_broker
def test_a_full_disk_holds_everything_back_until_there_is_space_again(
    tmp_path: Path, small_disk: Path, expected: MemoryStore
) -> None:
    with watched_service(tmp_path, database=small_disk / "pitcall.db") as service:
        with publishing(service, speed=400.0):
            time.sleep(1.0)
            filler = fill(small_disk)
            wait_for("a failed commit", lambda: any("full" in message for message in told(service, "warning")))
            seen = {car.id: service.store.seen(car.id) for car in fleet().vehicles}
            time.sleep(1.0)
            assert {car.id: service.store.seen(car.id) for car in fleet().vehicles} == seen
            failed = [message for message in told(service, "warning") if message.startswith("the step is done again")]
            assert all("database or disk is full" in message and "disk space" in message for message in failed)
            filler.unlink()
        assert_as_replayed(service, expected)
        assert len(service.pids("pipeline")) == 1
        assert sum(told(service, "warning", "error").values()) < 30, told(service)


class Vandal:
    """Publishes what nobody can use, to topics of ours and of others."""

    def __init__(self, port: int, seed: int) -> None:
        self.rng, self.sent = random.Random(seed), 0
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="vandal")
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        await_connection(self._client)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(10)
        self.sent += 1


@needs_broker
def test_garbage_is_counted_with_its_reasons_kept_in_part_and_harms_nobody(tmp_path: Path, expected: MemoryStore) -> None:
    vin = "LTESTPTR9T0000005"
    good = encode_frames(frames_of_drive(fleet().drives[0]).take(slice(0, 50)), boot_session=1, sequence=0)
    with watched_service(tmp_path) as service, publishing(service, speed=400.0), Vandal(service.broker.port, 1) as vandal:
        rng = vandal.rng
        for number in range(30):
            vandal.publish(f"pitcall/v1/{vin}/can", rng.randbytes(rng.randint(1, 2_000)))
            vandal.publish(f"pitcall/v1/{vin}/can", good[: 5 + 30 * number])
            vandal.publish(f"pitcall/v1/{vin}/status", b'{"status": %d}' % number)
            vandal.publish(f"pitcall/v1/{vin}/camera", rng.randbytes(40))
            vandal.publish(f"elsewhere/{rng.random()}", b"not for us")
            vandal.publish(f"pitcall/v1/{'X' * 65}/can", rng.randbytes(20))
            vandal.publish(f"pitcall/v1/{vin}/can", b'{"frames": [{"t": ' + rng.randbytes(6).hex().encode())
            vandal.publish(f"pitcall/v1/{vin}/can", good[:4] + b"\x63" + rng.randbytes(60))
        for _ in range(4):
            vandal.publish(f"pitcall/v1/{vin}/can", rng.randbytes(4 << 20))
        vandal.publish(f"pitcall/v1/{vin}/can", good[:4] + b"\x01\x00" + rng.randbytes(3 << 20))
        wait_for("dead letters", lambda: sum(service.store.dead_letter_counts().values()) >= 7 * 30 + 5, 20)
        counts = service.store.dead_letter_counts()
        assert sum(counts.values()) == 7 * 30 + 5, counts
        assert set(counts) >= {
            "truncated_message", "unknown_payload", "unknown_version", "bad_status", "unsupported_kind", "foreign_topic",
            "malformed_json",
        }  # fmt: skip
        letters = service.store.dead_letters()
        assert max(len(letter.content) for letter in letters) <= 64 * 1024
        assert not any(vin in letter.origin + letter.detail for letter in letters)
        assert_as_replayed(service, expected)
        assert f'pitcall_dead_letters{{reason="bad_status"}} {counts["bad_status"]}.0' in service.get("/metrics")[1]
        assert set(told(service, "warning", "error")) <= {"rescues wait for people"}, "nobody answers for the car that must stop"


@contextlib.contextmanager
def guarded_mosquitto(folder: Path) -> Iterator[MosquittoBroker]:
    """Mosquitto as the guide configures it: TLS, client certificates, a password and topics of its own for each car."""
    folder.mkdir()
    write_certificates(folder)
    cars = {user: f"word of {user}" for user in ("pitcall", "LTESTPTR9T0000005", "LTESTPTR0T0000006")}
    for user, word in cars.items():
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
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def device_of(broker: MosquittoBroker, user: str) -> Iterator[paho.Client]:
    context = ssl.create_default_context(cafile=broker.folder / "ca.pem")
    context.load_cert_chain(broker.folder / "client.pem", broker.folder / "client.key")
    device = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=user, reconnect_on_failure=False)
    device.max_inflight_messages_set(500)
    device.tls_set_context(context)
    device.username_pw_set(user, f"word of {user}")
    device.connect("127.0.0.1", broker.port)
    device.loop_start()
    await_connection(device)
    try:
        yield device
    finally:
        device.disconnect()
        device.loop_stop()


def configured(service: LiveService, broker: MosquittoBroker) -> Path:
    """The settings in a file, as an operator would write them."""
    file = service.folder / "pitcall.toml"
    file.write_text(
        f"""
        [broker]
        url = "mqtts://127.0.0.1:{broker.port}"
        username = "pitcall"
        password = "word of pitcall"
        ca_file = "{broker.folder}/ca.pem"
        certificate_file = "{broker.folder}/client.pem"
        key_file = "{broker.folder}/client.key"

        [pipeline]
        gap_timeout_s = 1.5
        """,
        encoding="utf-8",
    )
    for name in ("PITCALL_BROKER_URL", "PITCALL_PIPELINE_GAP_TIMEOUT_S"):
        service.environment.pop(name)
    service.command = ("-m", "app.cli", "serve", "--config", str(file))
    return file


@needs_broker
@needs_mosquitto()
def test_mosquitto_with_tls_and_topics_of_its_own_for_each_car_serves_as_the_broker(
    tmp_path: Path, expected: MemoryStore
) -> None:
    drive, other = fleet().drives[0], fleet().drives[1]
    vin, other_vin = "LTESTPTR9T0000005", "LTESTPTR0T0000006"
    assert (pseudonym(KEY.encode(), vin), pseudonym(KEY.encode(), other_vin)) == (drive.vehicle.id, other.vehicle.id)
    frames = frames_of_drive(drive)
    payloads = [
        encode_frames(frames.take(slice(at, at + 100)), boot_session=1, sequence=number)
        for number, at in enumerate(range(0, len(frames), 100))
    ]
    with guarded_mosquitto(tmp_path / "guarded") as broker, live_service(tmp_path) as service:
        configured(service, broker)
        service.start()
        service.wait_until_ready()
        with device_of(broker, other_vin) as forger, contextlib.suppress(RuntimeError, ValueError):
            forger.publish(f"pitcall/v1/{vin}/can", payloads[0], qos=1).wait_for_publish(1)
            forger.publish(f"pitcall/v1/{vin}/status", b'{"status": "offline"}', qos=1).wait_for_publish(1)
        time.sleep(0.5)
        assert service.store.seen(drive.vehicle.id) == (), "a car has written another car's topic"
        with device_of(broker, vin) as device:
            sent = [device.publish(f"pitcall/v1/{vin}/can", payload, qos=1) for payload in payloads]
            sent.append(device.publish(f"pitcall/v1/{vin}/status", b'{"status": "offline"}', qos=1))
            for each in sent:
                each.wait_for_publish(10)
        wanted = [alert.id for alert in expected.alerts() if alert.vehicle == drive.vehicle.id]
        wait_for("the drive's alerts", lambda: [alert.id for alert in service.store.alerts()] == wanted)
        assert [seen.ranges for seen in service.store.seen(drive.vehicle.id)] == [((0, len(payloads) - 1),)]
        assert service.store.seen(other.vehicle.id) == ()
        assert not told(service, "warning", "error")
        assert "word of" not in (tmp_path / "serve.log").read_text(encoding="utf-8")
