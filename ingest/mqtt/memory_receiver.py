"""A broker in memory with the promises of a real one (QoS 1, persistent session, redelivery): for tests and single-process use."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from domain.messages import RawMessage

_Stored = tuple[str, bytes, bool]


class MemoryBroker:
    """Keeps published messages until they are acknowledged; serves one receiver at a time."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.connection = 0
        self._waiting: deque[_Stored] = deque()
        self._delivered: dict[int, _Stored] = {}
        self._deliveries = 0

    def publish(self, topic: str, payload: bytes) -> None:
        """Store a message."""
        with self.changed:
            self._waiting.append((topic, payload, False))
            self.changed.notify_all()

    def restart(self) -> None:
        """Drop the connection: what was delivered and not acknowledged comes again, in its order, before what came later."""
        with self.changed:
            self.connection += 1
            self._waiting.extendleft((topic, payload, True) for topic, payload, _ in reversed(self._delivered.values()))
            self._delivered.clear()
            self.changed.notify_all()

    def deliver(self, limit: int) -> list[tuple[int, _Stored]]:
        """Up to `limit` messages with their delivery numbers; the caller holds `changed`."""
        taken: list[tuple[int, _Stored]] = []
        while self._waiting and len(taken) < limit:
            self._deliveries += 1
            self._delivered[self._deliveries] = self._waiting.popleft()
            taken.append((self._deliveries, self._delivered[self._deliveries]))
        return taken

    def forget(self, deliveries: Sequence[int]) -> None:
        """Drop what is acknowledged."""
        with self.changed:
            for delivery in deliveries:
                self._delivered.pop(delivery, None)

    @property
    def unacknowledged(self) -> int:
        """Messages that would come (again) after a crash."""
        with self.changed:
            return len(self._waiting) + len(self._delivered)


class MemoryReceiver:
    """`domain.messages.Receiver` over a `MemoryBroker`; the broker's delivery numbers are the tokens."""

    def __init__(self, broker: MemoryBroker, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._broker, self._clock_ns = broker, clock_ns
        self._started = False
        self.last_error = ""

    def start(self) -> None:
        """Take up the session: what an earlier receiver did not acknowledge comes again."""
        self._broker.restart()
        self._started = True

    def take(self, limit: int, timeout_s: float) -> list[RawMessage]:
        """Up to `limit` messages in order of arrival; waits at most `timeout_s` for the first."""
        deadline = time.monotonic() + timeout_s
        with self._broker.changed:
            while self._started:
                taken = self._broker.deliver(limit)
                left = deadline - time.monotonic()
                if taken or left <= 0:
                    now = self._clock_ns()
                    return [
                        RawMessage(topic=topic, payload=payload, received_ns=now, token=token, redelivered=again)
                        for token, (topic, payload, again) in taken
                    ]
                self._broker.changed.wait(left)
        return []

    def acknowledge(self, tokens: Sequence[int]) -> None:
        """Let the broker forget these."""
        self._broker.forget(tokens)

    def stop(self) -> None:
        """Leave, keeping the session."""
        with self._broker.changed:
            self._started = False
            self._broker.changed.notify_all()

    @property
    def connected(self) -> bool:
        """Between `start` and `stop`."""
        return self._started

    @property
    def queued(self) -> int:
        """Messages received and not yet taken: none, they stay at the broker."""
        return 0
