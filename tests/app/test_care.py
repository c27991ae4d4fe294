from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.care import enrol_known, review_fleet
from app.care_files import parse_day
from app.cli import cli
from app.fault_knowledge import maintenance_plans
from app.fleet import FleetChoice
from domain.care import Enrolment, Quantity, ReminderState
from domain.findings import Urgency
from domain.fleet import VaultEntry, pseudonym
from domain.orders import Order
from domain.records import Commit
from dtc_knowledge.loading import load_knowledge
from dtc_knowledge.maintenance import shipped_plans
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.order_states import OrderEvent, transition
from notifier.orders.ordering import update_orders
from notifier.reminders.completions import DAY_NS
from storage.memory_store import MemoryStore
from tests.end_to_end.replays import SAMPLES, replayed
from tests.end_to_end.replays import fleet as fleet_of
from tests.notifier.builders import dealer, recommendation, vehicle
from tests.notifier.reminders.builders import even_use

ENROLLED = parse_day("2026-01-05")
CAR = vehicle(powertrain="petrol", brand="", odometer_km=27_000.0, year=2024)
ABLE = ("engine", "electric", "hv", "chassis", "body", "truck")
TO_READY = (
    OrderEvent.OFFER, OrderEvent.ACCEPT, OrderEvent.SCHEDULE, OrderEvent.CHECK_IN, OrderEvent.DIAGNOSE, OrderEvent.QUOTE,
)  # fmt: skip
DONE = (*TO_READY, OrderEvent.APPROVE, OrderEvent.START, OrderEvent.INSPECT, OrderEvent.PASS, OrderEvent.SETTLE)
REJECTED = (*TO_READY, OrderEvent.REJECT, OrderEvent.SETTLE)


def fleet(km_a_day: float = 50.0, days: int = 120) -> MemoryStore:
    """One car 3,000 km before its oil change, and a dealer."""
    store = MemoryStore()
    store.register([(CAR, VaultEntry(vehicle=CAR.id, vin="V"))])
    store.save_dealers([dealer(capabilities=ABLE)])
    store.enrol_care([Enrolment(vehicle=CAR.id, day=ENROLLED, odometer_km=27_000.0)])
    store.save_usage(CAR.id, even_use(days, km_a_day, 27_000.0, ENROLLED + 1).values())
    return store


def moved(store: MemoryStore, order: Order, events: tuple[OrderEvent, ...], day: int) -> None:
    for event in events:
        before = store.order(order.id)
        assert before is not None
        step = transition(before, event, time_ns=day * DAY_NS, actor="test")
        assert store.change_order(step.order, before.version)


def open_items(store: MemoryStore) -> set[str]:
    open_states = [ReminderState.DUE_SOON, ReminderState.DUE, ReminderState.OVERDUE]
    return {each.item for each in store.reminders(state=open_states)}


def operations(order: Order) -> set[str]:
    return {line.operation for line in order.recommendation.plan}


def test_a_reminder_becomes_one_order_for_the_next_visit() -> None:
    store = fleet()
    review_fleet(store, shipped_plans(), ENROLLED + 35)
    (order,) = store.orders()
    assert open_items(store) == {"engine-oil"}
    assert (order.recommendation.urgency, operations(order)) == (Urgency.NEXT, {"OP-OIL-SERVICE"})
    assert order.choice is not None


def test_what_comes_due_later_joins_the_order_and_what_is_overdue_is_more_urgent() -> None:
    store = fleet()
    for day in (35, 60, 81, 117):  # the last is past the first of May
        review_fleet(store, shipped_plans(), ENROLLED + day)
    (order,) = store.orders()
    assert {"OP-OIL-SERVICE", "OP-CARE-SUMMER-CHECK"} <= operations(order)
    assert order.recommendation.urgency is Urgency.SOON
    assert order.recommendation.plan[0].operation == "OP-OIL-SERVICE"


def test_care_joins_a_repair_that_is_ordered_already() -> None:
    store = fleet()
    network = DealerNetwork.from_orders(store.dealers(), ())
    repair = recommendation(time_ns=(ENROLLED + 10) * DAY_NS)
    case, outbox = update_orders(store.case(CAR.id), repair, CAR, network, CAR.home, (ENROLLED + 10) * DAY_NS)
    store.commit(Commit(cases=(case,), outbox=outbox))
    review_fleet(store, shipped_plans(), ENROLLED + 35)
    (order,) = store.orders()
    assert {"replace thermostat", "OP-OIL-SERVICE"} <= operations(order)
    assert order.recommendation.urgency is Urgency.SOON  # the repair's


