from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from app.outbox_worker import ClaimedOutbox, OutboxWorker
from domain.errors import DeliveryError, StorageError
from domain.fleet import Dealer
from domain.records import Commit, OutboxEvent, VehicleCase
from storage.database import open_store
from storage.memory_store import MemoryStore
from tests.storage import examples
from tests.storage.examples import CAR, KEY


class Recorded:
    """A channel that notes what it was given; `fails` names events that do not get through."""

    name = "webhook"

    def __init__(self, fails: frozenset[str] = frozenset(), lasts_s: float = 0.0) -> None:
        self.given: list[str] = []
        self._fails, self._lasts_s = fails, lasts_s

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:
        self.given.append(event.id)
        time.sleep(self._lasts_s)
        if event.id in self._fails:
            raise DeliveryError("503")


def push(identifier: str, *, priority: str = "P2", recipient: str = "SH-001", version: int = 1, due_ns: int = 0) -> OutboxEvent:
    body = json.dumps({"data": {"priority": priority, "version": version}})
    return dataclasses.replace(examples.event(identifier, due_ns=due_ns), body=body, recipient=recipient)


def store_with(*events: OutboxEvent, state: str = "dispatching") -> MemoryStore:
    store = MemoryStore()
    store.commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=(examples.order(state=state),)),), outbox=events))
    return store


def test_a_round_delivers_what_is_due_critical_first() -> None:
    store, channel = store_with(push("calm"), push("urgent", priority="P0"), push("later", due_ns=2**62)), Recorded()
    report = OutboxWorker(store, {"webhook": channel}, clock=lambda: 1).work()
    assert (report.delivered, channel.given) == (2, ["urgent", "calm"])
    assert {event.id: event.state for event in store.outbox_events()} == {
        "calm": "delivered",
        "urgent": "delivered",
        "later": "pending",
    }


def test_a_worker_for_critical_pushes_leaves_the_others() -> None:
    store, channel = store_with(push("calm"), push("urgent", priority="P0")), Recorded()
    OutboxWorker(store, {"webhook": channel}, clock=lambda: 1, critical_only=True).work()
    assert channel.given == ["urgent"]
    assert [event.id for event in store.due(1, 9)] == ["calm"]


def test_events_behind_a_failed_one_are_given_back_and_due_as_before() -> None:
    store, channel = store_with(push("a"), push("b"), push("c", recipient="SH-002")), Recorded(fails=frozenset({"a"}))
    OutboxWorker(store, {"webhook": channel}, clock=lambda: 1).work()
    assert sorted(channel.given) == ["a", "c"]
    assert [event.id for event in store.due(1, 9)] == ["b"]


def test_a_claimed_push_is_left_alone_until_its_claim_ends() -> None:
    store, channel = store_with(push("a")), Recorded()
    store.claim_due(1, 9, until_ns=100)
    worker = OutboxWorker(store, {"webhook": channel}, clock=iter([99, 100]).__next__)
    assert (worker.work().attempted, worker.work().attempted) == (0, 1)


def test_claims_are_renewed_while_their_round_lasts(tmp_path: Path) -> None:
    """The first push of the queue lasts longer than a claim; nobody else is given the second one meanwhile."""
    with open_store(f"sqlite:///{tmp_path / 'a.db'}", key=KEY) as store:
        store.commit(Commit(outbox=(push("a"), push("b"))))
        with ClaimedOutbox(store, clock=time.time_ns, claim_s=0.2, renew_every_s=0.05) as outbox:
            assert len(outbox.due(time.time_ns(), 9)) == 2
            until = time.monotonic() + 0.6
            while time.monotonic() < until:
                assert store.due(time.time_ns(), 9) == ()
                time.sleep(0.01)
            outbox.record(dataclasses.replace(push("a"), state="delivered", attempts=1))
        assert [event.id for event in store.due(time.time_ns(), 9)] == ["b"], "given back as it was"


