"""Cumulative sums: what raises, what goes on, what ends an episode."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cusum import CusumState, Limits, Verdict, advance

LIMITS = Limits(threshold=5.0, smallest_drift=1.5)


def run(deviations: list[float], *, scale: float = 1.0, limits: Limits = LIMITS) -> tuple[CusumState, list[Verdict]]:
    state, verdicts = CusumState(), []
    for number, deviation in enumerate(deviations):
        state, verdict = advance(state, deviation, scale, 100 * number, limits)
        verdicts.append(verdict)
    return state, verdicts


@given(st.lists(st.floats(-4, 4), max_size=40))
def test_the_sums_are_those_of_page(deviations: list[float]) -> None:
    state, _ = run(deviations, limits=Limits(threshold=1e9, smallest_drift=0.0))
    for side, drift in ((1, state.high), (-1, state.low)):
        # the sum is how far the walk stands above the lowest point that it has been at
        walk = list(accumulate((side * each - 0.5 for each in deviations), initial=0.0))
        assert drift.total == pytest.approx(walk[-1] - min(walk), abs=1e-9)


@pytest.mark.parametrize("side", [1, -1])
def test_a_lasting_shift_is_raised_once_and_then_repeated(side: int) -> None:
    state, verdicts = run([side * 3.0] * 5)
    assert verdicts == [Verdict.QUIET, Verdict.QUIET, Verdict.RAISED, Verdict.REPEATED, Verdict.REPEATED]
    assert state.side == side


@pytest.mark.parametrize("side", [1, -1])
def test_the_drift_is_estimated_from_the_trips_since_the_sum_was_zero(side: int) -> None:
    state, _ = run([side * each for each in (0.0, 0.3, -2.0, 3.0, 2.0, 4.0)])
    assert (state.drift.trips, state.drift.mean, state.drift.since_ns) == (3, side * 3.0, 300)


def test_a_lasting_shift_too_small_to_matter_is_never_raised() -> None:
    _, verdicts = run([1.4] * 200, scale=0.5)
    assert set(verdicts) == {Verdict.QUIET}


def test_three_trips_near_the_baseline_end_the_episode() -> None:
    state, verdicts = run([6.0, 0.1, -0.3, 6.0, 1.0, 0.0, -1.0, 0.0])
    assert verdicts == [
        Verdict.RAISED,
        Verdict.RETURNING,
        Verdict.RETURNING,
        Verdict.REPEATED,
        Verdict.RETURNING,
        Verdict.RETURNING,
        Verdict.CLEARED,
        Verdict.QUIET,
    ]
    assert state.high.total == 0.0


def test_a_repair_that_goes_too_far_is_found_soon() -> None:
    _, verdicts = run([-9.0, -9.0, 3.0, 3.0, 3.0, 3.0])
    assert verdicts[-2:] == [Verdict.CLEARED, Verdict.RAISED]


def test_the_average_run_length_is_that_of_the_tables() -> None:
    # Montgomery, Introduction to Statistical Quality Control: k = 0.5, h = 5, one sided, shift of 1 sigma: 10.4 trips
    rng = np.random.default_rng(7)
    limits = Limits(threshold=5.0, smallest_drift=0.0)
    lengths = []
    for _ in range(600):
        state, verdict, length = CusumState(), Verdict.QUIET, 0
        while verdict is not Verdict.RAISED:
            state, verdict = advance(state, float(rng.normal(1.0, 1.0)), 1.0, 0, limits)
            length += 1
        lengths.append(length)
    assert np.mean(lengths) == pytest.approx(10.4, abs=0.7)
