"""Statements: totals that equal what the owner signed, or say line by line why not; shares by who pays; what is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.orders import Order
from domain.quotes import Quote, QuoteLine
from domain.statements import OWNER, PAYERS, Statement
from notifier.orders.order_states import OrderState
from notifier.owners.pricing import NOTHING, Amounts, line_amounts, sum_amounts
from notifier.push.messages import rfc3339, text_json

SETTLING = frozenset({OrderState.READY, OrderState.SETTLED, OrderState.CLOSED})
"""The work is done: what it comes to can be stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A line whose charge is not what was agreed: amounts due by all together, and why ("" where nobody has said)."""

    line: int
    agreed: Decimal
    charged: Decimal
    reason: str


def agreed_lines(order: Order, quote: Quote | None) -> tuple[QuoteLine, ...]:
    """The lines that the owner has signed for."""
    mark = order.quote
    if quote is None or mark is None or mark.version != quote.version:
        return ()
    return tuple(line for line in quote.lines if line.line in mark.accepted)


def differences(
    agreed: Sequence[QuoteLine], charged: Sequence[QuoteLine], tax_rate: str, quoted_tax_rate: str, reasons: Mapping[int, str]
) -> tuple[Difference, ...]:
    """The lines that come to something else than was agreed, by number; work that nobody agreed to, and agreed work left out, among them."""
    before = {line.line: _whole(line, quoted_tax_rate) for line in agreed}
    after = {line.line: _whole(line, tax_rate) for line in charged}
    return tuple(
        Difference(
            line=number,
            agreed=sum(before.get(number, {}).values(), NOTHING),
            charged=sum(after.get(number, {}).values(), NOTHING),
            reason=reasons.get(number, ""),
        )
        for number in sorted({*before, *after})
        if before.get(number) != after.get(number)
    )


def shares(lines: Sequence[QuoteLine], tax_rate: str) -> dict[str, Decimal]:
    """Payer -> amount; the owner is always there."""
    found: Counter[str] = Counter()
    for line in lines:
        found.update(_whole(line, tax_rate))
    return {payer: Decimal(found[payer]) + NOTHING for payer in sorted({OWNER, *found}) if payer == OWNER or found[payer]}


def _whole(line: QuoteLine, tax_rate: str) -> dict[str, Decimal]:
    """Who pays what of a line."""
    amounts = line_amounts(line, tax_rate)
    parts = {OWNER: amounts.due}
    if amounts.covered:
        payer = PAYERS.get(line.pay_type, OWNER)
        parts[payer] = parts.get(payer, NOTHING) + amounts.covered
    return parts


def open_amounts(statement: Statement) -> dict[str, Decimal]:
    """Payer -> what has not come in yet; negative where more came in."""
    due = shares(statement.lines, statement.tax_rate)
    for payment in statement.payments:
        due[payment.payer] = due.get(payment.payer, NOTHING) - Decimal(payment.amount)
    return due


def statement_json(statement: Statement, order: Order, quote: Quote | None) -> dict[str, Any]:
    """The statement with every amount."""
    totals = _total(statement.lines, statement.tax_rate)
    agreed = agreed_lines(order, quote)
    quoted_rate = quote.tax_rate if quote else statement.tax_rate
    found = differences(agreed, statement.lines, statement.tax_rate, quoted_rate, dict(statement.reasons))
    return {
        "order_id": statement.order,
        "version": statement.version,
        "quote_version": statement.quote_version or None,
        "currency": statement.currency,
        "tax_rate": statement.tax_rate,
        "author": statement.author,
        "created": rfc3339(statement.created_ns),
        "lines": [_line_json(line, statement.tax_rate) for line in statement.lines],
        "totals": totals.as_text(),
        "agreed_totals": _total(agreed, quoted_rate).as_text(),
        "equals_quote": not found,
        "differences": [
            {"line": each.line, "agreed": str(each.agreed), "charged": str(each.charged), "reason": each.reason} for each in found
        ],
        "paid_by": {payer: str(amount) for payer, amount in shares(statement.lines, statement.tax_rate).items()},
        "payments": [
            {
                "payer": each.payer,
                "amount": each.amount,
                "provider": each.provider,
                "reference": each.reference,
                "time": rfc3339(each.time_ns),
            }
            for each in statement.payments
        ],
        "open": {payer: str(amount) for payer, amount in open_amounts(statement).items()},
    }


def _total(lines: Sequence[QuoteLine], tax_rate: str) -> Amounts:
    return sum_amounts(line_amounts(line, tax_rate) for line in lines)


def _line_json(line: QuoteLine, tax_rate: str) -> dict[str, Any]:
    return {
        "line": line.line,
        "operation": line.operation,
        "description": text_json(line.description),
        "labour": {"hours": line.labour_hours, "rate": line.labour_rate},
        "parts": [
            {"number": part.number, "name": text_json(part.name), "quantity": part.quantity, "price": part.price}
            for part in line.parts
        ],
        "pay_type": line.pay_type,
        "covered_share": line.covered_share,
        "adjustments": [{"kind": each.kind, "offer": each.offer, "amount": each.amount} for each in line.adjustments],
        "amounts": line_amounts(line, tax_rate).as_text(),
    }
