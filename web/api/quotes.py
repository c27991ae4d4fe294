"""`/api/v1/orders/ID/quotes`: what the work costs, line by line, and the owner's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.findings import Text
from domain.fleet import Dealer
from domain.orders import Order
from domain.owners import LinkPurpose, LinkState, OwnerLink
from domain.quotes import Quote, QuotedPart, QuoteLine
from notifier.orders.order_states import TransitionOutcome
from notifier.owners.pricing import line_amounts, total_amounts
from notifier.owners.quoting import SignOff, SignOffOutcome, plan_lines, sign_off, with_quote
from notifier.push.messages import rfc3339, text_json
from notifier.push.outbox import order_events
from web.api.access import OrderMover, OrderViewer, QuoteSigner
from web.api.benefits import benefiting
from web.api.orders import conflict_with, not_allowed, order_answer, order_for, parties_of, seen_version
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/orders", tags=["quotes"])

Money = Annotated[str, StringConstraints(pattern=r"^\d{1,9}(\.\d{1,2})?$")]
Hours = Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,2})?$")]
Share = Annotated[str, StringConstraints(pattern=r"^(0(\.\d{1,4})?|1(\.0{1,4})?)$")]
"""A decimal string from 0 to 1."""
Word = Annotated[str, Field(min_length=1, max_length=100)]


class Words(BaseModel, extra="forbid"):
    """A text in both languages."""

    en: Annotated[str, Field(max_length=300)]
    zh: Annotated[str, Field(max_length=300)]


class PartAsked(BaseModel, extra="forbid"):
    """A part; without `list_price` it costs what is asked."""

    number: Word
    name: Words | None = None
    quantity: Annotated[int, Field(ge=1, le=999)] = 1
    price: Money
    list_price: Money | None = None


class Labour(BaseModel, extra="forbid"):
    """Hours and the rate per hour."""

    hours: Hours
    rate: Money


class LineAsked(BaseModel, extra="forbid"):
    """A line of a quote. Without a description that of the plan's line with this operation; `covered_share` is not the owner's."""

    line: Annotated[int, Field(ge=1, le=999)]
    operation: Word
    description: Words | None = None
    labour: Labour
    parts: Annotated[list[PartAsked], Field(max_length=50)] = []
    pay_type: Literal["customer", "warranty", "goodwill", "contract", "internal"] = "customer"
    covered_share: Share | None = None
    optional: bool = False


class QuoteRequest(BaseModel):
    """A quote before tax; without `lines` the order's plan at the dealer's rates and list prices."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "tax_rate": "0.13",
                    "note": "the hose is cracked too",
                    "lines": [
                        {
                            "line": 1,
                            "operation": "replace-water-pump",
                            "labour": {"hours": "2.4", "rate": "320.00"},
                            "parts": [{"number": "PC-PUMP", "quantity": 1, "price": "860.00", "list_price": "920.00"}],
                        }
                    ],
                }
            ]
        },
    )

    tax_rate: Share = "0.13"
    lines: Annotated[list[LineAsked], Field(min_length=1, max_length=60)] | None = None
    note: Annotated[str, Field(max_length=500)] = ""


class SignOffRequest(BaseModel, extra="forbid", json_schema_extra={"examples": [{"accepted": [1, 2]}]}):
    """The lines that the owner accepts; all others are declined."""

    accepted: Annotated[list[Annotated[int, Field(ge=1, le=999)]], Field(max_length=60)]


