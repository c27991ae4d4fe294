from __future__ import annotations

from datetime import date, timedelta

from app.care import review_fleet
from domain.care import Enrolment
from domain.fleet import VaultEntry, Vehicle
from dtc_knowledge.maintenance import shipped_plans
from storage.memory_store import MemoryStore
from tests.notifier.reminders.builders import DAY0, even_use
from tests.web.serving import client
from web.api.access import key_hash

TODAY = DAY0 + 35
KEYED = "/api/v1/reminders"


def served() -> MemoryStore:
    store = MemoryStore()
    store.register([(Vehicle(id="car", powertrain="petrol"), VaultEntry(vehicle="car", vin="V"))])
    store.enrol_care([Enrolment(vehicle="car", day=DAY0, odometer_km=27_000.0)])
    store.save_usage("car", even_use(60, 50, 27_000.0).values())
    review_fleet(store, shipped_plans(), TODAY)
    return store


def day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def oil(store: MemoryStore) -> str:
    return next(each.id for each in store.reminders() if each.item == "engine-oil")


def test_reminders_are_listed_with_their_forecast() -> None:
    store = served()
    with client(store) as web:
        found = web.get(KEYED, params={"state": ["due_soon"], "vehicle": "car"}).json()
        shown = web.get(f"{KEYED}/{oil(store)}").json()
    assert shown in found["reminders"]
    assert found["next_offset"] is None
    assert shown["forecast"]["low"] <= shown["forecast"]["due"] <= shown["forecast"]["high"]
    assert (shown["due"], shown["title"]["zh"]) == (None, "机油与机油滤清器")


def test_a_reminder_is_put_off_and_then_declined_and_then_has_ended() -> None:
    store = served()
    with client(store) as web:
        address = f"{KEYED}/{oil(store)}"
        assert web.post(f"{address}/snooze", json={"until": day(TODAY + 200)}).status_code == 422
        off = web.post(f"{address}/snooze", json={"until": day(TODAY + 10)})
        assert (off.status_code, off.json()["state"], off.json()["snoozed_until"]) == (200, "snoozed", day(TODAY + 10))
        assert web.post(f"{address}/decline").json()["state"] == "declined"
        again = web.post(f"{address}/decline")
        assert (again.status_code, again.json()["state"]) == (409, "declined")


def test_an_unknown_reminder_is_not_found() -> None:
    with client(served()) as web:
        assert web.get(f"{KEYED}/nothing").status_code == web.post(f"{KEYED}/nothing/decline").status_code == 404


def test_answers_need_the_right_to_move_orders() -> None:
    store = served()
    with client(store, keys={key_hash("reader"): ["read"]}, headers={"x-api-key": "reader"}) as web:
        assert web.get(KEYED).status_code == 200
        assert web.post(f"{KEYED}/{oil(store)}/decline").status_code == 403
    assert store.reminder(oil(store)).is_open  # type: ignore[union-attr]  # it is there
