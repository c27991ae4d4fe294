"""How many pieces will be needed: exact against every way it can come, intervals that hold as often as they say, and by the right dealer."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.care import Basis, DueForecast, Quantity, Reminder, ReminderReason, ReminderState, Use
from domain.fleet import Vehicle
from domain.parts import StockLevel
from domain.risk import RiskAssessment
from dtc_knowledge.maintenance import shipped_plans
from models.risk.components import load_components
from notifier.parts.demand import (
    ComponentPart,
    PartNeed,
    distribution,
    forecast,
    interval,
    load_component_parts,
    needs_of_reminders,
    needs_of_risks,
    usual_dealers,
)
from tests.notifier.builders import SHANGHAI, dealer, text

NEEDS = st.lists(st.tuples(st.integers(1, 4), st.floats(0, 1)), max_size=7)


@given(NEEDS)
def test_the_distribution_is_that_of_every_way_in_which_it_can_come(needs: list[tuple[int, float]]) -> None:
    expected = np.zeros(1 + sum(pieces for pieces, _ in needs))
    for way in itertools.product((False, True), repeat=len(needs)):
        chance = 1.0
        for (_, probability), comes in zip(needs, way, strict=True):
            chance *= probability if comes else 1 - probability
        expected[sum(pieces for (pieces, _), comes in zip(needs, way, strict=True) if comes)] += chance
    np.testing.assert_allclose(distribution(needs), expected, atol=1e-12)


@given(NEEDS, st.sampled_from([0.5, 0.8, 0.9, 0.99]))
def test_an_interval_holds_at_least_as_much_as_it_says_and_is_no_wider_than_it_must(
    needs: list[tuple[int, float]], level: float
) -> None:
    chances = distribution(needs)
    low, high = interval(chances, level)
    assert chances[low : high + 1].sum() >= level - 1e-9
    tail = (1 - level) / 2
    assert chances[:low].sum() < tail + 1e-9
    assert chances[high + 1 :].sum() <= tail + 1e-9


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_simulated_demand_falls_into_the_interval_as_often_as_it_says(level: float) -> None:
    """Each need is drawn by itself, many times, for fleets of different sizes and risks."""
    rng = np.random.default_rng(7)
    inside = trials = 0
    width = spread = 0.0
    for _ in range(60):
        count = int(rng.integers(5, 250))
        probability, pieces = rng.beta(0.6, 6, count), rng.integers(1, 5, count)
        chances = distribution(list(zip(pieces.tolist(), probability.tolist(), strict=True)))
        low, high = interval(chances, level)
        drawn = (rng.random((400, count)) < probability) @ pieces
        inside += int(np.count_nonzero((drawn >= low) & (drawn <= high)))
        trials += len(drawn)
        width, spread = width + high - low, spread + drawn.std()
    assert level - 0.005 <= inside / trials <= level + 0.09, "discrete counts hold more, never less"
    assert width / spread < {0.8: 3.2, 0.9: 4.0}[level], "not wide for safety's sake"


def risk(vehicle: str, probability: float, *, day: int = 10, champion: bool = True, horizon_days: int = 30) -> RiskAssessment:
    return RiskAssessment(
        vehicle=vehicle,
        model="m",
        component="water_pump",
        group_key="engine.cooling",
        day=day,
        champion=champion,
        probability=probability,
        gap_days=0,
        horizon_days=horizon_days,
        remaining_days=None,
        score=0.0,
        base=0.0,
        contributions=(),
        reasons=(),
        act=False,
        avoided_cost=0.0,
    )


def test_the_latest_risk_of_the_model_in_charge_counts_over_the_horizon_that_is_asked_for() -> None:
    parts = {"water_pump": (ComponentPart(part="PUMP", quantity=1, share=0.5),)}
    risks = [risk("a", 0.9, day=9), risk("a", 0.36), risk("a", 1.0, champion=False), risk("b", 0.0)]
    (need,) = needs_of_risks(risks, parts, 15)
    assert (need.vehicle, need.part, need.cause) == ("a", "PUMP", "water_pump")
    assert need.probability == pytest.approx(0.5 * (1 - 0.64**0.5))
    assert needs_of_risks(risks, {}, 15) == []


def reminder(day: int, low: int, high: int, *, due: bool = False, item: str = "") -> Reminder:
    forecast_ = DueForecast(day=day, low=low, high=high, quantity=next(iter(Quantity)))
    return Reminder(
        id="r",
        vehicle="a",
        item=item,
        cycle=0,
        state=next(iter(ReminderState)),
        reason=next(iter(ReminderReason)),
        title=text("oil"),
        opened_day=0,
        changed_day=0,
        first_forecast=forecast_,
        forecast=forecast_,
        used=0.9,
        use=next(iter(Use)),
        due_day=1 if due else None,
        basis=Basis.SCHEDULE,
    )


def test_maintenance_is_needed_as_surely_as_it_falls_due_within_the_horizon() -> None:
    plans = shipped_plans()
    schedule = plans.schedule(Vehicle(id="a", powertrain="petrol"))
    assert schedule is not None
    item = next(each.item for each in schedule.items if each.item.work.parts)
    for made, least, most in (
        (reminder(30, 20, 40, item=item.id), 0.45, 0.55),
        (reminder(30, 20, 40, due=True, item=item.id), 1.0, 1.0),
        (reminder(100, 90, 110, item=item.id), 0.0, 0.001),
    ):
        needs = needs_of_reminders([made], lambda _: schedule, 0, 30)
        assert {need.part for need in needs} == {part.number for part in item.work.parts}
        assert all(least <= need.probability <= most for need in needs)
    assert needs_of_reminders([reminder(1, 1, 1, item="unknown")], lambda _: schedule, 0, 30) == []
    assert needs_of_reminders([reminder(1, 1, 1, item=item.id)], lambda _: None, 0, 30) == []


def test_a_vehicle_counts_where_it_will_probably_come_to() -> None:
    shops = [dealer("near", 1, brands=("NIO",)), dealer("far", 50), dealer("tow", 0, tier="rescue"), dealer("last", 90)]
    cars = [
        Vehicle(id="a", brand="BYD", home=SHANGHAI),
        Vehicle(id="b", brand="nio", home=SHANGHAI),
        Vehicle(id="c", home=SHANGHAI, last_service_dealer="last", selling_dealer="far"),
        Vehicle(id="d", chosen_dealer="gone"),
    ]
    assert usual_dealers(cars, shops) == {"a": "far", "b": "near", "c": "last"}
    assert usual_dealers(cars[:1], []) == {}


def test_demand_is_told_by_dealer_and_part_with_what_the_shelf_lacks() -> None:
    needs = [PartNeed(vehicle=name, part="P", quantity=2, probability=1.0, cause="c") for name in ("a", "b", "lost")]
    (demand,) = forecast(needs, {"a": "d", "b": "d"}, [StockLevel(dealer="d", part="P", quantity=3, reserved=2)], 0.9)
    assert (demand.expected, demand.low, demand.high, demand.needs) == (4.0, 4, 4, 2)
    assert (demand.available, demand.short) == (1, 3)
    assert forecast([], {}, [], 0.9) == ()


def test_every_component_that_is_predicted_has_parts_that_exist() -> None:
    table = load_component_parts()
    assert set(table) == set(load_components())
    with (Path(__file__).parents[3] / "dtc_knowledge" / "parts.yaml").open(encoding="utf-8") as stream:
        known = {entry["id"] for entry in yaml.safe_load(stream)["parts"]}
    assert {each.part for parts in table.values() for each in parts} <= known
