"""Gathers what a vehicle's page shows: what is wrong, what is ordered, and what its maintenance plan asks for when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from domain.care import ENDED_REMINDERS, Reminder, ReminderState, Schedule, Use
from domain.findings import Alert, AlertState, Text
from domain.fleet import Vehicle
from domain.orders import Order
from domain.risk import RiskAssessment
from models.health import SystemHealth, champions, system_health
from notifier.orders.order_states import is_open
from notifier.reminders.prospect import Outlook, Prospect, outlook
from notifier.reminders.severity import WINDOW_DAYS, Hardship, hardships
from notifier.reminders.visits import reason_text
from web.api.ports import WebStore

ScheduleOf = Callable[[Vehicle], Schedule | None]
OPEN_REMINDERS = tuple(state for state in ReminderState if state not in ENDED_REMINDERS)
_EPOCH = date(1970, 1, 1).toordinal()
_ENDED_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """The care of one vehicle. `hardships`: why its use is severe. `seasonal`: open reminders of campaigns, which no plan holds."""

    schedule: Text
    outlook: Outlook
    hardships: tuple[Hardship, ...]
    odometer_km: float | None
    seasonal: tuple[Reminder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VehiclePage:
    """All that the page shows. `care` is None where no schedule fits or no day was looked at yet."""

    vehicle: Vehicle
    alerts: tuple[Alert, ...]
    orders: tuple[Order, ...]
    care: Care | None
    ended: tuple[Reminder, ...]
    health: tuple[SystemHealth, ...]
    risks: tuple[RiskAssessment, ...]


def gather(store: WebStore, vehicle_id: str, schedule_of: ScheduleOf) -> VehiclePage | None:
    """The page of a vehicle, None where nobody has heard of it.

    Raises:
        StorageError: the database failed.
    """
    vehicle = store.vehicle(vehicle_id)
    alerts = store.alerts(vehicle=vehicle_id, state=(AlertState.OPEN, AlertState.ACKNOWLEDGED), newest_first=True)
    if vehicle is None and not alerts:
        return None
    vehicle = vehicle or Vehicle(id=vehicle_id)
    risks = champions(store.latest_assessments(vehicle_id))
    return VehiclePage(
        vehicle=vehicle,
        alerts=alerts,
        orders=tuple(order for order in store.orders(vehicle=vehicle_id, newest_first=True) if is_open(order)),
        care=_care(store, vehicle, schedule_of(vehicle)),
        ended=store.reminders(vehicle=vehicle_id, state=ENDED_REMINDERS, limit=_ENDED_SHOWN),
        health=system_health(alerts, store.case(vehicle_id).recommendations, risks),
        risks=risks,
    )


def _care(store: WebStore, vehicle: Vehicle, schedule: Schedule | None) -> Care | None:
    state = store.care_state(vehicle.id)
    if state is None or schedule is None:
        return None
    seen = outlook(state, schedule)
    planned = {each.reminder.id for each in seen.prospects if each.reminder is not None}
    recent = [day for day in state.window if state.day - day.day < WINDOW_DAYS]
    why = hardships(recent, state.use, None) or (Hardship.DECLARED,)
    return Care(
        schedule=schedule.title,
        outlook=seen,
        hardships=why if state.use is Use.SEVERE else (),
        odometer_km=state.odometer_km,
        seasonal=tuple(reminder for reminder in state.reminders if reminder.id not in planned),
    )


def day_text(day: int) -> str:
    """A day number as a date."""
    return date.fromordinal(_EPOCH + day).isoformat()


def why(reminder: Reminder, now: Prospect | None = None) -> Text:
    """Why a reminder stands where it stands, with the figures of its last change or, where they are known, those of now."""
    return reason_text(reminder if now is None else replace(reminder, used=now.used, forecast=now.forecast, basis=now.basis))