@router.post("/{order_id}/quotes", status_code=201, responses={409: {"description": "not allowed in this state"}})
def make_quote(
    order_id: str,
    request: QuoteRequest,
    service: Served,
    response: Response,
    caller: OrderMover,
    if_match: Annotated[str | None, Header(description="the version that was seen, as in the ETag")] = None,
) -> dict[str, Any]:
    """Give a quote, or another one in place of the last: the owner is asked anew, and links to the last one end."""
    expected = seen_version(if_match)
    order = order_for(service, order_id, caller)
    vehicle, dealer = parties_of(service, order, None)
    quote = Quote(
        order=order.id,
        version=len(service.store.papers(Quote, order=order.id)) + 1,
        vehicle=order.vehicle,
        currency=dealer.currency if dealer else "CNY",
        tax_rate=request.tax_rate,
        lines=benefiting(service, order, _lines(request, order, dealer)),
        author=caller.name,
        created_ns=service.clock(),
        note=request.note,
    )
    asked = with_quote(order, quote, time_ns=service.clock(), actor=caller.name, expected_version=expected)
    if asked.outcome is TransitionOutcome.VERSION_CONFLICT:
        raise conflict_with(order)
    if asked.outcome is TransitionOutcome.ILLEGAL:
        raise not_allowed(order, asked)
    pushes = order_events(asked.order, service.store.case(order.vehicle), vehicle, dealer)
    if not service.store.change_order(asked.order, order.version, pushes, papers=[quote, *_ended_links(service, order)]):
        raise conflict_with(order_for(service, order_id, caller))
    return {"quote": quote_json(quote, asked.order), **order_answer(service, asked.order, response)}


@router.get("/{order_id}/quotes")
def list_quotes(order_id: str, service: Served, caller: OrderViewer) -> dict[str, Any]:
    """Every quote of an order, first one first; the last one counts."""
    order = order_for(service, order_id, caller)
    return {"quotes": [quote_json(quote, order) for quote in service.store.papers(Quote, order=order_id)]}


@router.post("/{order_id}/quotes/{version}/sign-off", responses={409: {"description": "signed already, or not the last quote"}})
def sign_quote(
    order_id: str, version: int, request: SignOffRequest, service: Served, response: Response, caller: QuoteSigner
) -> dict[str, Any]:
    """Take down the owner's answer, as given on the telephone; an owner with a link answers there."""
    order = order_for(service, order_id, caller)
    signed = signed_off(service, order, version, request.accepted, actor=caller.name)
    return order_answer(service, signed, response)


def signed_off(
    service: Service, order: Order, version: int, accepted: list[int], *, actor: str, link: OwnerLink | None = None
) -> Order:
    """Record the answer to a quote; a link that was used for it is used up in the same transaction.

    Raises:
        Problem: 404, 409 or 422, and nothing is stored.
    """
    quote = service.store.paper(Quote, f"{order.id}:{version}")
    if quote is None:
        raise Problem(404, "quote_unknown", "The order has no quote of this version.")
    now_ns = service.clock()
    signed = sign_off(order, quote, accepted, time_ns=now_ns, wall_ns=now_ns, actor=actor)
    if signed.outcome is not SignOffOutcome.SIGNED:
        raise _refused(signed)
    vehicle, dealer = parties_of(service, order, None)
    pushes = order_events(signed.order, service.store.case(order.vehicle), vehicle, dealer)
    if not service.store.change_order(signed.order, order.version, pushes, papers=_ended_links(service, order, link)):
        raise conflict_with(order)
    return signed.order


def _refused(signed: SignOff) -> Problem:
    words = {
        SignOffOutcome.NO_QUOTE: (409, "There is a newer quote: look at that one."),
        SignOffOutcome.ALREADY_SIGNED: (409, "This quote has been answered already."),
        SignOffOutcome.UNKNOWN_LINE: (422, "The quote has no such line."),
        SignOffOutcome.NOT_ALLOWED: (409, f"An order that is {signed.order.state!r} waits for no answer."),
    }
    status, detail = words[signed.outcome]
    return Problem(status, signed.outcome.value, detail)


def _ended_links(service: Service, order: Order, used: OwnerLink | None = None) -> list[OwnerLink]:
    """Links to quotes of this order, none of which opens anything any more; the one in `used` has done its work."""
    links = service.store.papers(OwnerLink, order=order.id, state=LinkState.OPEN)
    return [
        replace(link, state=LinkState.USED if used is not None and link.id == used.id else LinkState.REVOKED)
        for link in links
        if link.purpose is LinkPurpose.QUOTE
    ]


