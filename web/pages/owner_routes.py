"""The owner's pages: behind a link, without a sign-in. A link that opens nothing says so, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Template

from domain.findings import Text
from domain.owners import OwnerLink
from domain.quotes import QuotedPart
from domain.tickets import TicketKind
from web.api.access import Access, refuse_foreign_sites
from web.api.attachments import media_of
from web.api.owner_actions import answered, rated, slot_chosen, ticket_opened
from web.api.problems import Problem
from web.api.quotes import signed_off
from web.api.service import Served, Service
from web.pages import owner_page, owner_words, words
from web.pages.alert_actions import Form
from web.pages.owner_page import Deed, OwnerPage
from web.pages.routes import SECURITY_HEADERS
from web.report import formats
from web.report.markup import both, environment

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
LONGEST_TEXT = 500


@router.get("/o/{token}")
def show(token: str, service: Served) -> Response:
    """The order behind a link, and what may be done."""
    link, verdict = owner_page.opened(service, token)
    view = owner_page.gather(service, token, link, verdict) if link is not None and verdict.shows else None
    if view is None:
        return _message("bad_link", status=404)
    heading = view.order.recommendation.title if view.order else owner_words.LABELS["book"]
    offset_hours = view.dealer.utc_offset_hours if view.dealer else view.owner.utc_offset_hours
    ends = formats.local_span(view.link.due_ns, view.link.due_ns, offset_hours).split("–")[0].strip()
    return _page("owner.html.j2", 200, view=view, heading=heading, link_ends=ends)


@router.get("/o/{token}/media/{content}")
def show_media(token: str, content: str, service: Served) -> Response:
    """A photo or video of the order behind a link."""
    link, verdict = owner_page.opened(service, token)
    if link is None or not verdict.shows or not link.order:
        return _message("bad_link", status=404)
    return media_of(service, link.order, content)


@router.post("/o/{token}/sign")
def sign(token: str, request: Request, service: Served, form: Form) -> Response:
    """The answer to a quote, line by line."""

    def answer(view: OwnerPage) -> None:
        given = {item.line.line: form.get(f"line-{item.line.line}", "") for item in view.lines}
        if view.order is None or not set(given.values()) <= {"yes", "no"}:
            raise Problem(422, "form_invalid", "Answer every line.")
        accepted = [line for line, word in given.items() if word == "yes"]
        signed_off(service, view.order, view.link.version, accepted, actor="owner", link=view.link)

    return _done(request, service, token, Deed.SIGN, answer)


@router.post("/o/{token}/agree")
def agree(token: str, request: Request, service: Served, form: Form) -> Response:
    """Yes or no to a proposed visit."""

    def answer(view: OwnerPage) -> None:
        word = form.get("answer", "")
        if view.order is None or word not in ("yes", "no"):
            raise Problem(422, "form_invalid", "Choose one.")
        answered(service, view.order, word == "yes", view.link)

    return _done(request, service, token, Deed.AGREE, answer)


@router.post("/o/{token}/slot")
def choose_slot(token: str, request: Request, service: Served, form: Form) -> Response:
    """An appointment."""

    def choose(view: OwnerPage) -> None:
        assert view.order is not None
        chosen = form.get("slot", "")
        if chosen not in {str(start) for start, _ in view.choices}:
            raise Problem(422, "form_invalid", "Choose one of the times.")
        slot_chosen(service, view.order, int(chosen), view.link)

    return _done(request, service, token, Deed.SLOT, choose)


@router.post("/o/{token}/rate")
def rate(token: str, request: Request, service: Served, form: Form) -> Response:
    """Stars, recommendation and words."""

    def judge(view: OwnerPage) -> None:
        assert view.order is not None
        stars, nps = _number(form.get("stars", ""), 1, 5), _number(form.get("nps", ""), 0, 10)
        rated(service, view.order, stars, nps, form.get("text", "")[:LONGEST_TEXT], view.link)

    return _done(request, service, token, Deed.RATE, judge)


@router.post("/o/{token}/ask")
def ask(token: str, request: Request, service: Served, form: Form) -> Response:
    """A question to the workshop."""
    return _done(request, service, token, Deed.ASK, lambda view: _open(service, view, TicketKind.QUESTION, form, None))


@router.post("/o/{token}/complain")
def complain(token: str, request: Request, service: Served, form: Form) -> Response:
    """A complaint."""
    return _done(request, service, token, Deed.COMPLAIN, lambda view: _open(service, view, TicketKind.COMPLAINT, form, None))


@router.post("/o/{token}/book")
def book(token: str, request: Request, service: Served, form: Form) -> Response:
    """A wish for a visit."""
    return _done(request, service, token, Deed.BOOK, lambda view: _open(service, view, TicketKind.BOOKING, form, view.link))


def _open(service: Service, view: OwnerPage, kind: TicketKind, form: Form, link: OwnerLink | None) -> None:
    text = form.get("text", "")
    if not 0 < len(text) <= LONGEST_TEXT:
        raise Problem(422, "form_invalid", "Say what it is about, in at most 500 characters.")
    ticket_opened(service, kind, vehicle=view.link.vehicle, order=view.link.order, text=text, link=link)


def _done(request: Request, service: Service, token: str, deed: Deed, act: Callable[[OwnerPage], object]) -> Response:
    """Do it where the link allows it, and show the page again."""
    access: Access = request.app.state.access
    refuse_foreign_sites(request, loopback_only=access.open_access)
    link, verdict = owner_page.opened(service, token)
    view = owner_page.gather(service, token, link, verdict) if link is not None and verdict.shows else None
    if view is None:
        return _message("bad_link", status=404)
    try:
        if deed not in view.may:
            raise Problem(409, "not_now", "The link does not allow this, or not any more.")
        act(view)
    except Problem as problem:
        return _message("not_done", status=problem.status, back=f"/o/{token}")
    return RedirectResponse(f"/o/{token}", 303, headers=SECURITY_HEADERS)


def _number(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 2 or not least <= int(text) <= most:
        raise Problem(422, "form_invalid", "Choose one.")
    return int(text)


def _message(what: str, *, status: int, back: str = "") -> Response:
    heading, advice = owner_words.LABELS[what], owner_words.LABELS[f"{what}_do"]
    return _page("owner_message.html.j2", status, heading=heading, advice=advice, back=back)


@cache
def _template(name: str) -> Template:
    labels = {**words.LABELS, **owner_words.LABELS}
    tables = {"STATES": owner_words.STATES, "PAY_TYPES": owner_words.PAY_TYPES}
    own = {
        "say": lambda key: both(labels[key]),
        "said": lambda key, *values: both(_filled(labels[key], *values)),
        "own_word": lambda table, key: both(tables[table].get(key, Text(en=key, zh=key))),
        "money": owner_page.money,
        "percent": lambda share: f"{(Decimal(share) * 100).normalize():f}",
        "part_total": _part_total,
    }
    return environment().get_template(f"pages/{name}", globals=own)


def _filled(text: Text, *values: Any) -> Text:
    return Text(en=text.en.format(*values), zh=text.zh.format(*values))


def _part_total(part: QuotedPart) -> Decimal:
    return Decimal(part.price) * part.quantity


def _page(name: str, status: int, **shown: Any) -> Response:
    page = _template(name).render(path="/o", session=False, visitor=None, **shown)
    return HTMLResponse(page, status, headers=SECURITY_HEADERS)
