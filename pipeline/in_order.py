"""The commonest case of holding back, for many vehicles at once: records that came in order, without a gap or a jump."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, concat_frames
from pipeline.drive_ticks import DRIVE_GAP_NS, NEVER
from pipeline.frame_bytes import compact_frames

SHARED_ROWS = 4
"""Waiting records per vehicle up to which a fleet's are kept in one batch; longer ones would be kept alive by their neighbours'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A vehicle's records that wait: rows `first` to `end` of a batch that it may share with other vehicles."""

    frames: FrameBatch
    first: int
    end: int

    @property
    def own(self) -> FrameBatch:
        """These rows; the tables are those of the batch."""
        return self.frames.take(slice(self.first, self.end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Records of many vehicles, each one's together: of run r rows starts[r] to ends[r], of which those from fresh[r] on are new."""

    frames: FrameBatch
    starts: NDArray[np.intp]
    fresh: NDArray[np.intp]
    ends: NDArray[np.intp]

    @property
    def vehicles(self) -> list[str]:
        """Whose run it is."""
        return [self.frames.vehicles[number] for number in self.frames.vehicle[self.starts].tolist()]

    @property
    def last_ns(self) -> NDArray[np.int64]:
        """Time of each run's last record."""
        return self.frames.time_ns[self.ends - 1]

    def of(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Per record whether its run is chosen."""
        return np.repeat(chosen, self.ends - self.starts)


def runs(held: Sequence[Held], arrived: FrameBatch) -> Runs:
    """What the vehicles of `arrived` hold, each followed by what arrived of it."""
    shared: dict[int, list[Held]] = {}
    for each in held:
        shared.setdefault(id(each.frames), []).append(each)
    before = [
        those[0].frames.take(np.concatenate([np.arange(each.first, each.end) for each in those])) for those in shared.values()
    ]
    waiting = concat_frames([*before, arrived])
    old = len(waiting) - len(arrived)
    is_new = np.arange(len(waiting)) >= old
    if (np.diff(waiting.vehicle) < 0).any():
        order = np.argsort(waiting.vehicle, kind="stable")
        waiting, is_new = waiting.take(order), order >= old
    starts = np.flatnonzero(np.diff(waiting.vehicle, prepend=-1))
    ends = np.append(starts[1:], len(waiting))
    return Runs(frames=waiting, starts=starts, fresh=ends - np.add.reduceat(is_new, starts, dtype=np.intp), ends=ends)


def in_order(found: Runs, greatest_ns: NDArray[np.int64], released_ns: NDArray[np.int64], jump_ns: int) -> NDArray[np.bool_]:
    """Per run whether its records stand in their total order and none is late, opens a new drive or jumps ahead.

    Args:
        greatest_ns, released_ns: per run, as the hold-back carries them; NEVER where there is none.
    """
    frames, time_ns = found.frames, found.frames.time_ns
    step = np.diff(time_ns, prepend=time_ns[:1])
    step[found.starts] = 1
    tied = np.flatnonzero(step == 0)
    apart = (frames.message[tied] != frames.message[tied - 1]) | (frames.index[tied] <= frames.index[tied - 1])
    odd = (step < 0) | (step >= DRIVE_GAP_NS) | (step > jump_ns)
    odd[tied[apart]] = True
    fine: NDArray[np.bool_] = ~np.logical_or.reduceat(odd, found.starts)
    ahead_ns = time_ns[found.fresh] - np.where(greatest_ns == NEVER, time_ns[found.fresh], greatest_ns)
    gap_ns = time_ns[found.starts] - np.where(released_ns == NEVER, time_ns[found.starts], released_ns)
    return fine & (ahead_ns >= 0) & (ahead_ns <= jump_ns) & (gap_ns < DRIVE_GAP_NS)


def keep(found: Runs, waits: NDArray[np.bool_]) -> Iterator[tuple[str, Held]]:
    """The waiting records of each vehicle that has any, in memory of their own."""
    rows = np.flatnonzero(waits)
    if not len(rows):
        return
    waiting = found.frames.take(rows)
    starts = np.flatnonzero(np.diff(waiting.vehicle, prepend=-1))
    ends = [*starts[1:].tolist(), len(waiting)]
    names = [waiting.vehicles[number] for number in waiting.vehicle[starts].tolist()]
    together = compact_frames(waiting) if len(rows) <= SHARED_ROWS * len(starts) else None
    for name, first, end in zip(names, starts.tolist(), ends, strict=True):
        if together is None:
            yield name, Held(frames=compact_frames(waiting.take(slice(first, end))), first=0, end=end - first)
        else:
            yield name, Held(frames=together, first=first, end=end)
