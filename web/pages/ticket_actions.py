"""What the forms of the page of tickets do: close one with its result, make a wish for a visit an order."""

from __future__ import annotations

import pydantic
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from web.api.problems import Problem
from web.api.service import Served
from web.api.tickets import ResultRequest, close_ticket, order_visit
from web.pages.alert_actions import Form, Orderer

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.post("/tickets/{ticket_id}/result")
def close(ticket_id: str, service: Served, orderer: Orderer, form: Form) -> Response:
    """What came of it."""
    try:
        request = ResultRequest(result=form.get("result", ""), answer=form.get("answer", ""))
    except pydantic.ValidationError as problem:
        raise Problem(422, "form_invalid", "Choose a result; words have at most 1000 characters.") from problem
    close_ticket(ticket_id, request, service, orderer)
    return RedirectResponse("/tickets", 303)


@router.post("/tickets/{ticket_id}/visit")
def visit(ticket_id: str, service: Served, orderer: Orderer) -> Response:
    """An order for what the owner wishes."""
    order_visit(ticket_id, service, orderer)
    return RedirectResponse("/tickets", 303)
