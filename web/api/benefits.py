"""`/api/v1/vehicles/ID/benefits`: packages, extended warranties, coupons and points that a vehicle holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.benefits import Grant, GrantState, spent
from domain.orders import Order
from domain.quotes import Quote, QuoteLine
from notifier.orders.order_states import OPEN_STATES
from notifier.push.messages import rfc3339, text_json
from web.api.access import Orderer, Reader
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/vehicles", tags=["benefits"])


class GrantRequest(BaseModel):
    """A benefit for a vehicle; without `units` as many as the offer gives."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"offer": "welcome-coupon", "until": "2027-12-31T00:00:00Z"}]}
    )

    offer: Annotated[str, Field(max_length=100)]
    units: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    until: AwareDatetime


@router.get("/{vehicle_id}/benefits")
def list_benefits(vehicle_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """What the vehicle holds, and what there is to give."""
    grants = service.store.papers(Grant, vehicle=vehicle_id)
    offers = [
        {
            "id": offer.id,
            "kind": offer.kind,
            "name": text_json(offer.name),
            "operations": list(offer.operations),
            "share": offer.share,
            "amount": offer.amount or None,
            "units": offer.units,
        }
        for offer in service.benefits.offers()
    ]
    return {"benefits": [_grant_json(grant) for grant in grants], "offers": offers}


@router.post("/{vehicle_id}/benefits", status_code=201)
def grant_benefit(vehicle_id: str, request: GrantRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """Give a vehicle a benefit; quotes made from now on take it into account."""
    if service.store.vehicle(vehicle_id) is None:
        raise Problem(404, "vehicle_unknown", "There is no vehicle of this id.")
    offer = next((each for each in service.benefits.offers() if each.id == request.offer), None)
    if offer is None:
        raise Problem(422, "offer_unknown", f"There is no offer {request.offer!r}.")
    now_ns, until_ns = service.clock(), int(request.until.timestamp()) * 1_000_000_000
    if until_ns <= now_ns:
        raise Problem(422, "benefit_ended", "A benefit ends in the future.")
    grant = Grant(
        id=hashlib.sha256(f"{vehicle_id}/{offer.id}/{now_ns}".encode()).hexdigest()[:24],
        vehicle=vehicle_id,
        offer=offer.id,
        left=request.units or offer.units,
        author=caller.name,
        created_ns=now_ns,
        due_ns=until_ns,
    )
    service.store.change_paper(None, grant)
    return _grant_json(grant)


def benefiting(service: Service, order: Order, lines: Sequence[QuoteLine]) -> tuple[QuoteLine, ...]:
    """The lines of a quote with what the vehicle's benefits take off, less what its other open orders were promised."""
    grants = service.store.papers(Grant, vehicle=order.vehicle, state=GrantState.OPEN)
    if not grants:
        return tuple(lines)
    others = [each for each in service.store.orders(vehicle=order.vehicle, state=OPEN_STATES) if each.id != order.id]
    promised = [line for other in others for line in agreed_lines(service, other)]
    changed = {grant.id: grant for grant in spent(grants, promised)}
    return service.benefits.apply(lines, [changed.get(grant.id, grant) for grant in grants], service.clock())


def agreed_lines(service: Service, order: Order) -> tuple[QuoteLine, ...]:
    """Lines of an order's latest quote that were accepted, or may still be."""
    quote = None if order.quote is None else service.store.paper(Quote, f"{order.id}:{order.quote.version}")
    if quote is None or order.quote is None:
        return ()
    return tuple(line for line in quote.lines if not order.quote.signed_by or line.line in order.quote.accepted)


def used_benefits(service: Service, order: Order) -> tuple[Grant, ...]:
    """The vehicle's benefits less what the accepted work of a settled order took."""
    if order.quote is None:
        return ()
    return spent(service.store.papers(Grant, vehicle=order.vehicle), agreed_lines(service, order))


def _grant_json(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "offer": grant.offer,
        "left": grant.left,
        "state": grant.state,
        "until": rfc3339(grant.due_ns),
        "author": grant.author,
    }
