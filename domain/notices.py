"""Messages to owners: what they tell of, and how the outbox names whom they go to."""

from __future__ import annotations

from enum import StrEnum

OWNER = "owner:"


class NoticeKind(StrEnum):
    """What a message to an owner tells of."""

    PROPOSED = "proposed"
    """The vehicle needs work, and nothing is done before the owner agrees."""
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
