"""A watched live service, what may disturb it, and what it must have come to all the same."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from storage.memory_store import MemoryStore
from tests.app.live_service import LiveService, fleet, live_service, wait_for
from tests.app.test_serve import assert_nothing_lost_or_doubled, settled
from tests.end_to_end.live_drives import frames_of_drive
from tests.end_to_end.watched_serve import lines


@contextlib.contextmanager
def watched_service(folder: Path, *, deaths: int = 0, database: Path | None = None, **settings: str) -> Iterator[LiveService]:
    """`pitcall serve` as it is, with its pipeline's order watched; it dies so often right after a commit. Started and ready."""
    watch = {"PITCALL_TEST_WATCH": str(folder), "PITCALL_TEST_DEATHS": str(deaths)}
    with live_service(folder, database, **watch, **settings) as service:
        service.command = ("-m", "tests.end_to_end.watched_serve", "serve")
        service.start()
        service.wait_until_ready()
        yield service


@contextlib.contextmanager
def publishing(service: LiveService, *, speed: float | None, batch_frames: int = 100) -> Iterator[threading.Thread]:
    """The sample drives on their way in a thread, which is waited for at the end."""
    failures: list[Exception] = []

    def publish() -> None:
        try:
            service.publish(speed=speed, batch_frames=batch_frames)
        except Exception as problem:  # noqa: BLE001  told by the test's own thread
            failures.append(problem)

    thread = threading.Thread(target=publish, name="cars")
    thread.start()
    try:
        yield thread
    finally:
        thread.join()
    assert not failures


def messages_sent(batch_frames: int) -> dict[str, int]:
    """Vehicle -> messages of its drive, when cut so."""
    return {drive.vehicle.id: -(-len(frames_of_drive(drive)) // batch_frames) for drive in fleet().drives}


def assert_as_replayed(service: LiveService, expected: MemoryStore, *, batch_frames: int = 100, within_s: float = 40.0) -> None:
    """Every message counted once and in order, and the same alerts, orders and pushes as from the replay."""
    sent = messages_sent(batch_frames)

    def all_stored() -> bool:
        return all([each.ranges for each in service.store.seen(car)] == [((0, n - 1),)] for car, n in sent.items())

    wait_for("every message is stored", all_stored, within_s)
    wait_for("alerts and orders", lambda: settled(service, expected), within_s)
    assert_nothing_lost_or_doubled(service, expected)
    assert lines(service.folder, "violations") == []
    assert not any(alert.late for alert in service.store.alerts())


def told(service: LiveService, *levels: str) -> Counter[str]:
    """Log messages of these levels (all: none given), with how often each was written."""
    return Counter(line["message"] for line in service.logged() if not levels or line["level"] in levels)


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def write_lock_held(database: Path, *, holds_s: float, pauses_s: float) -> Iterator[list[float]]:
    """Another writer takes SQLite's write lock again and again; gives when it got it."""
    held: list[float] = []
    ended = threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(database, timeout=30, isolation_level=None)
        while not ended.is_set():
            connection.execute("BEGIN IMMEDIATE")
            held.append(time.monotonic())
            ended.wait(holds_s)
            connection.execute("ROLLBACK")
            ended.wait(pauses_s)
        connection.close()

    thread = threading.Thread(target=hold, name="other writer")
    thread.start()
    try:
        yield held
    finally:
        ended.set()
        thread.join()
