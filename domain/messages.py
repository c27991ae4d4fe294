"""Messages as a broker hands them over, before anybody knows what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMessage:
    """One publish.

    Attributes:
        topic, payload: as received. received_ns: when it became available to us (wall time, ns since epoch).
        token: what `Receiver.acknowledge` takes; grows with arrival, unique within one receiver.
        redelivered: the broker says that it has delivered it before.
        retained: the broker kept it for new subscribers; it may be of any age.
    """

    topic: str
    payload: bytes
    received_ns: int
    token: int
    redelivered: bool = False
    retained: bool = False


class Receiver(Protocol):
    """Takes messages from a broker; its network thread only enqueues, so that no work stands between socket and queue.

    QoS 1, persistent session: a message that is not acknowledged before a crash comes again. The queue is bounded: where the
    consumer is slow the receiver stops reading from the socket (back-pressure) and memory does not grow.
    """

    def start(self) -> None:
        """Connect (and go on trying, with back-off) and subscribe."""

    def take(self, limit: int, timeout_s: float) -> list[RawMessage]:
        """Up to `limit` messages in order of arrival; waits at most `timeout_s` for the first."""

    def acknowledge(self, tokens: Sequence[int]) -> None:
        """What these messages led to is stored: the broker may forget them. Tokens of an earlier connection are ignored."""

    def stop(self) -> None:
        """Disconnect, keeping the session at the broker."""

    @property
    def connected(self) -> bool:
        """The broker has accepted us and the subscription stands."""
        ...
