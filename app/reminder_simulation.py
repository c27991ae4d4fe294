"""Three years of a fleet in a minute: what reminders it gets, what they miss, and how far their forecasts are off."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from domain.care import (
    CareState,
    Completion,
    DayUsage,
    Enrolment,
    OwnKind,
    OwnValue,
    Quantity,
    Reminder,
    ReminderState,
    Schedule,
)
from domain.fleet import Vehicle
from dtc_knowledge.maintenance import MaintenancePlans
from notifier.reminders.answers import decline, snooze
from notifier.reminders.lifecycle import DUE, Advanced, CareInputs, advance, enrol
from simulator.usage import DRIVERS, Driver, days_of_use

START_DAY = 19_723
"""2024-01-01."""
DAYS_PER_YEAR = 365


@dataclass(slots=True)
class CarLife:
    """What one simulated car went through.

    Attributes:
        opened: reminders by id, as they opened. told: (day, reminder) of every change. reached: reminder id -> day on which it
            came due. done: (item, day) of every completion. missed: (item, day) due without a reminder. doubled: (item, day) with two.
            for_done: (item, day) of a reminder that opened within three days after its item was done.
    """

    driver: Driver
    opened: dict[str, Reminder] = field(default_factory=dict)
    told: list[tuple[int, Reminder]] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)
    done: list[tuple[str, int]] = field(default_factory=list)
    missed: list[tuple[str, int]] = field(default_factory=list)
    doubled: list[tuple[str, int]] = field(default_factory=list)
    for_done: list[tuple[str, int]] = field(default_factory=list)


class PadSensor:
    """Tells how far the brake pads are worn: evenly by distance, each set as long as its driver lets it last."""

    ITEM, READING = "brake-pads", "brake_pads"

    def __init__(self, odometer_km: float, chance: random.Random) -> None:
        self._chance, self._since_km = chance, odometer_km
        self._life_km = self._new_life()

    def told(self, usage: DayUsage) -> DayUsage:
        """The day with the sensor's reading."""
        gone = (usage.odometer_km or self._since_km) - self._since_km
        reading = OwnValue(name=self.READING, kind=OwnKind.CONDITION, remaining_share=round(1.0 - gone / self._life_km, 4))
        return replace(usage, own_values=(*usage.own_values, reading))

    def renew(self, odometer_km: float) -> None:
        """New pads."""
        self._since_km, self._life_km = odometer_km, self._new_life()

    def _new_life(self) -> float:
        return self._chance.uniform(20_000, 90_000)


