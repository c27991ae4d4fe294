"""Service and rescue orders, what made their latest version, and why a dealer was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.findings import Recommendation, Text
from domain.quotes import QuoteMark


class OrderKind(StrEnum):
    """Service at a dealer, or rescue at the roadside."""

    SERVICE = "service"
    RESCUE = "rescue"


@dataclass(frozen=True, slots=True, kw_only=True)
class DealerChoice:
    """Why this dealer: (reason word, English, Chinese) in `why`; `rejected` counts the others by reason."""

    dealer: str
    distance_km: float
    score: float
    why: tuple[Text, ...]
    rejected: tuple[tuple[str, int], ...] = ()


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
        people_version: the last version that was made outside the pipeline (dealer, owner, operator, delivery), 0 for none: where
            the stored order has a greater one than the order at hand, the order at hand has not seen what people did.
        refused_by: dealers that declined it or let their offer expire, first one first; none of them is asked again.
        change: what made this version.
        quote: the latest quote and the owner's answer to it, None before there is one.
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
