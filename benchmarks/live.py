"""Live operation on one machine: publisher, broker and pipeline together, from the publish to the stored alert.

The publisher is one process with one raw socket that stands for many cars: messages are encoded before, and topic, packet
number, boot session, sequence and time are patched into them in place, so that little of the machine goes to it. Frames are
recorded ones, stamped as on a bus with 2,000 frames per second. First it publishes as fast as the pipeline commits (at most
`BACKLOG` messages ahead of it): throughput. Then at half that rate, in real time, while car after car overheats: latency, from
the publish of the message whose frame opened the alert to the alert being readable in the store.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from ingest.mqtt.payloads import encode_frames

FRAMES_PER_MESSAGE = 100
BUS_FRAMES_PER_S = 2_000
FRAME_SPACING_NS = 1_000_000_000 // BUS_FRAMES_PER_S
MESSAGE_NS = FRAMES_PER_MESSAGE * FRAME_SPACING_NS
BACKLOG = 10_000
"""Messages that the publisher may be ahead of the commits."""
UNACKNOWLEDGED = 4_000
"""Messages that the publisher may be ahead of the broker's acknowledgements."""
CHUNK = 50
SILENCE_S = 30.0
_NUMBERS = struct.Struct("<QQQ")
_NUMBERS_AT = 8
"""Boot session, sequence and base time in the payload (`ingest.mqtt.payloads`)."""


class Counter(Protocol):
    """A number that another process counts up."""

    @property
    def value(self) -> int:
        """So far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to publish.

    Attributes:
        host, port: the broker. vins: the cars. normal, faulty: a second or so of messages of a car, as a ring.
        begin_ns: event time of the first frames. boot_session: of all cars. seconds: how long to publish.
        messages_per_s: over all cars, None = as fast as the commits follow.
        fault_at: per car, number of the first message that is faulty; -1 = never.
    """

    host: str
    port: int
    vins: tuple[str, ...]
    normal: tuple[bytes, ...]
    faulty: tuple[bytes, ...]
    begin_ns: int
    boot_session: int
    seconds: float
    messages_per_s: float | None
    fault_at: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was published. `sent_ns[n, car]`: wall time of that car's message n; every car has sent `rounds` messages."""

    rounds: int
    acknowledged: int
    began_ns: int
    ended_ns: int
    sent_ns: NDArray[np.int64]


def ring(frames: FrameBatch) -> tuple[bytes, ...]:
    """Recorded frames as messages of 100, stamped as on a busy bus; the rest that fills no message is left out."""
    count = len(frames) // FRAMES_PER_MESSAGE
    stamped = replace(frames, time_ns=np.arange(len(frames), dtype=np.int64) * FRAME_SPACING_NS)
    rows = (slice(n * FRAMES_PER_MESSAGE, (n + 1) * FRAMES_PER_MESSAGE) for n in range(count))
    return tuple(encode_frames(stamped.take(row), sequence=0) for row in rows)


class Templates:
    """Ready PUBLISH packets of a ring, for topics of one length."""

    def __init__(self, messages: Sequence[bytes], topic: bytes) -> None:
        self._packets = [_publish_packet(topic, message) for message in messages]
        head = [len(packet) - len(message) for packet, message in zip(self._packets, messages, strict=True)]
        self._places = [(at - len(topic) - 2, at - 2, at + _NUMBERS_AT) for at in head]

    def put(self, out: bytearray, topic: bytes, packet_id: int, boot_session: int, sequence: int, base_ns: int) -> None:
        """Append the packet of this message number, with its own topic and numbers."""
        which = sequence % len(self._packets)
        topic_at, id_at, numbers_at = self._places[which]
        begin = len(out)
        out += self._packets[which]
        out[begin + topic_at : begin + topic_at + len(topic)] = topic
        out[begin + id_at] = packet_id >> 8
        out[begin + id_at + 1] = packet_id & 0xFF
        _NUMBERS.pack_into(out, begin + numbers_at, boot_session, sequence, base_ns)


def _publish_packet(topic: bytes, payload: bytes) -> bytes:
    """A QoS 1 PUBLISH with packet identifier 0, to be patched."""
    body = len(topic).to_bytes(2, "big") + topic + b"\0\0" + payload
    head, size = bytearray([0x32]), len(body)
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body


