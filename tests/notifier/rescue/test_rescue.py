"""From the driver's word to help on the way: who may send it, where to, what the driver sees, and when people take over."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rescue_watch import WatchTally, watch_rescues
from domain.consents import Consent, ConsentBasis
from domain.errors import DeliveryError
from domain.fleet import Vehicle
from domain.orders import Order, OrderKind
from domain.rescue import ConfirmedBy, PositionSource, ReplacementCar
from domain.tickets import Ticket, TicketState
from notifier.channels.display import DisplayChannel
from notifier.dealers.routing_policy import PLAIN_ROUTING
from notifier.orders.order_states import OrderEvent, transition
from notifier.push.messages import order_json
from notifier.rescue.answers import read_answer
from notifier.rescue.confirming import ConfirmOutcome, SaidPosition
from notifier.rescue.helping import Word, end_call, send_help, tell_progress, told
from notifier.rescue.wording import DriverAnswer, load_wording
from storage.memory_store import MemoryStore
from tests.notifier.builders import SHANGHAI, dealer
from tests.notifier.rescue.making import FRESH_NS, NOW_NS, location_consent, rescue_of, sighting, stopped

DRIVER, AGENT = Word(by=ConfirmedBy.DRIVER), Word(by=ConfirmedBy.AGENT, agent="key:agent")


def send(store: MemoryStore, word: Word = DRIVER) -> ConfirmOutcome:
    outcome, _ = send_help(store, rescue_of(store).id, word, now_ns=NOW_NS, fresh_ns=FRESH_NS, routing=PLAIN_ROUTING)
    return outcome


def shown(store: MemoryStore) -> list[dict[str, object]]:
    """What the vehicle's display has been told, in words."""
    sent: list[bytes] = []
    channel = DisplayChannel(lambda _, payload: sent.append(payload), load_wording(), fresh_ns=FRESH_NS)
    notices = sorted((event for event in store.outbox_events() if event.channel == "display"), key=lambda event: event.version)
    for event in notices:
        assert event.recipient == "v1"
        channel.deliver(event, None, NOW_NS)
    return [json.loads(payload)["data"] for payload in sent]


def test_a_stop_asks_the_driver_in_fixed_words_and_sends_nobody() -> None:
    store = stopped(group="ev.battery/cell")
    (told,) = shown(store)
    assert told["notice"]["id"] == "safety.ev"  # type: ignore[index]
    assert [answer["id"] for answer in told["answers"]] == ["help", "no_help", "call_me"]  # type: ignore[attr-defined]
    assert told["emergency_call"] is False
    assert "://" not in json.dumps(told)
    assert rescue_of(store).choice is None
    assert not [event for event in store.outbox_events() if event.recipient in {"tow", "slow"}]


def test_a_question_about_old_data_is_not_asked_and_a_notice_is_never_too_old() -> None:
    store = stopped()
    channel = DisplayChannel(lambda *_: None, load_wording(), fresh_ns=FRESH_NS)
    (question,) = (event for event in store.outbox_events() if event.channel == "display")
    with pytest.raises(DeliveryError, match="too old") as problem:
        channel.deliver(question, None, NOW_NS + FRESH_NS)
    assert problem.value.void
    send(store)
    notice = next(event for event in store.outbox_events() if event.channel == "display" and event.id != question.id)
    channel.deliver(notice, None, NOW_NS + 10 * FRESH_NS)


def test_the_drivers_word_sends_the_partner_that_is_there_first_and_records_on_what_it_rests() -> None:
    store = stopped()
    assert send(store, replace(DRIVER, said=SaidPosition(location=(31.25, 121.47), precision_m=8))) is ConfirmOutcome.CONFIRMED
    order = rescue_of(store)
    assert order.choice is not None
    assert (order.choice.dealer, order.state, order.location) == ("tow", "dispatching", (31.25, 121.47))
    assert order.change == replace(order.change, event="dispatch", actor="driver", reason="confirmed by the driver")
    assert order.rescue is not None
    place = order.rescue.position
    assert (place.precision_m, place.source, place.basis) == (8, PositionSource.DISPLAY, ConsentBasis.CONSENT)
    assert [event.recipient for event in store.outbox_events() if event.type == "order.updated"] == ["tow"]
    assert send(store) is ConfirmOutcome.NOT_WAITING


