"""Alerts and orders on topics of a real broker."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from app.broker import EmbeddedBroker
from domain.errors import DeliveryError
from notifier.channels.mqtt import MqttChannel
from notifier.push.topics import topic_of
from tests.notifier.channels.test_wording import order_event


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker"), user="u", password="p") as running:
        yield running


def channel(port: int, *, password: str = "p", client_id: str = "push") -> MqttChannel:
    return MqttChannel(
        "127.0.0.1", port, prefix="pitcall/v1", client_id=client_id, username="u", password=password, timeout_s=3.0
    )


def test_a_dashboard_gets_orders_by_priority(broker: EmbeddedBroker) -> None:
    came: queue.SimpleQueue[Any] = queue.SimpleQueue()
    subscribed: queue.SimpleQueue[bool] = queue.SimpleQueue()
    dashboard = paho.Client(CallbackAPIVersion.VERSION2, client_id="dashboard")
    dashboard.username_pw_set("u", "p")
    dashboard.on_message = lambda _client, _data, message: came.put(message)
    dashboard.on_subscribe = lambda *_: subscribed.put(True)
    dashboard.connect("127.0.0.1", broker.port)
    dashboard.subscribe("pitcall/v1/orders/#", qos=1)
    dashboard.loop_start()
    event, out = order_event(), channel(broker.port)
    try:
        assert subscribed.get(timeout=5)
        for _ in range(2):
            out.deliver(event, None, 0)
        first, second = came.get(timeout=5), came.get(timeout=5)
    finally:
        out.close()
        dashboard.disconnect()
        dashboard.loop_stop()
    data = json.loads(event.body)["data"]
    assert first.topic == second.topic == f"pitcall/v1/orders/{data['priority']}/{data['vehicle']['id']}"
    assert (first.payload.decode(), first.qos, first.retain) == (event.body, 1, False)


def test_a_refused_login_and_a_broker_that_is_away_are_delivery_errors(broker: EmbeddedBroker) -> None:
    with pytest.raises(DeliveryError, match="refused the connection"):
        channel(broker.port, password="wrong").deliver(order_event(), None, 0)
    with pytest.raises(DeliveryError, match="could not be reached"):
        channel(1).deliver(order_event(), None, 0)


@pytest.mark.parametrize("body", ["{}", '{"data": {}}', '{"data": {"priority": "P1", "vehicle": "a/b"}}', "[]"])
def test_what_fits_no_topic_is_a_delivery_error(body: str) -> None:
    with pytest.raises(DeliveryError, match="no topic"):
        channel(1).deliver(replace(order_event(), body=body), None, 0)


def test_an_alert_is_told_by_severity_and_no_vehicle_subscription_takes_it() -> None:
    topic = topic_of("alert.opened", {"severity": "critical", "vehicle": "ab12"}, "pitcall/v1")
    assert topic == "pitcall/v1/alerts/critical/ab12"
    assert not paho.topic_matches_sub("pitcall/v1/+/+", topic)
