"""`pitcall serve` end to end: over a real broker, with processes that are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.broker import broker_program
from app.serve import LONGEST_BACKOFF_S, backoff_s, supervise
from domain.errors import InputError
from storage.memory_store import MemoryStore
from tests.app.live_service import ROOT, LiveService, is_ours, live_service, replayed, wait_for
from web.pages import words

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"


def broker_missing() -> str:
    try:
        broker_program()
    except InputError as problem:
        return str(problem)
    return ""


needs_broker = pytest.mark.skipif(bool(broker_missing()), reason=broker_missing() or "there is a broker")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LiveService]:
    with live_service(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def expected() -> MemoryStore:
    return replayed()


def settled(service: LiveService, expected: MemoryStore) -> bool:
    """Everything that the replay found is stored, and nothing waits in the outbox."""
    ids = {order.id for order in expected.orders()}
    return (
        len(service.store.alerts()) >= len(expected.alerts())
        and ids <= {order.id for order in service.store.orders()}
        and {"delivered"}
        <= set(service.store.outbox_counts())
        <= {"delivered", "cancelled"}  # asking a driver about old data is off
    )


def assert_nothing_lost_or_doubled(service: LiveService, expected: MemoryStore) -> None:
    alerts, orders = service.store.alerts(), service.store.orders()
    assert [alert.id for alert in alerts] == [alert.id for alert in expected.alerts()]
    assert {order.id for order in orders} == {order.id for order in expected.orders()}
    by_kind = Counter(json.loads(e.body)["change"] for e in service.store.events(0, 10_000) if e.kind.value in ("alert", "order"))
    assert (by_kind["opened"], by_kind["created"]) == (len(alerts), len(orders)), "each was opened once"
    taken = {push for push, _ in service.dealer.taken}
    assert taken == {event.id for event in service.store.outbox_events() if event.channel == "webhook"}
    assert service.dealer.refused == 0


@needs_broker
def test_a_published_drive_becomes_alerts_and_orders_that_a_dealer_verifies(service: LiveService, expected: MemoryStore) -> None:
    service.start()
    service.wait_until_ready()
    service.publish()
    wait_for("alerts and orders", lambda: settled(service, expected))
    assert_nothing_lost_or_doubled(service, expected)
    told = {body["data"]["order_id"] for _, body in service.dealer.taken}
    assert told == {order.id for order in service.store.orders() if order.choice}
    wait_for("offered", lambda: any(order.state == "offered" for order in service.store.orders()))
    wait_for("figures", lambda: "pitcall_frames_total 193699.0" in service.get("/metrics")[1])
    hot = next(
        alert for alert in service.store.alerts() if any(e.signal == COOLANT for e in alert.evidence if e.kind == "signal")
    )
    wait_for("a chart", lambda: words.LABELS["no_history"].en not in service.get(f"/alerts/{hot.id}")[1])
    located = [summary for summary in service.store.vehicle_summaries() if summary.received_ns]
    assert len(located) == 6
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/api/v1/stream", timeout=5) as stream:
        assert stream.status == 200
        began = time.monotonic()
        assert service.stop() == 0, "an open event stream holds nothing up"
        assert time.monotonic() - began < 10
    assert not any(is_ours(pid) for role in ("pipeline", "web") for pid in service.pids(role))
    text = (service.folder / "serve.log").read_text(encoding="utf-8")
    assert "LTEST" not in text, "a VIN was logged"
    assert "Traceback" not in text
    assert "error" not in {line["level"] for line in service.logged()}


@needs_broker
@pytest.mark.parametrize("role", ["pipeline", "web"])
def test_a_killed_process_is_started_again_and_nothing_is_lost_or_doubled(
    service: LiveService, expected: MemoryStore, role: str
) -> None:
    service.start()
    service.wait_until_ready()
    publisher = threading.Thread(target=service.publish, kwargs={"speed": 250.0})
    publisher.start()
    moments = random.Random(7)
    for _ in range(2):
        time.sleep(moments.uniform(0.3, 1.5))
        victim = service.pids(role)[-1]
        os.kill(victim, signal.SIGKILL)
        wait_for(f"{role} started again", lambda victim=victim: service.restarted(role, victim))
    publisher.join()
    wait_for("alerts and orders", lambda: settled(service, expected), 40)
    assert_nothing_lost_or_doubled(service, expected)
    service.wait_until_ready()
    assert service.stop() == 0


@needs_broker
def test_the_processes_end_with_a_killed_supervisor(service: LiveService) -> None:
    service.start()
    wait_for("both processes", lambda: service.pids("pipeline") and service.pids("web"))
    service.wait_until_ready()
    assert service.process is not None
    service.process.kill()
    service.process.wait()
    pids = [*service.pids("pipeline"), *service.pids("web")]
    wait_for("no orphan", lambda: not any(is_ours(pid) for pid in pids), 12)


def test_a_process_that_cannot_start_is_tried_again_ever_more_seldom_and_kept_no_longer_than_wanted(tmp_path: Path) -> None:
    started = tmp_path / "started"
    stop = threading.Event()
    threading.Timer(2.5, stop.set).start()
    script = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(3)"
    assert supervise({"web": (sys.executable, "-c", script, str(started))}, stop) == 0
    assert 2 <= len(started.read_text()) <= 4
    waits = [backoff_s(failures) for failures in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.0, LONGEST_BACKOFF_S)


def run_serve(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", "serve", *options]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=30)


def test_settings_that_cannot_be_used_end_it_at_once_with_one_line(tmp_path: Path) -> None:
    folder = {"PITCALL_DATA_FOLDER": str(tmp_path)}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = str(taken.getsockname()[1])
        for environment, word in (
            ({"PITCALL_BROKER_URL": "nonsense"}, "broker"),
            ({"PITCALL_DATABASE_URL": f"sqlite:///{tmp_path / 'no' / 'where.db'}"}, "where.db"),
            ({"PITCALL_WEB_PORT": busy}, busy),
        ):
            done = run_serve({**folder, **environment})
            last = done.stderr.splitlines()[-1]
            assert (done.returncode, last.startswith("pitcall: "), word in last) == (2, True, True), done.stderr
