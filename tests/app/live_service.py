"""A live service to test: the embedded broker, `pitcall serve` as a process, and a dealer that verifies what it is sent."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from app.broker import EmbeddedBroker
from app.fleet import FleetChoice, choose_fleet
from app.publishing import device_vins, publish_drives
from app.replaying import replay_drives
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "sample_can_logs" / "manifest_faulty.csv"
KEY = "a key for tests"
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, condition: Callable[[], Any], timeout_s: float = 25.0) -> Any:
    """The condition's value once it is true."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)
    return value


@dataclass(slots=True)
class LocalDealer:
    """Takes webhooks on 127.0.0.1; `taken` has the verified ones, `refused` counts those whose signature was wrong."""

    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: int = 0
    url: str = ""

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        dealer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    Webhook(SECRET).verify(body, dict(self.headers.items()))
                    dealer.taken.append((self.headers["webhook-id"], json.loads(body)))
                    self.send_response(204)
                except WebhookVerificationError:
                    dealer.refused += 1
                    self.send_response(401)
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}/orders"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@dataclass(slots=True)
class LiveService:
    """A running `pitcall serve` over its own folder, broker and dealer."""

    folder: Path
    broker: EmbeddedBroker
    dealer: LocalDealer
    store: SqlStore
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = ("-m", "app.cli", "serve")
    """What Python is given."""

    @property
    def port(self) -> int:
        return int(self.environment["PITCALL_WEB_PORT"])

    def start(self) -> None:
        with (self.folder / "serve.log").open("ab") as log:
            command = [sys.executable, *self.command]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=log, stdin=subprocess.DEVNULL)

    def logged(self) -> list[dict[str, Any]]:
        """Every line is a JSON object."""
        text = (self.folder / "serve.log").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def pids(self, role: str) -> list[int]:
        """Every process that was started in this role, the latest last."""
        return [line["pid"] for line in self.logged() if line["message"] == "process started" and line["role"] == role]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            with problem:
                return problem.code, problem.read().decode()
        except OSError:
            return 0, ""

    def wait_until_ready(self) -> None:
        wait_for("ready", lambda: self.get("/readyz")[0] == 200)

    def publish(self, *, speed: float | None = None, batch_frames: int = 100) -> None:
        drives = fleet().drives
        vins = device_vins(KEY.encode(), vin=None, manifest=MANIFEST)
        publish_drives(drives, self.broker.url, vins=vins, speed=speed, batch_frames=batch_frames)

    def restarted(self, role: str, before: int) -> bool:
        return self.pids(role)[-1] != before

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)

    def end(self) -> None:
        """Leave nothing behind, whatever the test came to."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(12)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in [*self.pids("pipeline"), *self.pids("web")] if (self.folder / "serve.log").exists() else []:
            if is_ours(pid):
                os.kill(pid, signal.SIGKILL)


def is_ours(pid: int) -> bool:
    """Whether this process is alive and is one of a `pitcall serve`."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return b"--supervised" in words and state != "Z"


def fleet() -> FleetChoice:
    """The faulty sample drives with their vehicles and dealers."""
    return choose_fleet(
        [],
        key=KEY.encode(),
        vin=None,
        manifest=MANIFEST,
        profile=None,
        start_ns=None,
        vehicle_table=None,
        dealer_table=None,
    )


def replayed() -> MemoryStore:
    """What a replay of the same drives stores."""
    store = MemoryStore()
    replay_drives(fleet(), store)
    return store


@contextlib.contextmanager
def live_service(folder: Path, database: Path | None = None, **settings: str) -> Iterator[LiveService]:
    """A service that knows the sample vehicles and dealers; all dealers push to the local one. Not started yet."""
    url = f"sqlite:///{database or folder / 'pitcall.db'}"
    dealer = LocalDealer()
    with contextlib.ExitStack() as stack:
        stack.enter_context(dealer.listening())
        broker = stack.enter_context(EmbeddedBroker(folder / "broker", ack_wait_s=1.0))
        store = stack.enter_context(open_store(url, key=KEY.encode()))
        choice = fleet()
        profiles = {drive.vehicle.id: drive.vehicle.profile for drive in choice.drives}
        store.register((replace(v, profile=profiles.get(v.id, "")), entry) for v, entry in choice.registered)
        store.save_dealers(replace(each, endpoint=dealer.url, secret_name="LOCAL") for each in choice.dealers)
        environment = {
            **os.environ,
            "PITCALL_DATABASE_URL": url,
            "PITCALL_PSEUDONYM_KEY": KEY,
            "PITCALL_DATA_FOLDER": str(folder / "data"),
            "PITCALL_BROKER_URL": broker.url,
            "PITCALL_WEB_PORT": str(free_port()),
            "PITCALL_WEB_OPEN_ACCESS": "true",
            "PITCALL_ALLOW_PRIVATE_ENDPOINTS": "true",
            "PITCALL_SECRET_LOCAL": SECRET,
            "PITCALL_DELIVERY_TIMEOUT_S": "0.5",
            "PITCALL_PIPELINE_GAP_TIMEOUT_S": "3",
            "PITCALL_PIPELINE_STALE_AFTER_MIN": "1e9",  # recordings are published as they were made
            "PITCALL_HISTORY_FLUSH_S": "0.5",
            "PITCALL_DISPATCH_BATCH_MINUTES": "0",
            **settings,
        }
        service = LiveService(folder, broker, dealer, store, environment)
        try:
            yield service
        finally:
            service.end()
