"""Whether the audit of orders is whole, and every order is as the audit says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from domain.order_audit import GENESIS, AuditEntry, first_break


class AuditedStore(Protocol):
    """What is looked at."""

    def order_documents(self) -> dict[str, str]:
        """Order id -> its text as stored."""

    def order_audit(self) -> tuple[AuditEntry, ...]:
        """All entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found.

    Attributes:
        entries: in the chain. first_break: number of the first entry that was altered or is missing, None for none.
        altered: ids of orders that are not as their last entry says. last_hash: of the chain, to be kept elsewhere.
    """

    entries: int
    first_break: int | None
    altered: tuple[str, ...]
    last_hash: str

    @property
    def whole(self) -> bool:
        """Nothing was altered."""
        return self.first_break is None and not self.altered

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.first_break is not None:
            return f"the audit is broken at entry {self.first_break} of {self.entries}: it was altered or taken out"
        if self.altered:
            return (
                f"{len(self.altered)} orders were altered outside the audit: {', '.join(each[:12] for each in self.altered[:5])}"
            )
        return f"the audit is whole: {self.entries} changes, the last one {self.last_hash}"


def verify_orders(store: AuditedStore) -> Verdict:
    """Look at the whole chain and at every order that it speaks of."""
    entries = store.order_audit()
    content = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in store.order_documents().items()}
    last_of = {entry.order: entry for entry in entries}
    altered = [name for name, entry in last_of.items() if content.get(name) != entry.content]
    return Verdict(
        entries=len(entries),
        first_break=first_break(entries),
        altered=tuple(altered),
        last_hash=entries[-1].hash if entries else GENESIS,
    )