def test_a_settled_order_completes_its_items_and_a_rejected_one_does_not() -> None:
    for events, still in ((DONE, set()), (REJECTED, {"engine-oil"})):
        store = fleet()
        review_fleet(store, shipped_plans(), ENROLLED + 35)
        (order,) = store.orders()
        moved(store, order, events, ENROLLED + 40)
        review_fleet(store, shipped_plans(), ENROLLED + 45)
        assert open_items(store) == still


def test_looking_again_does_nothing_more() -> None:
    store = fleet()
    review_fleet(store, shipped_plans(), ENROLLED + 60)
    before = (store.reminders(), store.orders(), store.outbox_events(), store.care_state(CAR.id))
    assert review_fleet(store, shipped_plans(), ENROLLED + 60).reminders == 0
    assert (store.reminders(), store.orders(), store.outbox_events(), store.care_state(CAR.id)) == before


def test_a_death_between_the_order_and_the_state_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store = fleet()
    with monkeypatch.context() as dying:
        dying.setattr(store, "change_care", lambda *_: False)
        assert review_fleet(store, shipped_plans(), ENROLLED + 35).put_off == 1
    orders, pushes = store.orders(), store.outbox_events()
    assert not store.reminders()
    review_fleet(store, shipped_plans(), ENROLLED + 35)
    assert len(store.reminders()) == 1
    assert (store.orders(), store.outbox_events()) == (orders, pushes)


def test_the_reminders_are_those_of_daily_looks_however_seldom_one_looks() -> None:
    daily, once = fleet(), fleet()
    for day in range(1, 91):
        review_fleet(daily, shipped_plans(), ENROLLED + day)
    review_fleet(once, shipped_plans(), ENROLLED + 90)
    ids = {each.id: each.opened_day for each in daily.reminders() if each.reason != "visit"}
    assert ids.items() <= {each.id: each.opened_day for each in once.reminders()}.items()


def test_every_vehicle_of_the_table_is_enrolled_once_with_nothing_overdue() -> None:
    store = MemoryStore()
    store.register([(CAR, VaultEntry(vehicle=CAR.id, vin="V"))])
    enrol_known(store, ENROLLED)
    enrol_known(store, ENROLLED + 50)
    (enrolment,) = store.enrolments()
    assert (enrolment.day, enrolment.odometer_km) == (ENROLLED, 27_000.0)
    review_fleet(store, shipped_plans(), ENROLLED + 1)
    assert not [each for each in store.reminders() if each.due_day is not None]


def test_a_vehicle_without_schedule_is_counted() -> None:
    store = MemoryStore()
    store.register([(replace(CAR, powertrain=""), VaultEntry(vehicle=CAR.id, vin="V"))])
    enrol_known(store, ENROLLED)
    assert review_fleet(store, shipped_plans(), ENROLLED + 1).without_schedule == 1


def test_the_commands_go_the_whole_way(tmp_path: Path) -> None:
    url, run = f"sqlite:///{tmp_path / 'a.db'}", CliRunner()
    (tmp_path / "vehicles.csv").write_text("vin,powertrain\nLVSHCAMB1CE054249,petrol\n")
    (tmp_path / "enrol.csv").write_text("vin,date,odometer_km,first_used\nLVSHCAMB1CE054249,2026-01-05,27000,2024-03-01\n")
    rows = [f"LVSHCAMB1CE054249,2026-01-{day:02d},90,{27_000 + 90 * (day - 5)}" for day in range(6, 32)]
    (tmp_path / "usage.csv").write_text("vin,date,distance_km,odometer_km\n" + "\n".join(rows))
    for words in (
        ["vehicles", "import", str(tmp_path / "vehicles.csv")],
        ["reminders", "enrol", str(tmp_path / "enrol.csv")],
        ["reminders", "usage", str(tmp_path / "usage.csv")],
        ["reminders", "review", "--until", "2026-01-31", "--json"],
    ):
        done = run.invoke(cli, [*words, "--database", url])
        assert done.exit_code == 0, done.output
    listed = run.invoke(cli, ["reminders", "list", "--json", "--database", url])
    assert '"item": "engine-oil"' in listed.output
    assert pseudonym(b"pitcall-development-key", "LVSHCAMB1CE054249") in listed.output


