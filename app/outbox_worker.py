"""Threads that deliver what is due in the outbox: critical pushes first, each push by one worker at a time.

A worker claims what it is going to attempt, so that several workers, in one process or in several, never deliver the same push at
once. A claim is short and renewed for as long as its round lasts; that of a worker that died ends by itself within half a minute,
and the push goes out again under the same id.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from domain.errors import StorageError
from domain.fleet import Dealer
from domain.orders import Order
from domain.ports import Channel
from domain.records import OutboxEvent
from notifier.orders.order_states import OrderEvent, OrderState, TransitionOutcome, transition
from notifier.push.delivery import DeliveryReport, deliver_due

log = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 16
"""Few, so that what becomes due meanwhile, and a stop, need not wait for many attempts."""
CLAIM_S = 30.0
"""A push of a worker that was killed goes out again so long after its claim, at the latest."""
RENEW_EVERY_S = 8.0
"""Three renewals in a row must fail before a living worker loses a claim."""


class WorkerStore(Protocol):
    """What the workers need of the store."""

    def claim_due(self, now_ns: int, limit: int, until_ns: int, *, critical_only: bool = False) -> tuple[OutboxEvent, ...]:
        """Due events that nobody else is given before `until_ns`."""

    def release(self, events: tuple[OutboxEvent, ...], until_ns: int) -> None:
        """Give claimed events back unattempted."""

    def record(self, event: OutboxEvent) -> None:
        """Write what became of an attempt."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def order(self, identifier: str) -> Order | None:
        """One order."""

    def change_order(self, order: Order, expected_version: int) -> bool:
        """Store a change made outside the pipeline, if the order is still of this version."""


class ClaimedOutbox:
    """The outbox as one round of one worker sees it; implements `domain.ports.Outbox`.

    A context manager around the round: inside it claims are renewed by a thread, and leaving it gives back what was not attempted.
    A dealer that has taken an order's push has been offered the order: its state says so from then on.

    Args:
        clock: wall time in ns. claim_s: how long a claim lasts that is not renewed. renew_every_s: well below that.
    """

    def __init__(
        self,
        store: WorkerStore,
        *,
        clock: Callable[[], int],
        critical_only: bool = False,
        claim_s: float = CLAIM_S,
        renew_every_s: float = RENEW_EVERY_S,
    ) -> None:
        self._store, self._clock, self._critical_only = store, clock, critical_only
        self._claim_ns, self._renew_every_s = round(claim_s * 1e9), renew_every_s
        self._until_ns = 0
        self._open: dict[str, OutboxEvent] = {}
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name="claims", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._open:
            self._store.release(tuple(self._open.values()), self._until_ns)

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]:
        """Claim; once in a round."""
        self._until_ns = now_ns + self._claim_ns
        claimed = self._store.claim_due(now_ns, limit, self._until_ns, critical_only=self._critical_only)
        self._open = {event.id: event for event in claimed}
        if claimed:
            self._thread.start()
        return claimed

    def renew(self) -> None:
        """Move the end of all claims that are open.

        Raises:
            StorageError: the database failed; the claims last as long as they did.
        """
        with self._lock:
            until_ns = self._clock() + self._claim_ns
            # giving back with another due time: only what is still claimed until the old one is touched
            self._store.release(tuple(replace(event, due_ns=until_ns) for event in self._open.values()), self._until_ns)
            self._until_ns = until_ns

    def _keep(self) -> None:
        while not self._ended.wait(self._renew_every_s):
            try:
                self.renew()
            except StorageError as problem:
                log.warning("claims could not be renewed: %s", problem)

    def record(self, event: OutboxEvent) -> None:
        """Note an attempt, which ends the claim."""
        with self._lock:
            self._store.record(event)
            self._open.pop(event.id, None)
        if event.state == "delivered" and event.channel != "log":
            self._offer(event)

    def _offer(self, event: OutboxEvent) -> None:
        order = self._store.order(event.subject)
        if order is None or order.choice is None or order.choice.dealer != event.recipient:
            return
        if order.state != OrderState.DISPATCHING or not _tells_of(event, order):
            return
        offered = transition(order, OrderEvent.OFFER, time_ns=order.updated_ns, actor="system", reason="push delivered")
        if offered.outcome is TransitionOutcome.CHANGED:
            self._store.change_order(offered.order, order.version)  # where it has moved on meanwhile, that stands


def _tells_of(event: OutboxEvent, order: Order) -> bool:
    """Whether the push told of this version."""
    return bool(json.loads(event.body)["data"]["version"] == order.version)


class OutboxWorker:
    """One thread that works through what is due whenever it is woken.

    Args:
        store: may be shared by all workers. channels: by name; used by this worker only.
        clock: wall time in ns. critical_only: leave all but critical pushes to others.
    """

    def __init__(
        self,
        store: WorkerStore,
        channels: Mapping[str, Channel],
        *,
        clock: Callable[[], int] = time.time_ns,
        critical_only: bool = False,
    ) -> None:
        self._store, self._channels, self._clock = store, channels, clock
        self._critical_only = critical_only
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._failing = False

    def start(self) -> None:
        """Begin; work that is due already is done at once."""
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        """Look for work; returns at once."""
        self._wake.set()

    def stop(self, timeout_s: float) -> bool:
        """End after the attempts at hand; False where they last longer (their claims then end by themselves)."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def work(self) -> DeliveryReport:
        """One round: claim, attempt, record, give back."""
        now_ns = self._clock()
        dealers = {dealer.id: dealer for dealer in self._store.dealers()}
        with ClaimedOutbox(self._store, clock=self._clock, critical_only=self._critical_only) as outbox:
            return deliver_due(outbox, self._channels, dealers, now_ns, CLAIMED_AT_ONCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self._work_off()
                self._failing = False
            except StorageError as problem:
                if not self._failing:
                    log.warning("the outbox cannot be read: %s", problem)
                self._failing = True
            except Exception:  # one strange push must not end all deliveries
                log.exception("a round of deliveries failed")

    def _work_off(self) -> None:
        """Rounds until nothing more is due, or only what has just failed and so waits."""
        while not self._stopping.is_set():
            report = self.work()
            if not report.attempted:
                return
            _log(report)


def _log(report: DeliveryReport) -> None:
    counts = {"delivered": report.delivered, "retried": report.retried, "failed": report.failed, "cancelled": report.cancelled}
    # what was called off, by its receiver or because its time is over, is no failure
    level = logging.WARNING if report.failed else logging.INFO
    log.log(level, "pushes attempted", extra={"fields": {"attempted": report.attempted, **counts}})
