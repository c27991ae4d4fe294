"""A short form of the year of operation: the product's functions under a simulated clock, moved by simulated people."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.operation.stuck import stuck_orders
from app.operation.year import START_NS, OperationYear, YearPlan
from app.order_audit import verify_orders
from app.settings import read_settings
from domain.orders import ManualReason
from notifier.kpis.observations import Kpi
from notifier.orders.service_levels import ServiceLevels, load_service_levels
from tests.notifier.kpis.histories import DAY_NS, order

LEVELS = load_service_levels()
LONG = bool(os.environ.get("PITCALL_LONG_TESTS"))
PLAN = YearPlan(cars=5000, dealers=120, days=365, seed=3) if LONG else YearPlan(cars=60, dealers=20, days=49, seed=3)


@pytest.fixture(scope="module")
def lived() -> tuple[OperationYear, dict[str, Any]]:
    year = OperationYear(PLAN, read_settings())
    return year, year.run()


def test_orders_come_to_their_end_and_none_is_stuck_without_a_reason(lived: tuple[OperationYear, dict[str, Any]]) -> None:
    _, document = lived
    assert document["orders"]["closed"] > 10
    assert document["stuck_without_reason"] == 0
    assert LONG or document["stuck"] == []
    assert document["open"] < sum(document["orders"].values()) / 3
    assert document["pushes"]["delivered"] > 100
    assert document["alerts"] > 0
    assert document["reminders"] > 0


def test_every_week_has_its_figures_and_the_weeks_add_up(lived: tuple[OperationYear, dict[str, Any]]) -> None:
    _, document = lived
    kpis = document["kpis"]
    known = {name for week in kpis["weeks"] for name in week["figures"]}
    assert {kpi.value for kpi in Kpi} - known <= ({Kpi.NO_FAULT_FOUND.value} if not LONG else set())
    for name in known - {Kpi.ORDER_AGE.value}:
        assert sum(week["figures"].get(name, {"count": 0})["count"] for week in kpis["weeks"]) == kpis["total"][name]["count"]


def test_the_audit_of_the_year_is_whole(lived: tuple[OperationYear, dict[str, Any]]) -> None:
    year, _ = lived
    assert verify_orders(year.store).whole


def test_the_same_seed_gives_the_same_year_and_another_one_another() -> None:
    plans = [YearPlan(cars=15, dealers=10, days=15, seed=seed) for seed in (7, 7, 8)]
    documents = [OperationYear(plan, read_settings()).run() for plan in plans]
    for document in documents:
        del document["cpu_s"], document["seed"]
    assert documents[0] == documents[1] != documents[2]


@pytest.mark.parametrize(
    ("state", "stood_days", "reason"),
    [
        ("manual", 4, "no_dealer"),
        ("on_hold", 9, "on_hold"),
        ("quoted", 29, "not_signed"),
        ("settled", 9, None),
        ("in_progress", 2, None),
        ("closed", 9, None),
    ],
)
def test_an_order_that_stands_still_is_told_with_its_reason(state: str, stood_days: float, reason: str | None) -> None:

    stands = replace(order("o"), state=state, updated_ns=START_NS)
    found = stuck_orders([stands], LEVELS, {}, START_NS + round(stood_days * DAY_NS))
    assert [each.reason for each in found] == ([] if reason is None else [reason])


def test_the_reason_of_the_human_queue_comes_first_and_an_appointment_to_come_is_no_standstill() -> None:

    now_ns = START_NS + 9 * DAY_NS
    queued = replace(order("o"), state="manual", updated_ns=START_NS, manual=ManualReason.TOO_MANY_OFFERS)
    assert [each.reason for each in stuck_orders([queued], LEVELS, {}, now_ns)] == ["too_many_offers"]
    booked = replace(order("o"), state="scheduled", updated_ns=START_NS, slots=((now_ns + DAY_NS, now_ns + 2 * DAY_NS),))
    assert stuck_orders([booked], LEVELS, {}, now_ns) == []
    missed = replace(booked, slots=((now_ns - 3 * DAY_NS, now_ns - 2 * DAY_NS),))
    assert [each.reason for each in stuck_orders([missed], LEVELS, {}, now_ns)] == ["not_come"]
    unknown = stuck_orders([missed], ServiceLevels(by_state={}), {}, now_ns)
    assert [each.reason for each in unknown] == [""], "nobody can say why"


def test_the_command_tells_orders_and_figures() -> None:
    words = ["simulate", "operation", "--cars", "5", "--dealers", "12", "--days", "7"]
    told = CliRunner().invoke(cli, words)
    assert (told.exit_code, "orders of 5 cars at 12 dealers in 7 days" in told.stdout) == (0, True)
