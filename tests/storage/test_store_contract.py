"""What every store promises, run over memory, an SQLite file and, where one is given, PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import StorageError
from domain.findings import AlertState
from domain.ports import Outbox, Store
from domain.records import Commit, DriveProgress, SeenSequences, StageState, VehicleCase
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore
from tests.storage import examples
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY, OTHER_CAR, SECOND

AnyStore = MemoryStore | SqlStore


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    with open_store(fresh_url(request.param, tmp_path), key=KEY) as opened:
        yield opened


def test_it_is_a_store_and_an_outbox(store: AnyStore) -> None:
    as_store: Store = store
    as_outbox: Outbox = store
    assert as_store is as_outbox


def test_an_empty_store_answers_with_nothing(store: AnyStore) -> None:
    assert store.case(CAR) == VehicleCase(vehicle=CAR)
    assert store.vehicle(CAR) is None
    assert store.vault_entry(CAR) is None
    assert store.progress("drive-1") is None
    assert store.dead_letter("letter-1") is None
    assert (store.vehicles(), store.dealers(), store.orders(), store.alerts(), store.recommendations()) == ((),) * 5
    assert (store.states(CAR), store.seen(CAR), store.dead_letters(), store.outbox_events(), store.due(2**62, 10)) == ((),) * 5


def test_a_commit_is_read_back_as_it_was(store: AnyStore) -> None:
    changes = examples.everything()
    store.commit(changes)
    assert store.case(CAR) == changes.cases[0]
    assert store.states(CAR) == changes.states
    assert store.progress("drive-1") == changes.progress[0]
    assert store.outbox_events() == changes.outbox
    assert store.dead_letters() == changes.dead_letters
    assert store.dead_letter("letter-1") == changes.dead_letters[0]
    assert store.seen(CAR) == changes.seen
    assert store.orders() == changes.cases[0].orders
    assert store.recommendations() == changes.cases[0].recommendations


def test_a_repeated_commit_changes_nothing(store: AnyStore) -> None:
    store.commit(examples.everything())
    before = contents(store)
    store.commit(examples.everything())
    assert contents(store) == before


def test_a_later_commit_replaces_alerts_orders_states_and_progress(store: AnyStore) -> None:
    store.commit(examples.everything())
    case = VehicleCase(
        vehicle=CAR,
        alerts=(examples.alert(state=AlertState.RESOLVED, occurrences=9),),
        orders=(examples.order(version=2, state="accepted"),),
    )
    state = StageState(vehicle=CAR, stage="rules", version="v2", state=b"")
    progress = DriveProgress(drive="drive-1", vehicle=CAR, frames=800, finished=True)
    seen = SeenSequences(vehicle=CAR, boot_session=3, ranges=((0, 50),))
    store.commit(Commit(cases=(case,), states=(state,), progress=(progress,), seen=(seen,)))
    assert store.case(CAR) == dataclasses.replace(case, recommendations=(examples.recommendation(),))
    assert store.states(CAR) == (state,)
    assert store.progress("drive-1") == progress
    assert store.seen(CAR) == (seen,)


def test_what_a_later_case_leaves_out_stays(store: AnyStore) -> None:
    store.commit(examples.everything())
    store.commit(Commit(cases=(VehicleCase(vehicle=CAR, alerts=(examples.alert("alert-2", opened_s=300),)),)))
    assert [alert.id for alert in store.case(CAR).alerts] == ["alert-1", "alert-2"]
    assert len(store.case(CAR).orders) == 1


def test_order_states_are_kept_version_by_version(store: AnyStore) -> None:
    for version, state in ((1, "offered"), (2, "declined"), (2, "declined"), (3, "offered")):
        store.commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=(examples.order(version=version, state=state),)),)))
    assert store.order_states("order-1") == ((1, "offered"), (2, "declined"), (3, "offered"))
    assert store.order_states("unknown") == ()


def test_a_case_is_ordered_by_time_then_id_and_holds_one_vehicle(store: AnyStore) -> None:
    alerts = (examples.alert("b", opened_s=5), examples.alert("a", opened_s=5), examples.alert("c", opened_s=1))
    incidents = ("i-2", "i-1", "i-B")
    orders = (examples.order("y", created_s=3), examples.order("x", created_s=9), examples.order("Z", created_s=3))
    recommendations = tuple(examples.recommendation(incident) for incident in incidents)
    other = VehicleCase(
        vehicle=OTHER_CAR, alerts=(examples.alert("d", car=OTHER_CAR),), orders=(examples.order("w", car=OTHER_CAR),)
    )
    store.commit(Commit(cases=(VehicleCase(vehicle=CAR, alerts=alerts, recommendations=recommendations, orders=orders), other)))
    case = store.case(CAR)
    assert [alert.id for alert in case.alerts] == ["c", "a", "b"]
    assert [each.incident_id for each in case.recommendations] == ["i-1", "i-2", "i-B"]
    assert [order.id for order in case.orders] == ["Z", "y", "x"]
    assert [order.id for order in store.orders()] == ["Z", "y", "x", "w"]
    assert store.case(OTHER_CAR) == other


def test_alerts_are_found_by_vehicle_and_state(store: AnyStore) -> None:
    alerts = (examples.alert("open"), examples.alert("over", state=AlertState.RESOLVED))
    other = VehicleCase(vehicle=OTHER_CAR, alerts=(examples.alert("other", car=OTHER_CAR),))
    store.commit(Commit(cases=(VehicleCase(vehicle=CAR, alerts=alerts), other)))
    assert [alert.id for alert in store.alerts()] == ["open", "other", "over"]
    assert [alert.id for alert in store.alerts(vehicle=CAR)] == ["open", "over"]
    assert [alert.id for alert in store.alerts(state=AlertState.OPEN)] == ["open", "other"]
    assert [alert.id for alert in store.alerts(vehicle=CAR, state=AlertState.RESOLVED)] == ["over"]


def test_states_come_by_stage_and_for_one_vehicle_only(store: AnyStore) -> None:
    states = [
        StageState(vehicle=car, stage=stage, version="v", state=stage.encode())
        for car in (CAR, OTHER_CAR)
        for stage in ("rules", "Dtc", "models")
    ]
    store.commit(Commit(states=tuple(states)))
    assert [(state.vehicle, state.stage) for state in store.states(CAR)] == [(CAR, "Dtc"), (CAR, "models"), (CAR, "rules")]


def test_a_repeated_commit_does_not_send_a_delivered_push_again(store: AnyStore) -> None:
    store.commit(examples.everything())
    delivered = dataclasses.replace(examples.event(), state="delivered", attempts=1, due_ns=5)
    store.record(delivered)
    store.commit(examples.everything())
    assert store.outbox_events() == (delivered,)
    assert store.due(2**62, 10) == ()


def test_due_gives_pending_events_whose_time_has_come_oldest_first(store: AnyStore) -> None:
    due_s = {"d": 9, "c": 3, "b": 3, "a": 4, "later": 11}
    store.commit(Commit(outbox=tuple(examples.event(name, due_ns=second * SECOND) for name, second in due_s.items())))
    assert [event.id for event in store.due(10 * SECOND, 10)] == ["b", "c", "a", "d"]
    assert [event.id for event in store.due(10 * SECOND, 3)] == ["b", "c", "a"]
    assert [event.id for event in store.due(9 * SECOND - 1, 10)] == ["b", "c", "a"]
    for name, state in (("b", "failed"), ("c", "cancelled")):
        store.record(dataclasses.replace(examples.event(name, due_ns=1), state=state))
    assert [event.id for event in store.due(10 * SECOND, 10)] == ["a", "d"]


def test_recording_a_delivery_changes_only_the_delivery(store: AnyStore) -> None:
    store.commit(Commit(outbox=(examples.event(),)))
    attempt = dataclasses.replace(examples.event(), due_ns=7, attempts=2, state="failed", last_error="503\x00")
    store.record(dataclasses.replace(attempt, body="forged", recipient="someone else", type="x", subject="y", channel="z"))
    (stored,) = store.outbox_events()
    assert dataclasses.replace(stored, last_error="") == dataclasses.replace(attempt, last_error="")
    assert stored.last_error.startswith("503")


def test_recording_an_unknown_event_is_an_error(store: AnyStore) -> None:
    with pytest.raises(StorageError, match="push-1 is not in the database"):
        store.record(examples.event())


def test_dead_letters_are_listed_in_file_order_and_kept_once(store: AnyStore) -> None:
    letters = tuple(
        examples.dead_letter(f"{n}", position=p, origin=o) for n, p, o in ((1, 10, "b"), (2, 9, "b"), (3, 99, "a"), (4, 100, "a"))
    )
    store.commit(Commit(dead_letters=letters))
    store.commit(Commit(dead_letters=(dataclasses.replace(letters[0], reason="other"),)))
    assert [letter.id for letter in store.dead_letters()] == ["3", "4", "2", "1"]
    assert store.dead_letter("1") == letters[0]


def test_a_replayed_dead_letter_can_be_dropped_once(store: AnyStore) -> None:
    store.commit(examples.everything())
    assert store.delete_dead_letter("letter-1")
    assert not store.delete_dead_letter("letter-1")
    assert store.dead_letters() == ()


def test_a_dead_letter_may_hold_what_no_text_may(store: AnyStore) -> None:
    letter = dataclasses.replace(
        examples.dead_letter(), detail="byte \x00 and \udcff", origin="\udce9.log", content=bytes(range(256))
    )
    store.commit(Commit(dead_letters=(letter,)))
    assert [found.content for found in store.dead_letters()] == [letter.content]


def test_vehicles_vault_entries_and_dealers_are_kept_and_replaced(store: AnyStore) -> None:
    store.register(
        [(examples.vehicle(), examples.vault()), (examples.vehicle(OTHER_CAR), examples.vault(OTHER_CAR, "LSVAA4182E2999999"))]
    )
    moved = dataclasses.replace(examples.vehicle(), odometer_km=70_000.0)
    store.register([(moved, dataclasses.replace(examples.vault(), owner_name="李强"))])
    assert store.vehicle(CAR) == moved
    assert [vehicle.id for vehicle in store.vehicles()] == sorted((CAR, OTHER_CAR))
    assert store.vault_entry(CAR) == dataclasses.replace(examples.vault(), owner_name="李强")
    store.save_dealers([examples.dealer("b"), examples.dealer("B")])
    store.save_dealers([dataclasses.replace(examples.dealer("b"), capacity_per_day=2)])
    assert store.dealers() == (examples.dealer("B"), dataclasses.replace(examples.dealer("b"), capacity_per_day=2))


def test_a_device_leads_to_its_vehicle(store: AnyStore) -> None:
    registered = dataclasses.replace(examples.vehicle(), devices=("d1", "d2"))
    store.register([(registered, examples.vault())])
    assert [store.vehicle_of_device(name) for name in ("d1", "d2", "d3")] == [CAR, CAR, None]
    store.register([(dataclasses.replace(registered, devices=("d3",)), examples.vault())])
    assert [store.vehicle_of_device(name) for name in ("d1", "d2", "d3")] == [None, None, CAR]


def contents(store: AnyStore) -> tuple[object, ...]:
    return (
        store.case(CAR),
        store.states(CAR),
        store.seen(CAR),
        store.progress("drive-1"),
        store.outbox_events(),
        store.dead_letters(),
        store.order_states("order-1"),
    )
