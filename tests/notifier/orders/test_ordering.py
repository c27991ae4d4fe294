"""Recommendations become orders: made, absorbed, merged, changed or left alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Cause, Part, Recommendation, Urgency
from domain.fleet import Dealer, Vehicle
from domain.orders import Order, OrderKind
from domain.records import OutboxEvent, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.working_hours import local_day
from notifier.identity import order_id
from notifier.orders.order_states import OrderEvent, transition
from notifier.orders.ordering import CARE_GROUP, OrderNeed, order_need, update_orders
from notifier.push.messages import OPERATIONS
from tests.notifier.builders import (
    HOUR_NS,
    SHANGHAI,
    WEDNESDAY_10_UTC_NS,
    dealer,
    plan_line,
    recommendation,
    roadside,
    text,
    vehicle,
)

EMPTY = VehicleCase(vehicle="v1")
DEALERS = [dealer("shop", 3, capabilities=("hv", "engine")), dealer("shop2", 9), dealer("tow", 12, capabilities=("rescue",))]


class Desk:
    """A case and a network, and what was pushed."""

    def __init__(self, dealers: list[Dealer] = DEALERS, car: Vehicle | None = None) -> None:
        self.network = DealerNetwork(dealers)
        self.case, self.car = EMPTY, car or vehicle()
        self.pushed: list[OutboxEvent] = []
        self.time_ns = WEDNESDAY_10_UTC_NS

    def take(self, *recommendations: Recommendation, location: tuple[float, float] | None = SHANGHAI) -> list[OutboxEvent]:
        events: list[OutboxEvent] = []
        for one in recommendations:
            self.time_ns += HOUR_NS
            self.case, made = update_orders(self.case, one, self.car, self.network, location, self.time_ns)
            events += made
        self.pushed += events
        return events

    @property
    def orders(self) -> tuple[Order, ...]:
        return self.case.orders

    def end(self, order: Order, *events: OrderEvent) -> None:
        after = order
        for event in events:
            after = transition(after, event, time_ns=self.time_ns, actor="somebody").order
        self.case = replace(self.case, orders=tuple(after if one.id == order.id else one for one in self.case.orders))


def told(events: list[OutboxEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.recipient) for event in events]


def test_what_needs_no_order_is_kept_without_one() -> None:
    desk = Desk()
    harmless = [
        recommendation("i1", Urgency.MONITOR),
        recommendation("i2", action="owner"),
        recommendation("i3", action="remote"),
    ]
    assert desk.take(*harmless) == []
    assert desk.case.recommendations == tuple(harmless)
    assert [order_need(one) for one in harmless] == [OrderNeed.NONE_MONITOR, OrderNeed.NONE_OWNER, OrderNeed.NONE_REMOTE]


def test_a_rescue_comes_for_what_must_not_be_driven_and_for_stops_at_the_roadside() -> None:
    wanted = {
        (Urgency.STOP, "roadside", "limited"): OrderNeed.SERVICE_AND_RESCUE,
        (Urgency.TODAY, "dealer", "no"): OrderNeed.SERVICE_AND_RESCUE,
        (Urgency.STOP, "dealer", "limp"): OrderNeed.SERVICE,
        (Urgency.TODAY, "roadside", "limited"): OrderNeed.SERVICE,
        (Urgency.MONITOR, "roadside", "no"): OrderNeed.NONE_MONITOR,
    }
    for (urgency, action, drive), need in wanted.items():
        assert order_need(recommendation("i1", urgency, action=action, drive=drive)) is need


def test_a_service_order_goes_to_the_nearest_able_dealer() -> None:
    desk = Desk()
    events = desk.take(recommendation(capabilities=("hv",)))
    (order,) = desk.orders
    assert (order.id, order.kind, order.version, order.state) == (
        order_id("i1", OrderKind.SERVICE),
        OrderKind.SERVICE,
        1,
        "dispatching",
    )
    assert order.choice is not None
    assert order.choice.dealer == "shop"
    assert (order.transport, order.incidents, order.location) == ("DROP_OFF", ("i1",), SHANGHAI)
    assert order.slots[0][0] > desk.time_ns
    assert told(events) == [("order.created", "shop")]
    assert events[0].subject == order.id
    assert (events[0].channel, events[0].due_ns, events[0].state) == ("webhook", 0, "pending")


def test_without_an_able_dealer_a_person_gets_it() -> None:
    desk = Desk([dealer("wrong", brands=("NIO",))])
    events = desk.take(recommendation())
    assert (desk.orders[0].state, desk.orders[0].choice) == ("manual", None)
    assert told(events) == [("order.created", OPERATIONS)]
    assert events[0].channel == "log"


def test_a_stopped_vehicle_gets_a_rescue_first_and_the_workshop_gets_it_on_a_flat_bed() -> None:
    desk = Desk()
    events = desk.take(roadside())
    by_kind = {order.kind: order for order in desk.orders}
    rescue, service = by_kind[OrderKind.RESCUE], by_kind[OrderKind.SERVICE]
    assert service.choice is not None
    assert (rescue.choice, rescue.state, rescue.transport) == (None, "requested", "FLAT_BED")
    assert (service.choice.dealer, service.transport) == ("shop", "FLAT_BED")
    assert rescue.id != service.id
    assert told(events) == [("order.created", OPERATIONS), ("rescue.notice", "v1"), ("order.created", "shop")]
    assert {json.loads(event.body)["data"]["priority"] for event in events} == {"P0"}


def test_a_truck_is_sent_to_where_trucks_are_lifted() -> None:
    desk = Desk([*DEALERS, dealer("heavy", 30, capabilities=("truck", "rescue"))], vehicle(powertrain="truck", brand=""))
    desk.take(roadside())
    assert {order.choice.dealer for order in desk.orders if order.choice} == {"heavy"}


def test_the_same_recommendation_again_changes_nothing() -> None:
    desk = Desk()
    desk.take(recommendation())
    before = desk.orders
    wandering = replace(recommendation().causes[0], probability=0.7)
    assert desk.take(recommendation(), recommendation(time_ns=5, causes=(wandering,)), location=(30.0, 120.0)) == []
    assert desk.orders == before


def test_a_changed_plan_urgency_or_cause_is_a_new_version_of_the_same_order() -> None:
    desk = Desk()
    changes = [
        recommendation(),
        recommendation(plan=(plan_line(), plan_line(2, "bleed coolant", "0.5", ()))),
        recommendation(urgency=Urgency.TODAY),
        recommendation(causes=(Cause(id="sensor", pattern="", title=text("sensor"), probability=0.5),)),
    ]
    events = desk.take(*changes)
    (order,) = desk.orders
    assert (order.version, order.created_ns, order.updated_ns) == (4, WEDNESDAY_10_UTC_NS + HOUR_NS, desk.time_ns)
    assert [event.type for event in events] == ["order.created", "order.updated", "order.updated", "order.updated"]
    assert len({event.id for event in events}) == 4


def test_an_open_order_absorbs_a_new_incident_of_its_group() -> None:
    desk = Desk()
    desk.take(recommendation("i1"), recommendation("i2"))
    (order,) = desk.orders
    assert (order.id, order.incidents, order.version) == (order_id("i1", OrderKind.SERVICE), ("i1", "i2"), 2)
    desk.take(recommendation("i3", Urgency.TODAY, group_key="brake"))
    assert [one.incidents for one in desk.orders] == [("i1", "i2"), ("i3",)]


def test_an_ended_order_absorbs_no_new_incident_and_does_not_rise_again() -> None:
    desk = Desk()
    desk.take(recommendation("i1"))
    desk.end(desk.orders[0], OrderEvent.CANCEL)
    assert desk.take(recommendation("i1", Urgency.TODAY)) == []
    desk.take(recommendation("i2"))
    assert [(one.incidents, one.state) for one in desk.orders] == [(("i1",), "cancelled"), (("i2",), "dispatching")]


def test_the_work_of_several_incidents_is_joined_once_and_the_most_urgent_one_leads() -> None:
    desk = Desk()
    pump = plan_line(1, "replace pump", "2.0", ())
    desk.take(recommendation("i1"), recommendation("i2", Urgency.TODAY, plan=(pump, plan_line(2)), title=text("pump")))
    (order,) = desk.orders
    joined = order.recommendation
    assert [(line.line, line.operation) for line in joined.plan] == [(1, "replace pump"), (2, "replace thermostat")]
    assert (joined.urgency, joined.title.en) == (Urgency.TODAY, "pump")


def test_an_incident_that_another_explains_goes_into_its_order_and_adds_no_work() -> None:
    desk = Desk()
    symptom = recommendation("i1", group_key="engine.misfire", plan=(plan_line(1, "replace coils"),), urgency=Urgency.TODAY)
    cause = recommendation("i2", merges=("i1",))
    desk.take(symptom, cause)
    (order,) = desk.orders
    assert (order.id, order.incidents) == (order_id("i1", OrderKind.SERVICE), ("i1", "i2"))
    assert [line.operation for line in order.recommendation.plan] == ["replace thermostat"]
    assert order.recommendation.urgency is Urgency.TODAY, "the symptom is as urgent as before"
    before = desk.orders
    assert desk.take(symptom, cause, symptom) == []
    assert desk.orders == before


def test_a_symptom_that_comes_after_its_cause_joins_the_order_of_the_cause() -> None:
    desk = Desk()
    desk.take(recommendation("i2", merges=("i1",)), recommendation("i1", group_key="engine.misfire"))
    (order,) = desk.orders
    assert order.incidents == ("i2", "i1")


def test_two_orders_that_turn_out_to_be_one_fault_become_one() -> None:
    desk = Desk()
    desk.take(recommendation("i1", Urgency.TODAY, group_key="engine.misfire"), recommendation("i2"))
    first, second = desk.orders
    events = desk.take(recommendation("i2", merges=("i1",)))
    kept, gone = desk.orders
    assert (kept.id, kept.incidents, kept.version, kept.state) == (first.id, ("i1", "i2"), 2, "dispatching")
    assert (gone.id, gone.version, gone.state) == (second.id, 2, "cancelled")
    assert told(events) == [("order.updated", "shop"), ("order.cancelled", "shop")]


def test_an_order_that_a_dealer_is_bound_to_is_never_merged_away() -> None:
    desk = Desk()
    desk.take(recommendation("i1", Urgency.TODAY, group_key="engine.misfire"), recommendation("i2"))
    first, second = desk.orders
    desk.end(second, OrderEvent.OFFER, OrderEvent.ACCEPT)
    desk.take(recommendation("i2", merges=("i1",)))
    states = {order.id: (order.state, order.incidents) for order in desk.orders}
    assert states == {first.id: ("cancelled", ("i1",)), second.id: ("accepted", ("i2", "i1"))}


def test_what_can_wait_is_done_in_one_visit() -> None:
    desk = Desk()
    belt = recommendation("i2", Urgency.NEXT, group_key="engine", plan=(plan_line(1, "replace belt"),))
    desk.take(recommendation("i1"), belt)
    (order,) = desk.orders
    assert (order.incidents, order.recommendation.urgency) == (("i1", "i2"), Urgency.SOON)
    assert [line.operation for line in order.recommendation.plan] == ["replace thermostat", "replace belt"]


@pytest.mark.parametrize(("urgency", "days", "orders"), [(Urgency.SOON, 6, 1), (Urgency.SOON, 9, 2), (Urgency.NEXT, 50, 1)])
def test_a_booked_visit_is_joined_only_if_it_is_near_enough(urgency: Urgency, days: int, orders: int) -> None:
    desk = Desk()
    desk.take(recommendation("i1"))
    desk.end(desk.orders[0], OrderEvent.OFFER, OrderEvent.ACCEPT)
    start_ns = desk.time_ns + days * 24 * HOUR_NS
    desk.case = replace(desk.case, orders=(replace(desk.orders[0], slots=((start_ns, start_ns + HOUR_NS),)),))
    desk.take(recommendation("i2", urgency, group_key="engine"))
    assert len(desk.orders) == orders
    assert desk.orders[0].slots[0][0] == start_ns


def test_no_visit_is_spoilt_by_work_that_its_dealer_cannot_do() -> None:
    desk = Desk()
    desk.take(recommendation("i1"), recommendation("i2", group_key="ev", capabilities=("nobody",)))
    assert [order.state for order in desk.orders] == ["dispatching", "manual"]


def test_a_vehicle_that_has_come_is_given_no_more_work() -> None:
    desk = Desk()
    desk.take(recommendation("i1"))
    desk.end(desk.orders[0], OrderEvent.OFFER, OrderEvent.ACCEPT, OrderEvent.SCHEDULE, OrderEvent.CHECK_IN)
    desk.take(recommendation("i2", Urgency.NEXT, group_key="engine"))
    assert len(desk.orders) == 2


def test_care_waits_for_nobody_and_joins_an_urgent_repair() -> None:
    desk = Desk()
    desk.take(recommendation("care1", Urgency.NEXT, group_key=CARE_GROUP, plan=(plan_line(1, "change oil"),)))
    desk.take(recommendation("i1", Urgency.TODAY), recommendation("care2", Urgency.NEXT, group_key=CARE_GROUP))
    (order,) = desk.orders
    assert (order.incidents, order.recommendation.urgency) == (("care1", "i1", "care2"), Urgency.TODAY)
    desk.end(order, OrderEvent.OFFER, OrderEvent.ACCEPT, OrderEvent.SCHEDULE, OrderEvent.CHECK_IN)
    desk.take(recommendation("care3", Urgency.NEXT, group_key=CARE_GROUP))
    assert len(desk.orders) == 2, "the vehicle has come already"


def test_one_rescue_serves_a_vehicle_whatever_else_breaks() -> None:
    desk = Desk()
    desk.take(roadside("i1"), roadside("i2", group_key="brake"))
    rescues = [order for order in desk.orders if order.kind is OrderKind.RESCUE]
    assert [order.incidents for order in rescues] == [("i1", "i2")]
    assert len(desk.orders) == 3


def test_a_dealer_that_can_no_longer_do_it_loses_the_order_and_is_told() -> None:
    desk = Desk([dealer("near", 1), dealer("able", 5, capabilities=("hv",))])
    desk.take(recommendation())
    events = desk.take(recommendation(capabilities=("hv",)))
    assert told(events) == [("order.updated", "able"), ("order.cancelled", "near")]
    lost = json.loads(events[1].body)["data"]
    assert (lost["state"], lost["dealer"], lost["slots"]) == ("cancelled", None, [])


def test_an_order_that_moves_or_merges_gives_its_capacity_back() -> None:
    for later in (
        recommendation("i1", Urgency.TODAY, capabilities=("hv",)),
        recommendation("i2", Urgency.TODAY, group_key="b", merges=("i1",)),
    ):
        desk = Desk([dealer("near", 1, capacity_per_day=1), dealer("able", 5, capabilities=("hv",))])
        desk.take(
            recommendation("i2", Urgency.TODAY, group_key="b")
            if later.merges
            else recommendation("i0", Urgency.NEXT, group_key="z")
        )
        desk.take(recommendation("i1", Urgency.TODAY))
        desk.take(later)
        rebuilt = DealerNetwork.from_orders(
            [dealer("near", 1, capacity_per_day=1), dealer("able", 5, capabilities=("hv",))], desk.orders
        )
        following = recommendation("i9", Urgency.TODAY, group_key="g9")
        results = [
            update_orders(desk.case, following, desk.car, network, SHANGHAI, desk.time_ns) for network in (desk.network, rebuilt)
        ]
        assert results[0] == results[1]


def test_parts_of_optional_work_choose_no_dealer() -> None:
    optional = plan_line(2, "wash", "0.5", (Part(number="SOAP", name=text("soap")),), optional=True)
    stocked = dealer("soap", 5, stock=(("SOAP", 9),))
    desk = Desk([dealer("near", 1), stocked])
    desk.take(recommendation(plan=(optional,)))
    needed = Desk([dealer("near", 1), stocked])
    needed.take(recommendation(plan=(replace(optional, optional=False),)))
    assert [one.orders[0].choice.dealer for one in (desk, needed) if one.orders[0].choice] == ["near", "soap"]


def test_a_new_version_knows_where_the_vehicle_is_now_and_lines_keep_their_numbers() -> None:
    desk = Desk()
    desk.take(recommendation(plan=(plan_line(10), plan_line(20, "test drive"))))
    assert [line.line for line in desk.orders[0].recommendation.plan] == [10, 20]
    desk.take(recommendation(urgency=Urgency.TODAY), location=(31.0, 121.0))
    assert desk.orders[0].location == (31.0, 121.0)


def test_an_accepted_order_keeps_its_dealer_and_appointment() -> None:
    desk = Desk([dealer("near", 1), dealer("able", 5, capabilities=("hv",))])
    desk.take(recommendation())
    desk.end(desk.orders[0], OrderEvent.OFFER, OrderEvent.ACCEPT)
    slots = desk.orders[0].slots
    desk.take(recommendation(capabilities=("hv",)))
    (order,) = desk.orders
    assert order.choice is not None
    assert (order.choice.dealer, order.slots, order.state, order.version) == ("near", slots, "accepted", 4)


def test_bookings_follow_the_orders_and_are_rebuilt_from_them() -> None:
    desk = Desk([dealer("one", 1, capacity_per_day=1), dealer("two", 5, capacity_per_day=1)])
    desk.take(*(recommendation(f"i{number}", group_key=f"g{number}", urgency=Urgency.TODAY) for number in range(3)))
    booked = [(order.choice.dealer, local_day(dealer(), order.slots[0][0])) for order in desk.orders if order.choice]
    assert len(set(booked)) == 3, "no dealer takes two orders a day with a capacity of one"
    rebuilt = DealerNetwork.from_orders([dealer("one", 1, capacity_per_day=1), dealer("two", 5, capacity_per_day=1)], desk.orders)
    following = recommendation("i9", Urgency.TODAY, group_key="g9")
    results = [
        update_orders(desk.case, following, desk.car, network, SHANGHAI, desk.time_ns) for network in (desk.network, rebuilt)
    ]
    assert results[0] == results[1]


def test_the_home_is_taken_where_the_position_is_unknown() -> None:
    desk = Desk()
    desk.take(recommendation(), location=None)
    assert desk.orders[0].location == SHANGHAI


RECOMMENDATIONS = st.builds(
    recommendation,
    st.sampled_from(["i1", "i2", "i3", "i4"]),
    st.sampled_from(Urgency),
    group_key=st.sampled_from(["g1", "g2"]),
    action=st.sampled_from(["dealer", "roadside", "owner"]),
    drive=st.sampled_from(["ok", "no"]),
    merges=st.sets(st.sampled_from(["i1", "i2", "i3", "i4"]), max_size=2).map(lambda found: tuple(sorted(found))),
    capabilities=st.sampled_from([(), ("hv",), ("nobody",)]),
)


@given(st.lists(RECOMMENDATIONS, max_size=8))
def test_any_history_of_recommendations_keeps_the_laws_of_orders(history: list[Recommendation]) -> None:
    desk = Desk()
    for one in history:
        before = {order.id: order for order in desk.orders}
        events = desk.take(one)
        now = {order.id: order for order in desk.orders}
        assert set(before) <= set(now)
        for identity, order in now.items():
            old = before.get(identity)
            assert (order == old) or order.version == (old.version + 1 if old else 1)
            assert (order != old) == (identity in {event.subject for event in events})
            assert (order.choice is None) == (order.state in {"manual", "requested"}) or order.state == "cancelled"
        live = [order for order in desk.orders if order.state != "cancelled"]
        for kind in OrderKind:
            incidents = [incident for order in live if order.kind is kind for incident in order.incidents]
            assert len(incidents) == len(set(incidents)), "an incident is answered by one live order of a kind"
        assert sum(order.kind is OrderKind.RESCUE for order in live) <= 1
        assert desk.take(one) == [], "saying it again changes nothing"
    assert len({event.id for event in desk.pushed}) == len(desk.pushed)
