"""`/api/v1/emerging`: root causes that come more often in one group of vehicles than in others."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from domain.emerging import EmergingCase, EmergingState, Group
from notifier.push.messages import rfc3339, text_json
from web.api.access import Orderer, Reader
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/emerging", tags=["emerging"])


class CloseRequest(BaseModel, extra="forbid", json_schema_extra={"examples": [{"note": "recall 2026-11 covers it"}]}):
    """Why the case is ended."""

    note: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("")
def list_cases(service: Served, _caller: Reader, state: EmergingState | None = None) -> dict[str, Any]:
    """All cases, the latest first."""
    cases = service.store.emerging_cases()
    return {"cases": [case_json(case) for case in cases if state in (None, case.state)]}


@router.get("/{case_id}")
def show_case(case_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """One case."""
    return case_json(case_of(service, case_id))


@router.post("/{case_id}/close", responses={409: {"description": "it changed at the same time; try again"}})
def close_case(case_id: str, request: CloseRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """End a case: its cause raises none of its group again. Closing a closed one changes nothing."""
    case = case_of(service, case_id)
    if case.state is EmergingState.CLOSED:
        return case_json(case)
    closed = replace(case, state=EmergingState.CLOSED, closed_by=caller.name, note=request.note)
    if not service.store.change_emerging((case,), (closed,)):
        raise Problem(409, "case_changed", "The case changed at the same time; try again.")
    return case_json(closed)


def case_of(service: Service, case_id: str) -> EmergingCase:
    """The case of this id.

    Raises:
        Problem: 404 where there is none.
    """
    case = service.store.emerging_case(case_id)
    if case is None:
        raise Problem(404, "case_unknown", "There is no case of this id.")
    return case


def case_json(case: EmergingCase) -> dict[str, Any]:
    """A case as the API tells it; a ratio without an end is null."""
    return {
        "id": case.id,
        "cause": case.cause,
        "title": text_json(case.title),
        "group": _group_json(case.group),
        "also": [_group_json(group) for group in case.also],
        "state": case.state.value,
        "opened": rfc3339(case.opened_ns),
        "updated": rfc3339(case.updated_ns),
        "vehicles": list(case.vehicles),
        "at_risk": case.at_risk,
        "expected": case.expected,
        "ratio": {
            name: value if isfinite(value) else None for name, value in zip(("low", "likely", "high"), case.ratio, strict=True)
        },
        "evidence": case.evidence,
        "weekly": list(case.weekly),
        "growth": case.growth,
        "closed_by": case.closed_by or None,
        "note": case.note or None,
    }


def _group_json(group: Group) -> dict[str, str]:
    return dict(group)
