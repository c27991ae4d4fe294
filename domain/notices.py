"""Messages to owners: what they tell of, and how the outbox names whom they go to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OWNER = "owner:"
ROUTE = "route:"
"""Prefixes of recipients that are no dealers: owners, and routes to dashboards and people of the operator."""


class NoticeKind(StrEnum):
    """What a message to an owner tells of."""

    PROPOSED = "proposed"
    """The vehicle needs work, and nothing is done before the owner agrees."""
    ACCEPTED = "accepted"
    """A workshop has accepted: choose a time."""
    BOOKED = "booked"
    REMINDER = "reminder"
    """The appointment is tomorrow."""
    QUOTE_READY = "quote_ready"
    ON_HOLD = "on_hold"
    READY = "ready"
    RATING = "rating"
    FOLLOW_UP = "follow_up"
    """Work that was declined is still needed."""
    INVITATION = "invitation"


def owner_recipient(vehicle: str) -> str:
    """The outbox's recipient for the owner of this vehicle; the address is looked up in the vault when it is sent."""
    return f"{OWNER}{vehicle}"


def vehicle_of_recipient(recipient: str) -> str | None:
    """The vehicle whose owner this recipient is, None for any other recipient."""
    return recipient.removeprefix(OWNER) if recipient.startswith(OWNER) else None


class DueState(StrEnum):
    """Whether a message that was planned is still to come."""

    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotice:
    """A message to come: when its time is there, it is looked whether it is still wanted.

    Attributes:
        id: of what it is about. about: what must still hold (start of the appointment in ns, version of the quote).
    """

    id: str
    kind: NoticeKind
    vehicle: str
    order: str
    about: int
    created_ns: int
    due_ns: int
    state: DueState = DueState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMark:
    """How far a reader of the feed has come; `id` names the reader."""

    id: str
    read: int
    created_ns: int = 0

    @property
    def order(self) -> str:
        """Of none."""
        return ""

    @property
    def vehicle(self) -> str:
        """Of none."""
        return ""

    @property
    def state(self) -> str:
        """None."""
        return ""

    @property
    def due_ns(self) -> int:
        """None."""
        return 0
