"""The tables of service and rescue orders, exhaustively."""

from __future__ import annotations

import pytest

from domain.orders import Order, OrderKind
from notifier.orders.order_states import RESCUE, SERVICE, TABLES, OrderEvent, OrderState, TransitionOutcome, is_open, transition
from tests.notifier.builders import recommendation


def order(kind: OrderKind, state: OrderState, version: int = 3) -> Order:
    return Order(
        id="o1",
        kind=kind,
        version=version,
        state=state.value,
        vehicle="v1",
        group_key="g",
        incidents=("i1",),
        recommendation=recommendation(),
        created_ns=1,
        updated_ns=5,
        choice=None,
    )


EVERY = [(kind, state, event) for kind, table in TABLES.items() for state in table for event in OrderEvent]


@pytest.mark.parametrize(("kind", "state", "event"), EVERY)
def test_every_event_in_every_state_changes_the_order_or_names_what_is_allowed(
    kind: OrderKind, state: OrderState, event: OrderEvent
) -> None:
    before = order(kind, state)
    result = transition(before, event, time_ns=9, actor="d1", reason="why", expected_version=3)
    allowed = TABLES[kind][state]
    assert (result.came_from, result.allowed, result.actor, result.reason) == (state, tuple(allowed), "d1", "why")
    if event in allowed:
        assert result.outcome is TransitionOutcome.CHANGED
        assert (result.order.state, result.order.version, result.order.updated_ns) == (allowed[event], 4, 9)
    else:
        assert (result.outcome, result.order) == (TransitionOutcome.ILLEGAL, before)


def test_a_stale_version_is_refused_before_anything_else() -> None:
    before = order(OrderKind.SERVICE, OrderState.OFFERED)
    result = transition(before, OrderEvent.ACCEPT, time_ns=9, actor="d1", expected_version=2)
    assert (result.outcome, result.order) == (TransitionOutcome.VERSION_CONFLICT, before)


def test_a_transition_never_turns_time_back() -> None:
    assert (
        transition(order(OrderKind.SERVICE, OrderState.OFFERED), OrderEvent.ACCEPT, time_ns=2, actor="d1").order.updated_ns == 5
    )


@pytest.mark.parametrize("kind", OrderKind)
def test_every_state_is_reached_leads_to_an_end_and_stays_in_its_table(kind: OrderKind) -> None:
    table = TABLES[kind]
    targets = {target for row in table.values() for target in row.values()}
    assert targets <= set(table)
    starts = {OrderState.DRAFT, OrderState.REQUESTED} & set(table)
    assert set(table) - targets == starts
    reaching = {OrderState.CLOSED}
    while more := {state for state, row in table.items() if not reaching.isdisjoint(row.values())} - reaching:
        reaching |= more
    assert set(table) - reaching == {OrderState.CANCELLED}


def test_an_order_can_be_cancelled_until_it_is_settled_or_the_vehicle_is_on_the_hook() -> None:
    assert {state for state, row in SERVICE.items() if OrderEvent.CANCEL not in row} == {
        OrderState.SETTLED,
        OrderState.CLOSED,
        OrderState.CANCELLED,
    }
    assert {state for state, row in RESCUE.items() if OrderEvent.CANCEL not in row} == {
        OrderState.TOWING,
        OrderState.DELIVERED,
        OrderState.CLOSED,
        OrderState.CANCELLED,
    }


def test_the_usual_ways_lead_through() -> None:
    service = "propose dispatch offer accept schedule check_in diagnose quote approve start inspect pass settle close"
    rescue = "dispatch offer accept depart arrive tow deliver close"
    for kind, first, way in ((OrderKind.SERVICE, OrderState.DRAFT, service), (OrderKind.RESCUE, OrderState.REQUESTED, rescue)):
        now = order(kind, first)
        for event in way.split():
            assert is_open(now) or event == "close"
            now = transition(now, OrderEvent(event), time_ns=now.updated_ns + 1, actor="somebody").order
        assert (now.state, is_open(now)) == (OrderState.CLOSED, False)
