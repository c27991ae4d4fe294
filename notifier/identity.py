"""Identities: each is a function of what the thing is about, so that doing the work again makes nothing twice."""

from __future__ import annotations

import hashlib

from domain.findings import Finding
from domain.orders import OrderKind


def _digest(kind: str, *parts: str) -> str:
    """32 hex digits over length-prefixed parts (so that no two lists of parts give the same text)."""
    text = "".join(f"{len(part)}:{part}" for part in (kind, *parts))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def alert_id(finding: Finding) -> str:
    """Id of the alert that this first finding opens: the source's version is no part of it."""
    source = finding.source
    return _digest("alert", finding.vehicle, source.kind, source.id, finding.group_key, str(finding.time_ns))


def incident_id(vehicle: str, group_key: str, first_alert: str) -> str:
    """Id of the incident that this alert begins."""
    return _digest("incident", vehicle, group_key, first_alert)


def order_id(first_incident: str, kind: OrderKind) -> str:
    """Id of the order made for this incident."""
    return _digest("order", first_incident, kind)


def event_id(subject: str, version: int, recipient: str, event_type: str) -> str:
    """Id of a push: webhook-id and CloudEvents id alike, the same over all attempts; holds no full stop."""
    return f"evt_{_digest('event', subject, str(version), recipient, event_type)}"


def reminder_id(vehicle: str, item: str, cycle: str) -> str:
    """Id of the care reminder of this item and this turn ("3", or "campaign 2026")."""
    return _digest("reminder", vehicle, item, cycle)


def care_incident_id(reminder: str) -> str:
    """Id under which an order answers this reminder."""
    return _digest("care", reminder)


def lot_id(order: str, version: int, wanted: str, part: str, source: str) -> str:
    """Id of the pieces of a part that a version of an order has caused to be kept, or sent, from one place."""
    return _digest("lot", order, str(version), wanted, part, source)
