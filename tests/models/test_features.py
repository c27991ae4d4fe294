"""Panes: means of held values on the epoch's grid, whatever way the stream is cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch, empty_samples
from models.feature_set import NS_PER_S, FeatureSet, Input, Settling
from models.features import PaneStream, TripPart
from tests.models.trips import rows_of

SMALL = FeatureSet(
    target=Input(name="a", path="A", stale_after_s=2.0),
    inputs=(Input(name="b", path="B", stale_after_s=4.0),),
    settling=Settling(running="b", running_above=0.0, base_s=0.0, per_unit_s=0.0, warm_at=0.0),
    pane_s=5,
    trip_gap_s=20,
)
END = -2


def batch(records: list[tuple[int, float, int, float]], vehicles: tuple[str, ...] = ("x", "y")) -> SampleBatch:
    """Records of (vehicle, seconds, signal, value); signal END is an end-of-drive tick."""
    return SampleBatch(
        vehicles=vehicles,
        paths=("A", "other", "B"),
        time_ns=np.array([round(each[1] * NS_PER_S) for each in records], np.int64),
        vehicle=np.array([each[0] for each in records], np.int32),
        signal=np.array([TICK_SIGNAL if each[2] == END else each[2] for each in records], np.int32),
        value=np.array([TickKind.END_OF_DRIVE if each[2] == END else each[3] for each in records], np.float64),
    )


def panes_one_by_one(records: list[tuple[float, int, float]]) -> list[tuple[int, tuple[float, float]] | str]:
    """The same panes for one vehicle, reading off the grid second by second: slow and plain."""
    found: list[tuple[int, tuple[float, float]] | str] = []
    held: dict[int, tuple[float, float]] = {}
    readings: dict[int, list[float]] = {0: [], 2: []}
    second, last = None, None
    for time, signal, value in records:
        if last is not None and time - last > SMALL.trip_gap_s:
            found.append(f"closed {time}")
            second = None
        if second is None:
            second, held, readings = math.floor(time) + 1, {}, {0: [], 2: []}
        while second <= time:
            for number, stale in ((0, 2.0), (2, 4.0)):
                if number in held and second - held[number][0] <= stale:
                    readings[number].append(held[number][1])
            if second % SMALL.pane_s == SMALL.pane_s - 1:
                means = [sum(each) / len(each) if 2 * len(each) >= SMALL.pane_s else math.nan for each in readings.values()]
                found.append((second + 1, (means[0], means[1])))
                readings = {0: [], 2: []}
            second += 1
        last = time
        if signal == END:
            found.append(f"closed {time}")
            second, last = None, None
        else:
            held[signal] = (time, value)
    return found


def told(parts: list[TripPart]) -> dict[str, list[object]]:
    """What the parts say of each vehicle, comparable with `==` although NaN is in it."""
    found: dict[str, list[object]] = {}
    for part in parts:
        own = found.setdefault(part.vehicle, [])
        own += [
            (time // NS_PER_S, tuple(repr(each) for each in row))
            for time, row in zip(part.time_ns.tolist(), part.values.tolist(), strict=True)
        ]
        if part.closed_ns is not None:
            own.append(f"closed {part.closed_ns / NS_PER_S}")
    return found


record = st.tuples(
    st.sampled_from([0, 1, 2, 3, 4, 8, 13, 30, 90]).map(lambda quarters: quarters / 4),
    st.sampled_from([0, 0, 0, 2, 2, 2, END]),
    st.floats(-50, 150).map(lambda value: round(value, 3)),
)


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[float, int, float]]:
    time, found = 1000.0, []
    for step, signal, value in draw(st.lists(record, max_size=60)):
        time += step
        found.append((time, signal, value))
    return found


@given(streams())
@settings(max_examples=150, deadline=None)
def test_panes_equal_reading_off_the_grid_second_by_second(stream: list[tuple[float, int, float]]) -> None:
    parts = list(PaneStream(SMALL).cut(batch([(0, *each) for each in stream])))
    expected = [
        each if isinstance(each, str) else (each[0], tuple(repr(value) for value in each[1])) for each in panes_one_by_one(stream)
    ]
    assert told(parts).get("x", []) == expected


@given(streams(), streams(), st.data())
@settings(max_examples=100, deadline=None)
def test_panes_do_not_depend_on_the_cut_nor_on_other_vehicles(
    one: list[tuple[float, int, float]], two: list[tuple[float, int, float]], data: st.DataObject
) -> None:
    whole = told(list(PaneStream(SMALL).cut(batch([(0, *each) for each in one] + [(1, *each) for each in two]))))
    stream, parts = PaneStream(SMALL), []
    cuts_one = sorted(data.draw(st.lists(st.integers(0, len(one)), max_size=4)))
    cuts_two = sorted(data.draw(st.lists(st.integers(0, len(two)), min_size=len(cuts_one), max_size=len(cuts_one))))
    for start_one, stop_one, start_two, stop_two in zip(
        [0, *cuts_one], [*cuts_one, len(one)], [0, *cuts_two], [*cuts_two, len(two)], strict=True
    ):
        records = [(0, *each) for each in two[start_two:stop_two]] + [(1, *each) for each in one[start_one:stop_one]]
        parts += list(stream.cut(batch(records, vehicles=("y", "x"))))
    assert told(parts) == whole or {k: v for k, v in told(parts).items() if v} == {k: v for k, v in whole.items() if v}


def test_a_value_is_held_no_longer_than_its_limit() -> None:
    records = [(0, 1000.0, 0, 70.0), *((0, 1000.0 + second, 2, 5.0) for second in range(16))]
    (part,) = PaneStream(SMALL).cut(batch(records))
    assert part.time_ns.tolist() == [1005 * NS_PER_S, 1010 * NS_PER_S, 1015 * NS_PER_S]
    assert np.isnan(part.values[:, 0]).all()
    assert part.values[:, 1].tolist() == [5.0, 5.0, 5.0]


def test_what_is_not_a_number_is_no_reading() -> None:
    records = [(0, 1000.0 + second, 0, 70.0 if second % 2 else math.inf) for second in range(11)]
    (part,) = PaneStream(SMALL).cut(batch(records))
    assert part.values[:, 0].tolist() == [70.0, 70.0]


def test_nothing_of_a_trip_is_held_over_to_the_next() -> None:
    stream = PaneStream(SMALL)
    records = [(0, 1000.0 + second, 0, 70.0) for second in range(4)] + [(0, 1004.0, END, 0.0)]
    records += [(0, 1004.5 + second, 2, 5.0) for second in range(8)]
    parts = list(stream.cut(batch(records)))
    assert [part.closed_ns for part in parts] == [1004 * NS_PER_S, None]
    assert np.isnan(parts[1].values[:, 0]).all()


def test_a_tick_of_another_kind_ends_nothing() -> None:
    samples = batch([(0, 1000.0 + second, 0, 70.0) for second in range(6)] + [(0, 1006.0, END, 0.0)])
    samples.value[-1] = TickKind.TIMER
    assert [part.closed_ns for part in PaneStream(SMALL).cut(samples)] == [None]


@pytest.mark.parametrize("samples", [empty_samples(), batch([]), rows_of(batch([(0, 1.0, 1, 3.0)]), slice(None))])
def test_a_batch_without_own_signals_gives_nothing(samples: SampleBatch) -> None:
    assert list(PaneStream(SMALL).cut(samples)) == []
