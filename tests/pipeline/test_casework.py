"""Casework over a store in which people and imports change dealers and orders meanwhile."""

from __future__ import annotations

from dataclasses import replace

from domain.findings import Diagnosis, Transition
from domain.fleet import VaultEntry
from domain.orders import Order
from domain.records import Commit
from notifier.orders.order_states import OrderEvent, transition
from notifier.orders.ordering import MOST_INCIDENTS
from pipeline.casework import REFRESH_NS, Casework
from storage.memory_store import MemoryStore
from tests.notifier.builders import SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, finding, recommendation, vehicle

SECOND_S = 1_000_000_000


class Advice:
    """Every incident needs a dealer soon."""

    def diagnose(self, case, incident_id, vehicle):
        return Diagnosis(incident_id=incident_id, system="engine", causes=(), checks=())

    def recommend(self, case, diagnosis, vehicle, time_ns):
        return recommendation(diagnosis.incident_id, vehicle=vehicle.id, time_ns=time_ns)


class Desk:
    """One casework, its store, and a clock."""

    def __init__(self, *dealers):
        self.store, self.now_ns = MemoryStore(), 0
        cars = [vehicle(id=f"v{number}") for number in range(5)]
        self.store.register((car, VaultEntry(vehicle=car.id, vin="")) for car in cars)
        self.store.save_dealers(dealers)
        self.marks = 0
        self.casework = Casework(store=self.store, knowledge=Advice(), network_mark=self.network_mark, clock=lambda: self.now_ns)

    def network_mark(self):
        self.marks += 1
        return self.store.network_mark()

    def fails(self, car: str, at_s: float = 0.0) -> Order:
        """A vehicle raises a finding; what is decided is committed. Gives its order."""
        seen = replace(finding(vehicle=car), time_ns=WEDNESDAY_10_UTC_NS + round(at_s * SECOND_S), location=SHANGHAI)
        decided = self.casework.handle([seen])
        self.store.commit(Commit(cases=decided.cases, outbox=decided.outbox))
        for case in decided.cases:
            self.casework.forget(case.vehicle)
        return self.store.orders(vehicle=car)[0]


def test_a_dealer_imported_later_is_chosen_within_half_a_minute():
    desk = Desk()
    assert desk.fails("v0").state == "manual"
    desk.store.save_dealers([dealer("new")])
    desk.now_ns = REFRESH_NS
    chosen = desk.fails("v1").choice
    assert chosen is not None
    assert chosen.dealer == "new"


def test_capacity_that_a_person_gave_back_is_booked_again():
    desk = Desk(dealer("near", 1.0, capacity_per_day=1), dealer("far", 20.0))
    first = desk.fails("v0")
    assert first.choice is not None
    assert first.choice.dealer == "near"
    full = desk.fails("v1")
    assert (full.choice.dealer, full.slots[0]) != (first.choice.dealer, first.slots[0]), "that day is full"
    cancelled = transition(first, OrderEvent.CANCEL, time_ns=first.updated_ns, actor="operator").order
    assert desk.store.change_order(cancelled, first.version)
    desk.now_ns = REFRESH_NS
    again = desk.fails("v2")
    assert (again.choice.dealer, again.slots[0]) == (first.choice.dealer, first.slots[0])


def test_the_store_is_asked_seldom_and_only_for_a_decision():
    desk = Desk(dealer("near"))
    assert desk.marks == 1
    for second in range(0, 100, 5):
        desk.now_ns = second * SECOND_S
        desk.casework.handle([])
    assert desk.marks == 1, "nothing was to be decided"
    for second in range(100, 160):
        desk.now_ns = second * SECOND_S
        desk.fails("v0", at_s=second)
    assert desk.marks <= 1 + 2 * 3, "a look, and a reload where something changed, each half minute"


def test_without_a_mark_nothing_is_asked():
    store = MemoryStore()
    store.network_mark = None  # would fail when called
    Casework(store=store, knowledge=Advice()).handle([finding()])


def test_a_fault_that_comes_and_goes_for_a_year_costs_no_more_at_the_end():
    desk, sizes = Desk(dealer("near")), []
    for trip in range(365):
        desk.fails("v0", at_s=86_400.0 * trip)
        cleared = replace(
            finding(vehicle="v0", transition=Transition.CLEARED),
            time_ns=WEDNESDAY_10_UTC_NS + round((86_400.0 * trip + 600) * SECOND_S),
        )
        decided = desk.casework.handle([cleared])
        desk.store.commit(Commit(cases=decided.cases, outbox=decided.outbox))
        desk.casework.forget("v0")
        sizes.append(sum(len(part) for case in decided.cases for part in (case.alerts, case.recommendations, case.orders)))
    whole = desk.store.case("v0")
    assert len(whole.alerts) == 365
    assert len(whole.orders) == 1, "one order is open and absorbs every new incident"
    assert len(whole.orders[0].incidents) <= MOST_INCIDENTS + 2
    assert max(sizes) <= 2 * MOST_INCIDENTS + 8


def test_a_decision_is_the_same_whether_the_case_was_kept_or_loaded_again():
    kept, loaded = Desk(dealer("near")), Desk(dealer("near"))
    for step in range(60):
        kind = Transition.RAISED if step % 2 == 0 else Transition.CLEARED
        seen = replace(
            finding(vehicle="v1", transition=kind),
            time_ns=WEDNESDAY_10_UTC_NS + step * 600 * SECOND_S,
            group_key=f"group.{step // 2 % 4}",
            location=SHANGHAI,
        )
        for desk in (kept, loaded):
            decided = desk.casework.handle([seen])
            desk.store.commit(Commit(cases=decided.cases, outbox=decided.outbox))
        loaded.casework.forget("v1")
    assert kept.store.case("v1") == loaded.store.case("v1")
    assert len(kept.store.case("v1").alerts) == 30
