"""No two orders on one place; appointments are kept, moved and suggested only where they can be had."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.findings import Urgency
from domain.fleet import Dealer
from domain.orders import Order, OrderKind
from domain.records import VehicleCase
from domain.slots import SlotStatus, holds_slot, place_is_taken, places, skilled, slot_status
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.appointments import Diary, SlotVerdict, booked
from notifier.orders.order_states import ENDED_STATES, SERVICE, OrderEvent, OrderState, transition
from notifier.orders.ordering import update_orders
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, recommendation, vehicle

NINE_TO_FIVE = dealer("shop", opens_hour=9, closes_hour=17, bays=1, capacity_per_day=8)


def ordered(network: DealerNetwork, number: int, urgency: Urgency = Urgency.SOON, *capabilities: str) -> Order:
    car = replace(vehicle(), id=f"v{number}")
    advice = replace(recommendation(f"i{number}", urgency, capabilities=capabilities), vehicle=car.id)
    case, _ = update_orders(VehicleCase(vehicle=car.id), advice, car, network, SHANGHAI, WEDNESDAY_10_UTC_NS + number)
    return next(order for order in case.orders if order.kind is OrderKind.SERVICE)


def in_state(order: Order, state: str) -> Order:
    return replace(order, state=state)


shops = st.builds(
    lambda name, bays, capacity, people, opens, length: dealer(
        name,
        opens_hour=opens,
        closes_hour=min(24, opens + length),
        bays=bays,
        capacity_per_day=min(capacity, max(1, bays) * length) if bays else capacity,
        capabilities=("hv",),
        technicians=(("hv", people),) if people else (),
    ),
    st.sampled_from(["a", "b"]),
    st.integers(0, 3),
    st.integers(1, 9),
    st.integers(0, 2),
    st.integers(0, 18),
    st.integers(1, 6),
)


@settings(max_examples=60)
@given(
    shops=st.lists(shops, min_size=1, max_size=2, unique_by=lambda shop: shop.id),
    asked=st.lists(st.tuples(st.sampled_from([Urgency.TODAY, Urgency.SOON, Urgency.NEXT]), st.booleans()), max_size=14),
    rebuilt=st.booleans(),
)
def test_never_two_offers_on_one_place(shops: list[Dealer], asked: list[tuple[Urgency, bool]], rebuilt: bool) -> None:
    network, orders = DealerNetwork(shops), list[Order]()
    for number, (urgency, hv) in enumerate(asked):
        orders.append(ordered(network, number, urgency, *(("hv",) if hv else ())))
        if rebuilt:
            network = DealerNetwork.from_orders(shops, orders)
    by_id = {shop.id: shop for shop in shops}
    held = [order for order in orders if holds_slot(order)]
    begins = Counter((order.choice.dealer, order.slots[0][0]) for order in held if order.choice)
    skills = Counter(
        (order.choice.dealer, order.slots[0][0]) for order in held if order.choice and order.recommendation.capabilities
    )
    assert all(count <= places(by_id[name]) for (name, _), count in begins.items())
    assert all(count <= (skilled(by_id[name], "hv") or 99) for (name, _), count in skills.items())
    for order in held:
        assert order.choice is not None
        others = [other for other in held if other.id != order.id]
        assert not place_is_taken(in_state(order, "draft"), order, by_id[order.choice.dealer], others)


def test_every_state_holds_its_appointment_as_firmly_as_the_dealer_has_agreed() -> None:
    order = ordered(DealerNetwork([NINE_TO_FIVE]), 1)
    held = {state: slot_status(in_state(order, state)) for state in SERVICE}
    assert held[OrderState.DISPATCHING] is held[OrderState.OFFERED] is SlotStatus.TENTATIVE
    assert (held[OrderState.ACCEPTED], held[OrderState.SCHEDULED]) == (SlotStatus.RESERVED, SlotStatus.CONFIRMED)
    waiting = {OrderState.DRAFT, OrderState.PROPOSED, OrderState.MANUAL, OrderState.NO_SHOW}
    assert {state for state, status in held.items() if status is SlotStatus.RELEASED} == waiting | (ENDED_STATES & set(SERVICE))


def test_a_declined_offer_gives_its_place_back() -> None:
    network = DealerNetwork([NINE_TO_FIVE])
    first, second = ordered(network, 1), ordered(network, 2)
    assert second.slots[0][0] == first.slots[0][0] + HOUR_NS
    network.hold(first, -1)
    assert ordered(network, 3).slots[0] == first.slots[0]


def move(order: Order, event: OrderEvent, *others: Order, starts: tuple[int, ...] = (), now_ns: int = 0):
    asked = transition(order, event, time_ns=order.updated_ns, actor="d").order
    return booked(asked, event, starts, Diary(dealer=NINE_TO_FIVE, others=others, now_ns=now_ns), held=order)


@pytest.fixture
def offered() -> Order:
    return in_state(ordered(DealerNetwork([NINE_TO_FIVE]), 1), "offered")


def test_accepting_keeps_the_offered_appointment_and_takes_the_next_one_where_another_order_has_it(offered: Order) -> None:
    assert move(offered, OrderEvent.ACCEPT).order.slots == offered.slots
    rival = replace(offered, id="rival", state="scheduled")
    late = move(offered, OrderEvent.ACCEPT, rival)
    assert (late.verdict, late.order.slots) == (SlotVerdict.FREE, offered.slots[1:])
    tentative = replace(rival, state="offered")
    assert move(offered, OrderEvent.ACCEPT, tentative).order.slots == offered.slots, "who accepts first has it"


def test_an_appointment_is_moved_to_a_free_whole_hour_in_which_the_dealer_is_open(offered: Order) -> None:
    scheduled, first = in_state(offered, "scheduled"), offered.slots[0][0]
    rival = replace(scheduled, id="rival", slots=((first + HOUR_NS, first + 2 * HOUR_NS),))
    for start, verdict in (
        (first + 2 * HOUR_NS, SlotVerdict.FREE),
        (first + HOUR_NS, SlotVerdict.FULL),
        (first + 12 * HOUR_NS, SlotVerdict.CLOSED),
        (first + 1, SlotVerdict.NO_WHOLE_HOUR),
    ):
        found = move(scheduled, OrderEvent.SCHEDULE, rival, starts=(start,))
        assert found.verdict is verdict
        assert found.order.slots == (((start, start + HOUR_NS),) if verdict is SlotVerdict.FREE else scheduled.slots)
    assert move(scheduled, OrderEvent.SCHEDULE, starts=(first,), now_ns=first + 1).verdict is SlotVerdict.PAST


def test_who_did_not_come_needs_a_new_appointment(offered: Order) -> None:
    missed = in_state(offered, "no_show")
    assert move(missed, OrderEvent.SCHEDULE).verdict is SlotVerdict.MISSING
    start = offered.slots[0][0] + 24 * HOUR_NS
    assert move(missed, OrderEvent.SCHEDULE, starts=(start,)).order.slots[0][0] == start


def test_suggestions_leave_what_is_agreed_until_one_is_taken(offered: Order) -> None:
    scheduled, start = in_state(offered, "scheduled"), offered.slots[0][0] + 24 * HOUR_NS
    suggested = move(scheduled, OrderEvent.SUGGEST, starts=(start, start + HOUR_NS)).order
    assert (suggested.slots, len(suggested.suggested), suggested.state) == (scheduled.slots, 2, "scheduled")
    agreed = move(suggested, OrderEvent.SCHEDULE, starts=(start,)).order
    assert (agreed.slots, agreed.suggested) == (((start, start + HOUR_NS),), ())
    assert move(scheduled, OrderEvent.SUGGEST).verdict is SlotVerdict.MISSING
    assert (
        move(scheduled, OrderEvent.SUGGEST, starts=tuple(start + n * HOUR_NS for n in range(4))).verdict is SlotVerdict.TOO_MANY
    )


def test_free_appointments_can_all_be_had(offered: Order) -> None:
    diary = Diary(dealer=NINE_TO_FIVE, others=(replace(offered, id="rival"),), now_ns=WEDNESDAY_10_UTC_NS)
    free = diary.free(offered, 12)
    assert len(free) == 12
    assert offered.slots[0] not in free
    assert all(diary.verdict(offered, start) is SlotVerdict.FREE for start, _ in free)


def test_the_last_loaner_of_a_day_is_not_promised_to_a_second_order_though_there_is_a_bay(offered: Order) -> None:
    lends = replace(NINE_TO_FIVE, bays=4, capacity_per_day=20, loaners=1)
    lent = replace(offered, id="lent", state="scheduled", transport="LOANER")
    start = offered.slots[0][0]
    hour_later = replace(offered, state="draft", transport="LOANER", slots=((start + HOUR_NS, start + 2 * HOUR_NS),))
    assert place_is_taken(hour_later, in_state(hour_later, "dispatching"), lends, [lent])
    drives = replace(hour_later, transport="DROP_OFF")
    assert not place_is_taken(drives, in_state(drives, "dispatching"), lends, [lent])
    next_day = replace(hour_later, slots=((start + 24 * HOUR_NS, start + 25 * HOUR_NS),))
    assert not place_is_taken(next_day, in_state(next_day, "dispatching"), lends, [lent])
    diary = Diary(dealer=lends, others=(lent,), now_ns=WEDNESDAY_10_UTC_NS)
    assert {diary.verdict(order, start + HOUR_NS) for order in (hour_later, drives)} == {SlotVerdict.FULL, SlotVerdict.FREE}
