"""What was found, against the labels of the simulated faults. The only place where labels and alerts meet, after everything has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.demo.cars import SECOND_NS
from app.scoring import SYSTEM_OF
from domain.findings import Alert
from domain.live import EventKind, FeedEvent
from domain.orders import Order, OrderKind
from domain.records import OutboxEvent

_ACCEPTED = frozenset({"accepted", "assigned"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The truth about one fault of one vehicle (pseudonym)."""

    vehicle: str
    kind: str
    onset_ns: int


def evaluate_faults(labels: Iterable[Label], alerts: Sequence[Alert]) -> tuple[list[dict[str, Any]], int]:
    """Each fault with the first alert of its system after its onset (id and delay are null where it was missed), and how many
    alerts were false: on a sound car, or before the onset.
    """
    labels = sorted(labels, key=lambda label: (label.onset_ns, label.vehicle))
    onset_of: dict[str, int] = {}
    for label in labels:
        onset_of.setdefault(label.vehicle, label.onset_ns)
    false = sum(alert.vehicle not in onset_of or alert.opened_ns < onset_of[alert.vehicle] for alert in alerts)
    return [_found(label, alerts) for label in labels], false


def _found(label: Label, alerts: Sequence[Alert]) -> dict[str, Any]:
    telling = [
        alert
        for alert in alerts
        if alert.vehicle == label.vehicle and alert.group_key == SYSTEM_OF[label.kind] and alert.opened_ns >= label.onset_ns
    ]
    first = min(telling, key=lambda alert: alert.opened_ns, default=None)
    return {
        "vehicle": label.vehicle,
        "kind": label.kind,
        "alert_id": first.id if first else None,
        "delay_s": round((first.opened_ns - label.onset_ns) / SECOND_NS, 1) if first else None,
    }


def count_orders(
    orders: Sequence[Order], history: Mapping[str, Iterable[str]], outbox: Iterable[OutboxEvent]
) -> tuple[dict[str, int], int]:
    """Orders created, delivered (a push got through) and accepted; and rescues that a partner has accepted.

    Args:
        history: order id -> states that it has been in.
    """
    delivered = {event.subject for event in outbox if event.state == "delivered" and event.channel == "webhook"}
    accepted = [order for order in orders if _ACCEPTED.intersection(history[order.id])]
    counts = {
        "created": len(orders),
        "delivered": sum(order.id in delivered for order in orders),
        "accepted": len(accepted),
    }
    return counts, sum(order.kind is OrderKind.RESCUE for order in accepted)


def first_s(events: Iterable[FeedEvent], kind: EventKind, start_ns: int) -> float | None:
    """Seconds of our time from the fleet's start to the first event of a kind."""
    times = [event.time_ns for event in events if event.kind is kind]
    return round((min(times) - start_ns) / SECOND_NS, 2) if times else None
