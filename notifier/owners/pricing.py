"""What a quote comes to: exact decimals, rounded per line, so that every total is the sum of the amounts that are shown.

Of each line, each amount rounded half up to the hundredth as it is made:
labour = hours x rate; parts = sum of price x quantity; less the adjustments, never under nought; of that the covered share is borne by
the maker, dealer or insurer; tax is on the rest; due = rest + tax.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from decimal import Decimal

from domain.money import cents
from domain.quotes import Quote, QuoteLine

NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Of a line or of several.

    Attributes:
        list_parts: parts at list price. adjusted: what adjustments took off. covered: borne by others. tax: on what is left.
        due: what the owner pays.
    """

    labour: Decimal = NOTHING
    parts: Decimal = NOTHING
    list_parts: Decimal = NOTHING
    adjusted: Decimal = NOTHING
    covered: Decimal = NOTHING
    tax: Decimal = NOTHING
    due: Decimal = NOTHING

    def as_text(self) -> dict[str, str]:
        """Decimal strings by name."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def line_amounts(line: QuoteLine, tax_rate: str) -> Amounts:
    """What one line comes to."""
    labour = cents(Decimal(line.labour_hours) * Decimal(line.labour_rate))
    parts = sum((cents(Decimal(part.price) * part.quantity) for part in line.parts), NOTHING)
    wanted = sum((cents(Decimal(each.amount)) for each in line.adjustments), NOTHING)
    adjusted = min(wanted, labour + parts)
    net = labour + parts - adjusted
    covered = cents(net * Decimal(line.covered_share))
    tax = cents((net - covered) * Decimal(tax_rate))
    return Amounts(
        labour=labour,
        parts=parts,
        list_parts=sum((cents(Decimal(part.list_price) * part.quantity) for part in line.parts), NOTHING),
        adjusted=adjusted,
        covered=covered,
        tax=tax,
        due=net - covered + tax,
    )


def total_amounts(quote: Quote, lines: Collection[int] | None = None) -> Amounts:
    """The sum over these lines of a quote; None = all that are not optional."""
    chosen = (
        line_amounts(line, quote.tax_rate) for line in quote.lines if (not line.optional if lines is None else line.line in lines)
    )
    return sum_amounts(chosen)


def sum_amounts(amounts: Iterable[Amounts]) -> Amounts:
    """All of these together."""
    shown = list(amounts)
    return Amounts(**{field.name: sum((getattr(each, field.name) for each in shown), NOTHING) for field in fields(Amounts)})
