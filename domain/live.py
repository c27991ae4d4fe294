"""What live operation adds to the database: the event feed, vehicles at a glance, figures of the pipeline and API keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from domain.findings import Urgency
from domain.fleet import Dealer, Vehicle
from domain.orders import Order
from domain.records import OutboxEvent, VehicleCase


class EventKind(StrEnum):
    """What a feed event is about."""

    ALERT = "alert"
    ORDER = "order"
    DELIVERY = "delivery"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """One change, appended in the transaction that made it; whoever tails by `id` sees every change once and in order of commit.

    Attributes:
        id: grows with each commit, never used twice; 0 before it is stored. time_ns: wall time of the change.
        subject: id of the alert, order or push. vehicle: pseudonym, "" for none. body: JSON object without personal data.
    """

    kind: EventKind
    subject: str
    vehicle: str
    body: str
    id: int = 0
    time_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRequest:
    """A request that has changed an order, by the key that its caller gave it: sent again, it changes nothing.

    Attributes:
        content: SHA-256 of what was asked. order: what it changed. time_ns: wall time.
    """

    caller: str
    key: str
    content: str
    order: str
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleSighting:
    """When and where a vehicle was last heard of.

    Attributes:
        event_ns: greatest event time. received_ns: wall time of its last message. location: (latitude, longitude) WGS84.
    """

    vehicle: str
    event_ns: int
    received_ns: int
    location: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleSummary:
    """A vehicle at a glance.

    Attributes:
        event_ns, received_ns: as in `VehicleSighting`, None where it was never heard of live.
        open_alerts: not resolved. urgency: the greatest among them, None without any.
    """

    vehicle: str
    registered: bool
    event_ns: int | None
    received_ns: int | None
    location: tuple[float, float] | None
    open_alerts: int
    urgency: Urgency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCounts:
    """How far things came.

    Attributes:
        alerts: opened. incidents: of those alerts. orders: made. told: orders of which a dealer took a push.
        owners_told: orders of which the owner was sent a message.
        reached: order state -> orders that have ever been in it. now: order state -> orders that are in it.
    """

    alerts: int
    incidents: int
    orders: int
    told: int
    owners_told: int
    reached: tuple[tuple[str, int], ...] = ()
    now: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """Who may use the API. `hash` is SHA-256 of the key in hex; the key itself is stored nowhere."""

    hash: str
    name: str
    scopes: tuple[str, ...]
    created_ns: int


Settle = Callable[[Order, Order, VehicleCase, Vehicle, Dealer | None], tuple[Order, tuple[OutboxEvent, ...]]]
"""(stored, ours, case, vehicle, stored choice's dealer) -> the order to store and the pushes that tell of it.

Asked where the pipeline changed an order that a person had moved on meanwhile: `stored` itself means that nothing changes.
"""


def keep_stored(
    stored: Order, _ours: Order, _case: VehicleCase, _vehicle: Vehicle, _dealer: Dealer | None
) -> tuple[Order, tuple[OutboxEvent, ...]]:
    """The plainest `Settle`: people win, what the pipeline wanted waits for its next finding."""
    return stored, ()
