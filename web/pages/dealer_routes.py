"""The dealer's portal: a dealer's key signs in, and sees and answers its own orders."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated

import pydantic
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Template

from web.api.access import Access, Caller
from web.api.orders import TransitionRequest, move_order, order_for
from web.api.outcomes import OutcomeRequest, report_outcome
from web.api.problems import Problem
from web.api.quotes import Labour, LineAsked, PartAsked, QuoteRequest, Words, make_quote
from web.api.service import Served, Service
from web.pages import dealer_page, dealer_words, words
from web.pages.alert_actions import Form
from web.pages.routes import SECURITY_HEADERS
from web.pages.visitors import SignInNeeded
from web.report.markup import both, environment

router = APIRouter(prefix="/dealer", include_in_schema=False, default_response_class=HTMLResponse)


def _dealer(request: Request) -> Caller:
    access: Access = request.app.state.access
    try:
        caller = access.caller(request, None)
    except Problem as problem:
        if problem.status == 401:
            raise SignInNeeded from problem
        raise
    if not caller.dealer:
        raise SignInNeeded
    return caller


DealerCaller = Annotated[Caller, Depends(_dealer)]


@router.get("")
def show(service: Served, caller: DealerCaller) -> Response:
    """Offers, bookings, today's visits."""
    view = dealer_page.gather(service.store, caller.dealer, service.clock())
    if view is None:
        raise SignInNeeded
    return _page("dealer.html.j2", 200, view=view)


@router.post("/orders/{order_id}/step")
def step(order_id: str, service: Served, caller: DealerCaller, form: Form) -> Response:
    """Accept, decline, book, and every further step."""

    def act() -> None:
        slot = form.get("slot")
        asked = TransitionRequest.model_validate(
            {"event": form.get("event"), "reason": form.get("reason", ""), "slot": int(slot) if slot else None}
        )
        move_order(order_id, asked, service, Response(), caller, if_match=form.get("version"), idempotency_key=None)

    return _done(act)


@router.post("/orders/{order_id}/quote")
def quote(order_id: str, service: Served, caller: DealerCaller, form: Form) -> Response:
    """A quote with the lines of the plan, or of the last quote, at the prices of the form."""

    def act() -> None:
        lines = _quoted_lines(service, caller, order_id, form)
        asked = QuoteRequest(tax_rate=form.get("tax_rate", ""), lines=lines, note=form.get("note", ""))
        make_quote(order_id, asked, service, Response(), caller, if_match=form.get("version"))

    return _done(act)


@router.post("/orders/{order_id}/outcome")
def outcome(order_id: str, service: Served, caller: DealerCaller, form: Form) -> Response:
    """What the repair found."""

    def act() -> None:
        asked = OutcomeRequest.model_validate(
            {"result": form.get("result"), "cause": form.get("cause", ""), "note": form.get("note", "")}
        )
        report_outcome(order_id, asked, service, caller)

    return _done(act)


def _quoted_lines(service: Service, caller: Caller, order_id: str, form: Form) -> list[LineAsked]:
    order = order_for(service, order_id, caller)
    view = dealer_page.gather(service.store, caller.dealer, service.clock())
    jobs = (*view.offers, *view.to_book, *view.today, *view.later) if view else ()
    planned = next((job.lines for job in jobs if job.order.id == order.id), ())
    return [
        LineAsked(
            line=line.line,
            operation=line.operation,
            description=Words(en=line.description.en, zh=line.description.zh),
            labour=Labour(hours=form.get(f"hours-{line.line}", ""), rate=form.get(f"rate-{line.line}", "")),
            parts=[
                PartAsked(
                    number=part.number,
                    name=Words(en=part.name.en, zh=part.name.zh),
                    quantity=part.quantity,
                    price=form.get(f"price-{line.line}-{number}", ""),
                    list_price=part.list_price,
                )
                for number, part in enumerate(line.parts)
            ],
            pay_type=line.pay_type,
            covered_share=line.covered_share,
            optional=line.optional,
        )
        for line in planned
    ]


def _done(act: Callable[[], None]) -> Response:
    """Do it, and show the portal again; what the API refuses is told on a page."""
    try:
        act()
    except Problem as problem:
        return _refused(problem.status)
    except (pydantic.ValidationError, ValueError):
        return _refused(422)
    return RedirectResponse("/dealer", 303, headers=SECURITY_HEADERS)


def _refused(status: int) -> Response:
    heading, advice = dealer_words.LABELS["not_done"], dealer_words.LABELS["not_done_do"]
    return _page("owner_message.html.j2", status, heading=heading, advice=advice, back="/dealer")


@cache
def _template(name: str) -> Template:
    labels = {**words.LABELS, **dealer_words.LABELS}
    own = {"say": lambda key: both(labels[key]), "dealer_words": dealer_words, "main_steps": dealer_page.MAIN_STEPS}
    return environment().get_template(f"pages/{name}", globals=own)


def _page(name: str, status: int, **shown: object) -> Response:
    page = _template(name).render(path="/dealer", session=True, visitor=None, **shown)
    return HTMLResponse(page, status, headers=SECURITY_HEADERS)
