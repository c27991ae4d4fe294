"""End-of-drive ticks: where they belong, and cutting a batch at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.frames import NO_ARENA, FrameBatch, FrameFlag, TickKind, concat_frames, empty_frames

NEVER = np.iinfo(np.int64).min
"""A time before all times."""
DRIVE_GAP_NS = 300_000_000_000
"""Event time without data after which a drive has ended."""

Ended = tuple[tuple[str, int], ...]
"""(vehicle, time of the end of its drive in ns)."""


def with_drive_ends(frames: FrameBatch, before_ns: int) -> FrameBatch:
    """One vehicle's ordered records with an end-of-drive tick five minutes after each that is followed by such a gap.

    `before_ns` is the time of the record before them, NEVER where there is none.
    """
    if not len(frames):
        return frames
    before = np.concatenate(([before_ns], frames.time_ns[:-1]))
    gap = (before != NEVER) & (frames.time_ns - np.where(before == NEVER, frames.time_ns, before) >= DRIVE_GAP_NS)
    if not gap.any():
        return frames
    at = np.flatnonzero(gap)
    boots = frames.messages.boot_session[frames.message[at]]
    ticks = drive_end_ticks(frames, frames.vehicles[int(frames.vehicle[0])], before[at] + DRIVE_GAP_NS, boots)
    joined = concat_frames([frames, ticks])
    order = np.insert(np.arange(len(frames)), at, np.arange(len(frames), len(frames) + len(at)))
    return joined.take(order)


def drive_end_ticks(like: FrameBatch, vehicle: str, time_ns: NDArray[np.int64], boot_session: NDArray[np.int64]) -> FrameBatch:
    """End-of-drive ticks of one vehicle at these times, with the bus names of `like`."""
    n = len(time_ns)
    empty = empty_frames((vehicle,), like.buses or ("",))
    table = replace(
        empty.messages,
        vehicle=np.zeros(n, np.int32),
        boot_session=boot_session.astype(np.int64),
        sequence=np.full(n, -1, np.int64),
        received_ns=time_ns.astype(np.int64),
        position=np.full(n, -1, np.int64),
    )
    return replace(
        empty,
        messages=table,
        time_ns=time_ns.astype(np.int64),
        vehicle=np.zeros(n, np.int32),
        bus=np.zeros(n, np.uint8),
        can_id=np.full(n, TickKind.END_OF_DRIVE, np.uint32),
        message=np.arange(n, dtype=np.int32),
        index=np.full(n, -1, np.int64),
        length=np.zeros(n, np.uint8),
        flags=np.full(n, FrameFlag.TICK, np.uint8),
        payload=np.zeros(n, np.uint64),
        arena_offset=np.full(n, NO_ARENA, np.int64),
    )


def until_drive_ends(frames: FrameBatch) -> Iterator[tuple[FrameBatch, Ended]]:
    """The ordered records in parts that go at most to the end of a drive of each vehicle, and which drives end with each part.

    There is always at least one part.
    """
    ends = ((frames.flags & FrameFlag.TICK) != 0) & (frames.can_id == TickKind.END_OF_DRIVE)
    if not ends.any():
        yield frames, ()
        return
    passed = np.cumsum(ends) - ends
    firsts = np.flatnonzero(np.diff(frames.vehicle, prepend=-1))
    rounds = passed - np.repeat(passed[firsts], np.diff(np.append(firsts, len(frames))))
    for number in range(int(rounds.max()) + 1):
        rows = np.flatnonzero(rounds == number)
        ended = rows[ends[rows]]
        names = [frames.vehicles[vehicle] for vehicle in frames.vehicle[ended].tolist()]
        yield frames.take(rows), tuple(zip(names, frames.time_ns[ended].tolist(), strict=True))
