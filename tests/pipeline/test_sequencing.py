import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.frames import FrameBatch, MessageTable, empty_frames
from domain.records import SeenSequences
from pipeline import sequencing
from pipeline.sequencing import SECOND_NS, SequenceRanges, Sequencing
from tests.pipeline.frames import frames_of

Message = tuple[str, int, int]
"""(vehicle, boot session, sequence)"""

T0 = 1_000 * SECOND_NS


def batch_of(messages: list[Message], *, received_ns: list[int] | None = None, tokens: list[int] | None = None) -> FrameBatch:
    """Two frames a message (none where the sequence is a multiple of 7), stamped so that they tell where they come from."""
    n = len(messages)
    vehicles = tuple(dict.fromkeys(vehicle for vehicle, _, _ in messages))
    table = MessageTable(
        vehicle=np.array([vehicles.index(vehicle) for vehicle, _, _ in messages], np.int32),
        boot_session=np.array([boot for _, boot, _ in messages], np.int64),
        sequence=np.array([sequence for _, _, sequence in messages], np.int64),
        received_ns=np.array(received_ns or [T0] * n, np.int64),
        position=np.array(tokens or range(n), np.int64),
    )
    owners = [row for row, (_, _, sequence) in enumerate(messages) for _ in range(frames_in(sequence))]
    stamps = [(messages[row][1] * 1_000 + messages[row][2], index) for index, row in enumerate(owners)]
    if not owners:
        return replace(empty_frames(vehicles, ("can0",)), messages=table)
    frames = frames_of(stamps)
    return replace(
        frames,
        vehicles=vehicles,
        messages=table,
        message=np.array(owners, np.int32),
        vehicle=table.vehicle[owners],
    )


def frames_in(sequence: int) -> int:
    return 0 if sequence >= 0 and sequence % 7 == 6 else 2


def told(frames: FrameBatch) -> list[Message]:
    """The message that each frame came in."""
    table = frames.messages
    columns = (frames.vehicle, table.boot_session[frames.message], table.sequence[frames.message], frames.time_ns)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert all(time_ns == boot * 1_000 + sequence for _, boot, sequence, time_ns in rows)
    return [(frames.vehicles[number], boot, sequence) for number, boot, sequence, _ in rows]


def in_order(messages: list[Message]) -> list[Message]:
    return [message for message in sorted(set(messages)) for _ in range(frames_in(message[2]))]


def ranges_of(numbers: set[int]) -> tuple[tuple[int, int], ...]:
    """The plainest way to say it."""
    runs = itertools.groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])
    spans = [[number for _, number in run] for _, run in runs]
    return tuple((span[0], span[-1]) for span in spans)


@given(st.lists(st.integers(0, 30), unique=True))
def test_ranges_merge_whatever_the_order_in_which_numbers_come(numbers):
    ranges = SequenceRanges()
    for position, number in enumerate(numbers):
        assert number not in ranges
        ranges.add(number)
        assert ranges.as_tuple() == ranges_of(set(numbers[: position + 1]))
    assert [number for number in range(35) if number in ranges] == sorted(numbers)


SENT = st.dictionaries(st.sampled_from(["car", "van", "bus"]), st.integers(1, 15), min_size=1)


@settings(max_examples=150)
@given(SENT, st.randoms(use_true_random=False), st.integers(0, 4), st.booleans())
def test_any_duplication_and_disorder_within_the_window_gives_each_message_once_and_in_order(sent, random, cuts, restart):
    """Messages come in any order and several times; whatever passed is committed, and what was not acknowledged comes again."""
    expected = [(vehicle, 3, number) for vehicle, count in sent.items() for number in range(count)]
    arriving = expected + [random.choice(expected) for _ in range(random.randint(0, 10))]
    random.shuffle(arriving)
    edges = [0, *sorted(random.randint(0, len(arriving)) for _ in range(cuts)), len(arriving)]
    batches = [arriving[a:b] for a, b in itertools.pairwise(edges)]
    sequencing = Sequencing()
    passed: list[Message] = []
    committed: dict[str, SeenSequences] = {}
    outstanding: dict[int, Message] = {}
    tokens = itertools.count()
    for messages in batches:
        if restart:
            sequencing = Sequencing()
            for vehicle in sent:
                sequencing.restore(vehicle, [committed[vehicle]] if vehicle in committed else [])
            messages = [*random.sample(list(outstanding.values()), len(outstanding)), *messages]  # redelivered, out of order
            outstanding.clear()
        numbered = {next(tokens): message for message in messages}
        outstanding.update(numbered)
        out = sequencing.push(batch_of(messages, tokens=list(numbered)), T0)
        passed += told(out.frames)
        for token in out.tokens:
            del outstanding[token]
        committed.update((seen.vehicle, seen) for seen in out.seen)
        assert (out.gaps, out.late_messages) == (0, 0)
    assert {v: [m for m in passed if m[0] == v] for v in sent} == {v: [m for m in in_order(expected) if m[0] == v] for v in sent}
    assert {v: seen.ranges for v, seen in committed.items()} == {v: ((0, count - 1),) for v, count in sent.items()}
    assert outstanding == {}
    assert sequencing.waiting_messages == 0


