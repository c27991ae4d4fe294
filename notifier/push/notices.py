"""Notices: what dashboards and people are told of alerts and orders, by routes that are settings.

A change is in the feed by the transaction that made it. Notices are made from the feed and put into the outbox together with how far the
feed was read, so that each change is told once, whatever dies in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from domain.findings import Alert
from domain.fleet import Dealer, Vehicle
from domain.live import FeedEvent
from domain.notices import ROUTE
from domain.orders import Order
from domain.records import OutboxEvent, VehicleCase
from notifier.identity import event_id
from notifier.push.messages import alert_event_json, order_event_type, order_json

Json = dict[str, Any]
EVERYTHING = ("alert.*", "order.*")
ALERT_EVENTS = {
    "alert.opened": "An alert was opened.",
    "alert.reopened": "A resolved alert came back.",
    "alert.changed": "An alert's text, severity or standing changed.",
    "alert.repeated": "An open alert was seen again; only its count and evidence are new.",
    "alert.acknowledged": "Somebody is looking after it.",
    "alert.resolved": "An alert is over.",
    "alert.escalated": "A critical alert waits for somebody for too long.",
}
ORDER_EVENTS = {
    "order.created": "The first version of an order.",
    "order.updated": "A later version of an order: its state, dealer, appointment or contents changed.",
    "order.cancelled": "An order is off, or off for this recipient.",
    "order.reminder": "A dealer has not taken an order's next step in time.",
    "order.escalated": "An order waits for somebody for too long.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which events go where.

    Attributes:
        name: unique. channel: "mqtt", "email" or "apprise". to: an e-mail address, or the name of the secret that holds a messenger's URL.
        events: patterns of event types. severities: of alerts, priorities: of orders, () for all. language: "en" or "zh".
    """

    name: str
    channel: str
    to: str = ""
    events: tuple[str, ...] = EVERYTHING
    severities: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    language: str = "zh"

    @property
    def recipient(self) -> str:
        """As the outbox names it."""
        return f"{ROUTE}{self.name}"

    def takes(self, event_type: str, data: Json) -> bool:
        """Whether this event is wanted: of an alert by severity, of an order by priority."""
        kind = event_type.partition(".")[0]
        wanted, word = (self.severities, "severity") if kind == "alert" else (self.priorities, "priority")
        return any(fnmatchcase(event_type, pattern) for pattern in self.events) and (not wanted or data[word] in wanted)


def alert_notices(told: FeedEvent, alert: Alert, routes: Iterable[Route]) -> tuple[OutboxEvent, ...]:
    """Notices of a change of an alert, which is shown as it stands now."""
    event_type = f"alert.{json.loads(told.body)['change']}"
    made = []
    for route in routes:
        identity = event_id(alert.id, told.id, route.recipient, event_type)
        document = alert_event_json(alert, event_type, identity)
        if route.takes(event_type, document["data"]):
            made.append(_notice(document, told, route))
    return tuple(made)


def order_notices(
    told: FeedEvent, order: Order, case: VehicleCase, vehicle: Vehicle, dealer: Dealer | None, routes: Iterable[Route]
) -> tuple[OutboxEvent, ...]:
    """Notices of a change of an order, which is shown as it stands now; several changes of one version make one notice."""
    made = []
    event_type = "order.escalated" if json.loads(told.body)["change"] == "escalated" else order_event_type(order)
    for route in routes:
        document = order_json(order, case, vehicle, dealer, event_type=event_type, recipient=route.recipient)
        if route.takes(event_type, document["data"]):
            made.append(_notice(document, told, route))
    return tuple(made)


def _notice(document: Json, told: FeedEvent, route: Route) -> OutboxEvent:
    return OutboxEvent(
        id=document["id"],
        type=document["type"],
        subject=document["subject"],
        recipient=route.recipient,
        channel=route.channel,
        body=json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        version=told.id,
    )
