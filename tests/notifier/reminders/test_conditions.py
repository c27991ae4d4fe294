"""What sensors tell of parts: it can hasten an item, stretch it where the schedule says so, and never makes it due by one odd value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.care import Basis, DayUsage, OwnKind, OwnValue, ReminderReason, ReminderState, ScheduledItem
from notifier.reminders.documents import reminder_json
from tests.notifier.reminders.builders import DAY0, even_use, interval, schedule, scheduled
from tests.notifier.reminders.test_lifecycle import done, lived, states

HINTED = scheduled("battery", own=("battery_12v",), days=365.0)
SENSED = replace(scheduled("pads", own=("brake_pads",), distance_km=10_000.0), sensed=interval(distance_km=30_000.0))


def worn(name: str, share: float) -> OwnValue:
    return OwnValue(name=name, kind=OwnKind.CONDITION, remaining_share=1.0 - share)


def told(name: str, shares: dict[int, float], days: int = 300, km: float = 50.0) -> dict[int, DayUsage]:
    """Even use, and on some days a share worn."""
    usage = even_use(days, km)
    for day, share in shares.items():
        usage[DAY0 + day] = replace(usage[DAY0 + day], own_values=(worn(name, share),))
    return usage


def test_a_sign_of_wear_makes_an_item_due_before_its_time() -> None:
    usage = told("battery_12v", dict.fromkeys(range(40, 60), 1.1))
    _, changes = lived(schedule(HINTED), usage, DAY0 + 60)
    assert states(changes, "battery") == [(42, ReminderState.OVERDUE)]
    reminder = changes[0][1]
    assert (reminder.reason, reminder.basis) == (ReminderReason.CONDITION, Basis.CONDITION)
    assert reminder_json(reminder)["basis"] == "condition"
    assert reminder_json(reminder)["why"]["en"] == "a sensor tells that it is 110 % worn"


def test_one_odd_value_makes_nothing_due() -> None:
    usage = told("battery_12v", {**dict.fromkeys(range(20, 200), 0.1), 60: 1.5, 90: 1.5, 91: 0.1})
    assert states(lived(schedule(HINTED), usage, DAY0 + 200)[1], "battery") == []


def test_a_sign_of_wear_never_makes_an_item_due_later() -> None:
    usage = told("battery_12v", dict.fromkeys(range(15, 400), 0.0), days=400)
    _, changes = lived(schedule(HINTED), usage, DAY0 + 370)
    assert (365, ReminderState.DUE) in states(changes, "battery")
    assert changes[0][1].basis is Basis.SCHEDULE


def test_a_sign_that_goes_away_takes_its_reminder_back() -> None:
    usage = told("battery_12v", {**dict.fromkeys(range(20, 40), 1.0), **dict.fromkeys(range(40, 60), 0.0)})
    _, changes = lived(schedule(HINTED), usage, DAY0 + 60)
    assert states(changes, "battery") == [(22, ReminderState.DUE), (41, ReminderState.WITHDRAWN)]


def test_a_sensor_of_the_part_wins_over_the_schedule() -> None:
    usage = told("brake_pads", {day: day / 1000 for day in range(15, 400)}, days=400)
    _, changes = lived(schedule(SENSED), usage, DAY0 + 399)
    assert states(changes, "pads") == []  # by distance alone it would have been due on day 200


def test_what_a_sensor_tells_is_forecast_at_its_own_pace() -> None:
    usage = told("brake_pads", {day: day / 200 for day in range(15, 300)})
    _, changes = lived(schedule(SENSED), usage, DAY0 + 210)
    assert [state for _, state in states(changes, "pads")] == [ReminderState.DUE_SOON, ReminderState.DUE]
    reminder = changes[0][1]
    assert reminder.basis is Basis.CONDITION
    assert reminder.first_forecast.day - DAY0 == pytest.approx(200, abs=4)
    assert reminder.first_forecast.low <= DAY0 + 200 <= reminder.first_forecast.high


def test_a_sensor_that_falls_silent_leaves_the_schedule_in_force_and_nothing_overdue_at_once() -> None:
    usage = told("brake_pads", dict.fromkeys(range(15, 180), 0.1))
    state, changes = lived(schedule(SENSED), usage, DAY0 + 300)
    assert not [reminder for _, reminder in changes if reminder.due_day is not None]
    assert dict(state.items[0].used)["distance_km"] == pytest.approx((16 + 1) * 0.005 + 223 * 50 / 30_000 + 60 * 0.005, rel=0.02)


def test_new_pads_that_nobody_told_of_are_seen() -> None:
    usage = told("brake_pads", {day: day / 62 if day < 60 else 0.02 for day in range(15, 120)})
    state, changes = lived(schedule(SENSED), usage, DAY0 + 120)
    assert states(changes, "pads")[-1] == (61, ReminderState.DONE)
    assert changes[-1][1].reason is ReminderReason.RESET
    assert state.items[0].cycle == 1


def test_old_readings_do_not_ask_for_what_was_just_done() -> None:
    usage = told("battery_12v", dict.fromkeys(range(20, 120), 1.0))
    _, changes = lived(schedule(HINTED), usage, DAY0 + 100, completions=(done("battery", 30),))
    assert states(changes, "battery")[:2] == [(22, ReminderState.DUE), (30, ReminderState.DONE)]
    assert states(changes, "battery")[2][0] > 44  # two weeks later it is worn still


def test_the_vehicles_own_word_wins_over_a_sensor() -> None:
    both = scheduled("oil", own=("service", "oil_filter"), distance_km=10_000.0)
    usage = told("oil_filter", dict.fromkeys(range(20, 100), 1.0))
    for day in range(16, 100):
        usage[DAY0 + day] = replace(
            usage[DAY0 + day], own_values=(*usage[DAY0 + day].own_values, OwnValue(name="service", remaining_km=8_000.0))
        )
    assert states(lived(schedule(both), usage, DAY0 + 99)[1], "oil") == []


def test_a_condition_worked_out_from_use_is_said_to_be_so_and_needs_values_on_most_days() -> None:
    oil = replace(scheduled("oil", distance_km=10_000.0), measured=interval(oil_wear_rev=1e6, distance_km=30_000.0))
    _, changes = lived(schedule(oil), even_use(200, 50, oil_wear_rev=10_000.0), DAY0 + 101)
    assert {reminder.basis for _, reminder in changes} == {Basis.MEASURED}
    seldom = even_use(250, 50)
    for day in range(2, 250, 2):
        seldom[DAY0 + day] = replace(seldom[DAY0 + day], oil_wear_rev=10_000.0)
    _, changes = lived(schedule(oil), seldom, DAY0 + 205)
    assert (200, ReminderState.DUE) in states(changes, "oil")
    assert {reminder.basis for _, reminder in changes} == {Basis.SCHEDULE}


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from([HINTED, SENSED]),
    st.dictionaries(st.integers(1, 119), st.floats(0, 2), max_size=60),
    st.lists(st.integers(1, 119), max_size=3),
)
def test_whatever_sensors_say_an_item_has_one_reminder_and_every_due_one_is_told(
    item: ScheduledItem, shares: dict[int, float], serviced: list[int]
) -> None:
    completions = tuple(done(item.item.id, day, f"order-{day}") for day in serviced)
    state, changes = lived(schedule(item), told(item.item.own[0], shares, 120), DAY0 + 119, completions=completions)
    opened = [reminder.id for day, reminder in changes if reminder.opened_day == day and reminder.is_open]
    assert len(opened) == len(set(opened))
    assert len(state.reminders) <= 1
