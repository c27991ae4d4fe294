"""`/api/v1/callbacks/DEALER`: signed answers of dealers' own systems, in the words of their system."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, Field, ValidationError

from domain.fleet import Dealer
from domain.orders import Order
from notifier.channels.signatures import is_signed
from notifier.orders.order_states import OrderEvent
from notifier.star.dms_adapter import ADAPTERS, event_of
from web.api.access import Caller
from web.api.orders import TransitionRequest, move_order, order_for
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/callbacks", tags=["callbacks"])
LONGEST = 64 * 1024
_STAR_EXAMPLE = {
    "service_order_id": "3f9d0c5b7a8e4c1d9e2f6a7b8c9d0e1f",
    "document_version": 3,
    "status": "DISPATCHED",
    "service_appointment": {"time_slots": [{"status": "CONFIRMED"}]},
    "note": "bay 4",
}
_PLAIN_EXAMPLE = {"order_id": "3f9d0c5b7a8e4c1d9e2f6a7b8c9d0e1f", "version": 3, "event": "accept", "reason": "free on Friday"}


class Callback(BaseModel, extra="forbid"):
    """What a system without an adapter sends: the same as to `/transitions`, with the order and the version that it has seen."""

    order_id: Annotated[str, Field(min_length=1, max_length=100)]
    version: Annotated[int, Field(ge=1, le=999_999_999)]
    event: OrderEvent
    reason: Annotated[str, Field(max_length=500)] = ""


async def _raw(request: Request) -> bytes:
    """The body as it came, which is what was signed."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise Problem(413, "too_long", f"A callback has at most {LONGEST} bytes.")
    return bytes(body)


@router.post(
    "/{dealer_id}",
    responses={
        401: {"description": "not signed by this dealer's secret, or not fresh"},
        409: {"description": "not allowed in this state"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "examples": {"star": {"value": _STAR_EXAMPLE}, "plain": {"value": _PLAIN_EXAMPLE}},
                }
            },
        },
        "security": [],
    },
)
def take_callback(
    dealer_id: str,
    service: Served,
    response: Response,
    body: Annotated[bytes, Depends(_raw)],
    webhook_id: Annotated[str, Header(max_length=200, description="the same for a callback that is sent again")] = "",
    webhook_timestamp: Annotated[str, Header(max_length=20)] = "",
    webhook_signature: Annotated[str, Header(max_length=2000)] = "",
) -> dict[str, Any]:
    """Move an order of this dealer by a signed message (Standard Webhooks, the secret that its pushes are signed with).

    A dealer whose system has an adapter (column `dms` of its row) sends that system's documents, such as STAR's ServiceOrder with the
    statuses that changed; any other sends `order_id`, `version`, `event` and `reason`. A message sent again with its `webhook-id` changes
    nothing.
    """
    dealer = next((each for each in service.store.dealers() if each.id == dealer_id), None)
    if dealer is None or not is_signed(
        _secret(service, dealer), webhook_id, webhook_timestamp, webhook_signature, body, service.clock()
    ):
        raise Problem(401, "not_signed", "Sign it as Standard Webhooks says, with this dealer's secret and the present time.")
    caller = Caller(name=f"dealer:{dealer.id}", scopes=frozenset(), dealer=dealer.id)
    asked = _understood(service, dealer, caller, body)
    return move_order(
        asked.order_id,
        TransitionRequest(event=asked.event, reason=asked.reason),
        service,
        response,
        caller,
        if_match=str(asked.version),
        idempotency_key=webhook_id,
    )


def _secret(service: Service, dealer: Dealer) -> str:
    try:
        return service.secret_of(dealer.secret_name)
    except KeyError:
        return ""


def _understood(service: Service, dealer: Dealer, caller: Caller, body: bytes) -> Callback:
    try:
        document = json.loads(body)
        if dealer.dms not in ADAPTERS:
            return Callback.model_validate(document)
        answer = ADAPTERS[dealer.dms].inward(document)
    except (ValueError, RecursionError) as problem:
        what = problem.errors()[0]["msg"] if isinstance(problem, ValidationError) else str(problem)[:200]
        raise Problem(422, "callback_not_understood", f"The callback is not understood: {what}.") from problem
    order = order_for(service, answer.order_id, caller)
    event = event_of(order, answer)
    if event is None:
        raise _meaningless(order, answer.statuses)
    version = order.version if answer.version is None else answer.version
    return Callback.model_construct(order_id=order.id, version=version, event=event, reason=answer.reason[:500])


def _meaningless(order: Order, statuses: tuple[tuple[str, str], ...]) -> Problem:
    said = ", ".join(f"{entity} {status}" for entity, status in statuses)
    return Problem(409, "answer_not_allowed", f"An order that is {order.state!r} takes no {said}.", state=order.state)
