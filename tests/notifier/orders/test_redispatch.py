"""What happens to an order after a dealer refuses it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fleet import Dealer
from domain.orders import Order, OrderKind
from domain.records import VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.order_states import OrderEvent, OrderState, transition
from notifier.orders.ordering import update_orders
from notifier.orders.redispatch import MOST_OFFERS, Redispatch, RedispatchOutcome, redispatch
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, confirmed, dealer, recommendation, roadside, vehicle

LATER_NS = WEDNESDAY_10_UTC_NS + HOUR_NS


def offered(dealers: list[Dealer], *, rescue: bool = False) -> tuple[Order, VehicleCase]:
    """An order that its nearest dealer has been offered."""
    advice = roadside() if rescue else recommendation()
    case, _ = update_orders(VehicleCase(vehicle="v1"), advice, vehicle(), DealerNetwork(dealers), SHANGHAI, WEDNESDAY_10_UTC_NS)
    kind = OrderKind.RESCUE if rescue else OrderKind.SERVICE
    order = next(order for order in case.orders if order.kind is kind)
    if rescue:
        sent = redispatch(
            replace(order, rescue=confirmed()),
            OrderEvent.DISPATCH,
            case=case,
            vehicle=vehicle(),
            dealers=dealers,
            orders=(),
            time_ns=WEDNESDAY_10_UTC_NS,
            actor="driver",
        )
        order = sent.order
    told = transition(order, OrderEvent.OFFER, time_ns=WEDNESDAY_10_UTC_NS, actor="system")
    return told.order, replace(case, orders=(told.order,))


def refuse(order: Order, case: VehicleCase, dealers: list[Dealer], event: OrderEvent = OrderEvent.DECLINE) -> Redispatch:
    return redispatch(
        order,
        event,
        case=case,
        vehicle=vehicle(),
        dealers=dealers,
        orders=case.orders,
        time_ns=LATER_NS,
        actor="d",
        reason="full",
    )


def chosen(order: Order) -> str | None:
    return order.choice.dealer if order.choice else None


def test_a_declined_offer_goes_to_the_next_nearest_dealer_in_one_version() -> None:
    dealers = [dealer("near", 1.0), dealer("far", 30.0), dealer("middle", 9.0)]
    order, case = offered(dealers)
    assert chosen(order) == "near"
    after = refuse(order, case, dealers)
    assert after.outcome is RedispatchOutcome.ASKED_NEXT
    assert (chosen(after.order), after.order.state) == ("middle", OrderState.DISPATCHING)
    assert after.order.version == order.version + 1
    assert after.order.refused_by == ("near",)
    assert [event.recipient for event in after.outbox] == ["middle"]
    assert json.loads(after.outbox[0].body)["data"]["version"] == after.order.version


def test_a_dealer_whose_offer_expired_is_told_that_it_is_withdrawn() -> None:
    dealers = [dealer("near", 1.0), dealer("next", 9.0)]
    order, case = offered(dealers)
    after = refuse(order, case, dealers, OrderEvent.EXPIRE)
    assert [(event.recipient, event.type) for event in after.outbox] == [("next", "order.updated"), ("near", "order.cancelled")]


def test_without_another_able_dealer_a_person_takes_over() -> None:
    dealers = [dealer("only", 1.0)]
    order, case = offered(dealers)
    after = refuse(order, case, dealers)
    assert after.outcome is RedispatchOutcome.MANUAL_NONE_ABLE
    assert (after.order.state, after.order.choice, after.order.slots) == (OrderState.MANUAL, None, ())
    assert [event.recipient for event in after.outbox] == ["operations"]


def test_a_refused_rescue_goes_to_the_next_rescue_partner() -> None:
    dealers = [dealer("near", 1.0, capabilities=("rescue", "hv")), dealer("next", 9.0, capabilities=("rescue", "hv"))]
    order, case = offered(dealers, rescue=True)
    assert chosen(refuse(order, case, dealers).order) == "next"


def test_what_a_later_recommendation_changes_is_not_offered_to_who_refused() -> None:
    dealers = [dealer("near", 1.0), dealer("next", 9.0)]
    order, case = offered(dealers)
    after = refuse(order, case, dealers).order
    changed = recommendation(capabilities=("hv",))
    able = [replace(each, capabilities=("hv",)) for each in dealers]
    case, _ = update_orders(replace(case, orders=(after,)), changed, vehicle(), DealerNetwork(able), SHANGHAI, LATER_NS + HOUR_NS)
    assert chosen(case.orders[0]) == "next"


@pytest.mark.parametrize("event", sorted(set(OrderEvent) - {OrderEvent.DECLINE, OrderEvent.EXPIRE}))
def test_nothing_but_a_refusal_asks_anew(event: OrderEvent) -> None:
    dealers = [dealer("near", 1.0), dealer("next", 9.0)]
    order, case = offered(dealers)
    assert refuse(order, case, dealers, event) == Redispatch(outcome=RedispatchOutcome.NOT_ALLOWED, order=order)


def test_an_accepted_order_cannot_be_refused() -> None:
    dealers = [dealer("near", 1.0), dealer("next", 9.0)]
    order, case = offered(dealers)
    accepted = transition(order, OrderEvent.ACCEPT, time_ns=LATER_NS, actor="near").order
    assert refuse(accepted, case, dealers).order is accepted


@given(
    ways_km=st.lists(st.floats(0.5, 150.0), min_size=1, max_size=6),
    events=st.lists(st.sampled_from([OrderEvent.DECLINE, OrderEvent.EXPIRE]), min_size=6, max_size=6),
)
def test_refusals_end_with_a_person_and_ask_nobody_twice(ways_km: list[float], events: list[OrderEvent]) -> None:
    dealers = [dealer(f"d{number}", km) for number, km in enumerate(ways_km)]
    order, case = offered(dealers)
    asked, ids = [chosen(order)], list[str]()
    for event in events:
        after = refuse(order, case, dealers, event)
        assert after.order.version == order.version + 1
        ids += [push.id for push in after.outbox]
        order = after.order
        if order.state == OrderState.MANUAL:
            break
        asked.append(chosen(order))
        order = transition(order, OrderEvent.OFFER, time_ns=LATER_NS, actor="system").order
    assert order.state == OrderState.MANUAL
    assert None not in asked
    assert len(set(asked)) == len(asked) == min(MOST_OFFERS, len(dealers))
    assert len(set(ids)) == len(ids)
