"""What the pages show of care."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.care import review_fleet
from domain.care import Enrolment, OwnKind, OwnValue, ReminderState
from domain.fleet import VaultEntry, Vehicle
from dtc_knowledge.maintenance import shipped_plans
from storage.memory_store import MemoryStore
from tests.notifier.reminders.builders import DAY0, even_use
from tests.web.pages.test_pages import shown, text
from tests.web.serving import client, stranger
from web.api.access import key_hash

PLANS = shipped_plans()


def served(days: int = 42, vehicle: Vehicle | None = None) -> MemoryStore:
    """A petrol car 3,000 km before its oil change, whose battery is weak after every night."""
    car = vehicle or Vehicle(id="car", powertrain="petrol", brand="Aurora", model="A3")
    store, use = MemoryStore(), even_use(days, 50.0, 27_000.0)
    weak = (OwnValue(name="battery_12v", kind=OwnKind.CONDITION, remaining_share=-0.1),)
    store.register([(car, VaultEntry(vehicle=car.id, vin="V"))])
    store.enrol_care([Enrolment(vehicle=car.id, day=DAY0, odometer_km=27_000.0, first_used_day=DAY0 - 400)])
    store.save_usage(car.id, [replace(each, own_values=weak) for each in use.values()])
    review_fleet(store, PLANS, DAY0 + days)
    return store


def page(path: str, store: MemoryStore, language: str = "en") -> str:
    with client(store, schedule_of=PLANS.schedule) as web:
        answer = web.get(path)
    assert answer.status_code == 200
    shown(answer.text, language)
    return text(answer.text, language)


def test_a_vehicles_page_says_what_is_due_why_and_when_the_rest_will_be() -> None:
    said = page("/vehicles/car", served())
    assert "Petrol cars · normal use · 350 km a week · 29,100 km · as of 2024-11-15" in said
    oil = said[said.index("Engine oil and filter") :][:170]
    assert "due soon" in oil
    assert "91 %" in oil
    assert "2024-12-03" in oil  # 900 km at 50 km a day
    assert "schedule 91 % of its interval is used up; it joins a visit" in oil
    battery = said[said.index("12 V battery test") :][:160]
    assert "overdue" in battery
    assert "a sensor or sign of wear a sensor tells that it is 110 % worn" in battery
    assert "Timing belt" not in said  # no such item in the plan of a petrol car
    assert "not yet" in said[said.index("Spark plugs") :][:40]


def test_it_says_the_same_in_chinese() -> None:
    said = page("/vehicles/car", served(), "zh")
    for words in ("保养计划", "机油与机油滤清器", "即将到期", "已逾期", "每周 350 公里", "传感器或磨损迹象"):
        assert words in said
    assert "Engine oil" not in said


def test_a_vehicle_without_care_alerts_or_orders_says_so() -> None:
    store = MemoryStore()
    store.register([(Vehicle(id="car"), VaultEntry(vehicle="car", vin="V"))])
    said = page("/vehicles/car", store)
    assert "No care is known of this vehicle yet" in said
    assert "Nothing is wrong." in said


def test_what_was_ordered_and_what_has_ended_is_shown() -> None:
    store = served()
    said = page("/vehicles/car", store)
    assert "Orders" in said
    seasonal = served(days=200)  # past the summer check and its end
    assert "expired" in page("/vehicles/car", seasonal)[-400:]


def test_all_open_reminders_are_listed_and_filtered() -> None:
    store = served()
    said = page("/reminders", store)
    assert "Engine oil and filter" in said
    assert "12 V battery test" in said
    overdue = page("/reminders?state=overdue", store)
    assert "12 V battery test" in overdue
    assert "Engine oil and filter" not in overdue
    assert "Nothing is due" in page("/reminders?state=snoozed", store)


def test_a_reminder_is_put_off_and_declined_by_its_buttons() -> None:
    store = served()
    (oil,) = [each.id for each in store.reminders() if each.item == "engine-oil"]
    with client(store, schedule_of=PLANS.schedule) as web:
        assert f'action="/reminders/{oil}/snooze"' in web.get("/vehicles/car").text
        answer = web.post(f"/reminders/{oil}/snooze")
        assert (answer.status_code, answer.headers["location"]) == (303, "/vehicles/car")
        off = store.reminder(oil)
        assert off is not None
        assert (off.state, off.snoozed_until) == (ReminderState.SNOOZED, DAY0 + 42 + 14)
        assert f'action="/reminders/{oil}/snooze"' not in web.get("/vehicles/car").text
        assert web.post(f"/reminders/{oil}/decline").status_code == 303
        assert web.post(f"/reminders/{oil}/decline").status_code == 409
        assert web.post("/reminders/nothing/snooze").status_code == 404


def test_who_may_only_read_has_no_buttons() -> None:
    store, readers = served(), {key_hash("reader"): ("read",)}
    (oil,) = [each.id for each in store.reminders() if each.item == "engine-oil"]
    with client(store, keys=readers, headers={"authorization": "Bearer reader"}, schedule_of=PLANS.schedule) as web:
        web.post("/sign-in", content="key=reader")
        seen = web.get("/vehicles/car")
        assert (seen.status_code, "/decline" in seen.text) == (200, False)
        assert web.post(f"/reminders/{oil}/decline").status_code == 403


@pytest.mark.parametrize("path", ["/vehicles/x", "/reminders"])
def test_hostile_names_stay_text(path: str) -> None:
    with client(served(vehicle=replace(stranger("x"), powertrain="petrol")), schedule_of=PLANS.schedule) as web:
        found = web.get(path).text
    assert "<script>alert" not in found
    assert "<img src=x" not in found


def test_an_unknown_vehicle_is_not_found() -> None:
    with client(MemoryStore()) as web:
        assert web.get("/vehicles/nobody").status_code == 404


def test_the_pages_take_a_key_where_keys_are_asked_for() -> None:
    with client(served(), keys={"hash": ("read",)}) as web:
        assert [web.get(path).status_code for path in ("/vehicles/car", "/reminders")] == [303, 303]
