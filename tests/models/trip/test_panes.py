"""Panes against a plain reading of the same records."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch
from models.trip.channels import CHANNELS, PATH_OF
from models.trip.panes import FRESH, GAP_NS, NS_PER_S, PANE_S, PaneCutter
from models.trip.slots import Slots
from tests.models.trip.lives import START_NS, _start_of_engine

NAMES = ("engine_speed_rpm", "battery_v", "ambient_c")
OF = {each.name: each for each in CHANNELS}
PANE_NS = PANE_S * NS_PER_S

Record = tuple[int, int, float]
"""(seconds since the record before, number of the channel or TICK_SIGNAL, value)."""


def batch(records: Sequence[Record], start_ns: int = START_NS) -> SampleBatch:
    steps, signals, values = zip(*records, strict=True)
    return SampleBatch(
        vehicles=("car",),
        paths=tuple(PATH_OF[name] for name in NAMES),
        time_ns=start_ns + np.cumsum(steps) * NS_PER_S,
        vehicle=np.zeros(len(records), np.int32),
        signal=np.array(signals, np.int32),
        value=np.array(values, np.float64),
    )


def cut(samples: SampleBatch) -> list[tuple[int, int, dict[str, float]]]:
    """(end of the pane, when its trip ended or 0, values) of each pane."""
    found = []
    for panes in PaneCutter(Slots(FRESH)).cut(samples):
        names = (*NAMES, "step_s", "age_s", "running_s")
        for row in range(len(panes)):
            values = {name: float(panes[name][row]) for name in names}
            found.append((int(panes.end_ns[row]), int(panes.closed_ns[row]), values))
    return found


def plain(samples: SampleBatch) -> list[tuple[int, int, dict[str, float]]]:
    """The same, trip by trip and pane by pane."""
    trips: list[tuple[list[tuple[int, int, float]], int]] = []
    own: list[tuple[int, int, float]] = []
    for time_ns, signal, value in zip(samples.time_ns.tolist(), samples.signal.tolist(), samples.value.tolist(), strict=True):
        tick = signal == TICK_SIGNAL
        if not tick and not OF[NAMES[signal]].low <= value <= OF[NAMES[signal]].high:
            continue
        if own and (tick or time_ns - own[-1][0] > GAP_NS):
            trips.append((own, time_ns))
            own = []
        if not tick:
            own.append((time_ns, signal, value))
    open_trip = [(own, 0)] if own else []
    return [pane for records, closed_ns in (*trips, *open_trip) for pane in panes_of(records, closed_ns)]


def panes_of(records: Sequence[tuple[int, int, float]], closed_ns: int) -> list[tuple[int, int, dict[str, float]]]:
    numbers = sorted({time_ns // PANE_NS for time_ns, _, _ in records})
    held: dict[str, tuple[int, float]] = {}
    found, running = [], 0.0
    for place, number in enumerate(numbers):
        values = {}
        for signal, name in enumerate(NAMES):
            own = [value for time_ns, kind, value in records if kind == signal and time_ns // PANE_NS == number]
            if own:
                held[name] = (number, math.fsum(own) / len(own))
            fresh = name in held and number - held[name][0] <= OF[name].stale_after_s / PANE_S
            values[name] = held[name][1] if fresh else math.nan
        values["step_s"] = float(PANE_S) if place == 0 else min(120.0, (number - numbers[place - 1]) * PANE_S)
        values["age_s"] = ((number + 1) * PANE_NS - records[0][0]) / NS_PER_S
        running += values["step_s"] if values["engine_speed_rpm"] > 400.0 else 0.0
        values["running_s"] = running
        last = place == len(numbers) - 1
        found.append(((number + 1) * PANE_NS, closed_ns if last else 0, values))
    return found if closed_ns else found[:-1]


RECORDS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 30), st.just(0), st.sampled_from([0.0, 800.0, 3000.0, 1e6, math.nan])),
        st.tuples(st.integers(0, 30), st.just(1), st.floats(10.0, 15.0)),
        st.tuples(st.sampled_from([1, 60, 400, 700]), st.just(2), st.floats(-20.0, 40.0)),
        st.tuples(st.integers(0, 5), st.just(TICK_SIGNAL), st.just(float(TickKind.END_OF_DRIVE))),
    ),
    min_size=1,
    max_size=60,
)


@given(RECORDS)
@settings(max_examples=40, deadline=None)
def test_panes_are_those_of_the_plain_reading(records: list[Record]) -> None:
    found, expected = cut(batch(records)), plain(batch(records))
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    for (_, _, values), (_, _, due) in zip(found, expected, strict=True):
        assert values == pytest.approx(due, rel=1e-12, nan_ok=True)


def test_a_start_of_the_engine_is_told_once() -> None:
    time_ns, number, value = _start_of_engine(np.random.default_rng(2), START_NS)
    order = np.argsort(time_ns, kind="stable")
    signal = np.where(number == number.max(), number.max(), number)[order]
    paths = [PATH_OF[CHANNELS[int(each)].name] for each in sorted(set(signal.tolist()))]
    of_signal = {each: place for place, each in enumerate(sorted(set(signal.tolist())))}
    running = START_NS + np.arange(5, 120, 5) * NS_PER_S
    samples = SampleBatch(
        vehicles=("car",),
        paths=tuple(paths),
        time_ns=np.concatenate((time_ns[order], running)),
        vehicle=np.zeros(len(order) + len(running), np.int32),
        signal=np.concatenate(
            ([of_signal[each] for each in signal.tolist()], np.full(len(running), paths.index(PATH_OF["battery_v"])))
        ).astype(np.int32),
        value=np.concatenate((value[order], np.full(len(running), 14.0))),
    )
    starts = []
    for panes in PaneCutter(Slots(FRESH)).cut(samples):
        told = np.isfinite(panes["crank_low_v"])
        columns = ("crank_low_v", "crank_s", "crank_rest_v", "crank_recovery_v_per_s")
        starts += [[float(panes[name][row]) for name in columns] for row in np.flatnonzero(told)]
    ((low, seconds, rest, recovery),) = starts
    assert low == pytest.approx(10.2, abs=0.25)
    assert seconds == pytest.approx(1.0, abs=0.1)
    assert rest == pytest.approx(12.6, abs=0.2)
    assert recovery > 1.0
