from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.care import (
    Campaign,
    CareState,
    Completion,
    DayUsage,
    KnownService,
    OwnValue,
    Reminder,
    ReminderReason,
    ReminderState,
    Schedule,
    Use,
)
from domain.fleet import Vehicle
from dtc_knowledge.maintenance import shipped_plans
from notifier.reminders.answers import AnswerOutcome, decline, snooze
from notifier.reminders.lifecycle import CareInputs, advance, enrol
from simulator.usage import DRIVERS, days_of_use
from storage.record_json import from_json, to_json
from tests.notifier.reminders.builders import DAY0, enrolment, even_use, interval, item, schedule, scheduled

OIL = scheduled("oil", distance_km=10_000.0, days=365.0)


def lived(
    plan: Schedule,
    usage: dict[int, DayUsage],
    until: int,
    *,
    completions: tuple[Completion, ...] = (),
    campaigns: tuple[Campaign, ...] = (),
    visits: tuple[tuple[int, int | None], ...] = (),
    odometer_km: float = 0.0,
    **enrolled: object,
) -> tuple[CareState, list[tuple[int, Reminder]]]:
    """The state at the end, and (day, reminder) of every change."""
    who = enrolment(odometer_km, **enrolled)
    inputs = CareInputs(enrolment=who, schedule=plan, completions=completions, campaigns=campaigns, visits=visits)
    state, told = enrol(who, plan), []
    for day in range(DAY0 + 1, until + 1):
        advanced = advance(state, inputs, usage, day)
        state = advanced.state
        told += [(day, reminder) for reminder in advanced.changed]
    return state, told


def states(told: list[tuple[int, Reminder]], name: str) -> list[tuple[int, ReminderState]]:
    return [(day - DAY0, reminder.state) for day, reminder in told if reminder.item == name]


def done(name: str, day: int, order: str = "order-1") -> Completion:
    return Completion(id=f"{order}:{name}", vehicle="car", item=name, day=DAY0 + day)


def test_an_interval_by_distance_opens_in_time_is_due_on_the_day_it_is_reached_and_then_overdue() -> None:
    _, told = lived(schedule(OIL), even_use(250, 50), DAY0 + 250)
    assert states(told, "oil") == [
        (170, ReminderState.DUE_SOON),  # 1,500 km are left, 30 days at 50 km
        (200, ReminderState.DUE),
        (220, ReminderState.OVERDUE),  # 11,000 km
    ]


def test_time_counts_where_the_car_stands() -> None:
    _, told = lived(schedule(OIL), {}, DAY0 + 400)
    assert states(told, "oil") == [(335, ReminderState.DUE_SOON), (365, ReminderState.DUE), (395, ReminderState.OVERDUE)]


def test_the_forecast_tells_the_day_and_which_limit() -> None:
    _, told = lived(schedule(OIL), even_use(250, 50), DAY0 + 200)
    forecast = told[0][1].first_forecast
    assert (forecast.day - DAY0, forecast.quantity.value) == (200, "distance_km")
    assert forecast.low <= forecast.day <= forecast.high


def test_a_car_adopted_at_27_000_km_has_nothing_overdue() -> None:
    plan = shipped_plans().schedule(Vehicle(id="car", powertrain="petrol"))
    assert plan is not None
    state, told = lived(plan, {}, DAY0 + 1, odometer_km=27_000.0, first_used_day=DAY0 - 800)
    assert not [reminder for _, reminder in told if reminder.due_day is not None]
    oil = next(care for care in state.items if care.item == "engine-oil")
    assert {quantity.value: round(share, 2) for quantity, share in oil.used} == {"distance_km": 0.7, "days": 0.19}


def test_the_next_due_of_an_adopted_car_is_at_the_next_multiple_of_the_interval() -> None:
    _, told = lived(schedule(OIL), even_use(100, 100, 27_000), DAY0 + 60, odometer_km=27_000.0)
    assert (30, ReminderState.DUE) in states(told, "oil")