def test_a_critical_push_of_a_killed_worker_is_due_again_within_a_minute(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'a.db'}", key=KEY) as store:
        pushes = tuple(push(f"push-{n}", priority="P0") for n in range(9))
        store.commit(Commit(outbox=pushes))
        child = os.fork()
        if child == 0:
            with open_store(f"sqlite:///{tmp_path / 'a.db'}", key=KEY) as theirs:
                OutboxWorker(theirs, {"webhook": Recorded(lasts_s=60.0)}).work()
            os._exit(0)
        try:
            wait_for(lambda: not store.due(time.time_ns(), 9))
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        assert store.due(time.time_ns(), 99) == ()
        restart_s = 20.0  # the supervisor starts the web process again well within that
        assert len(store.due(time.time_ns() + round((60.0 - restart_s) * 1e9), 99)) == 9


def test_a_dealer_that_took_the_push_has_been_offered_the_order() -> None:
    store = store_with(push("a"))
    OutboxWorker(store, {"webhook": Recorded()}, clock=lambda: 1).work()
    assert store.order_states("order-1") == ((1, "dispatching"), (2, "offered"))


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (push("other dealer", recipient="SH-009"), "dispatching"),
        (push("older version", version=0), "dispatching"),
        (dataclasses.replace(push("by hand"), channel="log"), "dispatching"),
        (push("accepted already"), "accepted"),
    ],
)
def test_no_other_push_offers_an_order(event: OutboxEvent, state: str) -> None:
    store = store_with(event, state=state)
    OutboxWorker(store, {"webhook": Recorded(), "log": Recorded()}, clock=lambda: 1).work()
    assert store.order_states("order-1") == ((1, state),)


def test_two_workers_over_one_database_deliver_each_push_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    channels = [Recorded(lasts_s=0.002), Recorded(lasts_s=0.002)]
    with open_store(url, key=KEY) as one, open_store(url, key=KEY) as other:
        events = tuple(push(f"push-{number}", recipient=f"SH-{number % 7}") for number in range(60))
        one.commit(Commit(outbox=events))
        workers = [OutboxWorker(store, {"webhook": channel}) for store, channel in zip((one, other), channels, strict=True)]
        for worker in workers:
            worker.start()
        wait_for(lambda: one.outbox_counts() == {"delivered": 60})
        assert all(worker.stop(5) for worker in workers)
    assert sorted(channels[0].given + channels[1].given) == sorted(event.id for event in events)
    assert all(channel.given for channel in channels), "both took part"


def test_a_worker_stops_between_attempts_and_loses_nothing() -> None:
    store = store_with(*(push(f"push-{number:02}", recipient=f"{number}") for number in range(40)))
    channel = Recorded(lasts_s=0.05)
    worker = OutboxWorker(store, {"webhook": channel})
    worker.start()
    wait_for(lambda: len(channel.given) >= 4)
    assert worker.stop(5)
    counts = store.outbox_counts()
    assert counts["delivered"] == len(channel.given) < 40
    assert len(store.due(2**62, 99)) == counts["pending"] == 40 - len(channel.given)


def test_an_error_that_nobody_thought_of_does_not_end_the_worker() -> None:
    class Odd(Recorded):
        def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:
            super().deliver(event, dealer, attempt_ns)
            if len(self.given) == 1:
                raise ZeroDivisionError

    store, channel = store_with(push("a")), Odd()
    worker = OutboxWorker(store, {"webhook": channel})
    worker.start()
    wait_for(lambda: worker.wake() or store.outbox_counts() == {"delivered": 1})
    assert worker.stop(5)
    assert channel.given == ["a", "a"]


class Failing(MemoryStore):
    """A database that comes back."""

    fails = 2

    def dealers(self) -> tuple[Dealer, ...]:
        if self.fails:
            self.fails -= 1
            raise StorageError("gone")
        return super().dealers()


def test_a_worker_goes_on_when_the_database_is_back() -> None:
    store, channel = Failing(), Recorded()
    store.commit(Commit(outbox=(push("a"),)))
    worker = OutboxWorker(store, {"webhook": channel})
    worker.start()
    for _ in range(200):
        worker.wake()
        if channel.given:
            break
        threading.Event().wait(0.01)
    assert worker.stop(5)
    assert channel.given == ["a"]


def wait_for(condition: object, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
