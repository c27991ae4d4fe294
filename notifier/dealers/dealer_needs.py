"""What an order needs of a dealer, how far and how late it may be, and the words for why one was chosen or passed over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.findings import Urgency
from domain.orders import DealerChoice, OrderKind, Wish


class Rejection(StrEnum):
    """Why a dealer was not able."""

    TOO_FAR = "too_far"
    EXCLUDED = "excluded"
    """Declined this order before, or is not to be asked."""
    NO_WORKSHOP = "no_workshop"
    """A mobile unit or rescue partner, where the vehicle must come to a workshop."""
    BRAND = "brand"
    CAPABILITY = "capability"
    NO_LOANER = "no_loaner"
    NO_PICK_UP = "no_pick_up"
    """Does not fetch vehicles, or not from so far."""
    CLOSED = "closed"
    """Not open in time."""
    FULL = "full"
    """Open in time, but booked out on each of those days."""


class DealerOutcome(StrEnum):
    """How the choice ended."""

    CHOSEN = "chosen"
    NONE_ABLE = "none_able"
    NO_LOCATION = "no_location"
    """Nobody knows where the vehicle is, and the owner prefers no dealer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerNeeds:
    """What an order needs of a dealer.

    Attributes:
        time_ns: event time of the decision. location: (latitude, longitude) of the vehicle, None where unknown.
        brand: "" where unknown (any workshop may do). parts: (number, quantity). preferred: worth a detour to the owner.
        owner_choice, last_service, selling: dealers that the routing policy asks first. region: "" for that of the nearest dealer.
        wish: what the dealer must offer of transport. drivable: a mobile unit may be enough.
    """

    kind: OrderKind
    urgency: Urgency
    time_ns: int
    location: tuple[float, float] | None
    brand: str = ""
    capabilities: tuple[str, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()
    preferred: str = ""
    excluded: frozenset[str] = frozenset()
    owner_choice: str = ""
    last_service: str = ""
    selling: str = ""
    region: str = ""
    drivable: bool = True
    wish: Wish | None = None

    @property
    def takes(self) -> tuple[str, ...]:
        """What an appointment takes besides its place (`domain.slots.takes`)."""
        return (*self.capabilities, Wish.LOANER) if self.wish is Wish.LOANER else self.capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerDecision:
    """The outcome; `choice` and `slots` only where one was chosen. `rejected` counts every dealer that was not able, by reason.

    `transport` is a STAR word where the choice asks for one (MOBILE, FLAT_BED), else "".
    """

    outcome: DealerOutcome
    choice: DealerChoice | None = None
    slots: tuple[tuple[int, int], ...] = ()
    rejected: tuple[tuple[str, int], ...] = ()
    transport: str = ""
