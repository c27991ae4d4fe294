"""The default receiver, on Eclipse Paho: the widely used client, with its loop driven by our own thread."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from paho.mqtt.client import Client, MQTTMessage, MQTTv311, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ingest.mqtt.inbox import Publish
from ingest.mqtt.network_receiver import LinkError, NetworkReceiver, hang_up
from ingest.mqtt.settings import MqttSettings

_PACKETS_PER_READ = 200
_OCTETS_PER_READ = 256 * 1024


class PahoReceiver(NetworkReceiver):
    """Receives through paho-mqtt with manual acknowledgement."""

    def __init__(self, settings: MqttSettings, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        settings.ssl_context()
        super().__init__(settings, lambda: PahoLink(settings), clock_ns=clock_ns)


class PahoLink:
    """`ingest.mqtt.network_receiver.Link` over a paho client; its own thread and reconnection are not used.

    Where the queue stays full for more than two keep-alive times paho gives the connection up: the broker's answer to its ping is
    behind the messages that we do not read. Nothing is lost by that.
    """

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._received: list[Publish] = []
        self._ready = False
        self._refusal = ""
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=False,
            protocol=MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        if settings.username:
            self._client.username_pw_set(settings.username, settings.password or None)
        context = settings.ssl_context()
        if context is not None:
            context.sslsocket_class = _ClosingSocket
            self._client.tls_set_context(context)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        # with this callback set, paho queues acknowledgements instead of sending each by itself
        self._client.on_socket_register_write = lambda *_: None

    @property
    def ready(self) -> bool:
        """The broker has accepted us and the subscription stands."""
        return self._ready

    @property
    def has_output(self) -> bool:
        """Bytes wait for `write`."""
        return self._client.want_write()

    def open(self) -> socket.socket:
        """Connect, over TLS where the settings say so, and queue CONNECT."""
        self._check(self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_s))
        line = self._client.socket()
        if not isinstance(line, socket.socket):
            raise LinkError("the connection is closed")
        return line

    def read(self) -> list[Publish]:
        """Let paho read packets while there are any, up to what the queue can be exceeded by."""
        octets = 0
        while len(self._received) < _PACKETS_PER_READ and octets < _OCTETS_PER_READ:
            held = len(self._received)
            try:
                code = self._client.loop_read()
            except OSError:
                raise
            except Exception as error:
                raise LinkError("the broker sends a broken packet") from error
            self._check(code)
            if len(self._received) == held:
                break
            octets += len(self._received[-1].payload)
        received, self._received = self._received, []
        return received

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Queue a PUBACK each."""
        for packet_id in packet_ids:
            self._client.ack(packet_id, 1)

    def write(self) -> None:
        """Send what the socket takes."""
        self._check(self._client.loop_write())

    def keep_alive(self, *, reading: bool) -> None:  # noqa: ARG002  paho's own ping knows nothing of pauses
        """Ping where due."""
        self._check(self._client.loop_misc())

    def close(self) -> None:
        """Send DISCONNECT where that is possible, and close."""
        line = self._client.socket()
        if line is None:
            return
        if self._ready:
            self._client.disconnect()
            self._client.loop_write()
        hang_up(cast("socket.socket", line))  # never a web socket: we ask for none

    def _check(self, code: MQTTErrorCode) -> None:
        if self._refusal:
            raise LinkError(self._refusal)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(error_string(code).rstrip(".").lower())

    def _on_connect(self, client: Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses the login: {str(reason).lower()}"
        else:
            client.subscribe([(name, 1) for name in self._settings.filters])

    def _on_subscribe(self, _: Client, __: Any, ___: int, reasons: Sequence[Any], ____: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = "the broker refuses the subscription"
        else:
            self._ready = True

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        packet_id = message.mid if message.qos else 0
        self._received.append(Publish(topic, bytes(message.payload), packet_id, message.dup, message.retain))


class _ClosingSocket(ssl.SSLSocket):
    """Closed where the handshake fails, which paho leaves to chance."""

    def do_handshake(self, block: bool = False) -> None:
        """As `ssl.SSLSocket.do_handshake`."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
