"""The AsyncAPI document says what the code really does: its references hold, its schemas fit what is really sent, its topics are the topics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from notifier.channels.display import DisplayChannel
from notifier.orders.order_states import OrderEvent
from notifier.push.messages import alert_event_json, order_json
from notifier.push.notices import ALERT_EVENTS, ORDER_EVENTS
from notifier.push.outbox import order_events
from notifier.push.topics import topic_of
from notifier.rescue.answers import read_answer
from notifier.rescue.wording import DriverAnswer, load_wording
from storage.memory_store import MemoryStore
from tests.notifier.rescue.making import FRESH_NS, NOW_NS, stopped
from tests.web.report_examples import DEALER, VEHICLES, overheating, weak_battery
from tests.web.serving import client
from web.api import create_app
from web.api.callbacks import Callback
from web.asyncapi import asyncapi_document

DOCUMENT = asyncapi_document("pitcall/v1")


def walked(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walked(inner)


def followed(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/")]
    return found


def schema(name: str) -> Any:
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


def sent() -> list[dict[str, Any]]:
    """Documents as the code makes them, of every kind of event."""
    found = []
    for case in (overheating(), weak_battery()):
        found += [alert_event_json(alert, name, "evt_1") for alert in case.alerts for name in ALERT_EVENTS]
        for order in case.orders:
            for dealer in (DEALER, None):
                for changed in (order, replace(order, version=2), replace(order, state="cancelled", choice=None)):
                    found += [json.loads(event.body) for event in order_events(changed, case, VEHICLES[0], dealer)]
            found += [order_json(order, case, VEHICLES[0], DEALER, event_type=name) for name in ORDER_EVENTS]
    return found


def test_it_is_served_with_the_services_own_topics() -> None:
    with client(keys={}, topic_prefix="fleet/x") as web:
        answer = web.get("/asyncapi.json")
    assert answer.status_code == 200
    assert answer.json() == asyncapi_document("fleet/x")
    assert answer.json()["channels"]["alerts"]["address"] == "fleet/x/alerts/{severity}/{vehicle}"


def test_it_has_the_shape_of_an_asyncapi_3_document() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert DOCUMENT.keys() <= {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    for channel in DOCUMENT["channels"].values():
        assert channel.keys() <= {"address", "description", "messages", "parameters", "bindings"}
        named = set((channel["address"] or "").replace("}", "{").split("{")[1::2])
        assert named == channel.get("parameters", {}).keys(), "every parameter of an address is described"
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in DOCUMENT["channels"]
    for message in DOCUMENT["components"]["messages"].values():
        assert {"name", "summary", "payload"} <= message.keys()


def test_every_reference_leads_somewhere() -> None:
    references = [value["$ref"] for value in walked(DOCUMENT) if isinstance(value, dict) and "$ref" in value]
    assert len(references) > 20
    for reference in references:
        assert followed(reference)


def test_every_schema_is_one() -> None:
    for name in DOCUMENT["components"]["schemas"]:
        schema(name)


@pytest.mark.parametrize("document", sent(), ids=lambda each: each["type"])
def test_what_is_really_sent_fits_its_schema_and_its_topic(document: dict[str, Any]) -> None:
    kind = document["type"].partition(".")[0]
    errors = [f"{error.instance_path}: {error.message}" for error in schema(f"{kind}_event").iter_errors(document)]
    assert errors == []
    assert document["type"] in DOCUMENT["channels"][f"{kind}s"]["messages"]
    topic = topic_of(document["type"], document["data"], "pitcall/v1").split("/")
    address = DOCUMENT["channels"][f"{kind}s"]["address"].split("/")
    assert [word for word, given in zip(address, topic, strict=True) if "{" not in word and word != given] == []
    for word, given in zip(address, topic, strict=True):
        if "{" in word and word != "{vehicle}":
            assert given in DOCUMENT["channels"][f"{kind}s"]["parameters"][word.strip("{}")]["enum"]


def test_every_type_of_event_is_really_sent() -> None:
    assert {document["type"] for document in sent()} == {*ALERT_EVENTS, *ORDER_EVENTS}


def test_what_misses_something_does_not_fit() -> None:
    document = sent()[0]
    for member in ("id", "data"):
        assert not schema("alert_event").is_valid({name: value for name, value in document.items() if name != member})
    assert not schema("alert_event").is_valid(document | {"data": document["data"] | {"severity": "huge"}})


def test_a_callback_that_fits_the_schema_is_understood() -> None:
    for event in DOCUMENT["components"]["schemas"]["callback"]["properties"]["event"]["enum"]:
        said = {"order_id": "o", "version": 3, "event": event, "reason": "r"}
        assert schema("callback").is_valid(said)
        assert Callback.model_validate(said).event == OrderEvent(event)


def test_every_request_body_of_the_api_has_examples_that_fit() -> None:
    spec = create_app(MemoryStore, metrics=lambda: "", clock=lambda: 0, open_access=True).openapi()
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                examples = spec["components"]["schemas"][name].get("examples") if name else content.get("examples")
                assert examples, f"{path}: give {name} an example"
                if name:
                    known = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
                    for example in examples:
                        jsonschema_rs.validate(known, example)


def test_what_a_display_is_shown_and_answers_fits_its_schema() -> None:
    store = stopped()
    sent: list[bytes] = []
    channel = DisplayChannel(lambda _, payload: sent.append(payload), load_wording(), fresh_ns=FRESH_NS)
    for event in store.outbox_events():
        if event.channel == channel.name:
            channel.deliver(event, None, NOW_NS)
    assert len(sent) == 1
    assert list(schema("display_notices").iter_errors(json.loads(sent[0]))) == []
    for answer in DriverAnswer:
        said = {"order_id": "o", "answer": answer.value, "location": {"lat": 31.2, "lon": 121.4}, "time": "2026-11-22T08:00:00Z"}
        assert schema("display_answers").is_valid(said)
        assert read_answer(json.dumps(said).encode()) is not None
