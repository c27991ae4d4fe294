"""What each key figure counts, on small histories written by hand."""

from __future__ import annotations

import pytest

from domain.orders import Order, OrderKind
from domain.owners import Rating
from domain.records import PushResult
from domain.repairs import RepairOutcome, RepairResult
from notifier.kpis.observations import Kpi, WorkHistory, observe
from notifier.kpis.order_lives import order_lives
from tests.notifier.kpis.histories import DAY_NS, MONDAY_NS, Step, entries, order, repair

HOUR_S = 3600.0
END_NS = MONDAY_NS + 90 * DAY_NS


def seen(
    kpi: Kpi, lives: dict[str, list[Step]], *orders: Order, reason: str = "", **more: object
) -> list[tuple[float, str, float]]:
    """(day, dealer, value) of every observation of one figure."""
    audit = [entry for name, steps in lives.items() for entry in entries(name, steps, reason)]
    history = WorkHistory(
        lives=order_lives(audit),
        orders={each.id: each for each in orders},
        **{"until_ns": END_NS, **more},  # type: ignore[arg-type]
    )
    ages_at = (MONDAY_NS + 7 * DAY_NS,)
    return [
        ((each.time_ns - MONDAY_NS) / DAY_NS, each.dealer, each.value) for each in observe(history, ages_at) if each.kpi is kpi
    ]


def test_acceptance_takes_from_the_offer_to_that_dealer_and_not_from_those_who_declined() -> None:
    steps = [
        (0, "dispatch", "dispatching", "A"),
        (0.01, "offer", "offered", "A"),
        (1, "decline", "dispatching", "B"),
        (1.5, "offer", "offered", "B"),
        (2, "accept", "accepted", "B"),
    ]
    assert seen(Kpi.ACCEPTANCE_TIME, {"o": steps}, order("o")) == [(2, "B", 24 * HOUR_S)]


def test_an_order_that_a_person_placed_is_timed_from_its_own_offer() -> None:
    steps = [(0, "give_up", "manual", ""), (3, "dispatch", "dispatching", "A"), (3.25, "accept", "assigned", "A")]
    rescue = order("o", kind=OrderKind.RESCUE)
    assert seen(Kpi.ACCEPTANCE_TIME, {"o": steps}, rescue) == [(3.25, "A", 6 * HOUR_S)]


def test_the_lead_is_from_the_order_to_the_booked_appointment() -> None:
    booked = order("o", slot_day=4)
    assert seen(Kpi.APPOINTMENT_LEAD, {"o": repair(0)}, booked) == [(pytest.approx(0.3), "A", 96 * HOUR_S)]
    assert seen(Kpi.APPOINTMENT_LEAD, {"o": repair(0)[:3]}, booked) == [], "no appointment yet"


def test_returned_to_the_shop_or_ended_without() -> None:
    cancelled = [*repair(0)[:4], (5, "cancel", "cancelled", "A")]
    lives = {"came": repair(0), "stayed": cancelled, "waits": repair(0)[:3]}
    found = seen(Kpi.RETURN_TO_SHOP, lives, *(order(name) for name in lives))
    assert found == [(2, "A", 1), (5, "A", 0)]
    assert seen(Kpi.RETURN_TO_SHOP, {"o": cancelled}, order("o"), reason="merged") == [], "its work went into another order"


def test_retention_asks_whether_the_next_visit_was_at_the_same_dealer() -> None:
    lives = {"one": repair(0), "two": repair(20), "three": repair(40, "B"), "other car": repair(5, "B")}
    orders = [order(name, vehicle="w" if "car" in name else "v") for name in lives]
    assert seen(Kpi.RETENTION, lives, *orders) == [(22, "A", 1), (42, "A", 0)]
    late = {"one": repair(0), "two": repair(400)}
    assert seen(Kpi.RETENTION, late, order("one"), order("two"), until_ns=MONDAY_NS + 500 * DAY_NS) == []


def test_a_fix_holds_unless_it_is_reworked_or_the_same_system_needs_another_order_within_a_month() -> None:
    lives = {"held": repair(0), "reworked": repair(0, "B", rework=True), "back": repair(0, "C"), "again": repair(20, "D")}
    orders = [
        order("held", vehicle="v1"),
        order("reworked", vehicle="v2"),
        order("back", vehicle="v3", group="brakes"),
        order("again", vehicle="v3", group="brakes"),
    ]
    found = {dealer: value for _, dealer, value in seen(Kpi.FIRST_TIME_FIX, lives, *orders)}
    assert found == {"A": 1, "B": 0, "C": 0, "D": 1}


def test_another_system_or_care_brings_nothing_back_and_a_fresh_repair_is_not_judged() -> None:
    lives = {"one": repair(0), "two": repair(10, "B")}
    other = [order("one", group="engine"), order("two", group="brakes")]
    assert [value for *_, value in seen(Kpi.FIRST_TIME_FIX, lives, *other)] == [1, 1]
    care = [order("one", group="care"), order("two", group="care")]
    assert [value for *_, value in seen(Kpi.FIRST_TIME_FIX, lives, *care)] == [1, 1]
    assert seen(Kpi.FIRST_TIME_FIX, {"one": repair(0)}, order("one"), until_ns=MONDAY_NS + 32 * DAY_NS) == []


def test_open_orders_are_aged_at_the_moments_asked_for() -> None:
    lives: dict[str, list[Step]] = {
        "open": [(1, "give_up", "manual", "")],
        "done": repair(0),
        "draft": [(0, "update", "draft", "")],
        "late": [(8, "give_up", "manual", "")],
    }
    assert seen(Kpi.ORDER_AGE, lives, *(order(name) for name in lives)) == [(7, "", 6 * 24 * HOUR_S)]


def test_only_the_latest_result_of_an_order_counts() -> None:
    def said(day: float, result: RepairResult) -> RepairOutcome:
        time_ns = MONDAY_NS + round(day * DAY_NS)
        return RepairOutcome(order="o", result=result, pattern="", cause="", author="A", note="", created_ns=time_ns)

    outcomes = (said(3, RepairResult.OTHER_CAUSE), said(4, RepairResult.NO_FAULT))
    assert seen(Kpi.NO_FAULT_FOUND, {"o": repair(0)}, order("o"), outcomes=outcomes) == [(4, "A", 1)]


def test_a_push_counts_when_its_fate_is_known_and_not_where_there_was_nowhere_to_push_to() -> None:
    def push(name: str, state: str, channel: str = "webhook") -> PushResult:
        return PushResult(id=name, recipient="A", channel=channel, written_ns=MONDAY_NS, attempts=1, state=state)

    pushes = (
        push("1", "delivered"),
        push("2", "failed"),
        push("3", "cancelled"),
        push("4", "pending"),
        push("5", "delivered", "log"),
    )
    assert [value for *_, value in seen(Kpi.DELIVERY_SUCCESS, {}, pushes=pushes)] == [1, 0, 0]


@pytest.mark.parametrize(("score", "value"), [(10, 1), (9, 1), (8, 0), (7, 0), (6, -1), (0, -1)])
def test_promoters_passives_and_detractors(score: int, value: int) -> None:
    rating = Rating(order="o", vehicle="v1", dealer="A", stars=3, nps=score, comment="", created_ns=MONDAY_NS + 4 * DAY_NS)
    assert seen(Kpi.NPS, {"o": repair(0)}, order("o"), ratings=(rating,)) == [(4, "A", value)]
