"""Owners as everything but the vault knows them: how they want to be addressed, links they were given, what they said of a visit.

No name, telephone number or address stands here: those are in the vault, by the vehicle's pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.consents import ConsentChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """How the owner of a vehicle wants to be addressed, and who looks after them.

    Attributes:
        language: "zh" or "en". quiet_from_hour, quiet_to_hour: local hours in which no message is sent (equal = none).
        channels: the wanted ones, the best first; each still takes a consent for the purpose. adviser: name of the person in charge of
            the car at the maker or dealer, "" for nobody. tenure: counts the owners of this vehicle; a change makes it one more.
    """

    vehicle: str
    language: str = "zh"
    quiet_from_hour: int = 21
    quiet_to_hour: int = 8
    utc_offset_hours: float = 8.0
    channels: tuple[ConsentChannel, ...] = (
        ConsentChannel.APP,
        ConsentChannel.MESSENGER,
        ConsentChannel.SMS,
        ConsentChannel.EMAIL,
    )
    adviser: str = ""
    tenure: int = 1
    created_ns: int = 0

    @property
    def id(self) -> str:
        """One of each vehicle."""
        return self.vehicle

    @property
    def order(self) -> str:
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


class LinkPurpose(StrEnum):
    """The one thing that a link is for, beside looking at the order."""

    VISIT = "visit"
    """Agree to a proposed order, choose or move the appointment."""
    QUOTE = "quote"
    """Answer one version of a quote."""
    TRACK = "track"
    """Look, and ask the workshop."""
    RATE = "rate"
    BOOK = "book"
    """Ask for a visit of one's own."""


class LinkState(StrEnum):
    """Whether a link still opens something."""

    OPEN = "open"
    USED = "used"
    """It has changed what it was for; it still shows the order until it ends."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLink:
    """A link that was given out; the token in its address is signed (`notifier.owners.links`), this row says whether it still holds.

    Attributes:
        id: in the token (jti). order: "" where the link is about the vehicle alone. version: of the quote, 0 for other purposes.
        created_ns, due_ns: wall time of its making and of its end.
    """

    id: str
    purpose: LinkPurpose
    vehicle: str
    order: str
    version: int
    created_ns: int
    due_ns: int
    state: LinkState = LinkState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What the owner says of a visit; one per order.

    Attributes:
        stars: 1 to 5. nps: 0 to 10, whether one would recommend us. dealer: who did the work. created_ns: wall time.
    """

    order: str
    vehicle: str
    dealer: str
    stars: int
    nps: int
    comment: str
    created_ns: int

    @property
    def id(self) -> str:
        """One of each order."""
        return self.order

    @property
    def state(self) -> str:
        """None."""
        return ""

    @property
    def due_ns(self) -> int:
        """None."""
        return 0
