"""`/api/v1/orders/ID/outcome`: what the repair found, which moves the knowledge's shares of causes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from domain.orders import Order
from domain.repairs import RepairOutcome, RepairResult
from notifier.push.messages import rfc3339
from web.api.access import OrderMover
from web.api.orders import order_for
from web.api.problems import Problem
from web.api.service import Served

router = APIRouter(prefix="/api/v1/orders", tags=["orders"])


class OutcomeRequest(
    BaseModel,
    extra="forbid",
    json_schema_extra={
        "examples": [{"result": "found", "cause": "thermostat_stuck_closed", "note": "valve did not open at 95 °C"}]
    },
):
    """What was found. `cause`: an id of the order's root causes; without it the leading one."""

    result: RepairResult
    cause: Annotated[str, Field(max_length=100)] = ""
    note: Annotated[str, Field(max_length=500)] = ""


@router.post("/{order_id}/outcome", responses={422: {"description": "no such cause in the order; `causes` names them"}})
def report_outcome(order_id: str, request: OutcomeRequest, service: Served, caller: OrderMover) -> dict[str, Any]:
    """Say what the repair found. The latest report of an order counts, all are kept."""
    pattern, cause = _found(order_for(service, order_id, caller), request)
    outcome = RepairOutcome(
        order=order_id,
        result=request.result,
        pattern=pattern,
        cause=cause,
        author=caller.name,
        note=request.note,
        created_ns=service.clock(),
    )
    service.store.save_outcome(outcome)
    return {
        "order": order_id,
        "result": outcome.result.value,
        "pattern": pattern,
        "cause": cause,
        "author": outcome.author,
        "note": outcome.note,
        "created": rfc3339(outcome.created_ns),
    }


def _found(order: Order, request: OutcomeRequest) -> tuple[str, str]:
    """(pattern, cause) that was found, empty where none of ours was."""
    if request.result is not RepairResult.FOUND:
        return "", ""
    causes = {cause.id: cause.pattern for cause in reversed(order.recommendation.causes)}
    leading = order.recommendation.causes[0].id if order.recommendation.causes else ""
    cause = request.cause or leading
    if cause not in causes:
        raise Problem(422, "cause_unknown", f"The order names no cause {cause!r}.", causes=sorted(causes))
    return causes[cause], cause
