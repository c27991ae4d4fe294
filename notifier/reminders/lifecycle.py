"""One vehicle's care, day by day: a fold without clock and without memory beside `CareState`.

Days go in one by one, whole and in order, whatever parcels they came in; so the reminders do not depend on the cut. A reminder
goes forward only (due soon, due, overdue), is at most one per item and interval, and ends when the item is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.care import (
    Basis,
    Campaign,
    CareItem,
    CareState,
    Completion,
    DayUsage,
    DueForecast,
    Enrolment,
    ItemCare,
    Quantity,
    Reminder,
    ReminderReason,
    ReminderState,
    Schedule,
    ScheduledItem,
    Use,
)
from notifier.identity import reminder_id
from notifier.reminders import wear
from notifier.reminders.forecast import WINDOW_DAYS
from notifier.reminders.prospect import View
from notifier.reminders.severity import WINDOW_DAYS as USE_WINDOW_DAYS
from notifier.reminders.severity import hardships

LEAD_DAYS, LEAD_USED = 30, 0.6
"""A reminder opens when its item will be due within so many days and is used up so far (short intervals are gone in a month)."""
VISIT_DAYS, VISIT_USED = 60, 0.75
"""With a visit to be made anyway, an item used up so far and due within so many days joins it."""
OVERDUE_SHARE, OVERDUE_DAYS = 1.1, 30
"""A due item is overdue past so much of its interval, or after so many days."""
DECLINED_USED, DECLINED_QUIET_DAYS = 0.75, 30
MOST_KM_A_DAY = 2500.0
"""An odometer that leaps further was changed or misread; the distance driven counts then."""
DUE = 1.0 - 1e-6

_SAID = {Basis.OWN_VALUE: ReminderReason.OWN_VALUE, Basis.CONDITION: ReminderReason.CONDITION}
"""What somebody says, who may take it back."""
_RANK = {ReminderState.DUE_SOON: 0, ReminderState.DUE: 1, ReminderState.OVERDUE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class CareInputs:
    """What beside the use decides; each of it may name days that have not come yet.

    Attributes:
        schedule: of the vehicle. campaigns: that touch the days. completions: those not known to the state, in any order.
        visits: (first day, last day or None) of open service orders.
    """

    enrolment: Enrolment
    schedule: Schedule
    campaigns: Sequence[Campaign] = ()
    completions: Sequence[Completion] = ()
    visits: Sequence[tuple[int, int | None]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The state afterwards, and every reminder that changed, as it is now (each once)."""

    state: CareState
    changed: tuple[Reminder, ...]


def enrol(enrolment: Enrolment, schedule: Schedule) -> CareState:
    """The state of a vehicle at the end of the day of its enrolment."""
    return CareState(
        vehicle=enrolment.vehicle,
        enrolled_day=enrolment.day,
        day=enrolment.day,
        odometer_km=enrolment.odometer_km,
        items=tuple(sorted((wear.opening(item, enrolment) for item in schedule.items), key=lambda each: each.item)),
    )


def advance(state: CareState, inputs: CareInputs, usage: Mapping[int, DayUsage], until_day: int) -> Advanced:
    """The state at the end of `until_day`; days that are not in `usage` had no use, days at or before `state.day` are passed over."""
    changed: dict[str, Reminder] = {}
    for day in range(state.day + 1, until_day + 1):
        step = _Day(state, inputs, usage.get(day) or DayUsage(day=day))
        state = step.run()
        changed |= step.changed
    return Advanced(state=state, changed=tuple(changed[key] for key in sorted(changed)))


def travelled(state: CareState, usage: DayUsage) -> DayUsage:
    """The day with the distance that the odometer tells, where that is more than was seen driven and not absurd."""
    if usage.odometer_km is None or state.odometer_km is None:
        return usage
    leap = usage.odometer_km - state.odometer_km
    since = state.window[-1].day if state.window else state.enrolled_day
    if usage.distance_km < leap <= MOST_KM_A_DAY * max(1, usage.day - since):
        return replace(usage, distance_km=leap)
    return usage