def test_a_known_service_counts_from_its_day_and_odometer() -> None:
    history = (KnownService(item="oil", day=DAY0 - 100, odometer_km=24_000.0),)
    _, told = lived(schedule(OIL), even_use(100, 100, 27_000), DAY0 + 80, odometer_km=27_000.0, history=history)
    assert (70, ReminderState.DUE) in states(told, "oil")


def test_a_completion_ends_the_reminder_and_begins_a_new_interval() -> None:
    state, told = lived(schedule(OIL), even_use(500, 50), DAY0 + 400, completions=(done("oil", 190),))
    assert states(told, "oil") == [
        (170, ReminderState.DUE_SOON),
        (190, ReminderState.DONE),
        (360, ReminderState.DUE_SOON),
        (390, ReminderState.DUE),
    ]
    assert len({reminder.id for _, reminder in told}) == 2
    assert state.items[0].cycle == 1


def test_a_completion_without_a_reminder_begins_a_new_interval_too() -> None:
    _, told = lived(schedule(OIL), even_use(300, 50), DAY0 + 300, completions=(done("oil", 100),))
    assert states(told, "oil") == [(270, ReminderState.DUE_SOON), (300, ReminderState.DUE)]


def test_a_completion_told_again_or_in_another_order_changes_nothing() -> None:
    both = (done("oil", 190, "a"), done("oil", 190, "b"))
    first = lived(schedule(OIL), even_use(300, 50), DAY0 + 300, completions=both)
    assert first == lived(schedule(OIL), even_use(300, 50), DAY0 + 300, completions=(both[1], both[0], both[0]))
    assert first[0].items[0].cycle == 1


def test_a_completion_told_ten_days_late_counts_from_its_own_day() -> None:
    usage, who = even_use(500, 50), enrolment()
    plan = schedule(OIL)
    state = advance(enrol(who, plan), CareInputs(enrolment=who, schedule=plan), usage, DAY0 + 200).state
    late = CareInputs(enrolment=who, schedule=plan, completions=(done("oil", 190),))
    state = advance(state, late, usage, DAY0 + 300).state
    in_time, _ = lived(plan, usage, DAY0 + 300, completions=(done("oil", 190),))
    assert dict(state.items[0].used) == pytest.approx(dict(in_time.items[0].used))


def test_a_turn_to_severe_use_never_makes_anything_overdue_at_once() -> None:
    plan = schedule(scheduled("oil", severe=interval(distance_km=5_000.0), distance_km=10_000.0))
    easy = even_use(100, 80)
    hard = even_use(60, 80, 8_000, DAY0 + 101, driving_s=4000.0, idle_s=4000.0)
    state, told = lived(plan, easy | hard, DAY0 + 140)
    assert state.use is Use.SEVERE
    due = next(day for day, word in states(told, "oil") if word is ReminderState.DUE)
    assert 105 < due < 125  # at 80 km a day it would have been day 125


def test_declared_use_wins() -> None:
    plan = schedule(scheduled("oil", severe=interval(distance_km=5_000.0), distance_km=10_000.0))
    _, told = lived(plan, even_use(120, 50), DAY0 + 120, use=Use.SEVERE)
    assert (100, ReminderState.DUE) in states(told, "oil")


def test_the_cars_own_value_wins_over_the_schedule() -> None:
    plan = schedule(scheduled("oil", own=("service",), distance_km=10_000.0))
    usage = even_use(120, 50)
    usage[DAY0 + 40] = replace(usage[DAY0 + 40], own_values=(OwnValue(name="service", remaining_km=1_000.0),))
    _, told = lived(plan, usage, DAY0 + 100)
    assert states(told, "oil") == [(40, ReminderState.DUE_SOON), (60, ReminderState.DUE), (80, ReminderState.OVERDUE)]
    assert told[0][1].reason is ReminderReason.OWN_VALUE


