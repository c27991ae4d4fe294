"""Dealer choice against a slow, plain oracle, and its rules one by one."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.findings import Urgency
from domain.fleet import Dealer
from domain.orders import DealerChoice, Order, OrderKind
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.dealer_needs import DealerDecision, DealerNeeds, DealerOutcome
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, recommendation

DAY_NS = 24 * HOUR_NS


def needs(urgency: Urgency = Urgency.SOON, **more: object) -> DealerNeeds:
    fields: dict[str, object] = {
        "kind": OrderKind.SERVICE,
        "urgency": urgency,
        "time_ns": WEDNESDAY_10_UTC_NS,
        "location": SHANGHAI,
        "brand": "BYD",
    }
    return DealerNeeds(**(fields | more))  # type: ignore[arg-type]


def chosen(decision: DealerDecision) -> DealerChoice:
    assert decision.choice is not None
    return decision.choice


def local_day(one: Dealer, time_ns: int) -> int:
    zone = timezone(timedelta(hours=one.utc_offset_hours))
    return datetime.fromtimestamp(time_ns // 10**9, tz=zone).toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()


REACH = {
    Urgency.STOP: (50, 150, 400),
    Urgency.TODAY: (50, 150, 400),
    Urgency.SOON: (80, 200, 400),
    Urgency.NEXT: (100, 250, 400),
}
HORIZON_H = {Urgency.STOP: (24, 96), Urgency.TODAY: (24, 96), Urgency.SOON: (168, 336), Urgency.NEXT: (720,)}
TOW_KM = 800
WAIT = {Urgency.STOP: 1.0, Urgency.TODAY: 1.0, Urgency.SOON: 0.05, Urgency.NEXT: 0.0}


class Oracle:
    """The same rules in plain loops, with haversine and the standard library's calendar."""

    def __init__(self, dealers: list[Dealer], booked: dict[tuple[str, int], int]) -> None:
        self.dealers, self.booked = dealers, booked

    def decide(self, wanted: DealerNeeds) -> tuple[str | None, dict[str, int]]:
        rescue = wanted.kind is OrderKind.RESCUE
        counts: Counter[str] = Counter()
        for horizon in (24,) if rescue else HORIZON_H[wanted.urgency]:
            for reach in (100, 300, 600) if rescue else REACH[wanted.urgency]:
                counts, able = Counter(), []
                for one in self.dealers:
                    verdict = self.judge(one, wanted, reach, horizon)
                    if isinstance(verdict, str):
                        counts[verdict] += 1
                    else:
                        able.append((-round(verdict, 6), one.id))
                if able:
                    return min(able)[1], dict(counts)
        towed = () if rescue else [(one, self.judge(one, wanted, TOW_KM, HORIZON_H[wanted.urgency][-1])) for one in self.dealers]
        able = [(-round(verdict, 6), one.id) for one, verdict in towed if not isinstance(verdict, str)]
        if able:
            return min(able)[1], dict(Counter(verdict for _, verdict in towed if isinstance(verdict, str)))
        return None, dict(counts)

    def judge(self, one: Dealer, wanted: DealerNeeds, reach: float, horizon: int) -> str | float:
        rescue = wanted.kind is OrderKind.RESCUE
        assert wanted.location is not None
        km = self.km(wanted.location, (one.latitude, one.longitude))
        if km > reach:
            return "too_far"
        if one.id in wanted.excluded:
            return "excluded"
        if not rescue and one.brands and wanted.brand.casefold() not in [brand.casefold() for brand in one.brands]:
            return "brand"
        if not set(wanted.capabilities) <= set(one.capabilities):
            return "capability"
        if rescue:
            return -km
        first, full = self.first_start(one, wanted, km, horizon)
        if first is None:
            return "full" if full else "closed"
        arrival = self.ceil_hour(one, wanted.time_ns + math.ceil(km / 40 * HOUR_NS))
        stocked = sum(dict(one.stock).get(part, 0) >= count for part, count in wanted.parts) / max(len(wanted.parts), 1)
        wait = WAIT[wanted.urgency] * ((first - arrival) / HOUR_NS)
        return -km - wait + 10 * stocked + 5 * bool(one.brands) + 25 * (one.id == wanted.preferred)

    def first_start(self, one: Dealer, wanted: DealerNeeds, km: float, horizon: int) -> tuple[int | None, bool]:
        start = arrival = self.ceil_hour(one, wanted.time_ns + math.ceil(km / 40 * HOUR_NS))
        full = False
        while start <= wanted.time_ns + horizon * HOUR_NS or start == arrival:
            zone = timezone(timedelta(hours=one.utc_offset_hours))
            local = datetime.fromtimestamp(start // 10**9, tz=zone)
            if local.isoweekday() in one.days_open and one.opens_hour <= local.hour < one.closes_hour:
                if self.booked.get((one.id, local_day(one, start)), 0) < one.capacity_per_day:
                    return start, full
                full = True
            start += HOUR_NS
        return None, full

    @staticmethod
    def ceil_hour(one: Dealer, time_ns: int) -> int:
        shift = round(one.utc_offset_hours * HOUR_NS)
        return -(-(time_ns + shift) // HOUR_NS) * HOUR_NS - shift

    @staticmethod
    def km(here: tuple[float, float], there: tuple[float, float]) -> float:
        (a, b), (c, d) = (map(math.radians, point) for point in (here, there))
        h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
        return 1.3 * 2 * 6371.0088 * math.asin(math.sqrt(h))


def random_dealers(rng: random.Random, count: int) -> list[Dealer]:
    return [
        dealer(
            f"d{number:03}",
            latitude=SHANGHAI[0] + rng.gauss(0, 1.2),
            longitude=SHANGHAI[1] + rng.gauss(0, 1.2),
            brands=rng.choice([(), ("byd",), ("NIO",), ("NIO", "BYD")]),
            capabilities=tuple(rng.sample(["hv", "engine", "rescue", "truck"], rng.randint(0, 4))),
            capacity_per_day=rng.randint(0, 2),
            stock=tuple((part, rng.randint(0, 2)) for part in rng.sample(["A", "B", "C"], rng.randint(0, 3))),
            opens_hour=(opens := rng.randint(0, 12)),
            closes_hour=rng.randint(opens + 1, 24),
            utc_offset_hours=rng.choice([8.0, 8.0, 5.5, -3.5]),
            days_open=tuple(rng.sample(range(1, 8), rng.randint(0, 7))),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("seed", range(120))
def test_decisions_and_counts_equal_the_oracle(seed: int) -> None:
    rng = random.Random(seed)
    dealers = random_dealers(rng, rng.choice([1, 5, 60]))
    time_ns = WEDNESDAY_10_UTC_NS + rng.randrange(14 * DAY_NS)
    today = time_ns // DAY_NS
    booked = {(one.id, today + day): rng.randint(0, 3) for one in dealers for day in range(-1, 20) if rng.random() < 0.7}
    wanted = needs(
        rng.choice([Urgency.STOP, Urgency.TODAY, Urgency.SOON, Urgency.NEXT]),
        kind=rng.choice([OrderKind.SERVICE, OrderKind.SERVICE, OrderKind.SERVICE, OrderKind.RESCUE]),
        time_ns=time_ns,
        location=(SHANGHAI[0] + rng.gauss(0, 1), SHANGHAI[1] + rng.gauss(0, 1)),
        brand=rng.choice(["BYD", "NIO", "VW"]),
        capabilities=tuple(rng.sample(["hv", "engine"], rng.randint(0, 2))),
        parts=tuple((part, 1) for part in rng.sample(["A", "B", "C"], rng.randint(0, 3))),
        preferred=rng.choice(["", "d000", "d003"]),
        excluded=frozenset(rng.sample([one.id for one in dealers], rng.randint(0, 1))),
    )
    decision = DealerNetwork(rng.sample(dealers, len(dealers)), booked).decide(wanted)
    expected, counts = Oracle(dealers, booked).decide(wanted)
    assert (decision.choice.dealer if decision.choice else None) == expected
    assert dict(decision.rejected) == counts
    by_id = {one.id: one for one in dealers}
    for start, end in decision.slots:
        assert decision.choice
        one = by_id[decision.choice.dealer]
        local = datetime.fromtimestamp(start // 10**9, tz=timezone(timedelta(hours=one.utc_offset_hours)))
        assert end - start == HOUR_NS
        assert local.minute == 0
        assert local.isoweekday() in one.days_open
        assert one.opens_hour <= local.hour < one.closes_hour
        assert booked.get((one.id, local_day(one, start)), 0) < one.capacity_per_day
        assert time_ns < start <= max(decision.slots[0][0], time_ns + HORIZON_H[wanted.urgency][-1] * HOUR_NS)


def test_the_nearest_able_dealer_wins_and_says_why() -> None:
    network = DealerNetwork(
        [
            dealer("far", 20, capabilities=("hv",)),
            dealer("near", 5, capabilities=("hv",)),
            dealer("cannot", 1),
            dealer("away", 90),
        ]
    )
    choice = chosen(network.decide(needs(capabilities=("hv",))))
    assert choice.dealer == "near"
    assert choice.distance_km == pytest.approx(5 * 1.3, abs=0.1)
    assert choice.rejected == (("too_far", 1), ("capability", 1))
    assert "6.5 km" in choice.why[0].en
    assert "6.5 公里" in choice.why[0].zh
    assert [why.en for why in choice.why[1:]] == ["serves any brand", "equipped for: hv"]


def test_equally_good_dealers_are_told_apart_by_id() -> None:
    dealers = [dealer("b"), dealer("a"), dealer("c")]
    assert chosen(DealerNetwork(dealers).decide(needs())).dealer == "a"
    assert chosen(DealerNetwork(dealers).decide(needs(excluded=frozenset({"a"})))).dealer == "b"


def test_parts_in_stock_and_the_preferred_shop_are_worth_a_detour_but_not_any_detour() -> None:
    stocked = dealer("stocked", 10, stock=(("P", 2),))
    assert chosen(DealerNetwork([dealer("near", 5), stocked]).decide(needs(parts=(("P", 2),)))).dealer == "stocked"
    assert chosen(DealerNetwork([dealer("near", 5), stocked]).decide(needs(parts=(("P", 3),)))).dealer == "near"
    assert chosen(DealerNetwork([dealer("near", 5), dealer("mine", 20)]).decide(needs(preferred="mine"))).dealer == "mine"
    assert chosen(DealerNetwork([dealer("near", 5), dealer("mine", 40)]).decide(needs(preferred="mine"))).dealer == "near"


def test_a_booked_out_dealer_is_passed_over_until_capacity_is_given_back() -> None:
    network = DealerNetwork([dealer("near", 2, capacity_per_day=1), dealer("next", 8, capacity_per_day=1)])
    first = network.decide(needs(Urgency.TODAY))
    assert chosen(first).dealer == "near"
    start = first.slots[0][0]
    for day in (start, start + DAY_NS):
        network.book_slot("near", day)
    second = network.decide(needs(Urgency.TODAY))
    assert (chosen(second).dealer, chosen(second).rejected) == ("next", (("full", 1),))
    network.book_slot("near", start, -1)
    assert chosen(network.decide(needs(Urgency.TODAY))).dealer == "near"


def test_with_nobody_open_in_time_the_first_one_after_that_is_taken_and_it_is_said() -> None:
    friday_evening = WEDNESDAY_10_UTC_NS + 2 * DAY_NS + 2 * HOUR_NS
    shop = dealer(days_open=(1, 2, 3, 4, 5), opens_hour=8, closes_hour=18)
    decision = DealerNetwork([shop]).decide(needs(Urgency.TODAY, time_ns=friday_evening))
    assert datetime.fromtimestamp(decision.slots[0][0] // 10**9, tz=UTC) == datetime(
        2025, 6, 23, 0, tzinfo=UTC
    )  # Monday 08:00 in China
    assert "no able workshop is free sooner" in [why.en for why in chosen(decision).why]


def test_slots_stay_within_the_horizon_in_the_dealer_s_own_time() -> None:
    for offset in (-8.0, 0.0, 8.0):
        shop = dealer(utc_offset_hours=offset, opens_hour=8, closes_hour=20)
        slots = DealerNetwork([shop]).decide(needs(Urgency.SOON)).slots
        assert len(slots) == 3
        one_day_only = dealer(utc_offset_hours=offset, days_open=(local_day_of_week(offset),))
        (only,) = DealerNetwork([one_day_only]).decide(needs(Urgency.TODAY, time_ns=WEDNESDAY_10_UTC_NS - 3 * HOUR_NS)).slots[:1]
        assert only[0] <= WEDNESDAY_10_UTC_NS + DAY_NS


def local_day_of_week(offset: float) -> int:
    return datetime.fromtimestamp(WEDNESDAY_10_UTC_NS // 10**9, tz=timezone(timedelta(hours=offset))).isoweekday()


def test_only_open_orders_at_known_dealers_take_capacity() -> None:
    shop = dealer(capacity_per_day=1, days_open=(3,))
    start = WEDNESDAY_10_UTC_NS + HOUR_NS
    taken = Order(
        id="o1",
        kind=OrderKind.SERVICE,
        version=1,
        state="dispatching",
        vehicle="v1",
        group_key="g",
        incidents=("i1",),
        recommendation=recommendation(),
        created_ns=0,
        updated_ns=0,
        choice=DealerChoice(dealer="d1", distance_km=1.0, score=1.0, why=()),
        slots=((start, start + HOUR_NS),),
    )
    others = [
        replace(taken, state="cancelled"),
        replace(taken, state="settled"),
        replace(taken, slots=()),
        replace(taken, choice=None),
        replace(taken, choice=DealerChoice(dealer="unknown", distance_km=1.0, score=1.0, why=())),
    ]
    free = DealerNetwork.from_orders([shop], others).decide(needs(Urgency.TODAY))
    assert free.slots[0][0] == start
    assert DealerNetwork.from_orders([shop], [*others, taken]).decide(needs(Urgency.TODAY)).rejected == (("full", 1),)


def test_urgent_work_is_offered_the_earliest_hours_and_other_work_a_choice_of_days() -> None:
    network = DealerNetwork([dealer()])
    urgent = [start for start, _ in network.decide(needs(Urgency.TODAY)).slots]
    assert [start - WEDNESDAY_10_UTC_NS for start in urgent] == [HOUR_NS, 3 * HOUR_NS, 5 * HOUR_NS]
    relaxed = network.decide(needs(Urgency.NEXT)).slots
    assert len({local_day(dealer(), start) for start, _ in relaxed}) == 3


def test_a_rescue_goes_to_the_nearest_partner_whatever_its_hours_and_brands() -> None:
    partner = dealer("tow", 30, capabilities=("rescue",), days_open=(), brands=("NIO",), capacity_per_day=0)
    decision = DealerNetwork([dealer("shop", 1), partner]).decide(
        needs(Urgency.STOP, kind=OrderKind.RESCUE, capabilities=("rescue",))
    )
    assert (chosen(decision).dealer, decision.slots) == ("tow", ())


def test_without_a_position_only_the_preferred_dealer_can_be_judged() -> None:
    network = DealerNetwork([dealer("mine", 40), dealer("other", 1)])
    assert chosen(network.decide(needs(location=None, preferred="mine"))).dealer == "mine"
    assert network.decide(needs(location=None)).outcome is DealerOutcome.NO_LOCATION
    assert network.choose(needs(location=None)) is None


def test_nobody_able_is_an_outcome_with_its_reasons() -> None:
    decision = DealerNetwork([dealer("wrong", brands=("NIO",))]).decide(needs())
    assert (decision.outcome, decision.choice, decision.rejected) == (DealerOutcome.NONE_ABLE, None, (("brand", 1),))
    assert DealerNetwork([]).decide(needs()).outcome is DealerOutcome.NONE_ABLE


def test_the_date_line_and_the_pole_are_no_obstacle() -> None:
    fiji = dealer("fiji", latitude=-17.0, longitude=179.95)
    assert chosen(DealerNetwork([fiji]).decide(needs(location=(-17.0, -179.95)))).distance_km == pytest.approx(13.8, abs=0.2)
    assert (
        chosen(DealerNetwork([dealer("pole", latitude=90.0, longitude=0.0)]).decide(needs(location=(89.9, 120.0)))).dealer
        == "pole"
    )


def test_an_unknown_brand_may_go_anywhere() -> None:
    assert chosen(DealerNetwork([dealer(brands=("NIO",))]).decide(replace(needs(), brand=""))).dealer == "d1"
