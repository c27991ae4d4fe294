"""Without a standing consent for its purpose an order waits for its owner, whatever it came from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consents import Consent, ConsentChannel, Purpose
from domain.findings import Recommendation, Urgency
from domain.orders import Desk, ManualReason, Order, OrderKind
from domain.records import OutboxEvent, VehicleCase
from domain.standing import Review
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.consent_gate import CARE_GROUP
from notifier.orders.order_states import OrderEvent, OrderState
from notifier.orders.ordering import update_orders
from notifier.orders.redispatch import Redispatch, RedispatchOutcome, redispatch
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, confirmed, dealer, recommendation, roadside, vehicle

DEALERS = [dealer("shop", 3, capabilities=("rescue", "hv")), dealer("far", 30), dealer("tow", 12, capabilities=("rescue",))]
ALERT = recommendation("i1")
CARE = recommendation("i2", Urgency.NEXT, group_key=CARE_GROUP)
SOURCES = {"alert": ALERT, "reminder": CARE, "campaign": replace(CARE, urgency=Urgency.SOON)}


def says(*purposes: Purpose, given_: bool = True, time_ns: int = 1) -> tuple[Consent, ...]:
    return tuple(
        Consent(vehicle="v1", purpose=purpose, channel=ConsentChannel.ORDER, given=given_, time_ns=time_ns)
        for purpose in purposes
    )


NOTHING = says(Purpose.SURVEY)
"""There is an owner, who has agreed to no orders."""


class Scene:
    """A case and its network."""

    def __init__(self) -> None:
        self.case, self.network, self.time_ns = VehicleCase(vehicle="v1"), DealerNetwork(DEALERS), WEDNESDAY_10_UTC_NS

    def take(self, advice: Recommendation, consents: tuple[Consent, ...]) -> tuple[OutboxEvent, ...]:
        self.time_ns += HOUR_NS
        self.case, events = update_orders(self.case, advice, vehicle(), self.network, SHANGHAI, self.time_ns, consents)
        return events

    def release(self, order: Order, *, named: str = "") -> Redispatch:
        return redispatch(
            order,
            OrderEvent.DISPATCH,
            case=self.case,
            vehicle=vehicle(),
            dealers=DEALERS,
            orders=self.case.orders,
            time_ns=self.time_ns,
            actor="owner",
            named=named,
        )


@pytest.mark.parametrize("source", SOURCES)
def test_what_the_owner_has_not_agreed_to_is_proposed_and_no_dealer_hears_of_it(source: str) -> None:
    desk = Scene()
    events = desk.take(SOURCES[source], NOTHING)
    (order,) = desk.case.orders
    assert (order.state, order.choice, order.slots, order.version) == (OrderState.PROPOSED, None, (), 1)
    assert (order.change.event, order.change.reason) == ("propose", "not_given")
    assert [event.recipient for event in events] == ["operations"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_standing_consent_for_its_own_purpose_sends_an_order_out_at_once(source: str) -> None:
    own, other = (Purpose.SERVICE, Purpose.MAINTENANCE) if source == "alert" else (Purpose.MAINTENANCE, Purpose.SERVICE)
    for consents, state in (
        (says(own), OrderState.DISPATCHING),
        (says(other), OrderState.PROPOSED),
        ((), OrderState.DISPATCHING),
    ):
        desk = Scene()
        desk.take(SOURCES[source], consents)
        assert [order.state for order in desk.case.orders] == [state]


@pytest.mark.parametrize("source", SOURCES)
def test_once_the_owner_agrees_the_nearest_dealer_is_asked_in_the_same_version(source: str) -> None:
    desk = Scene()
    desk.take(SOURCES[source], NOTHING)
    after = desk.release(desk.case.orders[0])
    assert (after.outcome, after.order.state, after.order.version) == (RedispatchOutcome.ASKED_NEXT, OrderState.DISPATCHING, 2)
    assert after.order.choice is not None
    assert after.order.choice.dealer == "shop"
    assert [event.recipient for event in after.outbox] == ["shop"]


def test_a_rescue_without_consent_is_requested_and_waits_for_somebodys_word() -> None:
    desk = Scene()
    desk.take(roadside(), NOTHING)
    assert {(order.kind, order.state) for order in desk.case.orders} == {
        (OrderKind.RESCUE, OrderState.REQUESTED),
        (OrderKind.SERVICE, OrderState.PROPOSED),
    }
    rescue = next(order for order in desk.case.orders if order.kind is OrderKind.RESCUE)
    assert desk.release(rescue).outcome is RedispatchOutcome.NOT_ALLOWED
    assert desk.release(replace(rescue, rescue=confirmed())).order.state == OrderState.DISPATCHING


def test_a_standing_consent_sends_nobody_out_to_rescue_without_the_drivers_word() -> None:
    desk = Scene()
    desk.take(roadside(), says(Purpose.RESCUE, Purpose.SERVICE))
    assert {(order.kind, order.state) for order in desk.case.orders} == {
        (OrderKind.RESCUE, OrderState.REQUESTED),
        (OrderKind.SERVICE, OrderState.DISPATCHING),
    }


def test_what_the_owner_agreed_to_once_stays_agreed_to_when_its_contents_change() -> None:
    desk = Scene()
    desk.take(ALERT, NOTHING)
    released = desk.release(desk.case.orders[0]).order
    desk.case = replace(desk.case, orders=(released,))
    desk.take(replace(ALERT, capabilities=("hv",)), NOTHING)
    assert [order.state for order in desk.case.orders] == [OrderState.DISPATCHING]


def test_new_findings_leave_a_proposal_a_proposal_until_the_consent_is_given() -> None:
    desk = Scene()
    desk.take(ALERT, NOTHING)
    desk.take(replace(ALERT, urgency=Urgency.TODAY), NOTHING)
    (order,) = desk.case.orders
    assert (order.state, order.recommendation.urgency, order.version) == (OrderState.PROPOSED, Urgency.TODAY, 2)
    desk.take(ALERT, says(Purpose.SERVICE))
    assert [order.state for order in desk.case.orders] == [OrderState.DISPATCHING]


def test_an_order_that_a_person_sees_to_is_not_sent_out_over_the_owners_head() -> None:
    desk = Scene()
    desk.take(replace(ALERT, review=Review.OLD_DATA), NOTHING)
    (order,) = desk.case.orders
    assert (order.state, order.manual, order.desk) == (OrderState.MANUAL, ManualReason.REVIEW, Desk.TECHNICAL)
    desk.take(ALERT, NOTHING)
    assert [order.state for order in desk.case.orders] == [OrderState.MANUAL]


def test_care_that_is_agreed_to_does_not_ride_on_a_repair_that_is_not() -> None:
    desk = Scene()
    desk.take(ALERT, says(Purpose.MAINTENANCE))
    desk.take(CARE, says(Purpose.MAINTENANCE))
    assert [order.state for order in desk.case.orders] == [OrderState.PROPOSED, OrderState.DISPATCHING]


@pytest.mark.parametrize("consents", [(), NOTHING])
@pytest.mark.parametrize("source", SOURCES)
def test_each_source_joins_the_cars_open_order(source: str, consents: tuple[Consent, ...]) -> None:
    desk = Scene()
    desk.take(replace(ALERT, incident_id="i0"), consents)
    desk.take(SOURCES[source], consents)
    (order,) = desk.case.orders
    assert order.incidents == ("i0", SOURCES[source].incident_id)


def test_a_person_may_name_the_dealer_and_one_that_cannot_is_refused_with_the_reason() -> None:
    desk = Scene()
    desk.take(replace(ALERT, capabilities=("hv",), review=Review.OLD_DATA), ())
    (order,) = desk.case.orders
    refused = desk.release(order, named="far")
    assert (refused.outcome, refused.order, dict(refused.rejected)) == (
        RedispatchOutcome.NAMED_NOT_ABLE,
        order,
        {"capability": 1},
    )
    named = desk.release(order, named="shop").order
    assert (named.state, named.manual, named.choice and named.choice.dealer) == (OrderState.DISPATCHING, None, "shop")


@given(
    advice=st.lists(st.sampled_from([ALERT, CARE, roadside("i3")]), min_size=1, max_size=4),
    purposes=st.sets(st.sampled_from([Purpose.SERVICE, Purpose.MAINTENANCE, Purpose.RESCUE])),
)
def test_no_dealer_ever_hears_of_what_nobody_agreed_to(advice: list[Recommendation], purposes: set[Purpose]) -> None:
    consents, desk = NOTHING + says(*sorted(purposes)), Scene()
    for one in advice:
        desk.take(one, consents)
    for order in desk.case.orders:
        if order.kind is OrderKind.RESCUE:
            wanted = Purpose.RESCUE
        else:
            wanted = Purpose.MAINTENANCE if order.group_key == CARE_GROUP else Purpose.SERVICE
        assert (order.choice is None) or wanted in purposes