def test_an_own_value_that_is_set_back_completes_the_item() -> None:
    plan = schedule(scheduled("oil", own=("service",), distance_km=10_000.0))
    usage = even_use(120, 50)
    for day, left in ((40, 1_000.0), (50, 10_000.0)):
        usage[DAY0 + day] = replace(usage[DAY0 + day], own_values=(OwnValue(name="service", remaining_km=left),))
    _, told = lived(plan, usage, DAY0 + 100)
    assert states(told, "oil") == [(40, ReminderState.DUE_SOON), (50, ReminderState.DONE)]
    assert told[1][1].reason is ReminderReason.RESET


def test_a_measured_condition_stands_for_the_distance() -> None:
    oil = replace(OIL, normal=interval(distance_km=10_000.0), measured=interval(oil_wear_rev=1e6, distance_km=30_000.0))
    _, told = lived(schedule(oil), even_use(200, 50, oil_wear_rev=10_000.0), DAY0 + 120)
    assert (100, ReminderState.DUE) in states(told, "oil")


def test_what_would_be_due_soon_after_a_visit_joins_it() -> None:
    plan = schedule(OIL, scheduled("filter", distance_km=12_000.0))
    _, told = lived(plan, even_use(300, 50), DAY0 + 180)
    assert states(told, "filter") == [(180, ReminderState.DUE_SOON)]  # by itself on day 210; 60 days before it is due
    assert next(reminder.reason for _, reminder in told if reminder.item == "filter") is ReminderReason.VISIT


def test_an_open_order_draws_in_what_is_due_within_two_months() -> None:
    _, told = lived(schedule(OIL), even_use(300, 50), DAY0 + 169, visits=((DAY0 + 150, None),))
    assert states(told, "oil") == [(150, ReminderState.DUE_SOON)]


def test_a_snoozed_reminder_comes_back_on_its_day_as_far_on_as_it_is_then() -> None:
    plan, usage, who = schedule(OIL), even_use(300, 50), enrolment()
    inputs = CareInputs(enrolment=who, schedule=plan)
    state = advance(enrol(who, plan), inputs, usage, DAY0 + 180).state
    answer = snooze(state, state.reminders[0].id, DAY0 + 205)
    assert answer.outcome is AnswerOutcome.CHANGED
    assert advance(answer.state, inputs, usage, DAY0 + 204).state.reminders[0].state is ReminderState.SNOOZED
    back = advance(answer.state, inputs, usage, DAY0 + 205).state.reminders[0]
    assert (back.state, back.due_day) == (ReminderState.DUE, DAY0 + 200)


def test_a_snooze_must_end_within_three_months() -> None:
    plan, who = schedule(OIL), enrolment()
    state = advance(enrol(who, plan), CareInputs(enrolment=who, schedule=plan), even_use(300, 50), DAY0 + 180).state
    assert snooze(state, state.reminders[0].id, DAY0 + 500).outcome is AnswerOutcome.TOO_LONG
    assert snooze(state, state.reminders[0].id, DAY0 + 180).outcome is AnswerOutcome.TOO_LONG
    assert snooze(state, "nothing", DAY0 + 190).outcome is AnswerOutcome.NOT_OPEN


def test_a_declined_item_is_asked_for_again_after_a_quarter_of_its_interval() -> None:
    plan, usage, who = schedule(OIL), even_use(400, 50), enrolment()
    inputs = CareInputs(enrolment=who, schedule=plan)
    state = advance(enrol(who, plan), inputs, usage, DAY0 + 180).state
    answer = decline(state, state.reminders[0].id)
    assert answer.reminder is not None
    assert answer.reminder.state is ReminderState.DECLINED
    state = answer.state
    due = advance(state, inputs, usage, DAY0 + 230)
    assert [(each.state, each.due_day) for each in due.changed] == [(ReminderState.DUE, DAY0 + 230)]
    assert not advance(state, inputs, usage, DAY0 + 209).changed


