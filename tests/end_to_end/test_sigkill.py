"""A replay that is killed, anywhere, and run again gives what one clean run gives: nothing lost, nothing doubled."""

import multiprocessing
import os
import random
import signal
import time

import pytest

from domain.fleet import DEVELOPMENT_KEY
from storage.database import open_store
from storage.sql_store import SqlStore
from tests.end_to_end.replays import SAMPLES, fleet, replayed, without_wall_time

BATCH_FRAMES = 3_000
KILLS = 20


class KilledAt(SqlStore):
    """A store whose process dies by SIGKILL right before or right after its n-th commit."""

    countdown = 0
    after = False

    def commit(self, changes):
        type(self).countdown -= 1
        if self.countdown == 0 and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        super().commit(changes)
        if self.countdown == 0 and self.after:
            os.kill(os.getpid(), signal.SIGKILL)


def run(url: str, countdown: int = 0, after: bool = False) -> None:
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        if countdown:
            KilledAt.countdown, KilledAt.after = countdown, after
            store.__class__ = KilledAt
        replayed(fleet(SAMPLES / "manifest_faulty.csv"), store, batch_frames=BATCH_FRAMES)


def spawn(url: str, countdown: int = 0, after: bool = False) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=run, args=(url, countdown, after))
    process.start()
    return process


def everything(url: str) -> dict:
    """The document of a further run (which has nothing left to do), and what the tables hold."""
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        document = without_wall_time(
            replayed(fleet(SAMPLES / "manifest_faulty.csv"), store, batch_frames=BATCH_FRAMES).document()
        )
        return document | {"outbox": [(e.id, e.type, e.body) for e in store.outbox_events()], "rows": len(store.alerts())}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('clean') / 'clean.sqlite3'}"
    run(url)
    document = everything(url)
    assert document["alerts"]
    assert document["outbox"]
    return document


def test_a_replay_killed_at_twenty_points_ends_like_a_clean_one(clean, tmp_path):
    url = f"sqlite:///{tmp_path / 'killed.sqlite3'}"
    rng = random.Random(20260601)
    killed = 0
    for number in range(KILLS):
        if number % 2:
            process = spawn(url, countdown=rng.randint(1, 4), after=rng.random() < 0.5)
        else:
            process = spawn(url)
            time.sleep(rng.uniform(0.05, 0.6))
            process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed >= KILLS // 2
    run(url)
    assert everything(url) == clean
