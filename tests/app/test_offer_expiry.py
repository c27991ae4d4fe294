"""Offers that nobody answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.offer_expiry import expire_offers
from app.settings_file import ServiceSettings
from domain.findings import Urgency
from domain.fleet import VaultEntry
from domain.orders import Order
from domain.records import Commit, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.order_states import OrderEvent, OrderState, transition
from notifier.orders.ordering import update_orders
from notifier.orders.redispatch import MOST_OFFERS
from storage.memory_store import MemoryStore
from tests.notifier.builders import SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, recommendation, vehicle

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
AFTER_S = ServiceSettings().offers.expire_after_s


class Fleet:
    """One order that was offered at wall time 0, long after its event time or long before: that does not matter."""

    def __init__(self, urgency: Urgency = Urgency.STOP, dealers: int = 5) -> None:
        self.now_ns = 0
        self.store = MemoryStore(clock=lambda: self.now_ns)
        self.store.register([(vehicle(), VaultEntry(vehicle="v1", vin=""))])
        known = [dealer(f"d{number}", 1.0 + number) for number in range(dealers)]
        self.store.save_dealers(known)
        advice = recommendation(urgency=urgency)
        case, _ = update_orders(VehicleCase(vehicle="v1"), advice, vehicle(), DealerNetwork(known), SHANGHAI, WEDNESDAY_10_UTC_NS)
        self.store.commit(Commit(cases=(case,)))
        self.move(OrderEvent.OFFER)

    @property
    def order(self) -> Order:
        return self.store.orders()[0]

    def move(self, event: OrderEvent) -> None:
        moved = transition(self.order, event, time_ns=self.order.updated_ns, actor="test")
        assert self.store.change_order(moved.order, self.order.version)

    def expire(self, at_ns: int) -> int:
        self.now_ns = at_ns
        return expire_offers(self.store, AFTER_S, at_ns)


@pytest.mark.parametrize(
    ("urgency", "limit_ns"),
    [
        (Urgency.STOP, 10 * MINUTE_NS),
        (Urgency.TODAY, HOUR_NS),
        (Urgency.SOON, 24 * HOUR_NS),
        (Urgency.NEXT, 72 * HOUR_NS),
    ],
)
def test_an_offer_expires_by_its_urgency_and_the_next_dealer_is_asked(urgency: Urgency, limit_ns: int) -> None:
    fleet = Fleet(urgency)
    first = fleet.order
    assert first.choice is not None
    assert fleet.expire(limit_ns - 1) == 0
    assert fleet.order == first
    assert fleet.expire(limit_ns) == 1
    after = fleet.order
    assert after.choice is not None
    assert (after.state, after.refused_by) == (OrderState.DISPATCHING, (first.choice.dealer,))
    assert after.choice.dealer != first.choice.dealer
    pushes = {event.recipient: event.type for event in fleet.store.outbox_events()}
    assert pushes == {after.choice.dealer: "order.updated", first.choice.dealer: "order.cancelled"}
    assert fleet.expire(limit_ns) == 0, "not offered to the next one yet"


def test_each_dealer_has_its_own_time_and_at_last_a_person_takes_over() -> None:
    fleet = Fleet()
    now_ns = 0
    for _ in range(MOST_OFFERS - 1):
        now_ns += 10 * MINUTE_NS
        assert fleet.expire(now_ns) == 1
        now_ns += 5 * MINUTE_NS
        fleet.now_ns = now_ns
        fleet.move(OrderEvent.OFFER)
        assert fleet.expire(now_ns + 9 * MINUTE_NS) == 0
    assert fleet.expire(now_ns + 10 * MINUTE_NS) == 1
    assert (fleet.order.state, fleet.order.choice) == (OrderState.MANUAL, None)


def test_what_is_answered_stays() -> None:
    fleet = Fleet()
    fleet.move(OrderEvent.ACCEPT)
    assert fleet.expire(1000 * HOUR_NS) == 0
    assert fleet.order.state == OrderState.ACCEPTED


def test_an_order_that_the_pipeline_adds_to_is_still_the_same_offer() -> None:
    fleet = Fleet()
    fleet.now_ns = 9 * MINUTE_NS
    added = replace(fleet.order, version=fleet.order.version + 1, incidents=("i1", "i2"))
    fleet.store.commit(Commit(cases=(replace(fleet.store.case("v1"), orders=(added,)),)))
    assert fleet.order.incidents == ("i1", "i2")
    assert fleet.expire(10 * MINUTE_NS) == 1


def test_who_answers_in_the_same_moment_wins() -> None:
    fleet = Fleet()
    read = fleet.store.events_of

    def answer_meanwhile(subject: str):
        found = read(subject)
        fleet.move(OrderEvent.ACCEPT)
        return found

    fleet.store.events_of = answer_meanwhile  # type: ignore[method-assign]
    assert fleet.expire(10 * MINUTE_NS) == 0
    assert fleet.order.state == OrderState.ACCEPTED
