"""Alerts and orders on MQTT topics, for dashboards."""

from __future__ import annotations

import json
import ssl
import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent
from notifier.push.topics import topic_of

TIMEOUT_S = 10.0


class MqttChannel:
    """Publishes an event's body at QoS 1, not retained; delivered means that the broker has acknowledged it.

    Not retained: a topic is of a severity and a vehicle, which may have several alerts, so the last message would not be the state.
    Dashboards read the state from the API and follow from there. One connection, opened at the first event; after a failure it is given
    up, so that nothing waits in it that the outbox sends again.

    Args:
        host, port: the broker. prefix: first levels of the topics. client_id: of our connection, nobody else's.
        username, password: "" for none. context: for TLS, None without it. name: as events name it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        prefix: str,
        client_id: str,
        username: str = "",
        password: str = "",
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        name: str = "mqtt",
    ) -> None:
        self.name = name
        self._host, self._port, self._prefix, self._client_id = host, port, prefix, client_id
        self._username, self._password, self._context = username, password, context
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._client: paho.Client | None = None

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._give_up()

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:  # noqa: ARG002 - the port's signature
        """Publish the event and wait for its acknowledgement.

        Raises:
            DeliveryError: it did not get through.
        """
        try:
            topic = topic_of(event.type, json.loads(event.body)["data"], self._prefix)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise DeliveryError("there is no topic for this event") from problem
        self.publish(topic, event.body.encode())

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish any message and wait for its acknowledgement.

        Raises:
            DeliveryError: it did not get through.
        """
        with self._lock:
            try:
                sent = self._connected().publish(topic, payload, qos=1)
                sent.wait_for_publish(self._timeout_s)
                if not sent.is_published():
                    raise DeliveryError("the broker has not acknowledged it in time")
            except (OSError, RuntimeError, ValueError) as problem:
                self._give_up()
                raise DeliveryError(f"the broker could not be reached ({type(problem).__name__})") from problem
            except DeliveryError:
                self._give_up()
                raise

    def _connected(self) -> paho.Client:
        if self._client is not None and self._client.is_connected():
            return self._client
        self._give_up()
        client = self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self._client_id)
        if self._username:
            client.username_pw_set(self._username, self._password)
        if self._context is not None:
            client.tls_set_context(self._context)
        answered = threading.Event()
        refused: list[str] = []

        def on_connect(_client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
            if reason.is_failure:
                refused.append(str(reason))
            answered.set()

        client.on_connect = on_connect
        client.connect_timeout = self._timeout_s
        client.connect(self._host, self._port, keepalive=30)
        client.loop_start()
        if not answered.wait(self._timeout_s) or refused:
            raise DeliveryError(f"the broker refused the connection ({refused[0] if refused else 'no answer'})")
        return client

    def _give_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
