"""Settlement statements: what was done and is charged, beside what was agreed, and who pays. Paying itself happens elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from domain.quotes import QuoteLine

OWNER = "owner"
PAYERS = {"warranty": "maker", "goodwill": "maker", "contract": "contract", "internal": "dealer"}
"""Pay type of a line -> who bears its covered share; the owner pays the rest, and all of any other line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came in elsewhere: by whom, how much (decimal string), by which provider and under which reference. `time_ns`: wall time."""

    payer: str
    amount: str
    provider: str
    reference: str
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The settlement of one order; a corrected one is a new version.

    Attributes:
        quote_version: of the quote that was signed, 0 where there was none. lines: done and charged, prices before tax.
        reasons: (line, why it differs from what was agreed). author: who made it. created_ns: wall time. payments: what came in.
    """

    order: str
    version: int
    vehicle: str
    quote_version: int
    currency: str
    tax_rate: str
    lines: tuple[QuoteLine, ...]
    author: str
    created_ns: int
    reasons: tuple[tuple[int, str], ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def id(self) -> str:
        """One of each order: the latest version."""
        return self.order

    @property
    def state(self) -> str:
        """None: what is open follows from the payments."""
        return ""

    @property
    def due_ns(self) -> int:
        """None."""
        return 0
