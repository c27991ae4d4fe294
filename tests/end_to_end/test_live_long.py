"""Live operation over minutes. Runs only with PITCALL_LONG_TESTS=1; what CI runs of it stands in `test_live_robustness.py`."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from app.bench_live import RULE, _Bench, _rings
from domain.fleet import DEVELOPMENT_KEY
from storage.database import open_store
from storage.memory_store import MemoryStore
from tests.app.live_service import LiveService, fleet, replayed, wait_for
from tests.app.test_serve import needs_broker
from tests.end_to_end.robust_service import (
    assert_as_replayed,
    memory_mb,
    messages_sent,
    publishing,
    told,
    watched_service,
    write_lock_held,
)
from tests.end_to_end.watched_serve import lines

pytestmark = pytest.mark.skipif(
    os.environ.get("PITCALL_LONG_TESTS") != "1", reason="takes minutes; set PITCALL_LONG_TESTS=1 to run it"
)

SOAK_MINUTES = float(os.environ.get("PITCALL_SOAK_MINUTES", "12"))
SOAK_FRAMES_PER_S = 100_000.0
SOAK_CARS = 50
DRIVE_S = 30.0
GROWTH_ALLOWED = 0.05


KILLS = 10
BATCH_FRAMES = 21
SPEED = 25.0


@pytest.fixture(scope="module")
def expected() -> MemoryStore:
    return replayed()


def kill_process(service: LiveService, role: str) -> None:
    """SIGKILL, and wait until the supervisor has started another one."""
    victim = service.pids(role)[-1]
    os.kill(victim, signal.SIGKILL)
    wait_for(f"{role} started again", lambda: service.restarted(role, victim))


def kill_broker(service: LiveService, _role: str) -> None:
    service.broker.kill()
    service.broker.start()


@needs_broker
@pytest.mark.parametrize(
    ("victim", "kill", "deaths"),
    [("pipeline", kill_process, 0), ("commit", None, KILLS), ("web", kill_process, 0), ("broker", kill_broker, 0)],
    ids=["pipeline", "pipeline between commit and acknowledgement", "web", "broker"],
)
def test_ten_kills_in_nine_thousand_messages_lose_and_double_nothing(
    tmp_path: Path, expected: MemoryStore, victim: str, kill: Callable[[LiveService, str], None] | None, deaths: int
) -> None:
    messages = sum(messages_sent(BATCH_FRAMES).values())
    assert messages > 9_000
    moments = random.Random(victim)
    settings = {"PITCALL_PIPELINE_BATCH_MESSAGES": "200", "PITCALL_TEST_DIES_WITHIN": "8"}
    with watched_service(tmp_path, deaths=deaths, **settings) as service:
        with publishing(service, speed=SPEED, batch_frames=BATCH_FRAMES) as cars:
            for _ in range(KILLS if kill else 0):
                time.sleep(moments.uniform(1.0, 5.0))
                assert cars.is_alive(), "killed in the middle of its work"
                assert kill is not None
                kill(service, victim)
        assert_as_replayed(service, expected, batch_frames=BATCH_FRAMES, within_s=90.0)
        assert len(lines(tmp_path, "deaths")) == deaths
        found = [len(service.store.alerts()), len(expected.alerts()), len(service.store.orders()), len(expected.orders())]
        lives = [len(service.pids(role)) for role in ("pipeline", "web")]
        pushes = [push for push, _ in service.dealer.taken]
        print(f"{victim}: {messages} messages, alerts {found[0]} of {found[1]}, orders {found[2]} of {found[3]}, lives {lives}")
        print(
            f"pushes {len(set(pushes))}, taken {len(pushes)} times; 0 violations; log: {dict(told(service, 'warning', 'error'))}"
        )


@needs_broker
def test_a_database_locked_for_longer_than_a_writer_waits_only_costs_time(tmp_path: Path, expected: MemoryStore) -> None:
    """SQLite's busy timeout is 30 s: commits fail, are done again, and nothing is lost or doubled."""
    with watched_service(tmp_path) as service:
        with publishing(service, speed=200.0):
            wait_for("the pipeline is at work", lambda: len(service.store.seen(fleet().drives[0].vehicle.id)))
            with write_lock_held(tmp_path / "pitcall.db", holds_s=36.0, pauses_s=5.0) as held:
                time.sleep(38.0)
        assert held
        assert_as_replayed(service, expected, within_s=90.0)
        said = told(service, "warning", "error")
        print(dict(said))
        assert any("locked" in message for message in said)
        assert sum(said.values()) < 12
        assert len(service.pids("pipeline")) == 1


