"""What stands between a receiver's network thread and its consumer: a bounded queue that knows which packet each token stands for."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from domain.messages import RawMessage

_REMEMBERED_ACKNOWLEDGEMENTS = 4096
_TELLING_BYTES = 64
"""The first bytes of a payload tell two messages apart that follow each other under one packet id: numbers and times stand there."""


class Publish(NamedTuple):
    """A PUBLISH packet. `packet_id` is 0 at QoS 0; `duplicate` is the DUP bit, `retained` the RETAIN bit."""

    topic: str
    payload: bytes
    packet_id: int
    duplicate: bool
    retained: bool = False


class Inbox:
    """Bounded by `has_room`: the network thread asks before it reads from the socket, and stops reading where there is none.

    Some brokers (NATS) deliver an unacknowledged message again on the same connection, under the same packet id. Such a repetition is
    dropped here while we hold the message or have just acknowledged it: otherwise a slow consumer would be buried in repetitions, and
    acknowledging both could acknowledge a later message to which the broker has given the id meanwhile.
    """

    def __init__(self, *, messages: int, octets: int, clock_ns: Callable[[], int], on_room: Callable[[], None]) -> None:
        self._most_messages, self._most_octets = messages, octets
        self._clock_ns, self._on_room = clock_ns, on_room
        self._changed = threading.Condition()
        self._queue: deque[RawMessage] = deque()
        self._octets = 0
        self._tokens = 0
        self._packet_of: dict[int, int] = {}
        self._held: dict[int, tuple[int, bytes]] = {}
        self._acknowledged: OrderedDict[int, bytes] = OrderedDict()
        self._to_acknowledge: list[int] = []
        self._closed = False

    @property
    def has_room(self) -> bool:
        """The network thread may read on."""
        return len(self._queue) < self._most_messages and self._octets < self._most_octets

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, publishes: Iterable[Publish]) -> None:
        """Queue what was received on the present connection, in order."""
        now = self._clock_ns()
        with self._changed:
            for publish in publishes:
                if publish.duplicate and self._known(publish):
                    continue
                self._tokens += 1
                if publish.packet_id:
                    self._track(publish, self._tokens)
                self._queue.append(
                    RawMessage(
                        topic=publish.topic,
                        payload=publish.payload,
                        received_ns=now,
                        token=self._tokens,
                        redelivered=publish.duplicate,
                        retained=publish.retained,
                    )
                )
                self._octets += len(publish.payload)
            self._changed.notify_all()

    def _known(self, publish: Publish) -> bool:
        """We hold the same message, or its acknowledgement is on its way to the broker."""
        held = self._held.get(publish.packet_id)
        beginning = self._acknowledged.get(publish.packet_id) if held is None else held[1]
        return beginning is not None and beginning == publish.payload[:_TELLING_BYTES]

    def _track(self, publish: Publish, token: int) -> None:
        earlier = self._held.get(publish.packet_id)
        if earlier is not None:
            # the broker has given up the earlier message and uses its id anew: acknowledging that one now would hit this one
            self._packet_of.pop(earlier[0], None)
        self._acknowledged.pop(publish.packet_id, None)
        self._held[publish.packet_id] = (token, publish.payload[:_TELLING_BYTES])
        self._packet_of[token] = publish.packet_id

    def take(self, limit: int, timeout_s: float) -> list[RawMessage]:
        """Up to `limit` messages; waits at most `timeout_s` for the first, and not at all once closed."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._queue and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            was_full = not self.has_room
            taken = [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]
            self._octets -= sum(len(message.payload) for message in taken)
        if was_full and taken:
            self._on_room()
        return taken

    def acknowledge(self, tokens: Sequence[int]) -> None:
        """Note the packets of these tokens for the network thread; tokens of earlier connections say nothing."""
        with self._changed:
            for token in tokens:
                packet_id = self._packet_of.pop(token, None)
                if packet_id is not None:
                    self._acknowledged[packet_id] = self._held.pop(packet_id)[1]
                    self._to_acknowledge.append(packet_id)
            while len(self._acknowledged) > _REMEMBERED_ACKNOWLEDGEMENTS:
                self._acknowledged.popitem(last=False)

    def packets_to_acknowledge(self) -> list[int]:
        """What the network thread has to send; each packet once."""
        with self._changed:
            packets, self._to_acknowledge = self._to_acknowledge, []
            return packets

    def connection_lost(self) -> None:
        """Forget what belongs to the connection: queued messages at QoS 1 come again and are dropped, those at QoS 0 stay."""
        with self._changed:
            self._queue = deque(message for message in self._queue if message.token not in self._packet_of)
            self._octets = sum(len(message.payload) for message in self._queue)
            self._packet_of.clear()
            self._held.clear()
            self._acknowledged.clear()
            self._to_acknowledge.clear()

    def open(self) -> None:
        """`take` waits from now on."""
        with self._changed:
            self._closed = False

    def close(self) -> None:
        """`take` waits no longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
