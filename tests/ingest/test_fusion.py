"""Fusion: one ordered stream per vehicle, one source per path at a time, whatever the cut and whoever else is in the batch."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.findings import Text
from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag, TickKind
from domain.ports import Jit, no_jit
from domain.signals import TICK_SIGNAL, ReadyColumns, SampleBatch, SignalGroup
from ingest.decoder import Decoder
from ingest.fusion import Fusion
from ingest.message_spec import Match, MessageSpec, SignalSpec
from ingest.profiles import Profile
from tests.ingest.frames import F, frame_batch

SPEED, ENGINE = "Vehicle.Speed", "Vehicle.Powertrain.CombustionEngine.Speed"


def source(name: str, can_id: int, path: str, priority: int, stale_s: float, match: Match = Match.EXACT) -> MessageSpec:
    signal = SignalSpec(name="V", start=0, length=8, path=path, priority=priority, stale_after_s=stale_s, raw_valid_max=0xFA)
    return MessageSpec(name=name, can_id=can_id, signals=(signal,), match=match)


GOOD, POOR, RPM, TRUCK = 1, 2, 3, 0x0CF0_0400 | EXTENDED_ID
PROFILE = Profile(
    id="p",
    version="1",
    title=Text(en="", zh=""),
    powertrain="",
    messages=(
        source("GOOD", GOOD, SPEED, 0, 2.0),
        source("POOR", POOR, SPEED, 5, 2.0),
        source("RPM", RPM, ENGINE, 0, 2.0),
        source("EEC1", 0xF004, ENGINE, 5, 2.0, Match.PGN),
    ),
)
DECODER = Decoder({"p": PROFILE}, lambda _vehicle: "p")
JITS = pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["kernels", "numpy"])


def fuse(fusion: Fusion, frames: FrameBatch) -> SampleBatch:
    return fusion.fuse(frames, DECODER.decode(frames))


def listed(samples: SampleBatch) -> list[tuple[str, float, str, float]]:
    names = {TICK_SIGNAL: "tick", **dict(enumerate(samples.paths))}
    columns = (samples.vehicle.tolist(), samples.time_ns.tolist(), samples.signal.tolist(), samples.value.tolist())
    return [(samples.vehicles[v], t / 1e9, names[s], x) for v, t, s, x in zip(*columns, strict=True)]


def values(rows: list[F], jit: Jit = no_jit) -> list[float]:
    return [value for *_, value in listed(fuse(Fusion(jit=jit), frame_batch(rows)))]


def test_the_stream_keeps_the_order_of_the_frames_with_ticks_among_them() -> None:
    rows = [F(RPM, b"\x01", 1), F(GOOD, b"\x02", 1), F(TickKind.TIMER, time_s=1, flags=FrameFlag.TICK), F(RPM, b"\x03", 2)]
    assert listed(fuse(Fusion(), frame_batch(rows))) == [
        ("car", 1.0, ENGINE, 1.0), ("car", 1.0, SPEED, 2.0), ("car", 1.0, "tick", float(TickKind.TIMER)), ("car", 2.0, ENGINE, 3.0)
    ]  # fmt: skip


def test_values_that_are_not_valid_are_left_out() -> None:
    assert values([F(GOOD, b"\xff", 1), F(GOOD, b"\x07", 2), F(GOOD, b"", 3)]) == [7.0]


@JITS
def test_a_better_source_silences_a_poorer_one_until_it_goes_stale(jit: Jit) -> None:
    rows = [
        F(POOR, b"\x01", 0),
        F(GOOD, b"\x02", 1),
        F(POOR, b"\x03", 2),
        F(POOR, b"\x04", 3),
        F(POOR, b"\x05", 3.1),
        F(GOOD, b"\x06", 4),
    ]
    assert values(rows, jit) == [1.0, 2.0, 5.0, 6.0]


@JITS
def test_among_equals_the_address_heard_first_stays_while_it_is_fresh(jit: Jit) -> None:
    rows = [
        F(TRUCK, b"\x01", 0),
        F(TRUCK + 0x31, b"\x02", 1),
        F(TRUCK, b"\x03", 2),
        F(TRUCK + 0x31, b"\x04", 4.5),
        F(TRUCK, b"\x05", 5),
    ]
    assert values(rows, jit) == [1.0, 3.0, 4.0]


@JITS
def test_another_bus_is_another_source(jit: Jit) -> None:
    rows = [F(GOOD, b"\x01", 0, bus="can0"), F(GOOD, b"\x02", 1, bus="can1"), F(GOOD, b"\x03", 2, bus="can0")]
    assert values(rows, jit) == [1.0, 3.0]


@JITS
def test_a_source_heard_alone_in_one_batch_counts_as_fresh_in_the_next(jit: Jit) -> None:
    fusion = Fusion(jit=jit)
    fuse(fusion, frame_batch([F(GOOD, b"\x01", 5)]))
    assert listed(fuse(fusion, frame_batch([F(POOR, b"\x02", 6.5), F(POOR, b"\x03", 7.5)]))) == [("car", 7.5, SPEED, 3.0)]


@JITS
def test_a_better_source_takes_over_from_one_heard_alone_before(jit: Jit) -> None:
    fusion = Fusion(jit=jit)
    fuse(fusion, frame_batch([F(POOR, b"\x01", 5)]))
    assert listed(fuse(fusion, frame_batch([F(GOOD, b"\x02", 5.5)]))) == [("car", 5.5, SPEED, 2.0)]


def test_paths_are_the_catalogue_or_those_given() -> None:
    frames = frame_batch([F(GOOD, b"\x01"), F(RPM, b"\x02")])
    assert fuse(Fusion([ENGINE]), frames).paths == (ENGINE,)
    assert listed(fuse(Fusion([ENGINE]), frames)) == [("car", 0.0, ENGINE, 2.0)]
    assert SPEED in Fusion().fuse(frames, DECODER.decode(frames)).paths
    assert Fusion([ENGINE]).version != Fusion([SPEED]).version


def test_an_empty_batch_gives_an_empty_stream() -> None:
    assert len(fuse(Fusion(), frame_batch([]))) == 0


CARS = ("a", "b", "c")
ROW = st.builds(
    F,
    can_id=st.sampled_from([GOOD, POOR, RPM, TRUCK, TRUCK + 1]),
    data=st.sampled_from([b"\x01", b"\x02", b"\xff", b""]),
    time_s=st.integers(0, 12).map(float),
    vehicle=st.sampled_from(CARS),
    bus=st.sampled_from(["can0", "can1"]),
)
TICK = st.builds(
    F, can_id=st.just(int(TickKind.TIMER)), time_s=st.integers(0, 12).map(float), vehicle=st.sampled_from(CARS),
    flags=st.just(int(FrameFlag.TICK)),
)  # fmt: skip


def ordered(rows: list[F]) -> FrameBatch:
    return frame_batch(sorted(rows, key=lambda row: (row.vehicle, row.time_s)), vehicles=CARS)


@settings(deadline=None, max_examples=150)
@given(st.lists(ROW | TICK, max_size=40), st.lists(st.integers(0, 12), max_size=4), st.booleans())
def test_samples_depend_on_neither_cut_nor_snapshot_nor_compiler(rows: list[F], cuts: list[int], restart: bool) -> None:
    at_once = listed(fuse(Fusion(), ordered(rows)))
    fusion, pieces = Fusion(jit=lazy_jit), []
    edges = [-1, *sorted(set(cuts)), 99]
    for low, high in itertools.pairwise(edges):
        pieces += listed(fuse(fusion, ordered([row for row in rows if low < row.time_s <= high])))
        if restart:
            fresh = Fusion()
            for car in CARS:
                state = fusion.snapshot(car)
                if state is not None:
                    fresh.restore(car, state)
            fusion = fresh
    # a stable sort by vehicle keeps each one's own order
    assert sorted(pieces, key=lambda sample: sample[0]) == at_once


@settings(deadline=None, max_examples=50)
@given(st.lists(ROW, max_size=30))
def test_a_vehicle_gets_the_same_alone_as_among_others(rows: list[F]) -> None:
    together = listed(fuse(Fusion(), ordered(rows)))
    for car in CARS:
        alone = listed(fuse(Fusion(), ordered([row for row in rows if row.vehicle == car])))
        assert alone == [sample for sample in together if sample[0] == car]


def test_a_forgotten_vehicle_begins_anew() -> None:
    fusion = Fusion()
    fuse(fusion, frame_batch([F(GOOD, b"\x01", 1)]))
    assert fusion.snapshot("car") is not None
    fusion.forget("car")
    assert fusion.snapshot("car") is None
    assert [x for *_, x in listed(fuse(fusion, frame_batch([F(POOR, b"\x09", 1.5)])))] == [9.0]
    assert fusion.snapshot("never heard") is None


def test_a_snapshot_is_small() -> None:
    fusion = Fusion()
    fuse(fusion, frame_batch([F(GOOD, b"\x01", 1), F(RPM, b"\x01", 1)]))
    assert len(fusion.snapshot("car") or b"") < 100


def test_infinite_values_are_no_measurements() -> None:
    frames = frame_batch([F(GOOD, b"\x01", 1)])
    signals = DECODER.decode(frames)
    group = signals.groups[0]
    columns = ReadyColumns(
        frame=group.frame,
        time_ns=group.time_ns,
        vehicle=group.vehicle,
        source=group.source,
        values=np.array([[np.inf]]),
        valid=group.valid,
    )
    infinite = SignalGroup(group.labels, columns)
    assert len(Fusion().fuse(frames, replace(signals, groups=(infinite,)))) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([GOOD, POOR, RPM, TRUCK, TRUCK + 1]), st.integers(0, 255), st.integers(0, 3)), max_size=30
    ),
    st.integers(0, 30),
)
def test_kernels_and_numpy_fuse_alike(steps: list[tuple[int, int, int]], cut: int) -> None:
    times = itertools.accumulate(gap for *_, gap in steps)
    rows = [F(can_id, bytes([value]), time_s) for (can_id, value, _), time_s in zip(steps, times, strict=True)]
    seen = []
    for jit in (lazy_jit, no_jit):
        fusion = Fusion(jit=jit)
        parts = [frame_batch(part, vehicles=["car"]) for part in (rows[:cut], rows[cut:])]
        seen.append([[listed(fuse(fusion, part)) for part in parts], fusion.snapshot("car")])
    assert seen[0] == seen[1]
