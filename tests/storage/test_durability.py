"""Commits survive SIGKILL whole or not at all, and writers wait for each other."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from domain.errors import StorageError
from domain.records import Commit, DriveProgress, StageState, VehicleCase
from storage.database import open_store
from storage.sql_store import SqlStore
from tests.storage import examples
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from tests.storage.test_durability import numbered
from tests.storage.examples import CAR, KEY
from storage.database import open_store

store = open_store(sys.argv[1], key=KEY)
done = store.progress("drive")
number = done.frames if done else 0
print("ready", flush=True)
while True:
    number += 1
    store.commit(numbered(number))
    print(number, flush=True)
"""


def numbered(number: int) -> Commit:
    """Commit `number` of a drive: every table says the same number, in enough rows to be interrupted between them."""
    alerts = tuple(examples.alert(f"alert-{number}-{n}", opened_s=number, occurrences=number) for n in range(20))
    return Commit(
        cases=(VehicleCase(vehicle=CAR, alerts=alerts, orders=(examples.order(version=number, state="offered"),)),),
        states=(StageState(vehicle=CAR, stage="rules", version="v", state=str(number).encode() * 2000),),
        progress=(DriveProgress(drive="drive", vehicle=CAR, frames=number),),
        outbox=(examples.event(f"push-{number}"),),
        dead_letters=(examples.dead_letter(f"letter-{number}"),),
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_writer_leaves_each_commit_whole_or_not_at_all(kind: str, tmp_path: Path) -> None:
    url, moments = fresh_url(kind, tmp_path), random.Random(20)
    for _ in range(5):
        acknowledged = write_until_killed(url, after_s=moments.uniform(0.01, 0.15))
        with open_store(url, key=KEY) as store:
            number = committed(store)
            assert number >= acknowledged
    assert number > 5, "the writer was killed before it wrote anything"


def write_until_killed(url: str, *, after_s: float) -> int:
    """The last commit number that the writer reported as done."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    reported, _ = process.communicate()
    whole = [line for line in reported.splitlines(keepends=True) if line.endswith("\n")]
    return int(whole[-1]) if whole else 0


def committed(store: SqlStore) -> int:
    """The number that every table agrees on."""
    progress = store.progress("drive")
    number = progress.frames if progress else 0
    assert len(store.alerts()) == 20 * number
    assert store.order_states("order-1") == tuple((version, "offered") for version in range(1, number + 1))
    assert [order.version for order in store.orders()] == ([number] if number else [])
    assert [state.state for state in store.states(CAR)] == ([str(number).encode() * 2000] if number else [])
    assert (len(store.outbox_events()), len(store.dead_letters())) == (number, number)
    return number


def test_a_commit_that_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'a.db'}", key=KEY) as store:
        store.commit(numbered(1))
        with store._writes.begin() as connection:
            connection.exec_driver_sql("DROP TABLE dead_letter")
        with pytest.raises(StorageError, match="no such table"):
            store.commit(numbered(2))
        assert len(store.alerts()) == 20
        assert len(store.outbox_events()) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_writers_with_their_own_connections_wait_for_each_other(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    failures: list[Exception] = []

    def write(name: str) -> None:
        try:
            with open_store(url, key=KEY) as store:
                for number in range(60):
                    # a read first: what makes two deferred transactions fail
                    store.case(CAR)
                    shared = tuple(examples.alert(f"shared-{n}", occurrences=number) for n in random.sample(range(9), 9))
                    own = examples.alert(f"{name}-{number}")
                    store.commit(Commit(cases=(VehicleCase(vehicle=CAR, alerts=(own, *shared)),)))
        except StorageError as problem:
            failures.append(problem)

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    with open_store(url, key=KEY) as store:
        assert len(store.alerts()) == 180 + 9
