"""How far an item is used up and when it will be due, as one day sees it: for the life cycle and for whoever looks at a vehicle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.care import (
    Basis,
    CareState,
    DayUsage,
    DueForecast,
    Interval,
    ItemCare,
    Quantity,
    Reminder,
    Schedule,
    ScheduledItem,
    Use,
)
from notifier.identity import reminder_id
from notifier.reminders import wear
from notifier.reminders.forecast import Pace, forecast, pace

_PACED = frozenset(Quantity) - {Quantity.TIME, Quantity.CONDITION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One item. `used`: share of its interval, 1 = due. `reminder`: the open one of it."""

    item: ScheduledItem
    used: float
    forecast: DueForecast
    basis: Basis
    reminder: Reminder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A vehicle's items by the day on which they will be due, and how it is used. `weekly_km`: its pace."""

    day: int
    use: Use
    weekly_km: float
    prospects: tuple[Prospect, ...]


class View:
    """What one day knows of a vehicle's use; works out paces once."""

    def __init__(self, schedule: Schedule, window: Sequence[DayUsage], use: Use, day: int, enrolled_day: int) -> None:
        self._schedule, self._window, self._use = schedule, window, use
        self._day, self._enrolled_day = day, enrolled_day
        self._paces: dict[Quantity, Pace] = {}

    def pace(self, quantity: Quantity) -> Pace:
        """Use in a week."""
        if quantity not in self._paces:
            expected = self._schedule.daily_km if quantity is Quantity.DISTANCE else 0.0
            self._paces[quantity] = pace(self._window, quantity, self._day, self._enrolled_day, expected)
        return self._paces[quantity]

    def of(self, item: ScheduledItem, care: ItemCare) -> ItemView:
        """One item."""
        interval = wear.interval_of(item, care, self._use, self._window, self._day)
        paces = {quantity: self.pace(quantity) for quantity, _ in interval.limits if quantity in _PACED}
        if interval.limits[-1][0] is Quantity.CONDITION:
            paces[Quantity.CONDITION] = wear.condition_pace(item, care, self._window)
        return ItemView(care, interval, paces, self._day)


class ItemView:
    """One item on one day."""

    def __init__(self, care: ItemCare, interval: Interval, paces: dict[Quantity, Pace], day: int) -> None:
        self._care, self._interval, self._paces, self._day = care, interval, paces, day
        self.used = wear.used_share(care, interval)

    def forecast(self, *, with_bounds: bool = True) -> DueForecast:
        """When it will be due; without bounds it is cheaper."""
        return forecast(self._interval, dict(self._care.used), self._paces, self._day, with_bounds=with_bounds)

    def basis(self, due: DueForecast) -> Basis:
        """What this forecast is worked out from."""
        if self._care.own_day is not None:
            return Basis.OWN_VALUE
        if due.quantity is Quantity.CONDITION:
            return Basis.CONDITION
        return Basis.MEASURED if due.quantity in wear.MEASURED else Basis.SCHEDULE


def outlook(state: CareState, schedule: Schedule) -> Outlook:
    """Every scheduled item as the state's last day sees it, the next due first."""
    view = View(schedule, state.window, state.use, state.day, state.enrolled_day)
    cares, open_ones = {care.item: care for care in state.items}, {each.id: each for each in state.reminders}
    found = []
    for item in schedule.items:
        care = cares.get(item.item.id)
        if care is None:
            continue  # new in the schedule: the next day takes it up
        seen = view.of(item, care)
        due = seen.forecast()
        reminder = open_ones.get(reminder_id(state.vehicle, care.item, str(care.cycle)))
        found.append(Prospect(item=item, used=seen.used, forecast=due, basis=seen.basis(due), reminder=reminder))
    found.sort(key=lambda each: (each.forecast.day, -each.used, each.item.item.id))
    return Outlook(day=state.day, use=state.use, weekly_km=view.pace(Quantity.DISTANCE).mean, prospects=tuple(found))