@given(st.integers(1, 8), st.integers(1, 8), st.randoms(use_true_random=False))
def test_messages_of_two_boot_sessions_may_arrive_mixed(first, second, random):
    """The later session waits until the earlier one has been quiet, for nobody knows how many messages that one has."""
    start = [("car", 1, 0)]
    rest = [("car", 1, number) for number in range(1, first)] + [("car", 2, number) for number in range(second)]
    random.shuffle(rest)
    sequencing = Sequencing()
    passed = told(sequencing.push(batch_of(start + rest), T0).frames)
    assert passed == in_order([m for m in start + rest if m[1] == 1])
    settled = sequencing.push(empty_frames(), T0 + 6 * SECOND_NS)
    assert told(settled.frames) == in_order([m for m in rest if m[1] == 2])
    assert settled.gaps == 0


def test_a_gap_holds_its_vehicle_and_no_other():
    sequencing = Sequencing()
    out = sequencing.push(batch_of([("car", 0, 0), ("car", 0, 2), ("van", 0, 0), ("van", 0, 1)]), T0)
    assert told(out.frames) == [("car", 0, 0)] * 2 + [("van", 0, 0)] * 2 + [("van", 0, 1)] * 2
    assert out.tokens == (0, 2, 3)
    assert sequencing.waits("car")
    assert not sequencing.waits("van")


@pytest.mark.parametrize(("age_s", "given_up"), [(5.9, False), (6.0, True)])
def test_a_gap_is_given_up_and_counted_after_the_timeout(age_s, given_up):
    sequencing = Sequencing(gap_timeout_s=6.0)
    sequencing.push(batch_of([("car", 0, 0), ("car", 0, 4), ("car", 0, 5)]), T0)
    out = sequencing.push(empty_frames(), T0 + round(age_s * SECOND_NS))
    assert (out.gaps, out.missing) == ((1, 3) if given_up else (0, 0))
    assert told(out.frames) == (in_order([("car", 0, 4), ("car", 0, 5)]) if given_up else [])
    assert out.tokens == ((1, 2) if given_up else ())


def test_each_gap_has_its_own_time():
    sequencing = Sequencing()
    late = T0 + 4 * SECOND_NS
    sequencing.push(batch_of([("car", 0, 0), ("car", 0, 2), ("car", 0, 4)], received_ns=[T0, T0, late]), late)
    first = sequencing.push(empty_frames(), T0 + 6 * SECOND_NS)
    assert (told(first.frames), first.missing) == (in_order([("car", 0, 2)]), 1)
    second = sequencing.push(empty_frames(), late + 6 * SECOND_NS)
    assert (told(second.frames), second.missing) == (in_order([("car", 0, 4)]), 1)


def test_what_comes_after_its_gap_was_given_up_is_late_but_passes_once_even_after_a_restart():
    sequencing = Sequencing()
    sequencing.push(batch_of([("car", 0, 0), ("car", 0, 2)]), T0)
    seen = sequencing.push(empty_frames(), T0 + 9 * SECOND_NS).seen
    assert seen[0].ranges == ((0, 0), (2, 2))
    restarted = Sequencing()
    restarted.restore("car", seen)
    out = restarted.push(batch_of([("car", 0, 1), ("car", 0, 1), ("car", 0, 3)]), T0 + 10 * SECOND_NS)
    assert told(out.frames) == in_order([("car", 0, 1), ("car", 0, 3)])
    assert (out.late_messages, out.duplicates) == (1, 1)
    assert out.seen[0].ranges == ((0, 3),)


