"""What a vehicle's display is told of a rescue: facts in the outbox, put into the released words when they are sent."""

from __future__ import annotations

import json

from domain.orders import Order, OrderKind
from domain.records import OutboxEvent
from notifier.identity import event_id
from notifier.push.messages import rfc3339
from notifier.rescue.wording import ASKS, NEEDED

CHANNEL = "display"
NOTICE, ANSWER = "hmi/notice", "hmi/answer"
"""Last levels of the topics below PREFIX/{vin}: two, so that no subscription to vehicles' data (`PREFIX/+/+`) takes them."""
TYPE = "rescue.notice"
EXPECTED = "expected"
"""Reason of a change that tells when help is expected."""


def display_events(order: Order) -> tuple[OutboxEvent, ...]:
    """The notice that this version of a rescue order calls for, to the vehicle itself; always critical, never with a link."""
    event = order.change.event
    told = event in NEEDED and (event != "update" or order.change.reason == EXPECTED)
    if order.kind is not OrderKind.RESCUE or not told:
        return ()
    body = {
        "specversion": "1.0",
        "id": event_id(order.id, order.version, order.vehicle, TYPE),
        "source": "/pitcall/rescue",
        "type": TYPE,
        "subject": order.id,
        "time": rfc3339(order.updated_ns),
        "datacontenttype": "application/json",
        "data": {
            "order_id": order.id,
            "version": order.version,
            "priority": "P0",
            "event": event,
            "state": order.state,
            "group_key": order.group_key,
            "data_ns": order.recommendation.time_ns if event == ASKS else None,
            "expected": rfc3339(order.rescue.eta_ns) if order.rescue and order.rescue.eta_ns is not None else None,
        },
    }
    return (
        OutboxEvent(
            id=str(body["id"]),
            type=TYPE,
            subject=order.id,
            recipient=order.vehicle,
            channel=CHANNEL,
            body=json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
            version=order.version,
        ),
    )
