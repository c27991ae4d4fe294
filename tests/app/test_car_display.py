"""Answers from vehicles' displays: done once, only by the vehicle that was asked, and what is no answer is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.car_display import AnswerDesk, answers_settings
from domain.fleet import pseudonym
from domain.messages import RawMessage
from domain.orders import OrderKind
from domain.records import Commit
from domain.tickets import Ticket
from ingest.mqtt.settings import MqttSettings
from notifier.dealers.routing_policy import PLAIN_ROUTING
from storage.database import open_store
from storage.sql_store import SqlStore
from tests.notifier.rescue.making import FRESH_NS, PARTNERS, stopped

KEY, VIN = b"key", "LTESTVIN000000001"
PLACE = {"lat": 31.25, "lon": 121.47}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    case = stopped().case("v1")
    car = pseudonym(KEY, VIN)
    with open_store(f"sqlite:///{tmp_path / 'd.db'}", key=KEY) as opened:
        opened.save_dealers(PARTNERS)
        orders = tuple(replace(order, vehicle=car) for order in case.orders)
        opened.commit(Commit(cases=(replace(case, vehicle=car, orders=orders),)))
        yield opened


def desk(store: SqlStore) -> AnswerDesk:
    return AnswerDesk(MqttSettings(host="127.0.0.1"), store, key=KEY, routing=PLAIN_ROUTING, fresh_ns=FRESH_NS)


def rescue(store: SqlStore) -> tuple[str, str]:
    (order,) = store.orders(kind=OrderKind.RESCUE)
    return order.id, order.state


def message(payload: bytes, vin: str = VIN, *, retained: bool = False) -> RawMessage:
    return RawMessage(topic=f"pitcall/v1/{vin}/hmi/answer", payload=payload, received_ns=0, token=1, retained=retained)


def answer(store: SqlStore, word: str, **more: object) -> bytes:
    return json.dumps({"order_id": rescue(store)[0], "answer": word, **more}).encode()


def test_help_is_sent_once_however_often_the_broker_repeats_the_answer(store: SqlStore) -> None:
    for _ in range(2):
        desk(store).take(message(answer(store, "help", location=PLACE)))
    assert rescue(store)[1] == "dispatching"
    assert [entry.event for entry in store.order_audit(order=rescue(store)[0])] == ["propose", "dispatch"]
    assert store.dead_letters() == ()


def test_no_help_ends_it_and_call_me_asks_an_agent(store: SqlStore) -> None:
    desk(store).take(message(answer(store, "call_me")))
    assert [ticket.reason for ticket in store.papers(Ticket)] == ["call_me"]
    desk(store).take(message(answer(store, "no_help")))
    assert rescue(store)[1] == "cancelled"


def test_help_without_a_place_and_help_of_long_ago_ask_an_agent(store: SqlStore) -> None:
    desk(store).take(message(answer(store, "help")))
    desk(store).take(message(answer(store, "help", location=PLACE, time="2020-01-01T00:00:00Z")))
    assert rescue(store)[1] == "requested"
    assert sorted(ticket.reason for ticket in store.papers(Ticket)) == ["late_answer", "position"]


def test_what_another_vehicle_says_is_retained_or_is_no_answer_changes_nothing_and_is_kept(store: SqlStore) -> None:
    good = answer(store, "help", location=PLACE)
    for strange in (
        message(good, vin="LTESTVIN000000002"),
        message(good, retained=True),
        message(b"\xff{"),
        message(b"{}" * 4000),
    ):
        desk(store).take(strange)
    assert rescue(store)[1] == "requested"
    letters = store.dead_letters()
    assert {letter.reason for letter in letters} == {"malformed_answer"}
    assert len(letters) == 4
    assert all(VIN not in letter.origin + letter.detail for letter in letters)


def test_answers_have_a_session_and_a_topic_of_their_own() -> None:
    settings = answers_settings(MqttSettings(host="h", client_id="pitcall"))
    assert (settings.client_id, settings.filters) == ("pitcall-hmi", ("pitcall/v1/+/hmi/answer",))