def test_messages_of_an_earlier_boot_session_are_late_but_not_lost():
    sequencing = Sequencing()
    sequencing.restore("car", [SeenSequences(vehicle="car", boot_session=5, ranges=((0, 9),))])
    out = sequencing.push(batch_of([("car", 4, 3), ("car", 5, 10), ("car", 4, 3)]), T0)
    assert told(out.frames) == [("car", 4, 3)] * 2 + [("car", 5, 10)] * 2
    assert (out.late_messages, out.duplicates) == (1, 1)


def test_a_boot_session_that_follows_a_quiet_one_begins_at_once():
    sequencing = Sequencing()
    sequencing.push(batch_of([("car", 1, 0)]), T0)
    later = T0 + 60 * SECOND_NS
    out = sequencing.push(batch_of([("car", 2, 0)], received_ns=[later]), later)
    assert told(out.frames) == in_order([("car", 2, 0)])


def test_a_vehicle_joined_in_mid_session_waits_once_for_its_beginning():
    sequencing = Sequencing()
    assert told(sequencing.push(batch_of([("car", 1, 40), ("car", 1, 43)]), T0).frames) == []
    out = sequencing.push(batch_of([("car", 1, 42)]), T0 + 6 * SECOND_NS)
    assert told(out.frames) == in_order([("car", 1, 40), ("car", 1, 42), ("car", 1, 43)])
    assert (out.gaps, out.missing) == (2, 41)


def test_unsequenced_messages_pass_as_they_come():
    out = Sequencing().push(batch_of([("car", 0, -1), ("car", 0, -1)]), T0)
    assert len(out.frames) == 4
    assert out.tokens == (0, 1)
    assert out.seen == ()


def test_a_batch_in_order_passes_untouched():
    batch = batch_of([("car", 0, 0), ("van", 0, 0), ("car", 0, 1)])
    assert Sequencing().push(batch, T0).frames is batch


def test_messages_that_wait_keep_their_own_frames_only():
    sequencing = Sequencing()
    sequencing.push(batch_of([("car", 0, 1), *(("van", 0, number) for number in range(5))]), T0)
    out = sequencing.push(batch_of([("car", 0, 0)]), T0)
    assert told(out.frames) == in_order([("car", 0, 0), ("car", 0, 1)])
    assert len(sequencing.push(empty_frames(), T0 + 60 * SECOND_NS).frames) == 0


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), max_size=60), st.integers(1, 10))
def test_sessions_that_have_left_memory_count_as_before(pairs, size):
    """Against one that keeps all; messages of old sessions come again at any time."""
    messages = [("car", boot, sequence) for boot, sequence in pairs]
    stored: dict[int, SeenSequences] = {}
    frugal, keeping = Sequencing(gap_timeout_s=2.0), Sequencing(gap_timeout_s=2.0)
    for step, start in enumerate(range(0, len(messages), size)):
        batch = batch_of(
            messages[start : start + size], received_ns=[T0 + step * SECOND_NS] * len(messages[start : start + size])
        )
        if any(frugal.lacks("car", boot) for _, boot, _ in messages[start : start + size]):
            frugal.recall("car", tuple(stored.values()))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sequencing, "KEPT_SESSIONS", 1)
            got = frugal.push(batch, T0 + step * SECOND_NS)
        want = keeping.push(batch, T0 + step * SECOND_NS)
        assert told(got.frames) == told(want.frames)
        assert (got.tokens, got.seen, got.duplicates, got.missing) == (want.tokens, want.seen, want.duplicates, want.missing)
        stored |= {each.boot_session: each for each in got.seen}


def test_a_car_with_many_boot_sessions_keeps_few_of_them_in_memory():
    numbers = Sequencing()
    for boot in range(1, 200):
        numbers.push(batch_of([("car", boot, 0)], received_ns=[T0 + boot * 20 * SECOND_NS]), T0 + (boot * 20 + 10) * SECOND_NS)
    assert len(numbers._vehicles["car"].sessions) < 2 * sequencing.KEPT_SESSIONS
    assert numbers.lacks("car", 3)
    assert not numbers.lacks("car", 199)
