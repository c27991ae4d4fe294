import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import FrameBatch, FrameFlag, concat_frames
from pipeline.drive_ticks import DRIVE_GAP_NS
from pipeline.holdback import SECOND_NS, HoldBack, Released
from tests.pipeline.frames import frames_of

Row = tuple[str, int, int, bool]


def rows(frames: FrameBatch) -> list[Row]:
    ticks = (frames.flags & FrameFlag.TICK) != 0
    return [
        (frames.vehicles[v], t, i, bool(tick))
        for v, t, i, tick in zip(
            frames.vehicle.tolist(), frames.time_ns.tolist(), frames.index.tolist(), ticks.tolist(), strict=True
        )
    ]


def run(
    batches: list[FrameBatch], *, lateness_ns: int = SECOND_NS, restart: bool = False, close: bool = True
) -> tuple[list[Row], list[str]]:
    """Released rows, and the ids of dead letters or, of late records, their places and what had been reached before them."""
    stage = HoldBack(lateness_ns=lateness_ns)
    out: list[Row] = []
    letters: list[str] = []

    def note(released: Released) -> None:
        out.extend(rows(released.frames))
        letters.extend(letter.id for letter in released.dead_letters)
        places = zip(released.late.index.tolist(), released.late_after_ns.tolist(), strict=True)
        letters.extend(f"late {index} after {after_ns}" for index, after_ns in places)

    for batch in batches:
        note(stage.push(batch))
        if restart:
            state = stage.snapshot("car")
            stage = HoldBack(lateness_ns=lateness_ns)
            if state is not None:
                stage.restore("car", state)
    if close:
        note(stage.close("car"))
    return out, sorted(letters)


def cut(frames: FrameBatch, at: list[int]) -> list[FrameBatch]:
    edges = [0, *sorted(min(a, len(frames)) for a in at), len(frames)]
    return [frames.take(slice(a, b)) for a, b in itertools.pairwise(edges)]


STEPS = st.lists(st.integers(0, 3), min_size=1, max_size=60)


@given(STEPS, st.lists(st.integers(0, 60), max_size=6), st.booleans(), st.randoms(use_true_random=False))
def test_any_cut_restart_and_disorder_within_the_lateness_give_the_same_order(steps, cuts, restart, random):
    times = (np.cumsum(steps) * 100_000_000).tolist()
    records = [(t, i) for i, t in enumerate(times)]
    # a record may overtake others whose stamps are at most 1 s away
    shuffled = sorted(records, key=lambda r: r[0] + random.randint(0, SECOND_NS))
    whole, none_late = run([frames_of(records)])
    assert none_late == []
    assert [r[1:3] for r in whole[:-1]] == sorted(records)
    again, letters = run(cut(frames_of(shuffled), cuts), restart=restart)
    assert letters == []
    assert again == whole


@given(st.lists(st.integers(-30, 40), min_size=1, max_size=60), st.lists(st.integers(0, 60), max_size=6), st.booleans())
def test_what_is_late_does_not_depend_on_the_cut(steps, cuts, restart):
    times = (np.cumsum(steps) * 100_000_000).tolist()
    frames = frames_of([(t, i) for i, t in enumerate(times)])
    whole = run([frames])
    assert run(cut(frames, cuts), restart=restart) == whole
    greatest = np.maximum.accumulate([times[0], *times[:-1]])
    assert len(whole[1]) == sum(t < g - SECOND_NS for t, g in zip(times, greatest, strict=True))


