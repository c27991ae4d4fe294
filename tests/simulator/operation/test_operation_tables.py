"""The tables of the simulated year name what there is, and draws depend on nothing but their names."""

from __future__ import annotations

import pytest

from dtc_knowledge.loading import load_knowledge
from rules.pack import load_rules
from simulator.operation import population
from simulator.operation.breakdowns import DAY_NS, Truth, breakdowns, truth_of
from simulator.operation.chance import Chance
from simulator.operation.tables import cities, driver_shares, fault_rates, habits
from simulator.usage import DRIVERS


def test_every_fault_is_told_by_a_rule_or_code_and_has_a_cause_that_the_knowledge_names() -> None:
    knowledge, rules = load_knowledge(), {rule.id for rule in load_rules(None)}
    causes = {cause.id for pattern in knowledge.files.patterns.values() for cause in pattern.causes}
    for rate in fault_rates():
        assert bool(rate.rule) != bool(rate.code), rate.fault
        assert not rate.rule or rate.rule in rules, rate.fault
        assert not rate.code or knowledge.lookup(rate.code).known, rate.fault
        assert rate.cause in causes, rate.fault
        assert rate.false_share + rate.other_share < 1
        assert rate.powertrains <= set(population.POWERTRAINS)


def test_shares_add_up_and_every_way_of_driving_has_one() -> None:
    assert sum(city.share for city in cities()) == pytest.approx(1)
    assert sum(population.POWERTRAINS.values()) == pytest.approx(1)
    assert set(driver_shares()) == {driver.name for driver in DRIVERS}


def test_draws_do_not_depend_on_what_was_drawn_before() -> None:
    first, second = Chance(1, habits()), Chance(1, habits())
    second.of("something else").random()
    assert first.takes_ns("answer", "o", "d") == second.takes_ns("answer", "o", "d") > 0
    assert Chance(2, habits()).takes_ns("answer", "o", "d") != first.takes_ns("answer", "o", "d")


def test_faults_come_as_often_as_their_rates_say() -> None:
    chance = Chance(5, habits())
    cars = population.vehicles(400, chance)
    found = list(breakdowns(cars, fault_rates(), chance, start_ns=0, days=365))
    expected = sum(
        rate.per_1000_car_years / 1000 * 365 / 365.25
        for car in cars
        for rate in fault_rates()
        if car.powertrain in rate.powertrains
    )
    assert len(found) == pytest.approx(expected, abs=4 * expected**0.5)
    assert all(0 <= each.time_ns < 366 * DAY_NS for each in found)
    rate = fault_rates()[0]
    truths = [truth_of(rate, number / 1000) for number in range(1000)]
    assert truths.count(Truth.NOTHING) == pytest.approx(1000 * rate.false_share, abs=1)
    assert truths.count(Truth.OTHER) == pytest.approx(1000 * rate.other_share, abs=1)


def test_every_city_has_a_workshop_for_everything_before_any_has_a_second_one() -> None:
    places = len(cities())
    made = population.dealers(places + 5, Chance(1, habits()))
    assert {dealer.region for dealer in made[:places]} == {city.region for city in cities()}
    assert all({"hv", "truck", "rescue"} <= set(dealer.capabilities) for dealer in made[:places])
