"""`/api/v1/vehicles/ID/owner` and links for owners: how they want to be addressed, who looks after them, a change of owner."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from domain.consents import Consent, ConsentChannel, Purpose
from domain.owners import LinkPurpose, LinkState, Owner, OwnerLink
from domain.tickets import Ticket, TicketKind, TicketState, closed
from notifier.owners.links import new_link
from notifier.push.messages import rfc3339
from web.api.access import Integrator, Orderer, OrdererOrIntegrator, Reader
from web.api.orders import order_for
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1", tags=["owners"])
Hour = Annotated[int, Field(ge=0, le=24)]


class OwnerRequest(BaseModel):
    """How an owner wants to be addressed; names and addresses are kept in the vault and nowhere else."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"language": "zh", "quiet_from_hour": 21, "quiet_to_hour": 8, "channels": ["sms"]}]},
    )

    language: Annotated[str, Field(pattern="^(zh|en)$")] = "zh"
    quiet_from_hour: Hour = 21
    quiet_to_hour: Hour = 8
    utc_offset_hours: Annotated[float, Field(ge=-12, le=14)] = 8.0
    channels: Annotated[list[ConsentChannel], Field(max_length=7)] | None = None
    adviser: Annotated[str, Field(max_length=100)] = ""


class LinkRequest(BaseModel):
    """What a link is for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"purpose": "track"}]})

    purpose: LinkPurpose
    hours: Annotated[float, Field(gt=0, le=72)] = 72.0


@router.get("/vehicles/{vehicle_id}/owner")
def show_owner(vehicle_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """How the owner of a vehicle wants to be addressed; without a word of theirs as it is usual."""
    _known(service, vehicle_id)
    return _owner_json(service.store.paper(Owner, vehicle_id) or Owner(vehicle=vehicle_id))


@router.put("/vehicles/{vehicle_id}/owner")
def put_owner(vehicle_id: str, request: OwnerRequest, service: Served, _caller: OrdererOrIntegrator) -> dict[str, Any]:
    """Set how the owner wants to be addressed, and the adviser who looks after the car."""
    _known(service, vehicle_id)
    known = service.store.paper(Owner, vehicle_id) or Owner(vehicle=vehicle_id, created_ns=service.clock())
    owner = replace(
        known,
        language=request.language,
        quiet_from_hour=request.quiet_from_hour,
        quiet_to_hour=request.quiet_to_hour,
        utc_offset_hours=request.utc_offset_hours,
        channels=known.channels if request.channels is None else tuple(dict.fromkeys(request.channels)),
        adviser=request.adviser,
    )
    service.store.save_papers([owner])
    return _owner_json(owner)


@router.post("/vehicles/{vehicle_id}/ownership-changes", status_code=201)
def change_owner(vehicle_id: str, service: Served, caller: Integrator) -> dict[str, Any]:
    """The vehicle has another owner: every link ends, every consent is withdrawn, name and addresses are forgotten."""
    _known(service, vehicle_id)
    now_ns = service.clock()
    known = service.store.paper(Owner, vehicle_id) or Owner(vehicle=vehicle_id)
    links = service.store.papers(OwnerLink, vehicle=vehicle_id, state=(LinkState.OPEN, LinkState.USED))
    tickets = service.store.papers(Ticket, vehicle=vehicle_id, state=TicketState.OPEN)
    asked = [
        closed(each, result="owner_changed", answer="", by=caller.name, time_ns=now_ns, state=TicketState.CANCELLED)
        for each in tickets
        if each.author == "owner" or each.kind is TicketKind.FOLLOW_UP
    ]
    ended = [replace(link, state=LinkState.REVOKED) for link in links]
    stated = service.store.consents(vehicle_id)
    # one statement at least, so that the vehicle counts as a private owner's from now on
    ways = sorted({(Purpose.SERVICE, ConsentChannel.ORDER), *((each.purpose, each.channel) for each in stated)})
    after_ns = max([now_ns, *(each.time_ns + 1 for each in stated)])
    withdrawn = [
        Consent(vehicle=vehicle_id, purpose=purpose, channel=channel, given=False, time_ns=after_ns, by=caller.name)
        for purpose, channel in ways
    ]
    owner = Owner(vehicle=vehicle_id, tenure=known.tenure + 1, created_ns=now_ns)
    service.store.change_owner(owner, [*ended, *asked], withdrawn)
    return {**_owner_json(owner), "links_revoked": len(ended), "consents_withdrawn": len(withdrawn)}


@router.post("/orders/{order_id}/links", status_code=201)
def make_link(order_id: str, request: LinkRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """A link to an order for its owner, sent by whoever asks for it; its address is told this once."""
    order = order_for(service, order_id, caller)
    if request.purpose is LinkPurpose.BOOK:
        raise Problem(422, "link_purpose", "A link to book a visit is about a vehicle: ask for one there.")
    version = 0
    if request.purpose is LinkPurpose.QUOTE:
        if order.quote is None:
            raise Problem(409, "no_quote", "The order has no quote yet.")
        version = order.quote.version
    return _made(service, request, vehicle=order.vehicle, order=order.id, version=version)


@router.post("/vehicles/{vehicle_id}/links", status_code=201)
def make_vehicle_link(vehicle_id: str, request: LinkRequest, service: Served, _caller: Orderer) -> dict[str, Any]:
    """A link by which the owner of a vehicle asks for a visit."""
    _known(service, vehicle_id)
    if request.purpose is not LinkPurpose.BOOK:
        raise Problem(422, "link_purpose", "Links for other purposes than booking are about an order: ask for one there.")
    return _made(service, request, vehicle=vehicle_id, order="", version=0)


def _made(service: Service, request: LinkRequest, *, vehicle: str, order: str, version: int) -> dict[str, Any]:
    link = new_link(
        request.purpose,
        vehicle=vehicle,
        order=order,
        version=version,
        now_ns=service.clock(),
        lasts_ns=round(request.hours * 3600e9),
    )
    service.store.change_paper(None, link)  # the same one asked for again stays as it is
    return {"id": link.id, "purpose": link.purpose, "path": f"/o/{service.links.token(link)}", "ends": rfc3339(link.due_ns)}


def _known(service: Service, vehicle_id: str) -> None:
    if service.store.vehicle(vehicle_id) is None:
        raise Problem(404, "vehicle_unknown", "There is no vehicle of this id.")


def _owner_json(owner: Owner) -> dict[str, Any]:
    return {
        "vehicle": owner.vehicle,
        "language": owner.language,
        "quiet_from_hour": owner.quiet_from_hour,
        "quiet_to_hour": owner.quiet_to_hour,
        "utc_offset_hours": owner.utc_offset_hours,
        "channels": list(owner.channels),
        "adviser": owner.adviser,
        "tenure": owner.tenure,
    }
