"""STAR's words: every state has some, every answer means an event, and a ServiceOrder carries what the push does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders import Order, OrderKind
from notifier.orders.order_states import TABLES, OrderEvent, OrderState
from notifier.star.dms_adapter import ADAPTERS, DmsAnswer, event_of
from notifier.star.star_table import ALERT_STATUS, answer_rows, star_rows
from tests.notifier.channels.test_wording import order_event
from tests.web.report_examples import overheating

STAR = ADAPTERS["star"]
EVERY_STATE = [(kind, state) for kind, table in TABLES.items() for state in table]


def order_in(kind: OrderKind, state: OrderState) -> Order:
    return replace(overheating().orders[0], kind=kind, state=state.value)


def test_every_state_of_both_tables_has_stars_words_and_no_other_has() -> None:
    assert star_rows().keys() == set(EVERY_STATE)


def test_every_answer_means_an_event_that_some_state_allows() -> None:
    possible = {event for table in TABLES.values() for events in table.values() for event in events}
    assert {row.event for row in answer_rows()} <= possible
    assert len({(row.entity, row.status, row.event) for row in answer_rows()}) == len(answer_rows())


@pytest.mark.parametrize(("kind", "state"), EVERY_STATE, ids=lambda each: each.value)
def test_an_order_of_every_state_becomes_a_service_order(kind: OrderKind, state: OrderState) -> None:
    event = order_event()
    document = json.loads(event.body)
    document["data"] |= {"kind": kind.value, "state": state.value}
    found = json.loads(STAR.outward(json.dumps(document)))
    data, row = document["data"], star_rows()[kind, state]
    assert (found["service_order_id"], found["document_version"], found["status"]) == (
        data["order_id"],
        data["version"],
        row.service_order,
    )
    assert [each["event_hash"] for each in found["vehicle_alerts"]] == [alert["id"] for alert in data["alerts"]]
    lines = found["repair_order"]["service_lines"] if row.repair_order else found["requested_services"]
    assert [line["operation_code"] for line in lines] == [line["operation"] for line in data["plan"]]
    assert found["service_appointment"]["transportation_type"] == data["transport"]


def test_every_state_of_an_alert_has_stars_word() -> None:
    from domain.findings import AlertState

    assert set(ALERT_STATUS) == {state.value for state in AlertState}


@pytest.mark.parametrize(
    ("state", "document", "event"),
    [
        ("offered", {"status": "DISPATCHED"}, "accept"),
        ("accepted", {"status": "DISPATCHED", "service_appointment": {"time_slots": [{"status": "CONFIRMED"}]}}, "schedule"),
        ("offered", {"status": "CANCELLED"}, "decline"),
        ("scheduled", {"status": "CANCELLED"}, "cancel"),
        ("scheduled", {"status": "IN_PROGRESS"}, "check_in"),
        ("scheduled", {"service_appointment": {"time_slots": [{"status": "RELEASED"}]}}, "miss"),
        ("checked_in", {"status": "IN_PROGRESS", "repair_order": {"status": "OPEN"}}, "diagnose"),
        ("approved", {"status": "IN_PROGRESS"}, "start"),
        ("in_progress", {"status": "ON_HOLD"}, "hold"),
        ("on_hold", {"status": "IN_PROGRESS"}, "resume"),
        ("in_progress", {"status": "COMPLETED"}, "inspect"),
        ("quality_check", {"status": "COMPLETED"}, "pass"),
        ("ready", {"repair_order": {"status": "CLOSED"}}, "settle"),
        ("quoted", {"repair_order": {"status": "APPROVED"}}, None),
        ("closed", {"status": "CANCELLED"}, None),
    ],
)
def test_what_a_system_says_means_an_event_by_the_orders_state(
    state: str, document: dict[str, object], event: str | None
) -> None:
    answer = STAR.inward({"service_order_id": "o", **document})
    assert event_of(order_in(OrderKind.SERVICE, OrderState(state)), answer) == (event and OrderEvent(event))


@given(st.sampled_from(EVERY_STATE), st.sampled_from([(row.entity, row.status) for row in answer_rows()]))
def test_an_answer_never_means_an_event_that_the_state_does_not_allow(
    where: tuple[OrderKind, OrderState], status: tuple[str, str]
) -> None:
    event = event_of(order_in(*where), DmsAnswer(order_id="o", statuses=(status,)))
    assert event is None or event in TABLES[where[0]][where[1]]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["service_order_id", "document_version", "status", "repair_order", "service_appointment", "note"])


@given(st.dictionaries(MEMBERS, JSON_VALUES, max_size=6))
def test_an_odd_document_is_a_value_error_and_nothing_else(document: dict[str, object]) -> None:
    try:
        answer = STAR.inward(document)
    except ValueError:
        return
    assert answer.order_id
    assert answer.statuses
