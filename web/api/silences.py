"""`/api/v1/silences`: no orders of some alerts for a while."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from domain.silences import Silence
from notifier.push.messages import rfc3339
from web.api.access import Caller, Orderer, Reader
from web.api.moments import moment_ns
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/silences", tags=["silences"])
LONGEST_NS = 90 * 86_400 * 1_000_000_000
"""A silence is not a switch: who wants one for longer makes it again."""
Pattern = Annotated[str, Field(max_length=200)]


class SilenceRequest(
    BaseModel,
    extra="forbid",
    json_schema_extra={
        "examples": [{"model": "A3*", "source": "coolant_*", "ends": "2026-12-01T00:00:00Z", "reason": "test drives"}]
    },
):
    """Patterns with `*` and `?`, "" for any; at least one must be given."""

    vehicle: Pattern = ""
    source: Pattern = ""
    group: Pattern = ""
    model: Pattern = ""
    starts: AwareDatetime | None = None
    ends: AwareDatetime
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@router.post("", status_code=201)
def make_silence(request: SilenceRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """Silence what matches, from now or `starts` until `ends`. It hides and resolves nothing; matching alerts start no order."""
    return _silence_json(silence_of(request, service, caller))


def silence_of(request: SilenceRequest, service: Service, caller: Caller) -> Silence:
    """Make the silence that is asked for.

    Raises:
        Problem: 422 where it would silence everything, or its times make no sense.
    """
    now_ns = service.clock()
    starts_ns, ends_ns = now_ns if request.starts is None else moment_ns(request.starts), moment_ns(request.ends)
    if not any((request.vehicle.strip("*"), request.source.strip("*"), request.group.strip("*"), request.model.strip("*"))):
        raise Problem(422, "silence_of_everything", "Give a vehicle, source, group or model that is more than '*'.")
    if not starts_ns < ends_ns <= starts_ns + LONGEST_NS or ends_ns <= now_ns:
        raise Problem(422, "silence_times", "A silence ends in the future, after its start, and lasts at most 90 days.")
    silence = Silence(
        id=secrets.token_hex(16),
        starts_ns=starts_ns,
        ends_ns=ends_ns,
        author=caller.name,
        reason=request.reason,
        created_ns=now_ns,
        vehicle=request.vehicle,
        source=request.source,
        group=request.group,
        model=request.model,
    )
    service.store.save_silence(silence)
    return silence


@router.get("")
def list_silences(service: Served, _caller: Reader, *, ended: bool = False) -> dict[str, Any]:
    """Silences that have not ended, with `ended` all that ever were: who made and ended each, when and why."""
    now_ns = service.clock()
    found = service.store.silences(ending_after_ns=None if ended else now_ns)
    return {"silences": [_silence_json(each) for each in found if ended or each.ended_ns is None]}


@router.post("/{silence_id}/end")
def end_silence(silence_id: str, service: Served, caller: Orderer) -> dict[str, Any]:
    """End a silence now; doing it again changes nothing."""
    return _silence_json(ended_silence(silence_id, service, caller))


def ended_silence(silence_id: str, service: Service, caller: Caller) -> Silence:
    """End a silence now.

    Raises:
        Problem: 404 where there is none.
    """
    silence = service.store.silence(silence_id)
    if silence is None:
        raise Problem(404, "silence_unknown", "There is no silence of this id.")
    if silence.ended_ns is None and silence.ends_ns > service.clock():
        silence = replace(silence, ended_by=caller.name, ended_ns=service.clock())
        service.store.save_silence(silence)
    return silence


def _silence_json(silence: Silence) -> dict[str, Any]:
    return {
        "id": silence.id,
        "vehicle": silence.vehicle,
        "source": silence.source,
        "group": silence.group,
        "model": silence.model,
        "starts": rfc3339(silence.starts_ns),
        "ends": rfc3339(silence.ends_ns),
        "author": silence.author,
        "reason": silence.reason,
        "created": rfc3339(silence.created_ns),
        "ended_by": silence.ended_by or None,
        "ended": None if silence.ended_ns is None else rfc3339(silence.ended_ns),
    }
