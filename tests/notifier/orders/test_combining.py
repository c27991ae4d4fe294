"""Several recommendations as one visit: no work and no part twice, and totals that add up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Part, PlanLine, Recommendation, Urgency
from domain.records import VehicleCase
from dtc_knowledge.maintenance import shipped_plans
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.combining import combine
from notifier.orders.ordering import CARE_GROUP, update_orders
from notifier.push.messages import order_json
from tests.notifier.builders import WEDNESDAY_10_UTC_NS, dealer, plan_line, recommendation, text, vehicle

ITEMS = shipped_plans().items


def part(number: str, quantity: int = 1, price: str = "150.00") -> Part:
    return Part(number=number, name=text(number), quantity=quantity, price=price)


def care(item: str) -> Recommendation:
    return recommendation(f"care {item}", Urgency.NEXT, group_key=CARE_GROUP, plan=(ITEMS[item].work,))


def repair(operation: str, *parts: Part, optional: bool = False, incident: str = "i1") -> Recommendation:
    line = replace(plan_line(1, operation, "2.0", parts), optional=optional)
    return recommendation(incident, plan=(plan_line(2, "diagnose", "0.5", ()), line))


def visit(*recommendations: Recommendation) -> dict[str, PlanLine]:
    joined = combine([one.incident_id for one in recommendations], recommendations)
    assert [line.line for line in joined.plan] == list(range(1, len(joined.plan) + 1))
    return {line.operation: line for line in joined.plan}


def test_care_that_a_repair_does_on_the_way_is_no_line_of_its_own() -> None:
    assert list(visit(repair("OP-REPLACE-WATER-PUMP"), care("coolant"))) == ["diagnose", "OP-REPLACE-WATER-PUMP"]
    assert list(visit(repair("OP-REPLACE-PADS"), care("brake-pads"))) == ["diagnose", "OP-REPLACE-PADS"]


def test_the_order_of_the_incidents_does_not_matter_for_that() -> None:
    late = replace(care("coolant"), urgency=Urgency.TODAY)
    assert set(visit(late, repair("OP-REPLACE-WATER-PUMP"))) == {"diagnose", "OP-REPLACE-WATER-PUMP"}


def test_a_repair_that_is_only_an_option_does_no_care() -> None:
    assert "OP-CARE-COOLANT" in visit(repair("OP-REPLACE-WATER-PUMP", optional=True), care("coolant"))


def test_what_is_to_be_done_anyway_is_no_option() -> None:
    line = visit(repair("OP-OIL-SERVICE", optional=True), care("engine-oil"))["OP-OIL-SERVICE"]
    assert not line.optional


def test_a_part_that_a_repair_brings_is_not_brought_by_care_again() -> None:
    lines = visit(repair("OP-REPLACE-THERMOSTAT", part("PC-THERMOSTAT"), part("PC-COOLANT")), care("coolant"))
    assert [each.number for each in lines["OP-REPLACE-THERMOSTAT"].parts] == ["PC-THERMOSTAT", "PC-COOLANT"]
    assert lines["OP-CARE-COOLANT"].parts == ()


def test_two_repairs_bring_their_parts_each() -> None:
    lines = visit(
        repair("mend the front", part("PC-CONNECTOR-KIT")), repair("mend the rear", part("PC-CONNECTOR-KIT"), incident="i2")
    )
    assert [line.parts[0].quantity for line in lines.values() if line.parts] == [1, 1]


def test_the_totals_of_a_visit_are_those_of_its_lines() -> None:
    case, network = VehicleCase(vehicle="v1"), DealerNetwork([dealer("shop", capabilities=("engine",))])
    fault = repair("OP-REPLACE-THERMOSTAT", part("PC-THERMOSTAT", price="180.00"), part("PC-COOLANT"))
    for number, one in enumerate((fault, care("coolant"), care("engine-oil"))):
        case, _ = update_orders(case, one, vehicle(), network, None, WEDNESDAY_10_UTC_NS + number)
    (order,) = case.orders
    shop = dealer("shop")
    totals = order_json(order, case, vehicle(), shop)["data"]["totals"]
    assert totals["parts"] == "695.00"  # thermostat 180, coolant 150 once, oil 320, oil filter 45
    hours = Decimal("0.5") + Decimal("2.0") + Decimal("0.8") + Decimal("0.6")
    assert Decimal(totals["labour"]) == hours * Decimal(shop.labour_rate)


@given(st.lists(st.sampled_from(sorted(ITEMS)), unique=True, min_size=1))
def test_no_visit_has_an_operation_twice_or_loses_one(items: list[str]) -> None:
    lines = visit(repair("OP-REPLACE-WATER-PUMP", part("PC-COOLANT")), *(care(item) for item in items))
    assert set(lines) == {
        "diagnose",
        "OP-REPLACE-WATER-PUMP",
        *(ITEMS[item].work.operation for item in items if item != "coolant"),
    }
    parts = [each.number for line in lines.values() for each in line.parts]
    assert len(parts) == len(set(parts))
