from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.care import DayUsage, Quantity, Use
from notifier.reminders.forecast import Pace, days_until, pace
from notifier.reminders.severity import Hardship, hardships
from tests.notifier.reminders.builders import DAY0, even_use


def test_an_even_pace_is_known_exactly() -> None:
    found = pace(tuple(even_use(84, 50).values()), Quantity.DISTANCE, DAY0 + 84, DAY0, 0.0)
    assert (found.mean, found.deviation, found.weeks) == (350.0, 0.0, 12)
    assert days_until(700.0, found) == pytest.approx((14.0, 14.0, 14.0), abs=0.01)


def test_one_holiday_is_not_a_pace() -> None:
    days = even_use(84, 10)
    days[DAY0 + 40] = DayUsage(day=DAY0 + 40, distance_km=5_000.0)
    assert pace(tuple(days.values()), Quantity.DISTANCE, DAY0 + 84, DAY0, 0.0).mean < 100


def test_before_anything_is_known_the_expected_pace_stands_in() -> None:
    assert pace((), Quantity.DISTANCE, DAY0 + 1, DAY0, 40.0).mean == 280.0


def test_what_is_never_used_is_never_due() -> None:
    assert days_until(100.0, Pace(0.0, 0.0, 4)) == (math.inf, math.inf, math.inf)


@given(st.floats(1, 1e5), st.floats(1, 1e4), st.floats(0, 1e4), st.integers(1, 12))
def test_the_bounds_stand_around_the_middle_and_widen_with_the_spread(
    left: float, mean: float, spread: float, weeks: int
) -> None:
    middle, low, high = days_until(left, Pace(mean, spread, weeks))
    assert low <= middle <= high
    _, lower, higher = days_until(left, Pace(mean, spread * 2, weeks))
    assert lower <= low + 1e-3
    assert higher >= high - 1e-3


def days(**each: float) -> list[DayUsage]:
    return [DayUsage(day=DAY0 + n, distance_km=50.0, trips=4, driving_s=3600.0, **each) for n in range(14)]  # type: ignore[arg-type]  # passed on by name


@pytest.mark.parametrize(
    ("use", "why"),
    [
        ({}, ()),
        ({"short_trips": 3}, (Hardship.SHORT_TRIPS,)),
        ({"idle_s": 2000.0}, (Hardship.IDLING,)),
        ({"extreme_s": 3000.0}, (Hardship.TEMPERATURE,)),
        ({"towing_km": 10.0}, (Hardship.TOWING,)),
        ({"dusty_km": 20.0}, (Hardship.DUST,)),
    ],
)
def test_hard_use_is_told_from_the_days(use: dict[str, float], why: tuple[Hardship, ...]) -> None:
    assert hardships(days(**use), Use.NORMAL, None) == why


def test_use_on_the_border_stays_what_it_was() -> None:
    on_the_border = days(idle_s=1350.0)  # 27 % idling
    assert hardships(on_the_border, Use.NORMAL, None) == ()
    assert hardships(on_the_border, Use.SEVERE, None) == (Hardship.IDLING,)


def test_a_few_trips_prove_nothing() -> None:
    assert hardships([DayUsage(day=DAY0, trips=4, short_trips=4)], Use.NORMAL, None) == ()
