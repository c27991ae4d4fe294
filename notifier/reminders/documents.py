"""Reminders as JSON documents."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.care import DueForecast, Reminder
from notifier.push.messages import text_json
from notifier.reminders.visits import reason_text

_EPOCH = date(1970, 1, 1).toordinal()


def reminder_json(reminder: Reminder) -> dict[str, Any]:
    """The REMINDER document; days are dates (UTC), `used` is the share of the interval, 1 = due."""
    return {
        "id": reminder.id,
        "vehicle": reminder.vehicle,
        "item": reminder.item,
        "cycle": reminder.cycle,
        "title": text_json(reminder.title),
        "state": reminder.state.value,
        "reason": reminder.reason.value,
        "why": text_json(reason_text(reminder)),
        "used": round(reminder.used, 4),
        "use": reminder.use.value,
        "basis": reminder.basis.value,
        "opened": _date(reminder.opened_day),
        "changed": _date(reminder.changed_day),
        "due": _date(reminder.due_day),
        "snoozed_until": _date(reminder.snoozed_until),
        "forecast": _forecast_json(reminder.forecast),
        "first_forecast": _forecast_json(reminder.first_forecast),
    }


def _forecast_json(forecast: DueForecast) -> dict[str, Any]:
    return {
        "due": _date(forecast.day),
        "low": _date(forecast.low),
        "high": _date(forecast.high),
        "limit": forecast.quantity.value,
    }


def _date(day: int | None) -> str | None:
    return None if day is None else date.fromordinal(_EPOCH + day).isoformat()
