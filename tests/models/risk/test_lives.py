"""Rows for a hazard hold what was known in time, and say nothing of what nobody saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from models.risk.lives import DAY_NS, FeatureRows, Lives, Windows, check, decisions, outcomes, period_rows
from tests.models.risk.fleets import worn_fleet

WEEKS = Windows(step_days=7, gap_days=2, period_days=10, periods=3, horizon=2, fresh_days=15)


def rows_of(times: list[tuple[int, int]]) -> FeatureRows:
    """One vehicle; each (event day, available day), the value is the row's number."""
    return FeatureRows(
        vehicles=("a",),
        regions=("",),
        features=("number",),
        vehicle=np.zeros(len(times), np.int64),
        event_ns=np.array([event for event, _ in times], np.int64) * DAY_NS,
        available_ns=np.array([available for _, available in times], np.int64) * DAY_NS,
        values=np.arange(len(times), dtype=np.float64)[:, None],
    )


def life(begins: int, ends: int, failed: bool) -> Lives:
    return Lives(
        vehicle=np.array([0]),
        begins_ns=np.array([begins * DAY_NS]),
        ends_ns=np.array([ends * DAY_NS]),
        failed=np.array([failed]),
    )


@given(
    times=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=12),
    begins=st.integers(0, 30),
    length=st.integers(0, 40),
)
def test_a_decision_uses_the_newest_row_that_was_available(times: list[tuple[int, int]], begins: int, length: int) -> None:
    known = [(event, event + delay) for event, delay in times]
    asked = decisions(rows_of(known), life(begins, begins + length, failed=False), WEEKS)
    wanted = {}
    for day in range(begins, begins + length):
        seen = [event for event, available in known if available <= day]
        if day % 7 == 0 and seen and day - max(seen) <= WEEKS.fresh_days:
            wanted[day] = max(seen)
    found = {int(time_ns // DAY_NS): known[row][0] for time_ns, row in zip(asked.time_ns, asked.row, strict=True)}
    assert found == wanted


@given(begins=st.integers(0, 20), length=st.integers(1, 90), failed=st.booleans())
def test_windows_tell_of_a_life_what_was_seen_of_it(begins: int, length: int, failed: bool) -> None:
    lives = life(begins, begins + length, failed)
    rows = rows_of([(day, day) for day in range(0, 120, 5)])
    asked = decisions(rows, lives, WEEKS)
    periods = period_rows(asked, lives, WEEKS)
    found = {(int(d), int(w)): bool(f) for d, w, f in zip(periods.decision, periods.window, periods.failed, strict=True)}
    wanted = {}
    for number, time_ns in enumerate(asked.time_ns):
        for window in range(WEEKS.periods):
            start = int(time_ns // DAY_NS) + WEEKS.gap_days + window * WEEKS.period_days
            stop, end = start + WEEKS.period_days, begins + length
            if end >= stop and not (failed and end == stop):
                wanted[number, window] = False
            elif failed and start < end <= stop:
                wanted[number, window] = True
    assert found == wanted


def test_a_life_that_was_cut_short_says_nothing_of_its_last_window() -> None:
    rows = rows_of([(day, day) for day in range(0, 60, 5)])
    for failed in (True, False):
        lives = life(0, 30, failed)
        known, fails = outcomes(decisions(rows, lives, WEEKS), lives, WEEKS)
        # asked on days 0, 7, 14, 21, 28, each about 2 to 22 days ahead
        assert known.tolist() == ([True, True, True, True, False] if failed else [True, True, False, False, False])
        assert fails.tolist() == ([False, False, True, True, False] if failed else [False] * 5)


def test_what_is_not_known_yet_has_not_happened() -> None:
    lives = life(0, 30, failed=True).known_by(20 * DAY_NS)
    assert (lives.ends_ns[0] // DAY_NS, lives.failed[0]) == (20, False)
    assert not len(life(25, 30, failed=True).known_by(20 * DAY_NS).vehicle)


def test_features_that_see_the_future_are_refused() -> None:
    rows = rows_of([(5, 4)])
    with pytest.raises(InputError, match="features are known before they happened"):
        check(rows, life(0, 9, failed=False))


def test_a_vehicle_under_two_names_is_refused() -> None:
    rows, lives = worn_fleet(vehicles=6, days=60)
    first = rows.vehicle == 0
    twin = replace(
        rows,
        vehicles=(*rows.vehicles, "twin"),
        regions=(*rows.regions, ""),
        vehicle=np.concatenate([rows.vehicle, np.full(first.sum(), 6)]),
        event_ns=np.concatenate([rows.event_ns, rows.event_ns[first]]),
        available_ns=np.concatenate([rows.available_ns, rows.available_ns[first]]),
        values=np.vstack([rows.values, rows.values[first]]),
    )
    check(rows, lives)
    with pytest.raises(InputError, match="vehicles vehicle-0 and twin have the same features"):
        check(twin, lives)


def test_a_life_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InputError, match="a life ends before it begins"):
        check(rows_of([(0, 0)]), life(5, 4, failed=False))