def test_an_item_that_the_schedule_no_longer_has_is_withdrawn() -> None:
    plan, usage, who = schedule(OIL, scheduled("filter", days=365.0)), even_use(300, 50), enrolment()
    state = advance(enrol(who, plan), CareInputs(enrolment=who, schedule=plan), usage, DAY0 + 180).state
    other = CareInputs(enrolment=who, schedule=schedule(scheduled("filter", days=365.0)))
    after = advance(state, other, usage, DAY0 + 181)
    assert [(each.item, each.state) for each in after.changed] == [("oil", ReminderState.WITHDRAWN)]


def test_a_season_is_asked_once_a_year_and_expires() -> None:
    season = Campaign(item=item("winter"), from_day=DAY0 + 10, until_day=DAY0 + 40, repeats=2024)
    _, told = lived(schedule(OIL), {}, DAY0 + 60, campaigns=(season,))
    assert states(told, "winter") == [(10, ReminderState.DUE_SOON), (40, ReminderState.DUE), (41, ReminderState.EXPIRED)]


def test_a_recall_is_due_at_once_and_ends_when_it_is_done() -> None:
    recall = Campaign(item=item("recall"), from_day=DAY0 + 10, until_day=DAY0 + 400, urgent=True)
    _, told = lived(schedule(OIL), {}, DAY0 + 60, campaigns=(recall,), completions=(done("recall", 30),))
    assert states(told, "recall") == [(10, ReminderState.DUE), (30, ReminderState.DONE)]


def test_an_odometer_that_leaps_absurdly_is_not_believed() -> None:
    usage = even_use(10, 50)
    usage[DAY0 + 5] = replace(usage[DAY0 + 5], odometer_km=900_000.0)
    state, told = lived(schedule(OIL), usage, DAY0 + 10)
    assert not told
    assert dict(state.items[0].used)["distance_km"] == pytest.approx(0.05)


def test_distance_that_was_not_seen_driven_is_taken_from_the_odometer() -> None:
    usage = {DAY0 + 9: DayUsage(day=DAY0 + 9, distance_km=20.0, odometer_km=450.0)}
    state, _ = lived(schedule(OIL), usage, DAY0 + 10)
    assert dict(state.items[0].used)["distance_km"] == pytest.approx(0.045)


@settings(max_examples=8, deadline=None)
@given(
    driver=st.sampled_from(DRIVERS),
    seed=st.integers(0, 1000),
    cuts=st.sets(st.integers(1, 299), max_size=12),
    serviced=st.lists(st.integers(1, 300), max_size=4),
)
def test_no_cut_of_the_days_and_no_snapshot_changes_a_reminder(
    driver: object, seed: int, cuts: set[int], serviced: list[int]
) -> None:
    assert isinstance(driver, type(DRIVERS[0]))
    plan = shipped_plans().schedule(Vehicle(id="car", powertrain=driver.powertrain))
    assert plan is not None
    who = enrolment(41_000.0, first_used_day=DAY0 - 900)
    usage = {day.day: day for day in days_of_use(driver, DAY0 + 1, 300, 41_000.0, seed)}
    items = [each.item.id for each in plan.items]
    inputs = CareInputs(
        enrolment=who, schedule=plan, completions=tuple(done(items[n % len(items)], n, f"order-{n}") for n in serviced)
    )
    whole = advance(enrol(who, plan), inputs, usage, DAY0 + 300)
    state, changed = enrol(who, plan), {}
    for cut in [*sorted(cuts), 300]:
        parcel = {day: use for day, use in usage.items() if day <= DAY0 + cut}
        advanced = advance(from_json(CareState, to_json(state)), inputs, parcel, DAY0 + cut)
        state = advanced.state
        changed |= {each.id: each for each in advanced.changed}
    assert state == whole.state
    assert tuple(changed[key] for key in sorted(changed)) == whole.changed
