"""What travels on a bus, counted by identifier, and how far definitions know it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag
from ingest.message_spec import Match, MessageSpec
from ingest.traffic import Coverage, Definitions, Talker, Traffic, shares
from tests.pipeline.frames import frames_of

ENGINE, DASH = 0x18FEEE00 | EXTENDED_ID, 0x18FEEE17 | EXTENDED_ID


def heard(ids: list[int], lengths: list[int] | None = None) -> FrameBatch:
    frames = frames_of([(number, number) for number in range(len(ids))])
    return replace(frames, can_id=np.array(ids, np.uint32), length=np.array(lengths or [8] * len(ids), np.uint8))


def talkers(*batches: FrameBatch) -> tuple[Talker, ...]:
    traffic = Traffic()
    for batch in batches:
        traffic.add(batch)
    return traffic.talkers()


@given(st.lists(st.tuples(st.sampled_from([0x100, 0x101, ENGINE, DASH]), st.integers(0, 8)), max_size=40), st.integers(0, 40))
def test_the_counts_do_not_depend_on_how_the_frames_were_cut(frames: list[tuple[int, int]], at: int) -> None:
    batch = heard([can_id for can_id, _ in frames], [length for _, length in frames])
    whole = talkers(batch)
    assert talkers(batch.take(slice(0, at)), batch.take(slice(at, None))) == whole
    assert sum(talker.frames for talker in whole) == len(frames)
    for talker in whole:
        lengths = [length for can_id, length in frames if can_id == talker.can_id]
        assert (talker.frames, talker.shortest, talker.longest) == (len(lengths), min(lengths), max(lengths))


def test_error_and_remote_frames_and_records_that_are_no_frames_do_not_count() -> None:
    batch = heard([0x100] * 5)
    flags = [0, FrameFlag.ERROR, FrameFlag.REMOTE, FrameFlag.TICK, FrameFlag.PACKET]
    assert [talker.frames for talker in talkers(replace(batch, flags=np.array(flags, np.uint8)))] == [1]


def test_an_identifier_tells_what_it_looks_like() -> None:
    ids = [0x123, 0x7E8, 0x7B3, ENGINE, 0x18DAF110 | EXTENDED_ID, 0x18DA10F1 | EXTENDED_ID]
    found = {talker.can_id: talker.looks_like for talker in talkers(heard(ids))}
    assert [found[can_id] for can_id in ids] == ["data", "obd", "diagnostic", "j1939", "obd", "diagnostic"]
    assert shares(talkers(heard([0x123, 0x123, 0x123, 0x7E8]))) == {"data": 0.75, "obd": 0.25}


def test_a_group_is_known_from_every_sender_and_a_destination_is_no_part_of_it() -> None:
    group = Definitions([MessageSpec(name="ET1", can_id=65262, signals=(), match=Match.PGN)])
    assert [group.of(talker) is not None for talker in talkers(heard([ENGINE, DASH, 0x100]))] == [False, True, True]
    to_one = Definitions([MessageSpec(name="TSC1", can_id=0, signals=(), match=Match.PGN)])
    assert to_one.of(talkers(heard([0x0C000B03 | EXTENDED_ID]))[0]) is not None


def test_coverage_tells_frames_known_by_chance_from_those_that_fit() -> None:
    book = Definitions(
        [MessageSpec(name="A", can_id=0x100, signals=()), MessageSpec(name="B", can_id=0x101, signals=(), length=4)]
    )
    found = book.coverage(talkers(heard([0x100, 0x100, 0x101, 0x102])))
    assert found == Coverage(frames=4, ids=3, known_frames=3, known_ids=2, fitting_frames=2)
    assert (found.known_share, found.fitting_share) == (0.75, 0.5)
    assert Coverage().known_share == 0.0


def test_a_definition_of_another_bus_knows_nothing_here() -> None:
    elsewhere = Definitions([MessageSpec(name="A", can_id=0x100, signals=(), bus="can1")])
    assert elsewhere.of(talkers(heard([0x100]))[0]) is None