def test_back_pressure_bounds_the_memory_while_the_database_stands_still(tmp_path: Path) -> None:
    """A hundred thousand frames per second go on while another writer holds the lock for 25 s, twice."""
    with _Bench(tmp_path, "paho", _rings(), 1.0) as bench:
        pid = bench._pipeline.pid
        assert pid is not None
        bench.publish(seconds=40.0, cars=SOAK_CARS, rate=SOAK_FRAMES_PER_S)
        before_mb = memory_mb(pid)
        with (
            MemoryWatch(pid) as memory,
            write_lock_held(tmp_path / "bench.sqlite3", holds_s=25.0, pauses_s=5.0) as held,
        ):
            bench.publish(seconds=60.0, cars=SOAK_CARS, rate=SOAK_FRAMES_PER_S)
        figures = bench.stop()
        print(f"before {before_mb:.0f} MB, most {max(memory.series_mb):.0f} MB, {len(held)} holds, {figures}, {bench.published}")
        assert figures["frames"] == bench.published * 100
    assert len(held) >= 2
    assert max(memory.series_mb) < before_mb + 250


def cars_alarmed_since(begin_ns: int, database: Path) -> int:
    """Cars whose alert was raised, or raised again, at or after this event time."""
    with open_store(f"sqlite:///{database}", key=DEVELOPMENT_KEY) as store:
        return len({alert.vehicle for alert in store.alerts() if alert.source.id == RULE and alert.updated_ns >= begin_ns})


class MemoryWatch:
    """Resident memory of a process in MB, every second, while the context is open."""

    def __init__(self, pid: int) -> None:
        self.series_mb: list[float] = []
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory watch")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            self.series_mb.append(memory_mb(self._pid))


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def test_the_pipelines_memory_stays_as_it_is_over_minutes_of_a_hundred_thousand_frames_per_second(tmp_path: Path) -> None:
    """Fifty cars start drive after drive, and every one overheats in every drive; nothing of that may pile up in memory."""
    receiver = "socket" if os.environ.get("PITCALL_SOAK_RECEIVER") == "socket" else "paho"
    with _Bench(tmp_path, receiver, _rings(), 1.0) as bench:
        pid = bench._pipeline.pid
        assert pid is not None
        phases, after_drive_mb = [], []
        with MemoryWatch(pid) as memory:
            for drive in range(round(SOAK_MINUTES * 60 / DRIVE_S)):
                phases.append(bench.publish(seconds=DRIVE_S, cars=SOAK_CARS, rate=SOAK_FRAMES_PER_S))
                after_drive_mb.append(memory_mb(pid))
                took = sum(phase.elapsed_s for phase in phases)
                rate = bench.published * 100 / took
                print(f"drive {drive + 1}: {after_drive_mb[-1]:.1f} MB, {rate:,.0f} frames/s, {took:.0f} s", flush=True)
        figures = bench.stop()
        seen, first_alerts = bench.seen(), len(phases[0].alerts_seen)
        alarmed = cars_alarmed_since(phases[-1].plan.begin_ns, tmp_path / "bench.sqlite3")
    quarter = len(memory.series_mb) // 4
    early = median(memory.series_mb[quarter : quarter + quarter // 2 + 1])
    late = median(memory.series_mb[-(quarter // 2 + 1) :])
    print(f"after each drive: {[round(each, 1) for each in after_drive_mb]} MB")
    print(f"25 %: {early:.1f} MB, 100 %: {late:.1f} MB ({late / early - 1:+.2%}), peak {max(memory.series_mb):.1f} MB")
    print(f"{bench.published} messages, {figures}, cars alarmed in the last drive {alarmed}")
    assert seen == bench.published
    assert figures["frames"] == bench.published * 100
    assert first_alerts >= SOAK_CARS
    assert alarmed > SOAK_CARS / 2, "cars that fail drive after drive flap: they go on with the alert that they have"
    assert late < early * (1 + GROWTH_ALLOWED)
