"""Pushes under every kind of failing recipient and dying worker, in simulated time: each one gets through at least once."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from app.outbox_worker import ClaimedOutbox
from domain.errors import DeliveryError
from domain.findings import Text
from domain.fleet import Dealer
from domain.records import Commit, OutboxEvent
from notifier.push.delivery import deliver_due
from storage.database import open_store
from storage.sql_store import SqlStore
from tests.storage.databases import fresh_url

KEY = b"a key for tests"
SECOND = 10**9
BEGIN = 1_790_000_000 * SECOND
ORDERS, VERSIONS, DEATHS = (2_500, 4, 0.004) if os.environ.get("PITCALL_LONG_TESTS") else (60, 4, 0.02)
"""The share of attempts before or after which the worker dies."""
RECIPIENTS = 12
TROUBLES = 0.2
"""The share of attempts that go wrong: ten in a row, after which a push is given up, do not happen."""
DOWN_FOR = 3_600 * SECOND


class Killed(BaseException):
    """The worker's process ends here."""


class Clock:
    def __init__(self) -> None:
        self.ns = BEGIN

    def __call__(self) -> int:
        return self.ns


class Recipients:
    """Dealers that keep the greatest version of each order; what they answer is chance, by their kind of trouble."""

    name = "webhook"

    def __init__(self, chance: random.Random, clock: Clock) -> None:
        self._chance, self._clock = chance, clock
        self.received: Counter[str] = Counter()
        self.version: dict[str, int] = {}
        self.kills = 0

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:
        assert dealer is not None
        trouble = int(dealer.id) % 6
        self._perhaps_die()
        if trouble == 0 and attempt_ns < BEGIN + DOWN_FOR:
            raise DeliveryError("could not be reached (ConnectError)")
        if trouble == 1 and self._chance.random() < TROUBLES:
            raise DeliveryError("answered 500")
        if trouble == 2 and self._chance.random() < TROUBLES:
            raise DeliveryError("answered 429", retry_after_s=self._chance.choice([1.0, 90.0]))
        self._take(event)
        self._perhaps_die()  # the recipient has it, the worker never learns
        if trouble == 3 and self._chance.random() < TROUBLES:
            raise DeliveryError("did not answer in time")
        if trouble == 4 and self._chance.random() < TROUBLES:
            raise DeliveryError("could not be reached (RemoteProtocolError)")

    def _take(self, event: OutboxEvent) -> None:
        self.received[event.id] += 1
        data = json.loads(event.body)["data"]
        known = self.version.get(data["order_id"], 0)
        assert known <= data["version"] <= known + 1, "no version is attempted before the one before it has arrived"
        self.version[data["order_id"]] = data["version"]

    def _perhaps_die(self) -> None:
        if self._chance.random() < DEATHS:
            self.kills += 1
            raise Killed


def push(order: int, version: int) -> OutboxEvent:
    body = {"id": f"evt-{order}-{version}", "data": {"order_id": f"order-{order}", "version": version, "priority": "P2"}}
    return OutboxEvent(
        id=f"evt-{order}-{version}",
        type="order.updated",
        subject=f"order-{order}",
        recipient=str(order % RECIPIENTS),
        channel="webhook",
        body=json.dumps(body),
        version=version,
    )


def work(store: SqlStore, channel: Recipients, dealers: dict[str, Dealer], clock: Clock) -> int:
    """One round of a worker that may be killed anywhere in it: its claims then end by themselves."""
    outbox = ClaimedOutbox(store, clock=clock)
    outbox.__enter__()
    try:
        attempted = deliver_due(outbox, {"webhook": channel}, dealers, clock.ns, 200).attempted
    except Killed:
        outbox._ended.set()  # the thread that renews claims dies with the process, nothing is given back
        return 1
    outbox.__exit__(None, None, None)
    return attempted


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 1), ("sqlite", 2), ("postgresql", 3)])
def test_every_push_arrives_at_least_once_whatever_fails(kind: str, seed: int, tmp_path: Path) -> None:
    clock, chance = Clock(), random.Random(seed)
    dealers = {str(n): Dealer(id=str(n), name=Text(en="d", zh="d"), latitude=31.0, longitude=121.0) for n in range(RECIPIENTS)}
    events = [push(order, version) for version in range(1, VERSIONS + 1) for order in range(ORDERS)]
    channel = Recipients(chance, clock)
    with open_store(fresh_url(kind, tmp_path), key=KEY) as store:
        store.commit(Commit(outbox=tuple(events)))
        for _ in range(100_000):
            if not work(store, channel, dealers, clock):
                waiting = [event.due_ns for event in store.outbox_events() if event.state == "pending"]
                if not waiting:
                    break
                # what is due already waits for an earlier version
                clock.ns = min((due_ns for due_ns in waiting if due_ns > clock.ns), default=clock.ns) + 5 * SECOND
        stored = store.outbox_events()
        attempts = {event.id: store.delivery_attempts(event.id) for event in stored[::17]}
    assert {event.state for event in stored} == {"delivered"}
    assert channel.received.keys() == {event.id for event in events}, "0 lost"
    assert set(channel.version.values()) == {VERSIONS}, "they came in order, and versions give the effect of having come once"
    assert channel.kills > ORDERS * VERSIONS * DEATHS / 2
    assert sum(channel.received.values()) > len(events), "some came twice, with the same id"
    for made in attempts.values():
        assert [attempt.number for attempt in made] == list(range(1, len(made) + 1))
        assert [attempt.state for attempt in made] == ["pending"] * (len(made) - 1) + ["delivered"]