def test_replayed_drives_feed_the_reminders() -> None:
    (drive,) = [each for each in fleet_of(SAMPLES / "manifest_faulty.csv").drives if "misfire" in each.log.name]
    car, store = replace(drive.vehicle, powertrain="petrol"), MemoryStore()
    replayed(FleetChoice(drives=(drive,), registered=(), dealers=()), store)
    ((today, day),) = store.usage(car.id, 0).items()
    assert (day.trips, day.odometer_km, day.oil_wear_rev > 0) == (1, 97_312.2, True)
    store.register([(car, VaultEntry(vehicle=car.id, vin="V"))])
    store.enrol_care([Enrolment(vehicle=car.id, day=today - 1)])
    review_fleet(store, shipped_plans(), today)
    state = store.care_state(car.id)
    assert state is not None
    assert state.window == (day,)
    oil = next(care for care in state.items if care.item == "engine-oil")
    assert dict(oil.used)[Quantity.OIL_WEAR] == pytest.approx(day.oil_wear_rev / 12e6)


def test_a_bad_row_of_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "usage.csv").write_text("vin,date,distance_km\nV,2026-01-05,10\nV,2026-01-05,10\n")
    failed = CliRunner().invoke(cli, ["reminders", "usage", str(tmp_path / "usage.csv"), "--database", f"sqlite:///{tmp_path}/a"])
    assert "usage.csv:3: the vehicle has this day twice" in str(failed.exception)


RECALL = """campaigns:
  - {item: brake-pads, models: [One], from: "2026-01-10", until: "2026-12-31", recall: true, sources: [estimate]}
"""


def test_a_recall_is_ordered_at_its_makers_cost_and_never_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "recall.yaml").write_text(RECALL, encoding="utf-8")
    plans, car, store = shipped_plans([tmp_path]), replace(CAR, model="One"), fleet(km_a_day=10.0)
    store.register([(car, VaultEntry(vehicle=CAR.id, vin="V"))])
    review_fleet(store, plans, ENROLLED + 6)
    (order,) = store.orders()
    (line,) = order.recommendation.plan
    assert (line.operation, line.pay_type, order.recommendation.urgency) == ("OP-CARE-BRAKE-PADS", "recall", Urgency.SOON)
    moved(store, order, DONE, ENROLLED + 10)
    review_fleet(store, plans, ENROLLED + 60)
    (recall,) = [each for each in store.reminders() if each.item == "brake-pads"]
    assert recall.state is ReminderState.DONE


def test_a_season_is_done_by_the_visit_that_it_joins() -> None:
    store = fleet()
    review_fleet(store, shipped_plans(), ENROLLED + 117)  # past the first of May
    (order,) = store.orders()
    moved(store, order, DONE, ENROLLED + 118)
    review_fleet(store, shipped_plans(), ENROLLED + 120)
    assert "summer-check" not in open_items(store)


def test_a_market_sets_prices_and_a_maker_its_part_numbers_for_care_too(tmp_path: Path) -> None:
    (tmp_path / "sources.csv").write_text("id,title\nlist,Price list\n")
    (tmp_path / "prices.csv").write_text("region,currency,part,price,source\neu,EUR,PC-OIL-FILTER,9.90,list\n")
    (tmp_path / "part_numbers.csv").write_text("part,model,number,source\nPC-ENGINE-OIL,One,F-0W20,list\n")
    plans = maintenance_plans(load_knowledge(extra=tmp_path, region="eu"), tmp_path)
    oil = plans.items_for(replace(CAR, model="One"))["engine-oil"]
    assert [(part.number, part.price) for part in oil.work.parts] == [("F-0W20", "320.00"), ("PC-OIL-FILTER", "9.90")]


def test_a_vehicle_is_enrolled_with_the_odometer_that_it_sent() -> None:
    store = MemoryStore()
    store.register([(replace(CAR, odometer_km=None), VaultEntry(vehicle=CAR.id, vin="V"))])
    store.save_usage(CAR.id, even_use(5, 50.0, 41_000.0, ENROLLED - 4).values())
    enrol_known(store, ENROLLED)
    assert [each.odometer_km for each in store.enrolments()] == [41_250.0]
