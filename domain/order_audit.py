"""The audit of orders: one append-only chain over all changes of all orders, in which nothing can be altered or taken out unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from domain.orders import Order

GENESIS = "0" * 64
"""What the first entry follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One stored version of an order: who made what of it, and why.

    Attributes:
        number: counts from 1 without gaps. order, version: what was stored. time_ns: wall time of storing it.
        event, actor, reason: of `Order.change`. came_from: state before, "" for a new order. state, dealer: now.
        content: SHA-256 of the order as stored. hash: SHA-256 over the entry before and this one.
    """

    number: int
    order: str
    version: int
    time_ns: int
    event: str
    actor: str
    reason: str
    came_from: str
    state: str
    dealer: str
    content: str
    hash: str = ""


def audit_entry(before: Order | None, after: Order, document: str, *, last: AuditEntry | None, time_ns: int) -> AuditEntry:
    """The entry of one stored change.

    Args:
        document: the order's text as stored. last: the entry that this one follows.
    """
    entry = AuditEntry(
        number=last.number + 1 if last else 1,
        order=after.id,
        version=after.version,
        time_ns=time_ns,
        event=after.change.event,
        actor=_storable(after.change.actor),
        reason=_storable(after.change.reason),
        came_from=before.state if before else "",
        state=after.state,
        dealer=after.choice.dealer if after.choice else "",
        content=hashlib.sha256(document.encode()).hexdigest(),
    )
    return replace(entry, hash=_hash(entry, last.hash if last else GENESIS))


def first_break(entries: Iterable[AuditEntry]) -> int | None:
    """Number of the first entry that is not what was written, or does not follow the one before it; None where the chain is whole.

    Entries cut off at the end are seen only by who has kept the number or hash of a later one.
    """
    expected, before = 1, GENESIS
    for entry in entries:
        if entry.number != expected or entry.hash != _hash(entry, before):
            return expected
        expected, before = expected + 1, entry.hash
    return None


def _storable(text: str) -> str:
    """Text that every database gives back as it was."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def _hash(entry: AuditEntry, before: str) -> str:
    text = json.dumps(asdict(replace(entry, hash=before)), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
