from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.care import (
    CareState,
    Completion,
    DayUsage,
    DueForecast,
    Enrolment,
    ItemCare,
    KnownService,
    OwnValue,
    Quantity,
    Reminder,
    ReminderReason,
    ReminderState,
    Use,
)
from domain.findings import Text
from domain.records import Commit
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore
from tests.storage.databases import fresh_url
from tests.storage.examples import KEY

Care = SqlStore | MemoryStore
DAY = DayUsage(
    day=20_001, distance_km=41.5, odometer_km=27_041.5, trips=2, own_values=(OwnValue(name="service", remaining_km=900.0),)
)
DUE = DueForecast(day=20_030, low=20_021, high=20_043, quantity=Quantity.DISTANCE)


def reminder(identifier: str = "r1", state: ReminderState = ReminderState.DUE_SOON, opened_day: int = 20_001) -> Reminder:
    return Reminder(
        id=identifier,
        vehicle="car",
        item="engine-oil",
        cycle=0,
        state=state,
        reason=ReminderReason.FORECAST,
        title=Text(en="Engine oil", zh="机油"),
        opened_day=opened_day,
        changed_day=opened_day,
        first_forecast=DUE,
        forecast=DUE,
        used=0.91,
        use=Use.NORMAL,
    )


def state(day: int = 20_001) -> CareState:
    care = ItemCare(item="engine-oil", cycle=0, since_day=20_000, used=((Quantity.TIME, 1 / 3), (Quantity.DISTANCE, 0.91)))
    return CareState(vehicle="car", enrolled_day=20_000, day=day, window=(DAY,), items=(care,), reminders=(reminder(),))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Care:
    return MemoryStore() if request.param == "memory" else open_store(fresh_url(request.param, tmp_path), key=KEY)


def test_an_enrolment_is_made_once(store: Care) -> None:
    first = Enrolment(vehicle="car", day=20_000, odometer_km=27_000.0, history=(KnownService(item="coolant", day=19_000),))
    with store:
        store.enrol_care([first])
        store.enrol_care([replace(first, day=20_100)])
        assert store.enrolments() == (first,)


def test_a_day_of_use_is_replaced_and_forgotten(store: Care) -> None:
    with store:
        store.save_usage("car", [DAY, DayUsage(day=20_002)])
        store.save_usage("car", [replace(DAY, trips=3)])
        assert store.usage("car", 20_000) == {20_001: replace(DAY, trips=3), 20_002: DayUsage(day=20_002)}
        assert store.usage("car", 20_001) == {20_002: DayUsage(day=20_002)}
        assert store.usage("other", 0) == {}
        assert store.delete_usage(20_002) == 1
        assert list(store.usage("car", 0)) == [20_002]


def test_the_last_word_of_a_day_in_a_commit_counts_and_a_repeated_commit_changes_nothing(store: Care) -> None:
    changes = Commit(usage=(("car", replace(DAY, trips=1)), ("other", DAY), ("car", DAY)))
    with store:
        store.commit(changes)
        store.commit(changes)
        assert (store.usage("car", 0), store.usage("other", 0)) == ({DAY.day: DAY}, {DAY.day: DAY})


def test_a_completion_that_is_noted_stays(store: Care) -> None:
    done = Completion(id="order-1:engine-oil", vehicle="car", item="engine-oil", day=20_010)
    with store:
        store.save_completions([done])
        store.save_completions([replace(done, day=20_020)])
        assert store.completions("car", 20_000) == (done,)
        assert store.completions("car", 20_011) == store.completions("other", 0) == ()


def test_care_changes_only_where_nobody_else_changed_it(store: Care) -> None:
    with store:
        assert store.care_state("car") is None
        assert store.change_care(None, state(), [reminder()])
        assert not store.change_care(None, state(20_005), [reminder(state=ReminderState.DUE)])
        assert store.care_state("car") == state()
        assert store.reminder("r1") == reminder()
        assert store.change_care(state(), state(20_002), [reminder(state=ReminderState.DONE)])
        assert store.care_state("car") == state(20_002)
        assert store.reminder("r1") == reminder(state=ReminderState.DONE)


def test_reminders_are_listed_by_vehicle_and_state_the_latest_first(store: Care) -> None:
    three = [reminder("a"), reminder("b", ReminderState.DONE, 20_005), reminder("c", ReminderState.DUE, 20_003)]
    with store:
        store.change_care(None, state(), three)
        assert [each.id for each in store.reminders()] == ["b", "c", "a"]
        assert [each.id for each in store.reminders(limit=1, offset=1)] == ["c"]
        assert [each.id for each in store.reminders(state=[ReminderState.DUE, ReminderState.DUE_SOON])] == ["c", "a"]
        assert store.reminders(vehicle="other") == ()
        assert store.reminder("nothing") is None
