"""Figures by week, region and dealer."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from notifier.kpis.figures import week_of, week_start
from notifier.kpis.observations import Kpi, WorkHistory
from notifier.kpis.order_lives import order_lives
from notifier.kpis.report import KpiReport, kpi_report, report_json
from notifier.kpis.sentences import report_lines
from tests.notifier.builders import dealer
from tests.notifier.kpis.histories import DAY_NS, MONDAY_NS, entries, order, repair

DEALERS = {
    "A": dealer("A", region="cn/shanghai/pudong"),
    "B": dealer("B", region="cn/shanghai"),
    "C": dealer("C", region="cn/shanghaiwan"),
}


def report(**options: str | int) -> KpiReport:
    """Orders of three dealers, one a week."""
    lives = {f"{name}{week}": repair(7 * week, name) for week in range(4) for name in DEALERS}
    audit = [entry for name, steps in lives.items() for entry in entries(name, steps)]
    history = WorkHistory(
        lives=order_lives(audit),
        orders={name: order(name, vehicle=name) for name in lives},
        until_ns=MONDAY_NS + 28 * DAY_NS - 1,
    )
    return kpi_report(history, DEALERS, utc_offset_hours=0, **({"weeks": 4} | options))  # type: ignore[arg-type]


def test_weeks_add_up_to_the_whole() -> None:
    made = report()
    assert made.week_names == ("2025-W47", "2025-W48", "2025-W49", "2025-W50")
    assert [made.weeks[name][Kpi.ACCEPTANCE_TIME].count for name in made.week_names] == [3, 3, 3, 3]
    assert made.total[Kpi.ACCEPTANCE_TIME].count == 12
    assert sum(total[Kpi.ACCEPTANCE_TIME].count for total, _ in made.dealers.values()) == 12
    assert made.dealers["A"][1]["2025-W48"][Kpi.RETURN_TO_SHOP].count == 1


def test_a_region_has_what_lies_below_it_and_no_neighbour_of_a_like_name() -> None:
    assert set(report(region="cn/shanghai").dealers) == {"A", "B"}
    assert set(report(region="cn/shanghai/pudong").dealers) == {"A"}
    assert set(report(dealer="C").regions) == {"cn/shanghaiwan"}


def test_a_shorter_stretch_ends_now() -> None:
    made = report(weeks=2)
    assert (made.from_ns, set(made.weeks)) == (MONDAY_NS + 14 * DAY_NS, {"2025-W49", "2025-W50"})


def test_over_all_weeks_the_age_of_open_orders_is_that_of_now() -> None:
    audit = entries("o", [(0, "give_up", "manual", "")])
    history = WorkHistory(lives=order_lives(audit), orders={"o": order("o")}, until_ns=MONDAY_NS + 10 * DAY_NS)
    made = kpi_report(history, DEALERS, weeks=2, utc_offset_hours=0)
    assert (made.total[Kpi.ORDER_AGE].count, made.total[Kpi.ORDER_AGE].value) == (1, 864_000)
    assert [figures[Kpi.ORDER_AGE].count for figures in made.weeks.values()] == [1, 1]
    assert made.dealers[""][0] == made.total, "nobody has it, and it is not left out"


def test_the_document_and_the_lines_tell_the_same_figures() -> None:
    made = report()
    document = report_json(made)
    figure = document["total"]["return_to_shop_rate"]
    assert (figure["count"], figure["value"], figure["interval"][1]) == (12, 1.0, 1.0)
    [line] = [line for line in report_lines(made) if line.startswith("return_to_shop_rate")]
    assert "100.0 %" in line
    assert f"{100 * figure['interval'][0]:.1f} % to 100.0 %, 12 cases" in line


@given(st.integers(0, 4_000_000_000), st.sampled_from([0.0, 8.0, -3.5, 5.75]))
def test_weeks_are_those_of_the_calendar(second: int, offset: float) -> None:
    time_ns = second * 1_000_000_000
    year, week, weekday = datetime.fromtimestamp(second + offset * 3600, UTC).isocalendar()
    assert week_of(time_ns, offset) == f"{year}-W{week:02d}"
    start = week_start(time_ns, offset)
    assert week_of(start, offset) == week_of(time_ns, offset) != week_of(start - 1, offset)
    assert 0 <= time_ns - start - (weekday - 1) * DAY_NS < DAY_NS
