"""Feed events: what a stored change tells those who tail the feed. Bodies hold no personal data and no position."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.findings import Alert, AlertState
from domain.live import EventKind, FeedEvent
from domain.orders import Order
from domain.records import OutboxEvent

FRESH_TRY_NS = 60 * 10**9
"""A push that waits longer than this for its next attempt is tried at once when a later version is written; no claim lasts so long."""


def alert_event(before: Alert | None, after: Alert) -> FeedEvent | None:
    """The event of an alert that was opened, changed, repeated (only counted on), acknowledged or resolved; None where it is the same."""
    if before == after:
        return None
    body = {
        "change": _alert_change(before, after),
        "incident_id": after.incident_id,
        "state": after.state.value,
        "severity": after.severity.value,
        "urgency": after.urgency.name,
        "group_key": after.group_key,
        "title": {"en": after.title.en, "zh": after.title.zh},
        "occurrences": after.occurrences,
    }
    return _event(EventKind.ALERT, after.id, after.vehicle, body)


def _alert_change(before: Alert | None, after: Alert) -> str:
    if before is None:
        return "opened"
    if before.state is not after.state:
        return "reopened" if after.state is AlertState.OPEN else after.state.value
    same = replace(before, updated_ns=after.updated_ns, occurrences=after.occurrences, evidence=after.evidence) == after
    return "repeated" if same else "changed"


def order_event(before: Order | None, after: Order) -> FeedEvent | None:
    """The event of an order that was created, updated or moved to another state; None where it is the same."""
    if before == after:
        return None
    body = {
        "change": "created" if before is None else "updated" if before.state == after.state else "state",
        "kind": after.kind.value,
        "version": after.version,
        "state": after.state,
        "state_before": before.state if before else None,
        "priority": after.recommendation.urgency.priority,
        "dealer": after.choice.dealer if after.choice else None,
    }
    return _event(EventKind.ORDER, after.id, after.vehicle, body)


def delivery_event(event: OutboxEvent) -> FeedEvent:
    """The event of a push that was attempted."""
    body = {
        "type": event.type,
        "order": event.subject,
        "recipient": event.recipient,
        "channel": event.channel,
        "state": event.state,
        "attempts": event.attempts,
    }
    return _event(EventKind.DELIVERY, event.id, "", body)


def is_critical(event: OutboxEvent) -> bool:
    """Whether the body of a push says priority P0."""
    try:
        return bool(json.loads(event.body)["data"]["priority"] == "P0")
    except (ValueError, KeyError, TypeError):
        return False


def _event(kind: EventKind, subject: str, vehicle: str, body: Mapping[str, Any]) -> FeedEvent:
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return FeedEvent(kind=kind, subject=subject, vehicle=vehicle, body=text)
