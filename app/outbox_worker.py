"""Threads that deliver what is due in the outbox: critical pushes first, each push by one worker at a time.

A worker claims what it is going to attempt, so that several workers, in one process or in several, never deliver the same push at
once. A claim lasts as long as its attempts can; that of a worker that died ends by itself, and the push goes out again under the
same id.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from domain.errors import StorageError
from domain.findings import Order
from domain.fleet import Dealer
from domain.ports import Channel
from domain.records import OutboxEvent
from notifier.delivery import DeliveryReport, deliver_due
from notifier.order_states import OrderEvent, OrderState, TransitionOutcome, transition

log = logging.getLogger(__name__)

CLAIMED_AT_ONCE = 16
"""Few, so that what becomes due meanwhile, and a stop, need not wait for many attempts."""
CRITICAL_CLAIMED_AT_ONCE = 2
"""Fewer still: the claim of a worker that died must not hold a critical push up for long."""
CLAIM_MARGIN_S = 5.0


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

    A dealer that has taken an order's push has been offered the order: its state says so from then on.
    """

    def __init__(self, store: WorkerStore, *, until_ns: int, critical_only: bool) -> None:
        self._store, self._until_ns, self._critical_only = store, until_ns, critical_only
        self._open: dict[str, OutboxEvent] = {}

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]:
        """Claim."""
        claimed = self._store.claim_due(now_ns, limit, self._until_ns, critical_only=self._critical_only)
        self._open = {event.id: event for event in claimed}
        return claimed

    def record(self, event: OutboxEvent) -> None:
        """Note an attempt, which ends the claim."""
        self._store.record(event)
        self._open.pop(event.id, None)
        if event.state == "delivered" and event.channel != "log":
            self._offer(event)

    def release(self) -> None:
        """Give back what was claimed and not attempted."""
        if self._open:
            self._store.release(tuple(self._open.values()), self._until_ns)

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
        timeout_s: how long one attempt may take. clock: wall time in ns. critical_only: leave all but critical pushes to others.
    """

    def __init__(
        self,
        store: WorkerStore,
        channels: Mapping[str, Channel],
        *,
        timeout_s: float = 15.0,
        clock: Callable[[], int] = time.time_ns,
        critical_only: bool = False,
    ) -> None:
        self._store, self._channels, self._clock = store, channels, clock
        self._critical_only = critical_only
        self._limit = CRITICAL_CLAIMED_AT_ONCE if critical_only else CLAIMED_AT_ONCE
        self._claim_ns = round((self._limit * timeout_s + CLAIM_MARGIN_S) * 1e9)  # the attempts may all be at one recipient
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
        outbox = ClaimedOutbox(self._store, until_ns=now_ns + self._claim_ns, critical_only=self._critical_only)
        try:
            dealers = {dealer.id: dealer for dealer in self._store.dealers()}
            return deliver_due(outbox, self._channels, dealers, now_ns, self._limit)
        finally:
            outbox.release()

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
    level = logging.WARNING if report.failed or report.cancelled else logging.INFO
    log.log(level, "pushes attempted", extra={"fields": {"attempted": report.attempted, **counts}})
