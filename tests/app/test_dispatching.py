"""Drafts are placed together, dealers are told, and a plan shows what that would change without writing anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from app.cli import cli
from app.dispatching import dispatch_plan, place_waiting
from app.routing import routing_of
from app.settings_file import DispatchSection
from domain.consents import Consent, ConsentChannel, Purpose
from domain.findings import Urgency
from domain.fleet import DEVELOPMENT_KEY, Dealer, VaultEntry
from domain.orders import Order
from domain.records import Commit, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.dispatch.batch import CAN_WAIT
from notifier.orders.order_states import OrderEvent, OrderState, transition
from notifier.orders.ordering import update_orders
from storage.database import open_store
from storage.memory_store import MemoryStore
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, recommendation, vehicle

BATCHES = replace(PLAIN_ROUTING, waiting=CAN_WAIT)
NOW_NS = WEDNESDAY_10_UTC_NS + HOUR_NS
NEAR = dealer("near", 10, capacity_per_day=1, days_open=(5,))
SOUTH = dealer("south", -30, capacity_per_day=1, days_open=(5,))


class Fleet:
    """Vehicles v1, v2 … north of Shanghai's centre, with an order each."""

    def __init__(
        self, dealers: list[Dealer], *places_km: float, routing: Routing = BATCHES, urgency: Urgency = Urgency.SOON
    ) -> None:
        self.store = MemoryStore(clock=lambda: NOW_NS)
        self.store.save_dealers(dealers)
        network = DealerNetwork(dealers, routing=routing)
        for number, north_km in enumerate(places_km, start=1):
            car = replace(vehicle(), id=f"v{number}", home=(SHANGHAI[0] + north_km / 111.195, SHANGHAI[1]))
            self.store.register([(car, VaultEntry(vehicle=car.id, vin=""))])
            advice = replace(recommendation(f"i{number}", urgency), vehicle=car.id)
            case, outbox = update_orders(VehicleCase(vehicle=car.id), advice, car, network, None, WEDNESDAY_10_UTC_NS + number)
            self.store.commit(Commit(cases=(case,), outbox=outbox))

    def order(self, car: str) -> Order:
        return next(order for order in self.store.orders() if order.vehicle == car)

    def dealers(self) -> list[str | None]:
        return [order.choice.dealer if order.choice else None for order in sorted(self.store.orders(), key=lambda o: o.vehicle)]

    def move(self, car: str, *events: OrderEvent) -> None:
        for event in events:
            order = self.order(car)
            moved = transition(order, event, time_ns=order.updated_ns, actor="test").order
            assert self.store.change_order(moved, order.version)


def test_what_can_wait_is_a_draft_that_nobody_is_told_of_and_what_is_urgent_goes_out_at_once() -> None:
    waiting = Fleet([NEAR], 0)
    assert (waiting.order("v1").state, waiting.dealers()) == (OrderState.DRAFT, [None])
    assert waiting.store.outbox_events() == ()
    urgent = Fleet([dealer("near")], 0, urgency=Urgency.TODAY)
    assert urgent.order("v1").state == OrderState.DISPATCHING
    assert [event.recipient for event in urgent.store.outbox_events()] == ["near"]


def test_drafts_are_placed_together_and_their_dealers_told_once() -> None:
    fleet = Fleet([NEAR, SOUTH], -9.5, 60)
    tally = place_waiting(fleet.store, BATCHES, NOW_NS)
    assert (tally.placed, tally.manual, tally.put_off) == (2, 0, 0)
    assert fleet.dealers() == ["south", "near"]
    assert {order.state for order in fleet.store.orders()} == {OrderState.DISPATCHING}
    assert sorted(event.recipient for event in fleet.store.outbox_events()) == ["near", "south"]
    assert place_waiting(fleet.store, BATCHES, NOW_NS).placed == 0
    assert len(fleet.store.outbox_events()) == 2


def test_a_draft_that_nobody_can_do_goes_to_a_person() -> None:
    fleet = Fleet([dealer("other", brands=("NIO",))], 0)
    assert place_waiting(fleet.store, BATCHES, NOW_NS).manual == 1
    assert fleet.order("v1").state == OrderState.MANUAL
    assert [event.recipient for event in fleet.store.outbox_events()] == ["operations"]


