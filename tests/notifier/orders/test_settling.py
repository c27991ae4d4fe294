from __future__ import annotations

import dataclasses
import json

import pytest

from domain.findings import Urgency
from domain.orders import Order
from domain.records import Commit, VehicleCase
from notifier.orders.settling import settle_order
from storage.memory_store import MemoryStore
from tests.storage import examples
from tests.storage.examples import CAR

ACCEPTED = examples.order(version=2, state="accepted")
CASE = VehicleCase(vehicle=CAR, alerts=(examples.alert(),))


def more_urgent(order: Order) -> Order:
    recommendation = dataclasses.replace(order.recommendation, urgency=Urgency.TODAY)
    incidents = (*order.incidents, "another")
    return dataclasses.replace(
        order, version=order.version + 1, state="dispatching", incidents=incidents, recommendation=recommendation
    )


def test_people_keep_the_say_and_the_contents_are_brought_up_to_date() -> None:
    ours = more_urgent(examples.order(version=1))
    settled, pushes = settle_order(ACCEPTED, ours, CASE, examples.vehicle(), examples.dealer())
    assert (settled.state, settled.choice, settled.slots) == (ACCEPTED.state, ACCEPTED.choice, ACCEPTED.slots)
    assert settled.recommendation.urgency is Urgency.TODAY
    assert settled.incidents == ("incident-of-alert-1", "another")
    assert settled.version == 3
    (push,) = pushes
    assert push.recipient == "SH-001"
    data = json.loads(push.body)["data"]
    assert (data["version"], data["state"], data["priority"]) == (3, "accepted", "P1")


def test_nothing_new_makes_no_version_and_no_push() -> None:
    assert settle_order(ACCEPTED, examples.order(version=1), CASE, examples.vehicle(), None) == (ACCEPTED, ())


@pytest.mark.parametrize("state", ["closed", "cancelled", "delivered"])
def test_an_order_that_has_ended_stays_as_it_is(state: str) -> None:
    ended = dataclasses.replace(ACCEPTED, state=state)
    assert settle_order(ended, more_urgent(examples.order()), CASE, examples.vehicle(), None) == (ended, ())


def test_a_store_settles_with_it_and_the_dealer_is_told_of_the_settled_version_only() -> None:
    store = MemoryStore(settle=settle_order)
    store.save_dealers([examples.dealer()])
    store.commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=(examples.order(),)),)))
    assert store.change_order(ACCEPTED, 1)
    stale = more_urgent(examples.order(version=1))
    store.commit(Commit(cases=(dataclasses.replace(CASE, orders=(stale,)),), outbox=(examples.event("of the stale version"),)))
    (order,) = store.orders()
    assert (order.state, order.version, order.people_version) == ("accepted", 3, 2)
    (push,) = store.outbox_events()
    assert json.loads(push.body)["data"]["version"] == 3
    assert store.order_states("order-1") == ((1, "offered"), (2, "accepted"), (3, "accepted"))
