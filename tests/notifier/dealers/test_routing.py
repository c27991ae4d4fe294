"""Whom an order is offered to: the steps of the policy, calendars and skills, and what is done where workshops are sparse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import RoadError
from domain.findings import Urgency
from domain.fleet import Dealer
from domain.orders import DealerChoice, OrderKind, Wish
from domain.ports import Ways
from domain.records import VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.dealer_needs import DealerDecision, DealerNeeds
from notifier.dealers.routing_policy import PLAIN_ROUTING, RegionPolicy, Routing, RoutingPolicy, Worth
from notifier.orders.ordering import update_orders
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, recommendation, vehicle

WEDNESDAY = (WEDNESDAY_10_UTC_NS + 8 * HOUR_NS) // (24 * HOUR_NS)


def needs(**more: object) -> DealerNeeds:
    fields: dict[str, object] = {
        "kind": OrderKind.SERVICE,
        "urgency": Urgency.SOON,
        "time_ns": WEDNESDAY_10_UTC_NS,
        "location": SHANGHAI,
        "brand": "BYD",
    }
    return DealerNeeds(**(fields | more))  # type: ignore[arg-type]


def chosen(decision: DealerDecision) -> DealerChoice:
    assert decision.choice is not None
    return decision.choice


def why(decision: DealerDecision) -> list[str]:
    return [text.en for text in chosen(decision).why]


def routed(**policy: object) -> Routing:
    return Routing(policy=RoutingPolicy(regions={"": RegionPolicy(**policy)}))  # type: ignore[arg-type]


def first_day(decision: DealerDecision) -> int:
    return (decision.slots[0][0] + 8 * HOUR_NS) // (24 * HOUR_NS) - WEDNESDAY


def test_the_owner_s_choice_wins_however_far_and_whatever_brands_it_serves() -> None:
    network = DealerNetwork([dealer("near"), dealer("own", 300, brands=("NIO",))])
    decision = network.decide(needs(owner_choice="own"))
    assert chosen(decision).dealer == "own"
    assert why(decision)[0] == "the owner has chosen it"
    assert not any("serves" in reason for reason in why(decision))


def test_the_owner_s_choice_is_passed_over_only_where_it_cannot_do_the_work() -> None:
    shops = [dealer("near", capabilities=("hv",)), dealer("own", 3)]
    assert chosen(DealerNetwork(shops).decide(needs(owner_choice="own", capabilities=("hv",)))).dealer == "near"
    assert chosen(DealerNetwork(shops).decide(needs(owner_choice="own", excluded=frozenset({"own"})))).dealer == "near"


@pytest.mark.parametrize("step", ["last_service", "selling"])
def test_the_last_service_or_selling_dealer_is_asked_before_nearer_ones_but_not_from_afar(step: str) -> None:
    shops = [dealer("near"), dealer("known", 25), dealer("distant", 60)]
    assert chosen(DealerNetwork(shops).decide(needs(**{step: "known"}))).dealer == "known"
    assert chosen(DealerNetwork(shops).decide(needs(**{step: "distant"}))).dealer == "near"


def test_the_last_service_dealer_comes_before_the_selling_one() -> None:
    shops = [dealer("near"), dealer("sold", 5), dealer("served", 9)]
    assert chosen(DealerNetwork(shops).decide(needs(last_service="served", selling="sold"))).dealer == "served"


def test_a_rescue_goes_to_the_nearest_partner_though_the_owner_has_a_workshop() -> None:
    able = {"capabilities": ("rescue",)}
    shops = [dealer("near", 2, tier="rescue", **able), dealer("own", 20, **able)]
    rescue = needs(kind=OrderKind.RESCUE, urgency=Urgency.STOP, capabilities=("rescue",), owner_choice="own", last_service="own")
    assert chosen(DealerNetwork(shops).decide(rescue)).dealer == "near"


def test_without_a_position_the_owner_s_choice_is_asked() -> None:
    decision = DealerNetwork([dealer("own", 300), dealer("mine")]).decide(
        needs(location=None, owner_choice="own", preferred="mine")
    )
    assert chosen(decision).dealer == "own"


def test_the_policy_is_that_of_the_vehicle_s_region_or_of_the_nearest_dealer_s() -> None:
    regions = {"": RegionPolicy(), "eu": RegionPolicy(worth=Worth(franchised=0.0))}
    shops = [dealer("any", 5, region="eu/de"), dealer("maker", 7, brands=("BYD",), region="eu/de")]
    network = DealerNetwork(shops, routing=Routing(policy=RoutingPolicy(regions=regions)))
    assert chosen(network.decide(needs())).dealer == "any"
    assert chosen(network.decide(needs(region="cn"))).dealer == "maker"


def test_holidays_and_the_capacity_calendar_move_appointments() -> None:
    shop = dealer(opens_hour=8, closes_hour=18)
    assert first_day(DealerNetwork([shop]).decide(needs())) == 1
    closed = replace(shop, holidays=(WEDNESDAY + 1,))
    assert first_day(DealerNetwork([closed]).decide(needs())) == 2
    short = replace(closed, capacity_on=((WEDNESDAY + 2, 1),))
    assert first_day(DealerNetwork([short], {("d1", WEDNESDAY + 2): 1}).decide(needs())) == 3
    more = replace(shop, capacity_per_day=0, capacity_on=((WEDNESDAY + 4, 2),))
    assert first_day(DealerNetwork([more]).decide(needs())) == 4


def test_hours_may_differ_by_weekday() -> None:
    shop = dealer(opens_hour=8, closes_hour=18, hours=((4, 13, 15),))
    start = DealerNetwork([shop]).decide(needs()).slots[0][0]
    assert (start + 8 * HOUR_NS) // HOUR_NS % 24 == 13


def test_equipment_without_anybody_skilled_does_not_do_the_work() -> None:
    idle = dealer("idle", 1, capabilities=("hv", "engine"), technicians=(("engine", 3), ("hv", 0)))
    staffed = dealer("staffed", 9, capabilities=("hv",), technicians=(("hv", 1),))
    decision = DealerNetwork([idle, staffed]).decide(needs(capabilities=("hv",)))
    assert (chosen(decision).dealer, dict(decision.rejected)) == ("staffed", {"capability": 1})


def test_accepting_liked_and_free_dealers_are_worth_the_policy_s_detour_and_it_is_said() -> None:
    routing = routed(worth=Worth(acceptance=10.0, nps=10.0, load=10.0))
    picky, keen = dealer("picky", 1, acceptance=0.2), dealer("keen", 5, acceptance=0.95)
    assert chosen(DealerNetwork([picky, keen]).decide(needs())).dealer == "picky"
    decision = DealerNetwork([picky, keen], routing=routing).decide(needs())
    assert chosen(decision).dealer == "keen"
    assert "accepts 95% of its offers" in why(decision)
    liked = DealerNetwork([dealer("far", 4, nps=80.0), dealer("near", 1, nps=-20.0)], routing=routing).decide(needs())
    assert "owners rate it 80 (NPS)" in why(liked)
    booked = {("busy", WEDNESDAY + day): 7 for day in range(7)}
    assert chosen(DealerNetwork([dealer("busy", 1), dealer("free", 5)], booked, routing=routing).decide(needs())).dealer == "free"


def test_where_no_workshop_is_able_in_reach_a_mobile_unit_comes_else_the_vehicle_is_towed() -> None:
    unit, far = dealer("van", 60, tier="mobile", brands=("BYD",)), dealer("far", 500)
    assert chosen(DealerNetwork([unit, dealer("near")]).decide(needs())).dealer == "near"
    mobile = DealerNetwork([unit, far]).decide(needs())
    assert (chosen(mobile).dealer, mobile.transport) == ("van", "MOBILE")
    towed = DealerNetwork([unit, far]).decide(needs(drivable=False))
    assert (chosen(towed).dealer, towed.transport) == ("far", "FLAT_BED")
    assert why(towed)[0] == "no able workshop in reach: the vehicle is towed"
    assert DealerNetwork([unit, far], routing=routed(mobile_km=0.0, tow_km=0.0)).decide(needs()).choice is None


def test_an_order_carries_the_transport_that_its_dealer_needs() -> None:
    network = DealerNetwork([dealer("van", 60, tier="mobile")])
    case, _ = update_orders(VehicleCase(vehicle="v1"), recommendation(), vehicle(), network, SHANGHAI, WEDNESDAY_10_UTC_NS)
    assert (case.orders[0].transport, case.orders[0].state) == ("MOBILE", "dispatching")


class FixedRoads:
    """Says the same ways for each place asked about; `fails`: does not answer."""

    def __init__(self, km: dict[float, float], *, fails: bool = False) -> None:
        self.km, self.fails, self.asked = km, fails, 0

    def ways(self, start: tuple[float, float], ends: Sequence[tuple[float, float]]) -> Ways:
        self.asked += len(ends)
        if self.fails:
            raise RoadError("no answer")
        km = np.array([self.km[round(latitude, 4)] for latitude, _ in ends])
        return Ways(km=km, hours=km / 60)


def _roads_to(shops: list[Dealer], *km: float, fails: bool = False) -> Routing:
    ways = {round(shop.latitude, 4): way for shop, way in zip(shops, km, strict=True)}
    return replace(PLAIN_ROUTING, roads=FixedRoads(ways, fails=fails))


def test_a_road_service_knows_the_river_between() -> None:
    shops = [dealer("across", 5), dealer("along", 8), dealer("island", 2)]
    decision = DealerNetwork(shops, routing=_roads_to(shops, 60.0, 9.0, np.inf)).decide(needs())
    assert (chosen(decision).dealer, chosen(decision).distance_km) == ("along", 9.0)
    assert why(decision)[0].startswith("9.0 km by road")
    assert dict(decision.rejected) == {"too_far": 1}


def test_where_the_road_service_does_not_answer_ways_are_estimated() -> None:
    shops = [dealer("across", 5), dealer("along", 8)]
    decision = DealerNetwork(shops, routing=_roads_to(shops, 60.0, 9.0, fails=True)).decide(needs())
    assert (chosen(decision).dealer, why(decision)[0].startswith("about 6.5 km")) == ("across", True)


def test_a_road_service_is_asked_about_the_nearest_able_dealers_only() -> None:
    shops = [dealer(f"d{row:03}", row / 10) for row in range(200)]
    routing = _roads_to(shops, *(float(row) for row in range(200)))
    DealerNetwork(shops, routing=routing).decide(needs())
    assert isinstance(routing.roads, FixedRoads)
    assert routing.roads.asked == 25


def test_a_dealer_that_fetches_no_vehicles_from_so_far_is_not_asked_for_a_pick_up() -> None:
    shops = [dealer("near", 1), dealer("short", 5, pick_up_km=2.0), dealer("far", 9, pick_up_km=30.0)]
    decision = DealerNetwork(shops).decide(needs(wish=Wish.PICK_UP))
    assert (chosen(decision).dealer, dict(decision.rejected)) == ("far", {"no_pick_up": 2})
    assert "fetches the vehicle and brings it back" in why(decision)
    assert chosen(DealerNetwork(shops).decide(needs(wish=Wish.WAIT_AT_DEALER))).dealer == "near"


def test_loaners_are_lent_to_so_many_a_day_and_then_the_next_day_is_offered() -> None:
    network = DealerNetwork([dealer("near", 1), dealer("lends", 5, loaners=2, bays=8, capacity_per_day=40)])
    days = []
    for number in range(5):
        decision = network.decide(needs(wish=Wish.LOANER))
        assert chosen(decision).dealer == "lends"
        assert dict(decision.rejected) == {"no_loaner": 1}
        days.append(first_day(decision))
        network.book_slot("lends", decision.slots[0][0] + number % 2 * HOUR_NS, capabilities=(Wish.LOANER,))
    assert [days.count(day) for day in sorted(set(days))] == [2, 2, 1]
    assert first_day(network.decide(needs(owner_choice="lends"))) == days[0], "who wants none can come on the first day"


def test_a_wish_for_a_loaner_goes_to_nobody_where_nobody_has_one_but_a_mobile_unit_may_come() -> None:
    assert DealerNetwork([dealer("near"), dealer("far", 500, loaners=0)]).decide(needs(wish=Wish.LOANER)).choice is None
    unit = dealer("van", 60, tier="mobile", brands=("BYD",))
    assert DealerNetwork([unit, dealer("near")]).decide(needs(wish=Wish.LOANER)).transport == "MOBILE"
