"""Quotes: what a workshop asks for each line of work, and what an order remembers of the owner's answer.

Money is a decimal string of the quote's currency before tax; how amounts are made of it stands in `notifier.owners.pricing`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from domain.findings import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedPart:
    """A part by our number; `price` is asked per piece, `list_price` is what it costs without any favour."""

    number: str
    name: Text
    quantity: int
    price: str
    list_price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What makes a line cheaper (`domain.benefits`).

    Attributes:
        kind: "package", "coupon", "points" or "warranty_extension". offer: id. amount: taken off before tax.
        grant, units: what it is taken from, and how much of it.
    """

    kind: str
    offer: str
    name: Text
    amount: str
    grant: str = ""
    units: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One operation with its price.

    Attributes:
        line: number, as the owner signs it off. labour_hours, labour_rate: decimal strings, rate per hour.
        pay_type: "customer", "warranty", "goodwill", "contract" or "internal": who bears `covered_share` (0 to 1, decimal string) of the line.
        optional: the vehicle is mended without it.
    """

    line: int
    operation: str
    description: Text
    labour_hours: str
    labour_rate: str
    parts: tuple[QuotedPart, ...] = ()
    pay_type: str = "customer"
    covered_share: str = "0"
    optional: bool = False
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A workshop's quote for one order; a changed one is a new version, and the owner is asked anew.

    Attributes:
        version: counts from 1 per order. tax_rate: decimal string ("0.13"). author: who made it. note: in the author's words.
        created_ns: wall time.
    """

    order: str
    version: int
    vehicle: str
    currency: str
    tax_rate: str
    lines: tuple[QuoteLine, ...]
    author: str
    created_ns: int
    note: str = ""

    @property
    def id(self) -> str:
        """Order and version."""
        return f"{self.order}:{self.version}"

    @property
    def state(self) -> str:
        """None: what became of it stands in the order."""
        return ""

    @property
    def due_ns(self) -> int:
        """None."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteMark:
    """What an order remembers of its latest quote, so that its audit holds what was agreed.

    Attributes:
        content: SHA-256 of the quote as it was shown (`quote_hash`). accepted, declined: line numbers.
        parts: (number, pieces) of the accepted lines.
        signed_by: "owner", or who took the answer down; "" while the owner has not answered. signed_ns: wall time.
    """

    version: int
    content: str
    accepted: tuple[int, ...] = ()
    declined: tuple[int, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()
    signed_by: str = ""
    signed_ns: int = 0


def quote_hash(quote: Quote) -> str:
    """SHA-256 over all that a quote says, 64 hex digits."""
    text = json.dumps(asdict(quote), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
