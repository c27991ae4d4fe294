"""A receiver for high rates: just enough MQTT 3.1.1 over a socket, many packets per read."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from enum import IntEnum

from ingest.mqtt.inbox import Publish
from ingest.mqtt.network_receiver import LinkError, NetworkReceiver, hang_up
from ingest.mqtt.settings import MqttSettings

_READ_BYTES = 256 * 1024
_SUBSCRIBE_ID = 1
_MOST_TOPICS = 100_000
_PUBACK = struct.Struct(">HH")
_REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refuses the client id",
    3: "the broker is not available",
    4: "the broker refuses the login: wrong user name or password",
    5: "the broker refuses the login: not authorised",
}


class PacketType(IntEnum):
    """Control packets, MQTT 3.1.1 section 2.2.1."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class SocketReceiver(NetworkReceiver):
    """Receives with about a tenth of the processor time of `PahoReceiver`."""

    def __init__(self, settings: MqttSettings, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        settings.ssl_context()
        super().__init__(settings, lambda: SocketLink(settings), clock_ns=clock_ns)


class SocketLink:
    """`ingest.mqtt.network_receiver.Link` over a plain or TLS socket."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._socket: socket.socket | None = None
        self._packets = PacketReader()
        self._output = bytearray()
        self._ready = False
        self._spoke_s = self._heard_s = self._pinged_s = time.monotonic()

    @property
    def ready(self) -> bool:
        """CONNACK and SUBACK have come."""
        return self._ready

    @property
    def has_output(self) -> bool:
        """Bytes wait for `write`."""
        return bool(self._output)

    def open(self) -> socket.socket:
        """Connect, over TLS where the settings say so, and queue CONNECT."""
        settings = self._settings
        line = socket.create_connection((settings.host, settings.port), timeout=settings.connect_timeout_s)
        self._socket = line
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = settings.ssl_context()
        if context is not None:
            self._socket = line = context.wrap_socket(line, server_hostname=settings.host)
        line.setblocking(False)
        self._output += connect_packet(settings)
        self._spoke_s = self._heard_s = self._pinged_s = time.monotonic()
        return line

    def read(self) -> list[Publish]:
        """Read once and take the packets apart."""
        try:
            received = self._line.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        if not received:
            raise LinkError("the broker has closed the connection")
        self._heard_s = time.monotonic()
        publishes, others = self._packets.feed(received)
        for kind, body in others:
            self._answer(kind, body)
        return publishes

    def _answer(self, kind: int, body: bytes) -> None:
        """React to what is not a message."""
        if kind == PacketType.CONNACK and len(body) == 2:
            if body[1]:
                raise LinkError(_REFUSALS.get(body[1], f"the broker refuses the connection (code {body[1]})"))
            self._output += subscribe_packet(self._settings.filters)
        elif kind == PacketType.SUBACK and len(body) == 2 + len(self._settings.filters):
            if any(code > 1 for code in body[2:]):
                raise LinkError("the broker refuses the subscription")
            self._ready = True
        elif kind != PacketType.PINGRESP:
            raise LinkError(f"the broker sends a packet that has no place here (type {kind})")

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Queue a PUBACK each."""
        self._output += b"".join([_PUBACK.pack(PacketType.PUBACK << 12 | 2, packet_id) for packet_id in packet_ids])

    def write(self) -> None:
        """Send what the socket takes."""
        try:
            sent = self._line.send(self._output)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        del self._output[:sent]
        self._spoke_s = time.monotonic()

    def keep_alive(self, *, reading: bool) -> None:
        """Ping after half the agreed silence; give up on a broker that is silent for one and a half of it."""
        now = time.monotonic()
        if not reading:
            self._heard_s = now
        if now - self._heard_s > 1.5 * self._settings.keepalive_s:
            raise LinkError("the broker has fallen silent")
        half_s = self._settings.keepalive_s / 2
        if self._ready and now - min(self._spoke_s, self._heard_s) > half_s < now - self._pinged_s:
            self._output += bytes([PacketType.PINGREQ << 4, 0])
            self._pinged_s = now

    def close(self) -> None:
        """Send DISCONNECT where that is possible at once, and close."""
        if self._socket is None:
            return
        try:
            if self._ready and not self._output:
                self._socket.send(bytes([PacketType.DISCONNECT << 4, 0]))
        except OSError:
            pass  # it is closed anyway
        hang_up(self._socket)
        self._socket = None

    @property
    def _line(self) -> socket.socket:
        if self._socket is None:
            raise LinkError("the connection is closed")
        return self._socket


class PacketReader:
    """Cuts a stream of bytes into control packets."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        self._needed = 2
        self._topics: dict[bytes, str] = {}

    def feed(self, received: bytes) -> tuple[list[Publish], list[tuple[int, bytes]]]:
        """The messages, and the other packets as (type, body), that are complete now.

        Raises:
            LinkError: the bytes are no MQTT.
        """
        self._parts.append(received)
        self._held += len(received)
        if self._held < self._needed:
            return [], []
        stream = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        publishes: list[Publish] = []
        others: list[tuple[int, bytes]] = []
        at, size = 0, len(stream)
        while True:
            found = _extent(stream, at, size)
            if found is None:
                self._needed = 2
                break
            start, end = found
            if end > size:
                self._needed = end - at
                break
            first = stream[at]
            if first >> 4 == PacketType.PUBLISH:
                publishes.append(self._publish(first, stream, start, end))
            else:
                others.append((first >> 4, stream[start:end]))
            at = end
        self._parts, self._held = [stream[at:]], size - at
        self._needed = max(self._needed, self._held + 1)
        return publishes, others

    def _publish(self, first: int, stream: bytes, start: int, end: int) -> Publish:
        """The PUBLISH between these offsets; section 3.3."""
        qos = first >> 1 & 3
        name_end = start + 2 + (stream[start] << 8 | stream[start + 1]) if start + 2 <= end else end + 1
        payload = name_end + (2 if qos else 0)
        if payload > end or qos > 1:
            raise LinkError("the broker sends a broken PUBLISH")
        name = stream[start + 2 : name_end]
        topic = self._topics.get(name)
        if topic is None:
            if len(self._topics) >= _MOST_TOPICS:
                self._topics.clear()
            topic = self._topics[name] = name.decode(errors="replace")
        packet_id = stream[name_end] << 8 | stream[name_end + 1] if qos else 0
        return Publish(topic, stream[payload:end], packet_id, bool(first & 8), bool(first & 1))


def _extent(stream: bytes, at: int, size: int) -> tuple[int, int] | None:
    """(start, end) of the body of the packet at `at`, None where its length is not complete; section 2.2.3."""
    length = shift = 0
    for place in range(at + 1, min(at + 5, size)):
        length |= (stream[place] & 0x7F) << shift
        if stream[place] < 0x80:
            return place + 1, place + 1 + length
        shift += 7
    if size >= at + 5:
        raise LinkError("the broker sends a packet with a broken length")
    return None


def connect_packet(settings: MqttSettings) -> bytes:
    """CONNECT for a persistent session; section 3.1."""
    flags = (0x80 if settings.username else 0) | (0x40 if settings.username and settings.password else 0)
    body = _text("MQTT") + struct.pack(">BBH", 4, flags, settings.keepalive_s) + _text(settings.client_id)
    if settings.username:
        body += _text(settings.username)
        body += _text(settings.password) if settings.password else b""
    return _packet(PacketType.CONNECT << 4, body)


def subscribe_packet(filters: Sequence[str]) -> bytes:
    """SUBSCRIBE to these at QoS 1; section 3.8."""
    body = struct.pack(">H", _SUBSCRIBE_ID) + b"".join(_text(name) + b"\1" for name in filters)
    return _packet(PacketType.SUBSCRIBE << 4 | 2, body)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _packet(first: int, body: bytes) -> bytes:
    """Fixed header and body."""
    header, length = bytearray([first]), len(body)
    while True:
        header.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return bytes(header) + body
