"""One round of delivery: what is due goes out, and what became of it is noted in the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.ports import Channel, Outbox
from domain.records import OutboxEvent
from notifier.push.outbox import cancelled, critical_first, delivered, is_critical, next_attempt

RECIPIENTS_AT_ONCE = 8
"""Recipients served side by side, so that a slow endpoint holds up its own events only."""


class DeliveryOutcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"
    """The last attempt of its schedule."""
    GONE = "gone"
    """The recipient wants no more pushes."""
    VOID = "void"
    """It was of no use any more."""
    UNWANTED = "unwanted"
    """Not attempted, because the recipient was found to be gone in this round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """How a round went. `gone`: recipients whose endpoint should be disabled. `errors`: (event id, what went wrong)."""

    attempted: int = 0
    delivered: int = 0
    retried: int = 0
    failed: int = 0
    cancelled: int = 0
    gone: tuple[str, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    outcome: DeliveryOutcome
    event: OutboxEvent


def deliver_due(
    outbox: Outbox, channels: Mapping[str, Channel], dealers: Mapping[str, Dealer], now_ns: int, limit: int
) -> DeliveryReport:
    """Attempt up to `limit` due events once: critical ones first, those of one recipient one after the other.

    When an event does not get through, its recipient's other events stay due for the next round, so that a dead endpoint costs a
    round one timeout; when a recipient is gone, they are cancelled with it.
    A crash between an attempt and its record repeats the attempt with the same event id, by which the recipient knows it again.

    Args:
        outbox: where events are due and attempts are noted; used from the calling thread only.
        channels: by name; an event of a channel that is not there is tried again later.
        dealers: by id.
        now_ns: wall time.
        limit: events a round.
    """
    queues: dict[str, list[OutboxEvent]] = {}
    for event in critical_first(outbox.due(now_ns, limit)):
        queues.setdefault(event.recipient, []).append(event)
    attempts: list[_Attempt] = []
    with ThreadPoolExecutor(max_workers=RECIPIENTS_AT_ONCE) as pool:
        rounds = [pool.submit(_deliver_queue, queue, channels, dealers, now_ns) for queue in queues.values()]
        for finished in as_completed(rounds):
            for attempt in (made := finished.result()):
                outbox.record(attempt.event)
            attempts += made
    return _report(attempts)


def _deliver_queue(
    queue: Sequence[OutboxEvent], channels: Mapping[str, Channel], dealers: Mapping[str, Dealer], now_ns: int
) -> list[_Attempt]:
    attempts: list[_Attempt] = []
    for number, event in enumerate(queue, start=1):
        attempts.append(_attempt(event, channels.get(event.channel), dealers.get(event.recipient), now_ns))
        last = attempts[-1]
        if last.outcome is DeliveryOutcome.GONE:
            for waiting in queue[number:]:
                unwanted = replace(waiting, state="cancelled", last_error=last.event.last_error)
                attempts.append(_Attempt(outcome=DeliveryOutcome.UNWANTED, event=unwanted))
        if last.outcome not in (DeliveryOutcome.DELIVERED, DeliveryOutcome.VOID):
            break
    return attempts


def _attempt(event: OutboxEvent, channel: Channel | None, dealer: Dealer | None, now_ns: int) -> _Attempt:
    try:
        if channel is None:
            raise DeliveryError(f"there is no channel {event.channel!r}")
        channel.deliver(event, dealer, now_ns)
    except DeliveryError as problem:
        if problem.gone or problem.void:
            outcome = DeliveryOutcome.GONE if problem.gone else DeliveryOutcome.VOID
            return _Attempt(outcome=outcome, event=cancelled(event, problem.what))
        after = next_attempt(event, now_ns, is_critical(event), error=problem.what, retry_after_s=problem.retry_after_s)
        outcome = DeliveryOutcome.FAILED if after.state == "failed" else DeliveryOutcome.RETRY
        return _Attempt(outcome=outcome, event=after)
    return _Attempt(outcome=DeliveryOutcome.DELIVERED, event=delivered(event))


def _report(attempts: Sequence[_Attempt]) -> DeliveryReport:
    counts = Counter(attempt.outcome for attempt in attempts)
    gone = {attempt.event.recipient for attempt in attempts if attempt.outcome is DeliveryOutcome.GONE}
    return DeliveryReport(
        attempted=len(attempts) - counts[DeliveryOutcome.UNWANTED],
        delivered=counts[DeliveryOutcome.DELIVERED],
        retried=counts[DeliveryOutcome.RETRY],
        failed=counts[DeliveryOutcome.FAILED],
        cancelled=counts[DeliveryOutcome.GONE] + counts[DeliveryOutcome.VOID] + counts[DeliveryOutcome.UNWANTED],
        gone=tuple(sorted(gone)),
        errors=tuple((attempt.event.id, attempt.event.last_error) for attempt in attempts if attempt.event.last_error),
    )