def test_an_order_that_changes_in_the_same_moment_waits_for_the_next_round() -> None:
    fleet = Fleet([dealer("near")], 0)

    class Racing(MemoryStore):
        def __getattribute__(self, name: str) -> object:
            return (lambda *_: False) if name == "change_order" else getattr(fleet.store, name)

    assert place_waiting(Racing(), BATCHES, NOW_NS).put_off == 1
    assert fleet.order("v1").state == OrderState.DRAFT


def test_a_draft_that_becomes_urgent_does_not_wait_any_longer() -> None:
    fleet = Fleet([dealer("near")], 0)
    car = fleet.store.vehicle("v1")
    assert car is not None
    urgent = replace(recommendation("i1", Urgency.TODAY), vehicle="v1")
    network = DealerNetwork(fleet.store.dealers(), routing=BATCHES)
    case, outbox = update_orders(fleet.store.case("v1"), urgent, car, network, None, NOW_NS)
    assert case.orders[0].state == OrderState.DISPATCHING
    assert [event.recipient for event in outbox] == ["near"]


def test_what_if_moves_offers_but_never_a_confirmed_appointment_and_writes_nothing() -> None:
    fleet = Fleet([NEAR, SOUTH], -9.5, 60, routing=PLAIN_ROUTING)
    assert fleet.dealers() == ["near", "south"]
    before = fleet.store.orders()
    plan = dispatch_plan(fleet.store, PLAIN_ROUTING, NOW_NS, what_if=True)
    assert (plan["orders"], plan["confirmed"], plan["proven_optimal"]) == (2, 0, True)
    assert [(move["from"]["dealer"], move["to"]["dealer"]) for move in plan["moves"]] == [("near", "south"), ("south", "near")]
    assert plan["mean_km_gain"] > 0.3
    assert fleet.store.orders() == before
    fleet.move("v1", OrderEvent.OFFER, OrderEvent.ACCEPT)
    plan = dispatch_plan(fleet.store, PLAIN_ROUTING, NOW_NS, what_if=True)
    assert (plan["orders"], plan["confirmed"], plan["moves"]) == (1, 1, [])


def test_the_plan_of_drafts_is_compared_with_one_order_after_the_other() -> None:
    fleet = Fleet([NEAR, SOUTH], -9.5, 60)
    plan = dispatch_plan(fleet.store, BATCHES, NOW_NS, what_if=False)
    assert [(move["from"]["dealer"], move["to"]["dealer"]) for move in plan["moves"]] == [("near", "south"), ("south", "near")]
    assert plan["placed"] == {"now": 2, "planned": 2}


def test_an_empty_plan_has_no_figures() -> None:
    plan = dispatch_plan(MemoryStore(), PLAIN_ROUTING, NOW_NS, what_if=True)
    assert (plan["orders"], plan["moves"], plan["mean_km"]) == (0, [], {"now": None, "planned": None})


def test_the_command_prints_the_plan_of_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'orders.sqlite3'}"
    fleet = Fleet([dealer("near")], 0)
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        store.register([(vehicle(), VaultEntry(vehicle="v1", vin=""))])
        store.save_dealers(fleet.store.dealers())
        store.commit(Commit(cases=(fleet.store.case("v1"),)))
    words = ["dispatch", "plan", "--database", url]
    document = json.loads(CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False).stdout)
    assert (document["orders"], document["placed"]) == (1, {"now": 1, "planned": 1})
    text = CliRunner().invoke(cli, [*words, "--what-if"], catch_exceptions=False).stdout
    assert "1 orders that can wait; 0 confirmed appointments stay as they are" in text


def test_settings_turn_batches_and_a_road_service_on_and_off() -> None:
    assert routing_of(DispatchSection()).waiting == CAN_WAIT
    off = routing_of(DispatchSection(batch_minutes=0))
    assert (off.waiting, off.roads) == (frozenset(), None)
    assert routing_of(DispatchSection(osrm_url="http://127.0.0.1:5000")).roads is not None


def test_a_draft_whose_consent_was_withdrawn_is_proposed_instead_of_placed() -> None:
    fleet = Fleet([NEAR], 0)
    withdrawn = Consent(vehicle="v1", purpose=Purpose.SERVICE, channel=ConsentChannel.ORDER, given=False, time_ns=1)
    fleet.store.add_consents([withdrawn])
    tally = place_waiting(fleet.store, BATCHES, NOW_NS)
    assert (tally.proposed, tally.placed) == (1, 0)
    assert (fleet.order("v1").state, fleet.dealers()) == (OrderState.PROPOSED, [None])
    assert [event.recipient for event in fleet.store.outbox_events()] == ["operations"]
