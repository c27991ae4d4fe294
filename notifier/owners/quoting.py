"""Quotes and the owner's answer to them: pure decisions over an order; whoever asks stores what comes back in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.findings import PlanLine
from domain.fleet import Dealer
from domain.orders import Order
from domain.quotes import Quote, QuotedPart, QuoteLine, QuoteMark, quote_hash
from notifier.orders.order_states import OrderEvent, OrderTransition, TransitionOutcome, transition

SIGNED_EVENTS = frozenset({OrderEvent.APPROVE, OrderEvent.APPROVE_PARTLY, OrderEvent.REJECT})
"""What an owner's answer does to an order; where there is a quote only its sign-off does."""


def plan_lines(order: Order, dealer: Dealer | None) -> tuple[QuoteLine, ...]:
    """The order's plan at the dealer's rates and our list prices: what a workshop starts its quote from."""
    return tuple(_plan_line(line, dealer) for line in order.recommendation.plan)


def _plan_line(line: PlanLine, dealer: Dealer | None) -> QuoteLine:
    return QuoteLine(
        line=line.line,
        operation=line.operation,
        description=line.description,
        labour_hours=line.labour_hours,
        labour_rate=dealer.labour_rate if dealer else "0.00",
        parts=tuple(
            QuotedPart(number=part.number, name=part.name, quantity=part.quantity, price=part.price, list_price=part.price)
            for part in line.parts
        ),
        pay_type=line.pay_type,
        covered_share="0" if line.pay_type == "customer" else "1",
        optional=line.optional,
    )


def with_quote(order: Order, quote: Quote, *, time_ns: int, actor: str, expected_version: int | None = None) -> OrderTransition:
    """The order with a new quote, which asks the owner anew whatever was agreed before."""
    asked = transition(
        order,
        OrderEvent.QUOTE,
        time_ns=time_ns,
        actor=actor,
        reason=_reason(f"quote {quote.version}", quote.note),
        expected_version=expected_version,
    )
    if asked.outcome is not TransitionOutcome.CHANGED:
        return asked
    mark = QuoteMark(version=quote.version, content=quote_hash(quote))
    return replace(asked, order=replace(asked.order, quote=mark))


class SignOffOutcome(StrEnum):
    """What became of the owner's answer."""

    SIGNED = "signed"
    NO_QUOTE = "no_quote"
    """The order has no quote, or not this one any more."""
    ALREADY_SIGNED = "already_signed"
    UNKNOWN_LINE = "unknown_line"
    NOT_ALLOWED = "not_allowed"
    """The order is in another state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """The order afterwards (unchanged unless SIGNED)."""

    outcome: SignOffOutcome
    order: Order


def sign_off(order: Order, quote: Quote, accepted: Collection[int], *, time_ns: int, wall_ns: int, actor: str) -> SignOff:
    """The owner accepts these lines of a quote and declines the others.

    Approved where every line that is not optional is accepted, rejected where none is at all, partly approved else. Who answered,
    when, to which version of the quote (by its hash) and which lines stands in the order and in the change's reason, hence in the audit.

    Args:
        time_ns: of the transition. wall_ns: when it was signed. actor: "owner", or who took the answer down.
    """
    mark = order.quote
    if mark is None or mark.version != quote.version or mark.content != quote_hash(quote):
        return SignOff(outcome=SignOffOutcome.NO_QUOTE, order=order)
    if mark.signed_by:
        return SignOff(outcome=SignOffOutcome.ALREADY_SIGNED, order=order)
    lines = {line.line: line for line in quote.lines}
    if not set(accepted) <= lines.keys():
        return SignOff(outcome=SignOffOutcome.UNKNOWN_LINE, order=order)
    yes = tuple(number for number in lines if number in accepted)
    no = tuple(number for number in lines if number not in accepted)
    event = _event(yes, [number for number in no if not lines[number].optional])
    words = f"quote {quote.version} ({mark.content[:16]}): accepted {_listed(yes)}; declined {_listed(no)}"
    asked = transition(order, event, time_ns=time_ns, actor=actor, reason=words)
    if asked.outcome is not TransitionOutcome.CHANGED:
        return SignOff(outcome=SignOffOutcome.NOT_ALLOWED, order=order)
    parts: Counter[str] = Counter()
    for number in yes:
        parts.update({part.number: part.quantity for part in lines[number].parts})
    signed = replace(mark, accepted=yes, declined=no, parts=tuple(sorted(parts.items())), signed_by=actor, signed_ns=wall_ns)
    return SignOff(outcome=SignOffOutcome.SIGNED, order=replace(asked.order, quote=signed))


def declined_work(order: Order, quote: Quote) -> tuple[QuoteLine, ...]:
    """Lines that the owner declined though the vehicle needs them."""
    declined = order.quote.declined if order.quote and order.quote.version == quote.version else ()
    return tuple(line for line in quote.lines if line.line in declined and not line.optional)


def _event(accepted: Collection[int], needed_but_declined: Collection[int]) -> OrderEvent:
    if not accepted:
        return OrderEvent.REJECT
    return OrderEvent.APPROVE_PARTLY if needed_but_declined else OrderEvent.APPROVE


def _listed(lines: Collection[int]) -> str:
    return ", ".join(map(str, lines)) or "nothing"


def _reason(what: str, note: str) -> str:
    return f"{what}: {note}" if note else what
