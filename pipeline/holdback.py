"""Puts each vehicle's records into their total order before anything judges them.

A vehicle's watermark is the greatest event time seen so far less the lateness. A record is released when the watermark
has passed its time, so that all records with equal stamps leave together; it is late when it arrives under the watermark.
Neither depends on how the records were cut into batches (decision 0002).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.frames import NO_ARENA, FrameBatch, FrameFlag, TickKind, concat_frames, empty_frames
from domain.records import DeadLetter
from pipeline.frame_bytes import NO_FRAMES, by_vehicle, compact_frames, pack_frames, unpack_frames
from pipeline.frame_letters import frame_letter

NOTHING_SEEN = np.iinfo(np.int64).min
SECOND_NS = 1_000_000_000
DRIVE_GAP_NS = 300 * SECOND_NS
"""Event time without data after which a drive has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What may be evaluated now.

    Attributes:
        frames: sorted by vehicle, then (time, boot session, sequence, index), end-of-drive ticks among them.
        dead_letters: late records and refuted time jumps, kept.
    """

    frames: FrameBatch
    dead_letters: tuple[DeadLetter, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Vehicle:
    """Carried state: greatest event time seen, last time released, boot session of the last record, and suspects."""

    greatest_ns: int = NOTHING_SEEN
    released_ns: int = NOTHING_SEEN
    boot_session: int = NOTHING_SEEN
    held: FrameBatch | None = None
    suspects: FrameBatch | None = None


class HoldBack:
    """The first stage of the line: frames in arrival order -> frames in total order.

    Args:
        lateness_ns: how far records may arrive out of order; 0 where sequences are gapless.
        jump_ns: a stamp further ahead than this, within one boot session, is quarantined until later records confirm it.
    """

    name = "holdback"
    version = "1"
    CONFIRMATIONS = 3

    def __init__(self, *, lateness_ns: int = SECOND_NS, jump_ns: int = 86_400 * SECOND_NS) -> None:
        self.lateness_ns, self._jump_ns = lateness_ns, jump_ns
        self._vehicles: dict[str, _Vehicle] = {}

    def push(self, frames: FrameBatch) -> Released:
        """Take frames in arrival order, give those whose time has come."""
        released: list[FrameBatch] = []
        letters: list[DeadLetter] = []
        for own in by_vehicle(frames):
            state = self._vehicles.setdefault(own.vehicles[0], _Vehicle())
            released += [self._push_one(run, state, letters) for run in self._settle_jumps(own, state, letters)]
        return Released(frames=concat_frames(released) if released else empty_frames(), dead_letters=tuple(letters))

    def reached(self, vehicle: str) -> tuple[int, int] | None:
        """(greatest event time seen in ns, boot session of the last record) of this vehicle, None before its first record."""
        state = self._vehicles.get(vehicle)
        return None if state is None or state.greatest_ns == NOTHING_SEEN else (state.greatest_ns, state.boot_session)

    def close(self, vehicle: str) -> Released:
        """The vehicle's records end here: release what is held and append an end-of-drive tick."""
        state = self._vehicles.get(vehicle)
        if state is None or state.greatest_ns == NOTHING_SEEN:
            return Released(frames=empty_frames())
        letters = [] if state.suspects is None else _letters(state.suspects, "time_jump", "no later record confirmed this stamp")
        state.suspects = None
        parts = [] if state.held is None else [_with_drive_ends(_in_order(state.held), state)]
        state.held = None
        last = state.greatest_ns
        template = parts[0] if parts else empty_frames((vehicle,), ("",))
        tick = _ticks(template, vehicle, np.array([last + DRIVE_GAP_NS]), np.array([state.boot_session]))
        state.released_ns = NOTHING_SEEN  # the drive is closed: the gap to the next one makes no second tick
        state.greatest_ns = last + DRIVE_GAP_NS
        return Released(frames=concat_frames([*parts, tick]), dead_letters=tuple(letters))

    def _push_one(self, arrived: FrameBatch, state: _Vehicle, letters: list[DeadLetter]) -> FrameBatch:
        """One vehicle's newly arrived records, its jumps settled."""
        time_ns = arrived.time_ns
        seen_before = np.maximum.accumulate(np.concatenate(([state.greatest_ns], time_ns)))
        if state.greatest_ns != NOTHING_SEEN or len(time_ns) > 1:
            floor = seen_before[:-1]
            late = (floor != NOTHING_SEEN) & (time_ns < floor - np.where(floor == NOTHING_SEEN, 0, self.lateness_ns))
            if late.any():
                letters += _letters(arrived.take(np.flatnonzero(late)), "late", "arrived behind the vehicle's watermark")
                arrived = arrived.take(np.flatnonzero(~late))
        state.greatest_ns = int(seen_before[-1])
        state.boot_session = _last_boot_session(arrived, state.boot_session)
        waiting = _in_order(arrived if state.held is None else concat_frames([state.held, arrived]))
        ready = int(np.searchsorted(waiting.time_ns, state.greatest_ns - self.lateness_ns, side="left"))
        state.held = _compact(waiting, ready)
        return _with_drive_ends(waiting.take(slice(0, ready)), state)

    def _settle_jumps(self, arrived: FrameBatch, state: _Vehicle, letters: list[DeadLetter]) -> Iterable[FrameBatch]:
        """Yield runs of records without implausible jumps; keep suspects back until CONFIRMATIONS later records agree."""
        if state.suspects is None and not self._may_jump(arrived, state):
            yield arrived
            return
        greatest, boot = state.greatest_ns, state.boot_session
        suspects = [] if state.suspects is None else [state.suspects]
        fine: list[int] = []
        boots = arrived.messages.boot_session[arrived.message]
        for row, (time_ns, session) in enumerate(zip(arrived.time_ns.tolist(), boots.tolist(), strict=True)):
            if greatest != NOTHING_SEEN and session == boot and time_ns > greatest + self._jump_ns:
                suspects.append(arrived.take(slice(row, row + 1)))
                if sum(map(len, suspects)) <= self.CONFIRMATIONS:
                    continue
                if fine:
                    yield arrived.take(np.array(fine))
                confirmed = concat_frames(suspects)
                fine, suspects, greatest = [], [], int(confirmed.time_ns.max())
                yield confirmed
                continue
            if suspects:
                letters += _letters(concat_frames(suspects), "time_jump", "later records did not confirm this stamp")
                suspects = []
            fine.append(row)
            greatest, boot = max(greatest, time_ns), session
        state.suspects = concat_frames(suspects) if suspects else None
        if fine:
            yield arrived.take(np.array(fine))

    def _may_jump(self, arrived: FrameBatch, state: _Vehicle) -> bool:
        start = state.greatest_ns if state.greatest_ns != NOTHING_SEEN else int(arrived.time_ns[0])
        return int(arrived.time_ns.max()) - min(start, int(arrived.time_ns.min())) > self._jump_ns

    def snapshot(self, vehicle: str) -> bytes | None:
        """Greatest and released time, boot session, held and suspect frames."""
        state = self._vehicles.get(vehicle)
        if state is None:
            return None
        head = np.array([state.greatest_ns, state.released_ns, state.boot_session], "<i8").tobytes()
        held = NO_FRAMES if state.held is None else pack_frames(state.held)
        suspects = NO_FRAMES if state.suspects is None else pack_frames(state.suspects)
        return head + len(held).to_bytes(8, "little") + held + suspects

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`."""
        greatest, released, boot = np.frombuffer(state[:24], "<i8").tolist()
        split = 32 + int.from_bytes(state[24:32], "little")
        held, suspects = unpack_frames(state[32:split], vehicle), unpack_frames(state[split:], vehicle)
        self._vehicles[vehicle] = _Vehicle(
            greatest_ns=greatest,
            released_ns=released,
            boot_session=boot,
            held=held if len(held) else None,
            suspects=suspects if len(suspects) else None,
        )

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._vehicles.pop(vehicle, None)


def _last_boot_session(frames: FrameBatch, before: int) -> int:
    return int(frames.messages.boot_session[frames.message[-1]]) if len(frames) else before


def _in_order(frames: FrameBatch) -> FrameBatch:
    """Sorted by (time, boot session, sequence, index); one vehicle."""
    time_ns = frames.time_ns
    if len(time_ns) < 2:
        return frames
    steps = np.diff(time_ns)
    least = int(steps.min())
    if least > 0 or (least == 0 and len(frames.messages.sequence) == 1 and _rising(frames.index)):
        return frames
    table, message = frames.messages, frames.message
    return frames.take(np.lexsort((frames.index, table.sequence[message], table.boot_session[message], time_ns)))


def _rising(index: NDArray[np.int64]) -> bool:
    return bool((np.diff(index) > 0).all())


def _compact(waiting: FrameBatch, start: int) -> FrameBatch | None:
    """The rows from `start` on, with tables and arena cut down to what they use, so that state stays small."""
    return None if start == len(waiting) else compact_frames(waiting.take(slice(start, None)))


def _with_drive_ends(frames: FrameBatch, state: _Vehicle) -> FrameBatch:
    """Insert an end-of-drive tick five minutes after a record that is followed by such a gap."""
    if not len(frames):
        return frames
    before = np.concatenate(([state.released_ns], frames.time_ns[:-1]))
    gap = (before != NOTHING_SEEN) & (frames.time_ns - np.where(before == NOTHING_SEEN, frames.time_ns, before) >= DRIVE_GAP_NS)
    state.released_ns = int(frames.time_ns[-1])
    if not gap.any():
        return frames
    at = np.flatnonzero(gap)
    boots = frames.messages.boot_session[frames.message[at]]
    ticks = _ticks(frames, frames.vehicles[int(frames.vehicle[0])], before[at] + DRIVE_GAP_NS, boots)
    joined = concat_frames([frames, ticks])
    order = np.insert(np.arange(len(frames)), at, np.arange(len(frames), len(frames) + len(at)))
    return joined.take(order)


def _ticks(like: FrameBatch, vehicle: str, time_ns: NDArray[np.int64], boot_session: NDArray[np.int64]) -> FrameBatch:
    """End-of-drive ticks of one vehicle at these times."""
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


def _letters(frames: FrameBatch, reason: str, detail: str) -> list[DeadLetter]:
    return [frame_letter(frames, row, reason, detail) for row in range(len(frames))]
