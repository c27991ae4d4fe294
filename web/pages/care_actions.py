"""What the buttons beside a care reminder do: put it off for two weeks, or decline it."""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from web.api.reminders import SnoozeRequest, decline_reminder, snooze_reminder
from web.api.service import Served
from web.pages.alert_actions import Orderer
from web.pages.vehicle_page import day_text

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
SNOOZE_DAYS = 14


@router.post("/reminders/{reminder_id}/snooze")
def snooze(reminder_id: str, service: Served, orderer: Orderer) -> Response:
    """It comes back two weeks after the last day that was looked at."""
    known = service.store.reminder(reminder_id)
    state = None if known is None else service.store.care_state(known.vehicle)
    until = date.fromisoformat(day_text(0 if state is None else state.day)) + timedelta(days=SNOOZE_DAYS)
    return _back(snooze_reminder(reminder_id, SnoozeRequest(until=until), service, orderer))


@router.post("/reminders/{reminder_id}/decline")
def decline(reminder_id: str, service: Served, orderer: Orderer) -> Response:
    """It ends; its item is asked for again after a quarter of its interval."""
    return _back(decline_reminder(reminder_id, service, orderer))


def _back(reminder: dict[str, str]) -> Response:
    return RedirectResponse(f"/vehicles/{reminder['vehicle']}", 303)
