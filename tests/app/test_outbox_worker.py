from __future__ import annotations

import dataclasses
import json
import threading
import time
from pathlib import Path

import pytest

from app.outbox_worker import OutboxWorker
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
