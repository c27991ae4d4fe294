"""Tickets: what a person of the call centre, the workshop or operations has to see to, with its result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum


class TicketKind(StrEnum):
    """What is to be done."""

    CALL = "call"
    """Ring the owner or driver."""
    QUESTION = "question"
    """The owner asks."""
    COMPLAINT = "complaint"
    BOOKING = "booking"
    """The owner wants a visit."""
    FOLLOW_UP = "follow_up"
    """Work that the vehicle needs was declined: ask again."""


class TicketState(StrEnum):
    """Where it stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One task.

    Attributes:
        id: a function of what it is about, so that it is never made twice (`ticket_id`). order: "" where it is about the vehicle alone.
        reason: a stable word for why it was made ("no_answer", "stop", …). text: in plain words, without personal data of our own making.
        due_ns: wall time by which it should be done. assigned: who has taken it, "" for nobody. author: "owner", "system" …
        result: a stable word ("reached", "not_reached", "answered", "settled" …). answer: in words. closed_by, closed_ns: who, when.
    """

    id: str
    kind: TicketKind
    vehicle: str
    order: str
    reason: str
    text: str
    author: str
    created_ns: int
    due_ns: int
    state: TicketState = TicketState.OPEN
    assigned: str = ""
    result: str = ""
    answer: str = ""
    closed_by: str = ""
    closed_ns: int = 0


def ticket_id(kind: TicketKind, *about: str) -> str:
    """Id of the ticket of this kind about this (order and reason, question and time …): 32 hex digits."""
    text = "".join(f"{len(part)}:{part}" for part in ("ticket", kind, *about))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def closed(ticket: Ticket, *, result: str, answer: str, by: str, time_ns: int, state: TicketState = TicketState.DONE) -> Ticket:
    """The ticket with its result."""
    return replace(ticket, state=state, result=result, answer=answer, closed_by=by, closed_ns=time_ns)