def publish(plan: Plan, committed: Counter, first_committed: int = 0) -> Sent:
    """Publish as planned and wait for every acknowledgement.

    Args:
        committed: messages that the pipeline has committed; `first_committed` of them before this plan.

    Raises:
        ConnectionError: the broker closed the connection.
    """
    topics = [f"pitcall/v1/{vin}/can".encode() for vin in plan.vins]
    normal, faulty = Templates(plan.normal, topics[0]), Templates(plan.faulty, topics[0])
    most = int(plan.seconds * (plan.messages_per_s or 50_000) / len(topics)) + 2
    sent_ns = np.zeros((most, len(topics)), np.int64)
    with socket.create_connection((plan.host, plan.port), timeout=SILENCE_S) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall(b"\x10\x1c\x00\x04MQTT\x04\x02\x00\x00\x00\x10pitcall-bench-pu")
        if stream.recv(4)[3:] != b"\0":
            raise ConnectionError("the broker refused the publisher")
        acknowledgements = _Acknowledgements(stream)
        began_ns, began = time.time_ns(), time.perf_counter()
        count = number = 0
        while number < most and time.perf_counter() - began < plan.seconds:
            base_ns = plan.begin_ns + number * MESSAGE_NS
            for first in range(0, len(topics), CHUNK):
                cars = range(first, min(first + CHUNK, len(topics)))
                packets = bytearray()
                for car in cars:
                    templates = faulty if 0 <= plan.fault_at[car] <= number else normal
                    templates.put(packets, topics[car], count % 65_535 + 1, plan.boot_session, number, base_ns)
                    count += 1
                if plan.messages_per_s is not None:
                    time.sleep(max(0.0, began + count / plan.messages_per_s - time.perf_counter()))
                while plan.messages_per_s is None and count - (committed.value - first_committed) > BACKLOG:
                    acknowledgements.read()
                    time.sleep(0.001)
                acknowledgements.read(until=count - UNACKNOWLEDGED)
                sent_ns[number, first : cars.stop] = time.time_ns()
                stream.sendall(packets)
            number += 1
        acknowledgements.read(until=count)
        ended_ns = time.time_ns()
        stream.sendall(b"\xe0\x00")
    return Sent(
        rounds=number, acknowledged=acknowledgements.count, began_ns=began_ns, ended_ns=ended_ns, sent_ns=sent_ns[:number]
    )


class _Acknowledgements:
    """Counts PUBACKs (four bytes each; nothing else comes to a client that subscribes to nothing)."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream, self._bytes = stream, 0

    @property
    def count(self) -> int:
        return self._bytes // 4

    def read(self, until: int = 0) -> None:
        """Read what is there, and wait until so many have come."""
        while True:
            readable, _, _ = select.select([self._stream], [], [], SILENCE_S if self.count < until else 0)
            if not readable:
                if self.count < until:
                    raise ConnectionError(f"the broker acknowledged nothing for {SILENCE_S:g} s")
                return
            got = self._stream.recv(65_536)
            if not got:
                raise ConnectionError("the broker closed the publisher's connection")
            self._bytes += len(got)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert as the store told of it. `seen_ns`: wall time at which it could be read."""

    vehicle: str
    opened_ns: int
    seen_ns: int


def latencies_s(alerts: Sequence[StoredAlert], cars: Sequence[str], plan: Plan, sent: Sent) -> NDArray[np.float64]:
    """Seconds from the publish of the message that holds an alert's opening frame to the alert being stored."""
    number_of = {car: number for number, car in enumerate(cars)}
    found = [
        (alert.seen_ns - int(sent.sent_ns[(alert.opened_ns - plan.begin_ns) // MESSAGE_NS, number_of[alert.vehicle]])) / 1e9
        for alert in alerts
        if 0 <= (alert.opened_ns - plan.begin_ns) // MESSAGE_NS < sent.rounds
    ]
    return np.array(found, np.float64)


def staggered_faults(cars: int, *, seconds: float, settle_s: float) -> tuple[int, ...]:
    """Cars turn faulty one after the other, the last one `settle_s` before the end."""
    last = max(0.0, seconds - settle_s)
    return tuple(int(last * car / max(1, cars) * BUS_FRAMES_PER_S / FRAMES_PER_MESSAGE) for car in range(cars))


def overheated(frames: FrameBatch, *, can_id: int, mask: int, value: int) -> FrameBatch:
    """The same frames with the bits of one signal set in every frame of one identifier (masks over the little-endian payload)."""
    changed = (frames.payload & ~np.uint64(mask)) | np.uint64(value)
    return replace(frames, payload=np.where(frames.can_id == can_id, changed, frames.payload))