@pytest.mark.parametrize(
    ("consents", "stated", "outcome", "basis"),
    [
        ((), None, ConfirmOutcome.CONFIRMED, ConsentBasis.CONTRACT),
        ((location_consent(basis=ConsentBasis.CONSENT),), None, ConfirmOutcome.CONFIRMED, ConsentBasis.CONSENT),
        ((location_consent(given=False),), None, ConfirmOutcome.NO_BASIS, None),
        ((location_consent(given=False),), ConsentBasis.VITAL_INTEREST, ConfirmOutcome.CONFIRMED, ConsentBasis.VITAL_INTEREST),
    ],
)
def test_an_agent_uses_the_place_only_on_a_basis_that_is_recorded(
    consents: tuple[Consent, ...], stated: ConsentBasis | None, outcome: ConfirmOutcome, basis: ConsentBasis | None
) -> None:
    store = stopped()
    store.add_consents(consents)
    assert send(store, replace(AGENT, stated=stated)) is outcome
    rescue = rescue_of(store).rescue
    assert (rescue.position.basis if rescue else None) == basis
    if rescue:
        assert (rescue.confirmed_by, rescue.agent, rescue.position.source) == (
            ConfirmedBy.AGENT,
            "key:agent",
            PositionSource.TELEMETRY,
        )


def test_a_position_that_is_too_old_sends_nobody_until_somebody_says_where() -> None:
    store = stopped(sighted=False)
    assert send(store) is ConfirmOutcome.POSITION_UNKNOWN
    store.save_sightings([sighting(age_s=601)])
    assert send(store, AGENT) is ConfirmOutcome.POSITION_UNKNOWN
    assert rescue_of(store).state == "requested"
    assert send(store, replace(AGENT, said=SaidPosition(location=SHANGHAI, precision_m=500))) is ConfirmOutcome.CONFIRMED


def test_a_driver_who_needs_no_help_ends_the_call_but_not_one_that_is_confirmed() -> None:
    store = stopped()
    assert end_call(store, rescue_of(store).id, actor="driver", reason="no help", now_ns=NOW_NS)
    assert (rescue_of(store).state, shown(store)[-1]["event"]) == ("cancelled", "cancel")
    other = stopped()
    send(other)
    assert not end_call(other, rescue_of(other).id, actor="driver", reason="no help", now_ns=NOW_NS)
    assert rescue_of(other).state == "dispatching"


def move(store: MemoryStore, event: OrderEvent, time_ns: int = NOW_NS) -> Order:

    order = rescue_of(store)
    after = transition(order, event, time_ns=time_ns, actor="tow").order
    assert store.change_order(after, order.version, told(store, after))
    return rescue_of(store)


def test_the_driver_sees_each_step_and_when_help_is_expected() -> None:
    store = stopped()
    send(store)
    assigned = move(store, OrderEvent.ACCEPT)
    assert assigned.rescue is not None
    assert assigned.choice is not None
    assert assigned.choice.drive_min is not None
    assert assigned.rescue.eta_ns == NOW_NS + round(assigned.choice.drive_min * 60e9)
    told = tell_progress(store, assigned, actor="tow", now_ns=NOW_NS, eta_ns=NOW_NS + 40 * 60 * 10**9)
    assert told is not None
    assert tell_progress(store, assigned, actor="tow", now_ns=NOW_NS, eta_ns=NOW_NS) is None
    way = move(store, OrderEvent.DEPART)
    assert way.rescue is not None
    assert (way.rescue.eta_ns, way.rescue.eta_from) == (NOW_NS + 40 * 60 * 10**9, "partner")
    tell_progress(store, way, actor="key:agent", now_ns=NOW_NS, replacement=ReplacementCar.ARRANGED)
    for event in (OrderEvent.ARRIVE, OrderEvent.TOW):
        move(store, event)
    ids = [data["notice"]["id"] for data in shown(store)]  # type: ignore[index]
    assert ids == ["safety", "received", "assigned", "expected", "en_route", "on_site", "towing"]
    assert shown(store)[3]["expected"] == "2025-06-18T10:41:00.000000Z"


