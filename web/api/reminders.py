"""`/api/v1/reminders`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from domain.care import CareState, Reminder, ReminderState
from notifier.reminders.answers import LONGEST_SNOOZE_DAYS, Answered, AnswerOutcome, decline, snooze
from notifier.reminders.documents import reminder_json
from web.api.access import Orderer, Reader
from web.api.paging import Limit, Offset, page
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/reminders", tags=["reminders"])
_EPOCH = date(1970, 1, 1)


class SnoozeRequest(BaseModel, extra="forbid", json_schema_extra={"examples": [{"until": "2026-12-01"}]}):
    """Until when a reminder is put off."""

    until: date


@router.get("")
def list_reminders(
    service: Served,
    _caller: Reader,
    state: Annotated[list[ReminderState] | None, Query()] = None,
    vehicle: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Care reminders, the latest opened first; `state` may be given several times."""
    found = service.store.reminders(vehicle=vehicle, state=state, limit=limit + 1, offset=offset)
    return page("reminders", found, [reminder_json(each) for each in found], limit=limit, offset=offset)


@router.get("/{reminder_id}")
def show_reminder(reminder_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """One reminder."""
    return reminder_json(_reminder(service, reminder_id))


@router.post("/{reminder_id}/snooze", responses={409: {"description": "it has ended"}, 422: {"description": "too far away"}})
def snooze_reminder(reminder_id: str, request: SnoozeRequest, service: Served, _caller: Orderer) -> dict[str, Any]:
    """Put a reminder off; it comes back on that day as far on as it is then."""
    until_day = (request.until - _EPOCH).days
    return _answer(service, reminder_id, lambda state: snooze(state, reminder_id, until_day))


@router.post("/{reminder_id}/decline", responses={409: {"description": "it has ended"}})
def decline_reminder(reminder_id: str, service: Served, _caller: Orderer) -> dict[str, Any]:
    """End a reminder; its item is asked for again after a quarter of its interval."""
    return _answer(service, reminder_id, lambda state: decline(state, reminder_id))


def _reminder(service: Service, reminder_id: str) -> Reminder:
    found = service.store.reminder(reminder_id)
    if found is None:
        raise Problem(404, "reminder_unknown", "There is no reminder of this id.")
    return found


def _answer(service: Service, reminder_id: str, answer: Callable[[CareState], Answered]) -> dict[str, Any]:
    known = _reminder(service, reminder_id)
    state = service.store.care_state(known.vehicle)
    answered = None if state is None else answer(state)
    if answered is None or answered.outcome is AnswerOutcome.NOT_OPEN or answered.reminder is None:
        raise Problem(409, "reminder_ended", "The reminder has ended.", state=known.state.value)
    if answered.outcome is AnswerOutcome.TOO_LONG:
        raise Problem(422, "snooze_too_long", f"A reminder is put off by 1 to {LONGEST_SNOOZE_DAYS} days.")
    if not service.store.change_care(state, answered.state, (answered.reminder,)):
        raise Problem(409, "reminder_changed", "The reminder changed in the same moment; look again.")
    return reminder_json(answered.reminder)