def quote_json(quote: Quote, order: Order) -> dict[str, Any]:
    """A quote with every amount, as its owner and its dealer see it; `signed` only where it is the one that was answered."""
    mark = order.quote if order.quote and order.quote.version == quote.version else None
    return {
        "order_id": quote.order,
        "version": quote.version,
        "currency": quote.currency,
        "tax_rate": quote.tax_rate,
        "author": quote.author,
        "created": rfc3339(quote.created_ns),
        "note": quote.note,
        "lines": [_line_json(line, quote.tax_rate) for line in quote.lines],
        "totals": total_amounts(quote).as_text(),
        "accepted_totals": total_amounts(quote, mark.accepted).as_text() if mark and mark.signed_by else None,
        "accepted": list(mark.accepted) if mark and mark.signed_by else None,
        "declined": list(mark.declined) if mark and mark.signed_by else None,
        "signed": rfc3339(mark.signed_ns) if mark and mark.signed_by else None,
        "is_latest": mark is not None,
    }


def _line_json(line: QuoteLine, tax_rate: str) -> dict[str, Any]:
    return {
        "line": line.line,
        "operation": line.operation,
        "description": text_json(line.description),
        "labour": {"hours": line.labour_hours, "rate": line.labour_rate},
        "parts": [
            {
                "number": part.number,
                "name": text_json(part.name),
                "quantity": part.quantity,
                "price": part.price,
                "list_price": part.list_price,
            }
            for part in line.parts
        ],
        "pay_type": line.pay_type,
        "covered_share": line.covered_share,
        "optional": line.optional,
        "adjustments": [
            {"kind": each.kind, "offer": each.offer, "name": text_json(each.name), "amount": each.amount, "units": each.units}
            for each in line.adjustments
        ],
        "amounts": line_amounts(line, tax_rate).as_text(),
    }


def _lines(request: QuoteRequest, order: Order, dealer: Dealer | None) -> tuple[QuoteLine, ...]:
    planned = plan_lines(order, dealer)
    if request.lines is None:
        if not planned:
            raise Problem(422, "lines_missing", "The order has no plan: send the lines.")
        return planned
    return quoted_lines(request.lines, order, dealer)


def quoted_lines(asked: Sequence[LineAsked], order: Order, dealer: Dealer | None) -> tuple[QuoteLine, ...]:
    """Lines as a workshop writes them, described as in the order's plan where they do not say more.

    Raises:
        Problem: 422, two lines have the same number.
    """
    planned = plan_lines(order, dealer)
    numbers = [line.line for line in asked]
    if len(set(numbers)) != len(numbers):
        raise Problem(422, "line_doubled", "Two lines have the same number.")
    by_operation = {line.operation: line for line in planned}
    names = {part.number: part.name for line in planned for part in line.parts}
    return tuple(_line(line, by_operation.get(line.operation), names) for line in asked)


def _line(asked: LineAsked, planned: QuoteLine | None, names: Mapping[str, Text]) -> QuoteLine:
    described = planned.description if planned else Text(en=asked.operation, zh=asked.operation)
    share = "0" if asked.pay_type == "customer" else "1"
    return QuoteLine(
        line=asked.line,
        operation=asked.operation,
        description=_text(asked.description, described),
        labour_hours=asked.labour.hours,
        labour_rate=asked.labour.rate,
        parts=tuple(
            QuotedPart(
                number=part.number,
                name=_text(part.name, names.get(part.number) or Text(en=part.number, zh=part.number)),
                quantity=part.quantity,
                price=part.price,
                list_price=part.list_price or part.price,
            )
            for part in asked.parts
        ),
        pay_type=asked.pay_type,
        covered_share=share if asked.covered_share is None else asked.covered_share,
        optional=asked.optional,
    )


def _text(given: Words | None, otherwise: Text) -> Text:
    return otherwise if given is None else Text(en=given.en, zh=given.zh)
