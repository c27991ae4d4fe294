"""Pushes that must get through: made with the order they tell of, tried again by a fixed schedule.

The schedule is the one that the Standard Webhooks specification recommends; critical orders (P0) get a much faster and shorter
one, after which another dealer must be asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from domain.fleet import Dealer, Vehicle
from domain.orders import Order
from domain.records import OutboxEvent, VehicleCase
from notifier.push.messages import OPERATIONS, order_json
from notifier.rescue.notices import display_events

_MINUTE, _HOUR = 60, 3600
SCHEDULE_S = (0, 5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds from one attempt to the next; the first is at once."""
CRITICAL_SCHEDULE_S = (0, 5, 30, 2 * _MINUTE, 5 * _MINUTE)
JITTER = 0.1
"""A wait is lengthened by up to this share, so that a recovering endpoint is not stormed."""
LONGEST_WAIT_S = 24 * _HOUR
"""A recipient may ask for no longer wait than this."""


def order_events(
    order: Order, case: VehicleCase, vehicle: Vehicle, dealer: Dealer | None, *, withdrawn_from: Dealer | None = None
) -> tuple[OutboxEvent, ...]:
    """The pushes that tell of this version of an order, due at once; of a rescue also the notice on the vehicle's display.

    Args:
        order: as it stands now.
        case: its vehicle's case, for the alerts.
        vehicle: of the order.
        dealer: the chosen one; None sends the order to operations.
        withdrawn_from: a dealer that had the order before and has lost it to `dealer`: it is told that it is cancelled.
    """
    told = [_event(order, case, vehicle, dealer)]
    if withdrawn_from is not None:
        told.append(_event(replace(order, state="cancelled", choice=None, slots=()), case, vehicle, withdrawn_from))
    return (*told, *display_events(order))


def escalation_event(order: Order, case: VehicleCase, vehicle: Vehicle, dealer: Dealer | None, event_type: str) -> OutboxEvent:
    """The push that says of this version of an order that somebody waits ("order.reminder" …): to the dealer, to operations without one."""
    return _event(order, case, vehicle, dealer, event_type)


def _event(order: Order, case: VehicleCase, vehicle: Vehicle, dealer: Dealer | None, event_type: str = "") -> OutboxEvent:
    """By webhook where the dealer has an endpoint, by e-mail where it has an address, else into the log channel for a person to see."""
    channel = "log" if dealer is None else "webhook" if dealer.endpoint else "email" if dealer.email else "log"
    body = order_json(order, case, vehicle, dealer, event_type=event_type)
    return OutboxEvent(
        id=body["id"],
        type=body["type"],
        subject=order.id,
        recipient=dealer.id if dealer else OPERATIONS,
        channel=channel,
        body=json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        version=order.version,
    )


def is_critical(event: OutboxEvent) -> bool:
    """Whether the event tells of a P0 order."""
    data = json.loads(event.body).get("data")
    return isinstance(data, dict) and data.get("priority") == "P0"


def next_attempt(
    event: OutboxEvent, now_ns: int, critical: bool, *, error: str = "", retry_after_s: float | None = None
) -> OutboxEvent:
    """The event after an attempt at `now_ns` that did not get through: due again by its schedule, or failed for good.

    Args:
        event: as it was attempted.
        now_ns: wall time of the attempt.
        critical: follow the fast schedule.
        error: what went wrong.
        retry_after_s: not before that many seconds, as the recipient asked (at most a day).
    """
    schedule = CRITICAL_SCHEDULE_S if critical else SCHEDULE_S
    attempts = event.attempts + 1
    if attempts >= len(schedule):
        return replace(event, attempts=attempts, state="failed", last_error=error)
    wait_s = schedule[attempts] * (1 + JITTER * _fraction(event.id, attempts))
    if retry_after_s is not None:
        wait_s = max(wait_s, min(retry_after_s, LONGEST_WAIT_S))
    return replace(event, attempts=attempts, due_ns=now_ns + round(wait_s * 1e9), last_error=error)


def delivered(event: OutboxEvent) -> OutboxEvent:
    """The event after an attempt that got through."""
    return replace(event, attempts=event.attempts + 1, state="delivered", last_error="")


def cancelled(event: OutboxEvent, error: str) -> OutboxEvent:
    """The event that its recipient does not want, now or ever."""
    return replace(event, attempts=event.attempts + 1, state="cancelled", last_error=error)


def critical_first(events: Sequence[OutboxEvent]) -> list[OutboxEvent]:
    """Critical events before others; within each, in the order given."""
    return sorted(events, key=lambda event: not is_critical(event))


def _fraction(identity: str, attempt: int) -> float:
    """A number in [0, 1) that depends on the event and attempt alone: jitter without a random source."""
    digest = hashlib.sha256(f"{identity}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
