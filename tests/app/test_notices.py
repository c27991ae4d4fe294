"""Notices of alerts and orders by routes: each change told once, to those who want it, whatever dies in between."""

from __future__ import annotations

import json

import pytest

from app.notices import relay_notices
from app.outbox_worker import OutboxWorker
from domain.errors import StorageError
from domain.records import OutboxEvent
from notifier.channels.memory import MemoryChannel
from notifier.orders.order_states import OrderEvent, transition
from notifier.push.notices import Route
from storage.memory_store import MemoryStore
from tests.web.serving import ORDER, store

WALL = Route(name="wall", channel="mqtt")


def filled(*routes: Route) -> MemoryStore:
    """A store that notices are made of from its second change on."""
    served = store(orders=False)
    assert relay_notices(served, routes) == 0
    return served


def told(served: MemoryStore, recipient: str = "route:wall") -> list[OutboxEvent]:
    return [event for event in served.outbox_events() if event.recipient == recipient]


def acknowledge(served: MemoryStore) -> None:
    assert served.acknowledge_alert("alert-overheat")


def test_nobody_is_told_of_history_and_everybody_of_what_comes() -> None:
    served = filled(WALL)
    assert told(served) == []
    acknowledge(served)
    assert relay_notices(served, [WALL]) == 1
    assert relay_notices(served, [WALL]) == 0
    (event,) = told(served)
    document = json.loads(event.body)
    assert (event.type, event.channel, event.subject) == ("alert.acknowledged", "mqtt", "alert-overheat")
    assert (document["id"], document["data"]["state"]) == (event.id, "acknowledged")


def test_an_order_is_told_as_it_stands_once_a_version() -> None:
    served = store()
    relay_notices(served, [WALL])
    order = served.order(ORDER)
    assert order is not None
    for word in ("accept", "schedule"):
        moved = transition(order, OrderEvent(word), time_ns=order.updated_ns, actor="t").order
        assert served.change_order(moved, order.version)
        order = moved
    relay_notices(served, [WALL])
    (event,) = told(served)
    assert (event.type, json.loads(event.body)["data"]["state"]) == ("order.updated", "scheduled")


@pytest.mark.parametrize(
    ("route", "comes"),
    [
        (Route(name="wall", channel="mqtt", events=("alert.acknowledged",)), True),
        (Route(name="wall", channel="mqtt", events=("order.*",)), False),
        (Route(name="wall", channel="mqtt", severities=("critical",)), True),
        (Route(name="wall", channel="mqtt", severities=("low",)), False),
        (Route(name="wall", channel="mqtt", severities=("critical",), priorities=("P3",)), True),
    ],
)
def test_a_route_takes_what_it_names(route: Route, comes: bool) -> None:
    served = filled(route)
    acknowledge(served)
    assert relay_notices(served, [route]) == comes


def test_after_a_time_without_routes_notices_begin_with_what_comes_next() -> None:
    served = filled(WALL)
    assert relay_notices(served, []) == 0
    acknowledge(served)
    assert relay_notices(served, [WALL]) == 0
    assert told(served) == []


def test_a_relay_that_dies_before_it_has_stored_tells_each_change_once() -> None:
    served = filled(WALL)
    acknowledge(served)
    write = served.write_notices

    def fail(*_: object) -> None:
        raise StorageError("gone")

    served.write_notices = fail  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        relay_notices(served, [WALL])
    served.write_notices = write  # type: ignore[method-assign]
    assert relay_notices(served, [WALL]) == 1
    assert len(told(served)) == 1


def test_notices_are_delivered_by_the_outbox_in_the_order_of_the_feed() -> None:
    served = filled(WALL)
    acknowledge(served)
    relay_notices(served, [WALL])
    channel = MemoryChannel("mqtt")
    OutboxWorker(served, {"mqtt": channel}, clock=lambda: 2**62).work()
    assert [event.type for event in channel.taken] == ["alert.acknowledged"]