class SimulatedCar:
    """A car, its care and its owner, who mostly comes when it is due, sometimes puts off, seldom declines."""

    def __init__(self, number: int, plans: MaintenancePlans, years: float, seed: int) -> None:
        self._driver = DRIVERS[number % len(DRIVERS)]
        self._chance = random.Random(seed * 100_003 + number)  # noqa: S311 - a simulation, no secret
        self._vehicle = Vehicle(id=f"car-{number:04d}", powertrain=self._driver.powertrain)
        odometer_km = round(self._chance.uniform(0, 90_000))
        age = round(odometer_km / 45)
        self._days = round(years * DAYS_PER_YEAR)
        self._enrolment = Enrolment(
            vehicle=self._vehicle.id, day=START_DAY, odometer_km=odometer_km, first_used_day=START_DAY - age
        )
        schedule = plans.schedule(self._vehicle)
        if schedule is None:
            raise LookupError(f"no schedule for {self._vehicle.powertrain}")
        self._schedule: Schedule = schedule
        self._campaigns = plans.campaigns(self._vehicle, START_DAY, START_DAY + self._days)
        stretch = days_of_use(self._driver, START_DAY + 1, self._days, odometer_km, self._chance.randrange(2**32))
        self.usage: dict[int, DayUsage] = {usage.day: usage for usage in stretch}
        self._state = enrol(self._enrolment, schedule)
        self._completions: list[Completion] = []
        self._visit: int | None = None
        planned = any(each.item.id == PadSensor.ITEM for each in schedule.items)
        self._pads = PadSensor(odometer_km, self._chance) if planned and number // len(DRIVERS) % 2 else None
        self.life = CarLife(driver=self._driver)

    def run(self) -> CarLife:
        """Live it, day by day."""
        for day in range(START_DAY + 1, START_DAY + self._days + 1):
            self._answer(day)
            recent = [each for each in self._completions if day - each.day < 30]
            inputs = CareInputs(enrolment=self._enrolment, schedule=self._schedule, campaigns=self._campaigns, completions=recent)
            advanced = advance(self._state, inputs, self._use(day), day)
            self._state = advanced.state
            self._note(advanced, day)
        return self.life

    def _use(self, day: int) -> dict[int, DayUsage]:
        usage = self.usage.get(day)
        if usage is None:
            return {}
        return {day: usage if self._pads is None else self._pads.told(usage)}

    def _answer(self, day: int) -> None:
        """The owner: a visit some days after a reminder opened, and then everything that is open is done."""
        waiting = [each for each in self._state.reminders if each.state is not ReminderState.SNOOZED]
        for reminder in waiting:
            if reminder.changed_day == day - 1 and reminder.state is ReminderState.DUE_SOON:
                luck = self._chance.random()
                if luck < 0.15:
                    answer = decline(self._state, reminder.id) if luck < 0.05 else snooze(self._state, reminder.id, day + 14)
                    self._state = answer.state
                    if answer.reminder is not None:
                        self.life.told.append((day, answer.reminder))
        if waiting and self._visit is None:
            self._visit = day + round(self._chance.uniform(2, 60))
        if self._visit is not None and day >= self._visit:
            self._visit = None
            for reminder in self._state.reminders:
                self._completions.append(
                    Completion(id=f"order-{day}:{reminder.item}", vehicle=self._vehicle.id, item=reminder.item, day=day)
                )
                self.life.done.append((reminder.item, day))
                if self._pads is not None and reminder.item == PadSensor.ITEM:
                    self._pads.renew(self._state.odometer_km or 0.0)

    def _note(self, advanced: Advanced, day: int) -> None:
        life = self.life
        for reminder in advanced.changed:
            life.told.append((day, reminder))
            if reminder.opened_day == day and reminder.is_open:
                life.opened.setdefault(reminder.id, reminder)
                if any(item == reminder.item and 0 <= day - done < 3 for item, done in life.done):
                    life.for_done.append((reminder.item, day))
            if reminder.due_day is not None:
                life.reached.setdefault(reminder.id, reminder.due_day)
        self._check(advanced.state, day)

    def _check(self, state: CareState, day: int) -> None:
        """By the shares alone, beside the life cycle: what is used up has a reminder, and nothing has two."""
        open_items = Counter(each.item for each in state.reminders)
        self.life.doubled += [(item, day) for item, count in open_items.items() if count > 1]
        for care in state.items:
            interval = next(each for each in self._schedule.items if each.item.id == care.item)
            limits = {Quantity.CONDITION, *(quantity for quantity, _ in interval.normal.limits)}
            due = any(share >= DUE for quantity, share in care.used if quantity in limits)
            if due and care.item not in open_items:
                self.life.missed.append((care.item, day))


def simulate(plans: MaintenancePlans, *, vehicles: int, years: float, seed: int) -> dict[str, Any]:
    """The figures of a fleet: counts, and the forecast error in days of reminders whose item came due later."""
    lives = [SimulatedCar(number, plans, years, seed).run() for number in range(vehicles)]
    pairs = [pair for life in lives for pair in _forecasts(life)]
    errors = [abs(reached - said.first_forecast.day) for said, reached in pairs]
    states = Counter(reminder.state.value for life in lives for _, reminder in life.told if not reminder.is_open)
    return {
        "vehicles": vehicles,
        "days": round(years * DAYS_PER_YEAR),
        "reminders": sum(len(life.opened) for life in lives),
        "by_basis": dict(sorted(Counter(each.basis.value for life in lives for each in life.opened.values()).items())),
        "ended": dict(sorted(states.items())),
        "completions": sum(len(life.done) for life in lives),
        "missed": sum(len(life.missed) for life in lives),
        "doubled": sum(len(life.doubled) for life in lives),
        "for_completed_work": sum(len(life.for_done) for life in lives),
        "without_warning": sum(said.due_day is not None for life in lives for said in life.opened.values()),
        "forecast": {
            "reached": len(pairs),
            "median_error_days": statistics.median(errors) if errors else None,
            "p90_error_days": statistics.quantiles(errors, n=10)[-1] if len(errors) > 1 else None,
            "bias_days": statistics.mean(reached - said.first_forecast.day for said, reached in pairs) if pairs else None,
            "within_interval": sum(said.first_forecast.low <= reached <= said.first_forecast.high for said, reached in pairs)
            / len(pairs)
            if pairs
            else None,
        },
    }


def _forecasts(life: CarLife) -> list[tuple[Reminder, int]]:
    """Reminders that foretold a day by use (time needs no foretelling) and then came due, with the day on which they did."""
    return [
        (said, life.reached[key])
        for key, said in life.opened.items()
        if key in life.reached and said.due_day is None and said.first_forecast.quantity.value != "days"
    ]
