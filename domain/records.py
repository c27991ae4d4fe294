"""What the pipeline commits: a vehicle's case, its stage states, progress, outbox events and dead letters."""

from __future__ import annotations

from dataclasses import dataclass

from domain.care import DayUsage
from domain.findings import Alert, Recommendation
from domain.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleCase:
    """What happened to one vehicle, from alert to order; decision stages see the open part of it (`domain.open_case`).

    Attributes:
        alerts: ordered by (opened_ns, id).
        recommendations: the latest one of each incident, ordered by incident id.
        orders: ordered by (created_ns, id).
    """

    vehicle: str
    alerts: tuple[Alert, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """Carried state of one stage for one vehicle. `version` is a content hash of what shaped it (rule, model, profile)."""

    vehicle: str
    stage: str
    version: str
    state: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveProgress:
    """How far a recorded drive has been committed. `frames` counts frames read from its file, in file order."""

    drive: str
    vehicle: str
    frames: int = 0
    signals: int = 0
    dtcs: int = 0
    dead_letters: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A line, frame or message that could not be used: counted, kept, listed, replayed.

    Attributes:
        id: hash of origin, position and content, so that doing it again doubles nothing.
        origin: file name or topic without personal data. position: 1-based line, byte offset or sequence.
        reason: kind word ("malformed_line", "late", "time_jump" …). detail: one clause. content: the bytes themselves.
        vehicle: pseudonym, "" where unknown. time_ns: event time, 0 where unknown.
    """

    id: str
    origin: str
    position: int
    reason: str
    detail: str
    content: bytes
    vehicle: str = ""
    time_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One attempt to deliver a push: `state` is the push's afterwards, `error` what went wrong; `time_ns` is wall time."""

    event: str
    number: int
    time_ns: int
    state: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """A push that must get through, written in the transaction that made it necessary.

    Attributes:
        id: webhook-id, the same over all attempts; a function of subject, version and recipient.
        type: dotted event type ("order.created"). subject: order id. recipient: dealer id, "owner:VEHICLE" or "route:NAME".
        version: of the subject. Pushes of one subject to one recipient go out in the order of their versions; 0 waits for nothing.
        channel: "webhook", "log" …  body: the JSON text that is signed and sent.
        due_ns, attempts, state, last_error: delivery (wall time); state is "pending", "delivered", "failed" or "cancelled".
    """

    id: str
    type: str
    subject: str
    recipient: str
    channel: str
    body: str
    due_ns: int = 0
    attempts: int = 0
    state: str = "pending"
    last_error: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What has become of one push so far, without its content: `written_ns` is wall time, the rest as in `OutboxEvent`."""

    id: str
    recipient: str
    channel: str
    written_ns: int
    attempts: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSequences:
    """Message sequence numbers of one vehicle's boot session that are committed: sorted, disjoint [first, last] ranges, both inclusive."""

    vehicle: str
    boot_session: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One database transaction: all of it or nothing. `usage`: (vehicle, day of use as it stands), the last of a day counts."""

    cases: tuple[VehicleCase, ...] = ()
    states: tuple[StageState, ...] = ()
    progress: tuple[DriveProgress, ...] = ()
    outbox: tuple[OutboxEvent, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    seen: tuple[SeenSequences, ...] = ()
    usage: tuple[tuple[str, DayUsage], ...] = ()
