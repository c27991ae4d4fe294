"""Service and rescue orders, what made their latest version, and why a dealer was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.findings import Recommendation, Text
from domain.quotes import QuoteMark
from domain.rescue import Rescue


class OrderKind(StrEnum):
    """Service at a dealer, or rescue at the roadside."""

    SERVICE = "service"
    RESCUE = "rescue"


class Desk(StrEnum):
    """People who take over orders that cannot go on by themselves."""

    TECHNICAL = "technical"
    DISPATCH = "dispatch"
    RESCUE = "rescue"
    CALL_CENTRE = "call_centre"


class ManualReason(StrEnum):
    """Why a person must see to an order."""

    REVIEW = "review"
    """What it stands on is not sure enough: somebody looks at it before any dealer is asked."""
    NONE_ABLE = "none_able"
    NO_LOCATION = "no_location"
    TOO_MANY_OFFERS = "too_many_offers"
    """As many dealers as may be have refused."""
    OWNER_SILENT = "owner_silent"
    """The owner has not answered the proposal."""
    GIVEN_UP = "given_up"
    """Somebody has taken it over."""


class Wish(StrEnum):
    """How an owner would like a vehicle to come to the workshop: STAR's words."""

    PICK_UP = "PICK_UP"
    """Fetched by the dealer and brought back."""
    LOANER = "LOANER"
    WAIT_AT_DEALER = "WAIT_AT_DEALER"


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerChoice:
    """Why this dealer: (reason word, English, Chinese) in `why`; `rejected` counts the others by reason.

    `drive_min`: minutes by road, where the vehicle's place is known.
    """

    dealer: str
    distance_km: float
    score: float
    why: tuple[Text, ...]
    rejected: tuple[tuple[str, int], ...] = ()
    drive_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange:
    """What made an order's latest version: an event of the order life cycle or "update", who, and why in their words."""

    event: str = "update"
    actor: str = "system"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A service or rescue order; `id` = hash of (first incident, kind), `version` grows with each change.

    Attributes:
        state: a word of the order life cycle (`notifier.orders.order_states`). incidents: those it answers, first one first.
        choice: None where no dealer is able (state "manual"). slots: proposed (start_ns, end_ns), event time.
        location: (latitude, longitude) WGS84. transport: STAR word (DROP_OFF, FLAT_BED, MOBILE …).
        wish: how the owner would like to bring it (`Wish`), None for any way: a dealer must be able to.
        people_version: the last version that was made outside the pipeline (dealer, owner, operator, delivery), 0 for none: where
            the stored order has a greater one than the order at hand, the order at hand has not seen what people did.
        refused_by: dealers that declined it or let their offer expire, first one first; none of them is asked again.
        change: what made this version.
        rescue: of a rescue order that was confirmed, None for any other.
        quote: the latest quote and the owner's answer to it, None before there is one.
        suggested: other appointments that owner or dealer would like instead, until one is agreed.
        manual: why a person must see to it, in state "manual" only.
    """

    id: str
    kind: OrderKind
    version: int
    state: str
    vehicle: str
    group_key: str
    incidents: tuple[str, ...]
    recommendation: Recommendation
    created_ns: int
    updated_ns: int
    choice: DealerChoice | None
    slots: tuple[tuple[int, int], ...] = ()
    location: tuple[float, float] | None = None
    transport: str = "DROP_OFF"
    people_version: int = 0
    refused_by: tuple[str, ...] = ()
    change: OrderChange = OrderChange()
    quote: QuoteMark | None = None
    rescue: Rescue | None = None
    suggested: tuple[tuple[int, int], ...] = ()
    manual: ManualReason | None = None
    wish: Wish | None = None

    @property
    def desk(self) -> Desk | None:
        """Whose turn it is in state "manual"."""
        match self.manual:
            case None:
                return None
            case ManualReason.REVIEW:
                return Desk.TECHNICAL
            case ManualReason.OWNER_SILENT:
                return Desk.CALL_CENTRE
            case _:
                return Desk.RESCUE if self.kind is OrderKind.RESCUE else Desk.DISPATCH