def test_the_order_says_who_confirmed_it_where_it_goes_and_that_it_is_no_emergency_call() -> None:
    store = stopped()
    send(store, replace(DRIVER, replacement=ReplacementCar.WANTED))
    order, service = rescue_of(store), next(order for order in store.orders() if order.kind is OrderKind.SERVICE)
    data = order_json(order, store.case("v1"), Vehicle(id="v1"), None)["data"]
    assert data["rescue"]["emergency_call"] is False
    assert data["rescue"]["confirmed"]["by"] == "driver"
    assert data["rescue"]["replacement_car"] == "wanted"
    assert data["rescue"]["tow_to"] == {"order_id": service.id, "dealer": "shop", "state": service.state}
    assert data["dealer"]["drive_minutes"] > 0
    assert data["location"]["precision_m"] == 100


def watch(store: MemoryStore, now_ns: int = NOW_NS) -> WatchTally:
    return watch_rescues(store, call_after_s=120, accept_within_s=300, now_ns=now_ns)


def test_a_task_to_ring_the_driver_is_made_once_and_ends_with_the_confirmation() -> None:
    store = stopped()
    assert watch(store) == WatchTally(asked=1)
    assert watch(store) == WatchTally()
    (ticket,) = store.papers(Ticket)
    assert (ticket.reason, ticket.order, ticket.due_ns) == ("stop", rescue_of(store).id, NOW_NS + 120 * 10**9)
    send(store)
    assert watch(store) == WatchTally(ended=1)
    (ticket,) = store.papers(Ticket)
    assert (ticket.state, ticket.result) == (TicketState.DONE, "confirmed")


def test_where_no_partner_takes_it_in_time_people_do_and_the_partner_is_told() -> None:
    store = stopped()
    send(store)
    assert watch(store, NOW_NS + 299 * 10**9) == WatchTally()
    assert watch(store, NOW_NS + 301 * 10**9) == WatchTally(given_up=1)
    order = rescue_of(store)
    assert (order.state, order.desk, order.refused_by) == ("manual", "rescue", ("tow",))
    told = {(event.recipient, event.type) for event in store.outbox_events() if event.version == order.version}
    assert told >= {("tow", "order.cancelled"), ("v1", "rescue.notice"), ("operations", "order.updated")}
    assert watch(store, NOW_NS + 900 * 10**9) == WatchTally()


def test_where_no_partner_is_able_the_confirmed_rescue_waits_for_people() -> None:
    store = stopped(dealers=(dealer("shop", 3, capabilities=("hv",)),))
    assert send(store) is ConfirmOutcome.CONFIRMED
    order = rescue_of(store)
    assert (order.state, order.desk, order.rescue is not None) == ("manual", "rescue", True)


def test_a_vehicle_farther_in_kilometres_but_sooner_there_is_sent() -> None:
    from domain.ports import Ways
    from notifier.dealers.routing_policy import Routing

    class Roads:
        def ways(self, start: tuple[float, float], ends: object) -> Ways:
            import numpy as np

            near = [each[0] < 31.4 for each in ends]  # type: ignore[attr-defined]
            return Ways(km=np.where(near, 15.0, 40.0), hours=np.where(near, 1.5, 0.5))

    store = stopped()
    routing = Routing(policy=PLAIN_ROUTING.policy, roads=Roads())
    send_help(store, rescue_of(store).id, DRIVER, now_ns=NOW_NS, fresh_ns=FRESH_NS, routing=routing)
    choice = rescue_of(store).choice
    assert choice is not None
    assert (choice.dealer, choice.drive_min) == ("slow", 30.0)


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | st.dictionaries(st.text(), st.text()).map(lambda each: json.dumps(each).encode())
)
def test_any_bytes_are_an_answer_or_none(payload: bytes) -> None:
    answer = read_answer(payload)
    assert answer is None or answer.answer in DriverAnswer


def test_an_answer_says_where_and_when() -> None:
    payload = b'{"order_id": "o", "answer": "help", "location": {"lat": 31.2, "lon": 121.4}, "time": "2025-06-18T10:00:00Z", "future": 1}'
    answer = read_answer(payload)
    assert answer is not None
    assert answer.said == SaidPosition(location=(31.2, 121.4), precision_m=10)
    assert answer.age_ns(NOW_NS) == 60 * 10**9
    assert read_answer(payload.replace(b"31.2", b"91.2")) is None
