"""`/api/v1/vehicles/ID/consents`: what a vehicle's owner has agreed to."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.consents import Consent, ConsentBasis, ConsentChannel, Purpose, consent_verdict
from notifier.push.messages import rfc3339
from web.api.access import OrdererOrIntegrator, Reader
from web.api.moments import moment_ns
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/vehicles", tags=["consents"])


class ConsentRequest(BaseModel):
    """A statement of the owner, or of the one who speaks for the owner."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"purpose": "service", "channel": "order", "given": True, "until": "2027-12-31T00:00:00Z"}]
        },
    )

    purpose: Purpose
    channel: ConsentChannel
    given: bool
    until: AwareDatetime | None = None
    basis: ConsentBasis = ConsentBasis.CONSENT
    by: Annotated[str, Field(min_length=1, max_length=100)] = "owner"


@router.get("/{vehicle_id}/consents")
def list_consents(vehicle_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """Every statement, and what holds now by purpose and channel. Without any, the vehicle is run by a fleet's operator, who agrees to all."""
    return _consents_json(service, vehicle_id)


@router.post("/{vehicle_id}/consents", status_code=201)
def state_consent(vehicle_id: str, request: ConsentRequest, service: Served, _caller: OrdererOrIntegrator) -> dict[str, Any]:
    """Give a consent or withdraw it. The first statement says that the vehicle has an owner: what was not agreed to is asked from then on."""
    if service.store.vehicle(vehicle_id) is None:
        raise Problem(404, "vehicle_unknown", "There is no vehicle of this id.")
    now_ns = service.clock()
    until_ns = None if request.until is None else moment_ns(request.until)
    if until_ns is not None and until_ns <= now_ns:
        raise Problem(422, "consent_ended", "A consent ends in the future; to withdraw one, send given: false.")
    consent = Consent(
        vehicle=vehicle_id,
        purpose=request.purpose,
        channel=request.channel,
        given=request.given,
        time_ns=now_ns,
        until_ns=until_ns if request.given else None,
        basis=request.basis,
        by=request.by,
    )
    service.store.add_consents([consent])
    return _consents_json(service, vehicle_id)


def _consents_json(service: Service, vehicle_id: str) -> dict[str, Any]:
    consents, now_ns = service.store.consents(vehicle_id), service.clock()
    stated = sorted({(each.purpose, each.channel) for each in consents})
    return {
        "owner": "private" if consents else "operator",
        "now": [
            {"purpose": purpose, "channel": channel, "verdict": consent_verdict(consents, purpose, channel, now_ns)}
            for purpose, channel in stated
        ],
        "statements": [
            {
                "purpose": each.purpose,
                "channel": each.channel,
                "given": each.given,
                "time": rfc3339(each.time_ns),
                "until": None if each.until_ns is None else rfc3339(each.until_ns),
                "basis": each.basis,
                "by": each.by,
            }
            for each in consents
        ],
    }
