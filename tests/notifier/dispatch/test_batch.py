"""Plans for many orders at once: what stands before distance, what the flow decides, and what it leaves to single decisions."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.findings import Urgency
from domain.fleet import Dealer
from domain.orders import OrderKind
from notifier.dealers import working_hours
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.dealer_needs import DealerNeeds
from notifier.dispatch.batch import BatchPlan, plan_batch
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, dealer

DAY_NS = 24 * HOUR_NS


def needs(north_km: float = 0.0, **more: object) -> DealerNeeds:
    fields: dict[str, object] = {
        "kind": OrderKind.SERVICE,
        "urgency": Urgency.SOON,
        "time_ns": WEDNESDAY_10_UTC_NS,
        "location": (SHANGHAI[0] + north_km / 111.195, SHANGHAI[1]),
    }
    return DealerNeeds(**(fields | more))  # type: ignore[arg-type]


def planned(dealers: list[Dealer], *waiting: DealerNeeds, booked: dict[tuple[str, int], int] | None = None) -> BatchPlan:
    named = {f"o{number:02}": each for number, each in enumerate(waiting)}
    return plan_batch(named, DealerNetwork(dealers, booked), WEDNESDAY_10_UTC_NS)


def where(plan: BatchPlan) -> list[str | None]:
    return [decision.choice.dealer if decision.choice else None for decision in plan.decisions.values()]


def local_day(time_ns: int) -> int:
    return (time_ns + 8 * HOUR_NS) // DAY_NS


def test_the_first_to_come_gives_way_where_all_ways_together_are_shorter() -> None:
    """Alone, the first order would take the near dealer, and the second would drive 80 km for want of it."""
    only_tomorrow = (5,)  # Thursday is weekday 4: Friday alone, one order
    near = dealer("near", 10, capacity_per_day=1, days_open=only_tomorrow)
    south = dealer("south", -30, capacity_per_day=1, days_open=only_tomorrow)
    first, second = needs(-9.5), needs(60)
    alone = DealerNetwork([near, south])
    assert alone.decide(first).choice is not None
    plan = planned([near, south], first, second)
    assert where(plan) == ["south", "near"]
    assert (plan.together, plan.proven) == (2, True)
    choice = plan.decisions["o00"].choice
    assert choice is not None
    assert "for the shortest ways of 2 orders together" in choice.why[0].en


def test_the_owner_s_choice_and_the_last_service_dealer_stand_before_the_flow() -> None:
    dealers = [dealer("near", 1), dealer("own", 30), dealer("served", 20)]
    plan = planned(dealers, needs(owner_choice="own"), needs(last_service="served"), needs())
    assert where(plan) == ["own", "served", "near"]
    assert plan.together == 1


def test_days_are_chosen_too_and_the_nearest_dealer_s_next_day_beats_a_long_way_today() -> None:
    near = dealer("near", 1, capacity_per_day=1)
    plan = planned([near, dealer("far", 60)], needs(), needs(), needs())
    assert where(plan) == ["near", "near", "near"]
    days = sorted(local_day(decision.slots[0][0]) for decision in plan.decisions.values())
    assert [day - local_day(WEDNESDAY_10_UTC_NS) for day in days] == [1, 2, 3]


def test_what_is_booked_already_stays_booked() -> None:
    tomorrow = local_day(WEDNESDAY_10_UTC_NS) + 1
    near = dealer("near", 1, capacity_per_day=1, days_open=(4,))  # Thursdays: tomorrow, and in eight days
    plan = planned([near, dealer("far", 30)], needs(), booked={("near", tomorrow): 1})
    assert where(plan) == ["far"]


def test_who_refused_is_not_asked_again_and_the_preferred_workshop_is_worth_a_detour() -> None:
    dealers = [dealer("near", 1), dealer("mine", 15), dealer("other", 2)]
    plan = planned(dealers, needs(excluded=frozenset({"near"})), needs(preferred="mine"))
    assert where(plan) == ["other", "mine"]


def test_what_the_flow_cannot_place_is_decided_alone_by_mobile_unit_tow_or_nobody() -> None:
    dealers = [dealer("van", 60, tier="mobile", brands=("BYD",)), dealer("nio", 600, brands=("NIO",))]
    plan = planned(dealers, needs(brand="BYD"), needs(brand="NIO"), needs(brand="VW"))
    assert where(plan) == ["van", "nio", None]
    assert [decision.transport for decision in plan.decisions.values()] == ["MOBILE", "FLAT_BED", ""]
    assert plan.together == 0


def test_without_dealers_or_a_position_everybody_is_answered() -> None:
    assert where(planned([], needs(), needs(location=None))) == [None, None]
    assert where(planned([dealer("mine")], needs(location=None, preferred="mine"), needs(location=None))) == ["mine", None]
    assert planned([]).decisions == {}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_plan_answers_every_order_within_capacity_and_calendar(data: st.DataObject) -> None:
    shops = [
        dealer(
            f"d{row}",
            data.draw(st.floats(-60, 60)),
            capacity_per_day=data.draw(st.integers(0, 2)),
            days_open=tuple(data.draw(st.sets(st.integers(1, 7)))),
            opens_hour=8,
            closes_hour=18,
            capabilities=data.draw(st.sampled_from([(), ("hv",)])),
            utc_offset_hours=data.draw(st.sampled_from([8.0, 0.0])),
            holidays=(local_day(WEDNESDAY_10_UTC_NS) + data.draw(st.integers(0, 5)),),
        )
        for row in range(data.draw(st.integers(1, 4)))
    ]
    waiting = [
        needs(
            data.draw(st.floats(-60, 60)),
            urgency=data.draw(st.sampled_from([Urgency.SOON, Urgency.NEXT])),
            capabilities=data.draw(st.sampled_from([(), ("hv",)])),
        )
        for _ in range(data.draw(st.integers(0, 12)))
    ]
    plan = planned(shops, *waiting)
    assert list(plan.decisions) == [f"o{row:02}" for row in range(len(waiting))]
    taken: Counter[tuple[str, int]] = Counter()
    by_id = {shop.id: shop for shop in shops}
    for wanted, decision in zip(waiting, plan.decisions.values(), strict=True):
        if decision.choice is None:
            continue
        shop = by_id[decision.choice.dealer]
        day = working_hours.local_day(shop, decision.slots[0][0])
        assert set(wanted.capabilities) <= set(shop.capabilities)
        assert working_hours.iso_weekday(day) in shop.days_open
        assert decision.slots[0][0] >= WEDNESDAY_10_UTC_NS
        taken[shop.id, day] += 1
    assert all(count <= working_hours.capacity_on(by_id[name], day) for (name, day), count in taken.items())


def test_a_plan_is_no_worse_than_one_order_after_the_other() -> None:
    count = 40
    dealers = [dealer(f"d{row}", 12.0 * row - 60, capacity_per_day=2, days_open=(4,)) for row in range(11)]
    waiting = [needs((7 * number) % 97 - 50.0, urgency=Urgency.NEXT) for number in range(count)]
    network, alone_km, alone = DealerNetwork(dealers), 0.0, 0
    for wanted in waiting:
        choice = network.decide(wanted)
        if choice.choice is not None:
            alone_km, alone = alone_km + choice.choice.distance_km, alone + 1
            network.book_slot(choice.choice.dealer, choice.slots[0][0])
    plan = planned(dealers, *waiting)
    ways = [decision.choice.distance_km for decision in plan.decisions.values() if decision.choice]
    assert len(ways) == alone == count
    assert sum(ways) <= alone_km
