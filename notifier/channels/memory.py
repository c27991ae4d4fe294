"""A channel that keeps what it is given: for tests and dry runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent


class MemoryChannel:
    """Keeps delivered events, once each, as a recipient that knows event ids would.

    Args:
        name: as events name it. problems: raised one per attempt, before anything is taken; None lets that attempt through.
    """

    def __init__(self, name: str = "memory", problems: Iterable[DeliveryError | None] = ()) -> None:
        self.name = name
        self.attempts: list[tuple[str, int]] = []
        self._problems: Iterator[DeliveryError | None] = iter(problems)
        self._taken: dict[str, OutboxEvent] = {}

    @property
    def taken(self) -> tuple[OutboxEvent, ...]:
        """Events that got through, first first."""
        return tuple(self._taken.values())

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:  # noqa: ARG002 - the port's signature
        """Take the event, or raise the next problem."""
        self.attempts.append((event.id, attempt_ns))
        problem = next(self._problems, None)
        if problem is not None:
            raise problem
        self._taken.setdefault(event.id, event)