class _Day:
    """One day of one vehicle."""

    def __init__(self, state: CareState, inputs: CareInputs, usage: DayUsage) -> None:
        self._state, self._inputs, self._day = state, inputs, usage.day
        self._usage = travelled(state, usage)
        self._open = {reminder.id: reminder for reminder in state.reminders}
        self.changed: dict[str, Reminder] = {}
        window = [day for day in state.window if usage.day - day.day < WINDOW_DAYS]
        if self._usage != DayUsage(day=usage.day):
            window.append(self._usage)
        self._window = tuple(window)
        recent = [day for day in window if usage.day - day.day < USE_WINDOW_DAYS]
        self._use = Use.SEVERE if hardships(recent, state.use, inputs.enrolment.use) else Use.NORMAL
        self._view = View(inputs.schedule, self._window, self._use, self._day, state.enrolled_day)

    def run(self) -> CareState:
        """The state at the end of the day."""
        known = {care.item: care for care in self._state.items}
        scheduled = {item.item.id: item for item in self._inputs.schedule.items}
        for name in sorted(known.keys() - scheduled.keys()):
            self._end_item(known.pop(name), ReminderState.WITHDRAWN, ReminderReason.PERSON)
        joins = self._visit_is_open()
        for name, item in sorted(scheduled.items()):
            care = known.get(name) or wear.opening(item, replace(self._inputs.enrolment, day=self._day))
            known[name] = self._item(item, care, joins)
        settled = self._campaigns()
        return replace(
            self._state,
            day=self._day,
            odometer_km=self._odometer(),
            window=self._window,
            use=self._use,
            items=tuple(known[name] for name in sorted(known)),
            reminders=tuple(self._open[key] for key in sorted(self._open)),
            settled=settled,
        )

    def _odometer(self) -> float | None:
        if self._usage.odometer_km is not None:
            return self._usage.odometer_km
        before = self._state.odometer_km
        return None if before is None else before + self._usage.distance_km

    def _visit_is_open(self) -> bool:
        """An open order, or a reminder of before this day that makes one."""
        ordered = any(first <= self._day and (last is None or self._day <= last) for first, last in self._inputs.visits)
        return ordered or any(reminder.state in _RANK for reminder in self._open.values())

    # -- scheduled items

    def _item(self, item: ScheduledItem, care: ItemCare, joins: bool) -> ItemCare:
        interval = wear.interval_of(item, care, self._use, self._window, self._day)
        care = wear.after_day(care, interval, self._usage)
        care, was_reset = wear.by_own_values(item, care, self._usage)
        if not wear.has_own_value(care, self._day):
            care, renewed = wear.by_condition(item, care, self._window, self._day)
            was_reset = was_reset or renewed
        if was_reset:
            self._end_item(care, ReminderState.DONE, ReminderReason.RESET)
            care = replace(care, cycle=care.cycle + 1, since_day=self._day, done=True, quiet_until=0)
        mine = [each for each in self._inputs.completions if each.item == item.item.id and each.day <= self._day]
        for completion in sorted(mine, key=lambda each: (each.day, each.id)):
            anew = wear.completed(item, care, completion, self._use, self._window, self._day)
            if anew is not None:
                self._end_item(care, ReminderState.DONE, ReminderReason.COMPLETED)
                care = anew
        return self._remind(item, care, joins)

    def _remind(self, item: ScheduledItem, care: ItemCare, joins: bool) -> ItemCare:
        seen = self._view.of(item, care)
        used = seen.used
        identifier = reminder_id(self._state.vehicle, item.item.id, str(care.cycle))
        known = self._open.get(identifier)
        if self._day < care.quiet_until and used < DUE:
            return care
        nearest = seen.forecast(with_bounds=False)
        ahead, basis = nearest.day - self._day, seen.basis(nearest)
        if known is None:
            reason = self._reason_to_open(used, ahead, joins, basis)
            if reason is not None:
                self._opened(identifier, item.item, care.cycle, reason, used, seen.forecast(), basis)
            return care
        said = known.basis if known.basis in _SAID else basis
        if used < DUE and said in _SAID and ahead > 2 * LEAD_DAYS and known.reason is not ReminderReason.VISIT:
            self._end(known, ReminderState.WITHDRAWN, _SAID[said])
            return replace(care, cycle=care.cycle + 1)
        self._moved(known, used, seen.forecast, basis)
        return care

    @staticmethod
    def _reason_to_open(used: float, ahead: int, joins: bool, basis: Basis) -> ReminderReason | None:
        if used >= DUE:
            return _SAID.get(basis, ReminderReason.REACHED)
        if ahead <= LEAD_DAYS and used >= LEAD_USED:
            return _SAID.get(basis, ReminderReason.FORECAST)
        return ReminderReason.VISIT if joins and used >= VISIT_USED and ahead <= VISIT_DAYS else None

    # -- reminders

    def _opened(
        self,
        identifier: str,
        item: CareItem,
        cycle: int,
        reason: ReminderReason,
        used: float,
        due: DueForecast,
        basis: Basis = Basis.SCHEDULE,
    ) -> None:
        state = self._state_at(used, due_day=self._day if used >= DUE else None)
        self._put(
            Reminder(
                id=identifier,
                vehicle=self._state.vehicle,
                item=item.id,
                cycle=cycle,
                state=state,
                reason=reason,
                title=item.title,
                opened_day=self._day,
                changed_day=self._day,
                first_forecast=due,
                forecast=due,
                used=round(used, 6),
                use=self._use,
                due_day=self._day if used >= DUE else None,
                basis=basis,
            )
        )

    def _state_at(self, used: float, due_day: int | None) -> ReminderState:
        if due_day is None:
            return ReminderState.DUE_SOON
        late = used >= OVERDUE_SHARE or self._day - due_day >= OVERDUE_DAYS
        return ReminderState.OVERDUE if late else ReminderState.DUE

    def _moved(self, known: Reminder, used: float, foretell: Callable[[], DueForecast], basis: Basis = Basis.SCHEDULE) -> None:
        """Forward only; a snoozed one comes back on its day, and not before."""
        due_day = known.due_day if known.due_day is not None or used < DUE else self._day
        if known.state is ReminderState.SNOOZED and self._day < (known.snoozed_until or 0):
            if due_day != known.due_day:
                self._put(replace(known, due_day=due_day))
            return
        state = self._state_at(used, due_day)
        if known.state is not ReminderState.SNOOZED and _RANK[state] <= _RANK[known.state]:
            return
        reason = ReminderReason.REACHED if due_day is not None else known.reason
        self._put(
            replace(
                known,
                state=state,
                reason=reason,
                changed_day=self._day,
                due_day=due_day,
                used=round(used, 6),
                use=self._use,
                forecast=foretell(),
                snoozed_until=None,
                basis=basis,
            )
        )

    def _put(self, reminder: Reminder) -> None:
        self._open[reminder.id] = self.changed[reminder.id] = reminder

    def _end_item(self, care: ItemCare, state: ReminderState, reason: ReminderReason) -> None:
        known = self._open.get(reminder_id(self._state.vehicle, care.item, str(care.cycle)))
        if known is not None:
            self._end(known, state, reason)

    def _end(self, known: Reminder, state: ReminderState, reason: ReminderReason) -> None:
        del self._open[known.id]
        self.changed[known.id] = replace(known, state=state, reason=reason, changed_day=self._day, snoozed_until=None)

    # -- campaigns

    def _campaigns(self) -> tuple[str, ...]:
        settled = []
        for campaign in self._inputs.campaigns:
            identifier = campaign_reminder_id(self._state.vehicle, campaign)
            known, ended = self._open.get(identifier), identifier in self._state.settled
            if self._day > campaign.until_day:
                if known is not None:
                    self._end(known, ReminderState.EXPIRED, ReminderReason.CAMPAIGN)
                continue
            if self._day < campaign.from_day:
                continue
            done = any(
                each.item == campaign.item.id and campaign.from_day <= each.day <= self._day for each in self._inputs.completions
            )
            if known is not None and done:
                self._end(known, ReminderState.DONE, ReminderReason.COMPLETED)
            if ended or done:
                settled.append(identifier)
            else:
                self._campaign(campaign, identifier, known)
        return tuple(sorted(settled))

    def _campaign(self, campaign: Campaign, identifier: str, known: Reminder | None) -> None:
        span = max(1, campaign.until_day - campaign.from_day)
        used = 1.0 if campaign.urgent else (self._day - campaign.from_day) / span
        due = DueForecast(
            day=campaign.from_day if campaign.urgent else campaign.until_day,
            low=campaign.from_day if campaign.urgent else campaign.until_day,
            high=campaign.until_day,
            quantity=Quantity.TIME,
        )
        if known is None:
            self._opened(identifier, campaign.item, campaign.repeats, ReminderReason.CAMPAIGN, used, due)
        else:
            self._moved(known, used, lambda: due)


def campaign_reminder_id(vehicle: str, campaign: Campaign) -> str:
    """Id of the reminder of a campaign: once a vehicle and year (or once at all)."""
    return reminder_id(vehicle, campaign.item.id, f"campaign {campaign.repeats}")
