"""`/api/v1/orders/ID/statement`: what was done and is charged, against what was agreed; payments are told, not made."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from domain.orders import Order
from domain.quotes import Quote, QuoteLine
from domain.statements import Payment, Statement
from notifier.owners.statements import SETTLING, agreed_lines, differences, open_amounts, statement_json
from web.api.access import Orderer, OrderMover, OrderViewer
from web.api.orders import order_for, parties_of
from web.api.problems import Problem
from web.api.quotes import LineAsked, Money, Share, quoted_lines
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/orders", tags=["statements"])


class Reason(BaseModel, extra="forbid"):
    """Why a line comes to something else than was agreed."""

    line: Annotated[int, Field(ge=1, le=999)]
    reason: Annotated[str, Field(min_length=1, max_length=300)]


class StatementRequest(BaseModel, extra="forbid", json_schema_extra={"examples": [{}]}):
    """What was done. Without `lines` all that the owner signed for, as it was quoted; adjustments of a line stay with it."""

    lines: Annotated[list[LineAsked], Field(max_length=60)] | None = None
    tax_rate: Share | None = None
    reasons: Annotated[list[Reason], Field(max_length=120)] = []


class PaymentRequest(
    BaseModel,
    extra="forbid",
    json_schema_extra={"examples": [{"payer": "owner", "amount": "682.00", "provider": "till", "reference": "R-1042"}]},
):
    """Money that came in elsewhere."""

    payer: Literal["owner", "maker", "contract", "dealer"]
    amount: Money
    provider: Annotated[str, Field(min_length=1, max_length=60)]
    reference: Annotated[str, Field(min_length=1, max_length=100)]


@router.put(
    "/{order_id}/statement",
    responses={
        409: {"description": "the work is not done, or changed meanwhile"},
        422: {"description": "a difference without a reason"},
    },
)
def state_settlement(order_id: str, request: StatementRequest, service: Served, caller: OrderMover) -> dict[str, Any]:
    """State what an order comes to, or state it anew. Every line that differs from what was signed needs a reason."""
    order = order_for(service, order_id, caller)
    if order.state not in SETTLING:
        raise Problem(409, "work_not_done", f"An order that is {order.state!r} is not settled yet.", state=order.state)
    quote = signed_quote(service, order)
    agreed, (_, dealer) = agreed_lines(order, quote), parties_of(service, order, None)
    quoted_rate = quote.tax_rate if quote else "0.13"
    lines = agreed if request.lines is None else _with_adjustments(quoted_lines(request.lines, order, dealer), agreed)
    rate, reasons = request.tax_rate or quoted_rate, {each.line: each.reason for each in request.reasons}
    silent = [each.line for each in differences(agreed, lines, rate, quoted_rate, reasons) if not each.reason]
    if silent:
        raise Problem(422, "reason_missing", f"Say why line {silent[0]} comes to something else than was agreed.", lines=silent)
    known = service.store.paper(Statement, order.id)
    statement = Statement(
        order=order.id,
        version=known.version + 1 if known else 1,
        vehicle=order.vehicle,
        quote_version=quote.version if quote else 0,
        currency=quote.currency if quote else dealer.currency if dealer else "CNY",
        tax_rate=rate,
        lines=lines,
        author=caller.name,
        created_ns=service.clock(),
        reasons=tuple(sorted(reasons.items())),
        payments=known.payments if known else (),
    )
    _store(service, known, statement)
    return statement_json(statement, order, quote)


@router.get("/{order_id}/statement")
def show_statement(order_id: str, service: Served, caller: OrderViewer) -> dict[str, Any]:
    """The statement of an order: lines, shares by payer, differences from what was agreed, what came in and what is open."""
    order = order_for(service, order_id, caller)
    return statement_json(stated(service, order), order, signed_quote(service, order))


@router.post("/{order_id}/statement/payments", responses={409: {"description": "more than is open, or changed meanwhile"}})
def note_payment(order_id: str, request: PaymentRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """Note what came in. The same provider and reference again changes nothing."""
    order = order_for(service, order_id, caller)
    statement = stated(service, order)
    same = [each for each in statement.payments if (each.provider, each.reference) == (request.provider, request.reference)]
    if not same:
        if Decimal(request.amount) > open_amounts(statement).get(request.payer, Decimal(0)):
            raise Problem(409, "too_much", f"That is more than the {request.payer} still has to pay.")
        paid = Payment(**request.model_dump(), time_ns=service.clock())
        after = replace(statement, payments=(*statement.payments, paid))
        _store(service, statement, after)
        statement = after
    return statement_json(statement, order, signed_quote(service, order))


def stated(service: Service, order: Order) -> Statement:
    """The statement of this order.

    Raises:
        Problem: 404 where there is none yet.
    """
    found = service.store.paper(Statement, order.id)
    if found is None:
        raise Problem(404, "statement_unknown", "The order has no statement yet.")
    return found


def signed_quote(service: Service, order: Order) -> Quote | None:
    """The quote that the owner has answered, None where there is none."""
    mark = order.quote
    return service.store.paper(Quote, f"{order.id}:{mark.version}") if mark and mark.signed_by else None


def _store(service: Service, before: Statement | None, after: Statement) -> None:
    if not service.store.change_paper(before, after):
        raise Problem(409, "statement_changed", "The statement changed in the same moment; look again.")


def _with_adjustments(lines: tuple[QuoteLine, ...], agreed: tuple[QuoteLine, ...]) -> tuple[QuoteLine, ...]:
    known = {line.line: line.adjustments for line in agreed}
    return tuple(replace(line, adjustments=known.get(line.line, ())) for line in lines)