@given(
    st.lists(st.sampled_from([0, 1, 2, 200_000, 500_000]), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=5),
    st.booleans(),
)
def test_jumps_are_settled_alike_in_every_cut(steps, cuts, restart):
    """Some stamps lie days ahead of the rest."""
    times = [100 + i + (step if step > 2 else 0) for i, step in enumerate(steps)]
    frames = frames_of([(t * SECOND_NS, i) for i, t in enumerate(times)])
    assert run(cut(frames, cuts), restart=restart) == run([frames])


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3), st.sampled_from([1, 1, 1, 400, 90_000])), min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
    st.sampled_from([0, SECOND_NS]),
    st.booleans(),
)
def test_what_a_vehicle_gets_does_not_depend_on_the_others(steps, cuts, lateness_ns, restart):
    """Cars in one batch, some out of order, with gaps and with jumps, against each by itself."""
    at = dict.fromkeys(range(4), 1_000)
    records = []
    for i, (car, step, scale) in enumerate(steps):
        at[car] += step * scale
        records.append((car, at[car] * SECOND_NS, i))
    mixed = cut(cars_of(records), cuts)
    stage, together = HoldBack(lateness_ns=lateness_ns), []
    for batch in mixed:
        released = stage.push(batch)
        assert (np.diff(released.frames.vehicle) >= 0).all()
        together += rows(released.frames)
        if restart:
            states = {name: stage.snapshot(name) for name in map(str, range(4))}
            stage = HoldBack(lateness_ns=lateness_ns)
            for name, state in states.items():
                if state is not None:
                    stage.restore(name, state)
    for car in range(4):
        mine = [record for record in records if record[0] == car]
        alone, _ = run([cars_of(mine)] if mine else [], lateness_ns=lateness_ns, close=False)
        assert [row for row in together if row[0] == str(car)] == alone


def cars_of(records: list[tuple[int, int, int]]) -> FrameBatch:
    """Records of several cars in arrival order."""
    return concat_frames([frames_of([(time_ns, index)], vehicle=str(car)) for car, time_ns, index in records])


def test_equal_stamps_leave_together():
    stage = HoldBack(lateness_ns=0)
    assert rows(stage.push(frames_of([(5, 0), (5, 1)])).frames) == []
    assert rows(stage.push(frames_of([(5, 2)])).frames) == []
    assert [r[2] for r in rows(stage.push(frames_of([(6, 3)])).frames)] == [0, 1, 2]


def test_one_bogus_stamp_does_not_make_the_rest_late():
    times = [1, 2, 1_000_000, 3, 4, 5]
    out, letters = run([frames_of([(t * SECOND_NS, i) for i, t in enumerate(times)])])
    assert [r[2] for r in out if not r[3]] == [0, 1, 3, 4, 5]
    assert len(letters) == 1


def test_a_jump_that_later_records_confirm_is_believed():
    times = [1, 2, 1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004]
    out, letters = run([frames_of([(t * SECOND_NS, i) for i, t in enumerate(times)])])
    assert [r[2] for r in out if not r[3]] == list(range(7))
    assert letters == []


def test_a_new_boot_session_may_start_weeks_later():
    frames = frames_of([(SECOND_NS, 0), (2_000_000 * SECOND_NS, 1)], boots=[0, 1])
    out, letters = run([frames])
    assert [r[2] for r in out if not r[3]] == [0, 1]
    assert letters == []


@pytest.mark.parametrize("gap_s", [299, 300, 301])
def test_five_minutes_without_data_end_a_drive(gap_s):
    frames = frames_of([(SECOND_NS, 0), ((1 + gap_s) * SECOND_NS, 1)])
    for cuts in ([], [1]):
        out, _ = run(cut(frames, cuts))
        ticks = [time_ns for _, time_ns, _, tick in out if tick]
        end = (1 + gap_s) * SECOND_NS + DRIVE_GAP_NS
        assert ticks == ([SECOND_NS + DRIVE_GAP_NS, end] if gap_s >= 300 else [end])


def test_records_equal_in_time_are_ordered_by_boot_session_then_index():
    frames = frames_of([(5, 3), (5, 0), (5, 1)], boots=[1, 1, 0])
    out, _ = run([frames], lateness_ns=0)
    assert [r[2] for r in out if not r[3]] == [1, 0, 3]


@settings(max_examples=30)
@given(STEPS, STEPS, st.lists(st.integers(0, 60), max_size=4))
def test_vehicles_in_one_batch_do_not_touch_each_other(first, second, cuts):
    def alone(steps, vehicle):
        return frames_of([(t * SECOND_NS, i) for i, t in enumerate(np.cumsum(steps).tolist())], vehicle=vehicle)

    def released(batches):
        stage = HoldBack()
        out = [row for batch in batches for row in rows(stage.push(batch).frames)]
        out += [row for vehicle in ("car", "van") for row in rows(stage.close(vehicle).frames)]
        return {name: [r for r in out if r[0] == name] for name in ("car", "van")}

    car, van = alone(first, "car"), alone(second, "van")
    mixed = concat_frames([car, van])
    mixed = mixed.take(np.argsort(mixed.index, kind="stable"))
    assert released(cut(mixed, cuts)) == released([car, van])
