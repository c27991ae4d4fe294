"""`/asyncapi.json`: what goes out by webhooks and MQTT topics and what comes back, as an AsyncAPI 3 document made from the tables that the
code works by.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from fastapi import APIRouter

from notifier.orders.order_states import OrderEvent
from notifier.push.notices import ALERT_EVENTS, ORDER_EVENTS
from notifier.push.topics import TOPICS
from notifier.rescue.notices import ANSWER, NOTICE
from web.api.orders import NOT_A_DEALERS
from web.api.service import Served

Json = dict[str, Any]
router = APIRouter()
PROPERTY_WORDS = {"severity": ["critical", "high", "medium", "low", "info"], "priority": ["P0", "P1", "P2", "P3"]}
_SIGNED_HEADERS = {
    "webhook-id": "the same over all attempts; by it a recipient knows a repeated message again",
    "webhook-timestamp": "seconds since 1970 of this attempt",
    "webhook-signature": "space-delimited: v1,BASE64 (HMAC-SHA256) and v1a,BASE64 (ed25519) of id.timestamp.body",
}


@router.get("/asyncapi.json", include_in_schema=False)
def show_asyncapi(service: Served) -> Json:
    """The document, with the topics as they are in this service."""
    return asyncapi_document(service.topic_prefix)


def asyncapi_document(prefix: str) -> Json:
    """The AsyncAPI document. Operations are told from our side: what we send, what we receive."""
    events = {"alert": ALERT_EVENTS, "order": ORDER_EVENTS}
    channels = {first: _topic_channel(kind, prefix, events[kind]) for kind, (first, _) in TOPICS.items()}
    channels["webhooks"] = {
        "address": None,
        "description": "Each dealer's own endpoint. Any 2xx answer is success; what fails is tried again for three days.",
        "messages": {name: _ref("messages", f"{name}.signed") for name in ORDER_EVENTS},
        "bindings": {"http": {"bindingVersion": "0.3.0"}},
    }
    channels["callbacks"] = {
        "address": "/api/v1/callbacks/{dealer}",
        "description": "Answers of a dealer's system, signed with the secret that its pushes are signed with.",
        "parameters": {"dealer": {"description": "id of the dealer"}},
        "messages": {"callback": _ref("messages", "callback")},
        "bindings": {"http": {"bindingVersion": "0.3.0"}},
    }
    for name, topic, said in (
        (
            "display_notices",
            NOTICE,
            "To a vehicle's own display: what to do, what is asked, and how a rescue goes. Never a link.",
        ),
        ("display_answers", ANSWER, "From a vehicle's display: what the driver says."),
    ):
        channels[name] = {
            "address": f"{prefix}/{{vin}}/{topic}",
            "description": said,
            "parameters": {"vin": {"description": "VIN of the vehicle"}},
            "messages": {name: _ref("messages", name)},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "pitcall events",
            "version": "1",
            "description": "Alerts and orders of a fleet. Vehicles are known by pseudonym; no message carries a VIN or an owner, but the address of a vehicle's own display does.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _topic_channel(kind: str, prefix: str, events: dict[str, str]) -> Json:
    first, member = TOPICS[kind]
    return {
        "address": f"{prefix}/{first}/{{{member}}}/{{vehicle}}",
        "description": "MQTT, for dashboards: by the routes of the settings. Not retained.",
        "parameters": {
            member: {"enum": PROPERTY_WORDS[member], "location": f"$message.payload#/data/{member}"},
            "vehicle": {"description": "pseudonym of the vehicle"},
        },
        "messages": {name: _ref("messages", name) for name in events},
    }


def _operations() -> Json:
    at_least_once = {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}}
    post = {"http": {"method": "POST", "bindingVersion": "0.3.0"}}
    return {
        "publishAlert": {"action": "send", "channel": {"$ref": "#/channels/alerts"}, "bindings": at_least_once},
        "publishOrder": {"action": "send", "channel": {"$ref": "#/channels/orders"}, "bindings": at_least_once},
        "pushOrder": {"action": "send", "channel": {"$ref": "#/channels/webhooks"}, "bindings": post},
        "tellDriver": {"action": "send", "channel": {"$ref": "#/channels/display_notices"}, "bindings": at_least_once},
        "takeDriversWord": {"action": "receive", "channel": {"$ref": "#/channels/display_answers"}, "bindings": at_least_once},
        "takeCallback": {"action": "receive", "channel": {"$ref": "#/channels/callbacks"}, "bindings": post},
    }


def _messages() -> Json:
    headers = {
        "type": "object",
        "required": list(_SIGNED_HEADERS),
        "properties": {name: {"type": "string", "description": said} for name, said in _SIGNED_HEADERS.items()},
    }
    made: Json = {}
    for kind, events in (("alert", ALERT_EVENTS), ("order", ORDER_EVENTS)):
        for name, summary in events.items():
            made[name] = {"name": name, "summary": summary, "payload": _ref("schemas", f"{kind}_event")}
    for name in ORDER_EVENTS:
        made[f"{name}.signed"] = {**made[name], "headers": headers}
    made["callback"] = {
        "name": "callback",
        "summary": "What a dealer's system says of an order. A system with an adapter sends documents of its own instead.",
        "contentType": "application/json",
        "headers": headers,
        "payload": _ref("schemas", "callback"),
    }
    for name, summary in (
        ("display_notices", "Words for the driver, and the answers that the display offers."),
        ("display_answers", "The driver's answer. Only order_id and answer are needed."),
    ):
        made[name] = {"name": name, "summary": summary, "contentType": "application/json", "payload": _ref("schemas", name)}
    return made


@cache
def _schemas() -> Json:
    known: Json = yaml.safe_load(files("notifier").joinpath("push", "event_schemas.yaml").read_text(encoding="utf-8"))
    callback = known["callback"]
    said = sorted(event.value for event in set(OrderEvent) - NOT_A_DEALERS)
    callback = {**callback, "properties": {**callback["properties"], "event": {"enum": said}}}
    kinds = {"alert": ALERT_EVENTS, "order": ORDER_EVENTS}
    return {
        **{kind: known[kind] for kind in kinds},
        **{f"{kind}_event": _envelope(kind, list(events)) for kind, events in kinds.items()},
        "callback": callback,
        "display_notices": known["display_notice"],
        "display_answers": known["display_answer"],
    }


def _envelope(kind: str, types: list[str]) -> Json:
    """CloudEvents 1.0, structured mode."""
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "description": "the same over all attempts"},
            "source": {"const": f"/pitcall/{kind}s"},
            "type": {"enum": types},
            "subject": {"type": "string", "description": f"id of the {kind}"},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": _ref("schemas", kind),
        },
    }


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}
