"""Puts each vehicle's records into their total order before anything judges them.

A vehicle's watermark is the greatest event time seen so far less the lateness. A record is released when the watermark
has passed its time, so that all records with equal stamps leave together; it is late when it arrives under the watermark.
Neither depends on how the records were cut into batches (decision 0002).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, concat_frames, empty_frames
from domain.records import DeadLetter
from pipeline.drive_ticks import DRIVE_GAP_NS, NEVER, drive_end_ticks, with_drive_ends
from pipeline.frame_bytes import NO_FRAMES, by_vehicle, compact_frames, pack_frames, unpack_frames
from pipeline.frame_letters import frame_letter
from pipeline.in_order import Held, Runs, in_order, keep, runs

_HEAD_BYTES = 48
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What may be evaluated now.

    Attributes:
        frames: sorted by vehicle, then (time, boot session, sequence, index), end-of-drive ticks among them.
        late: records that came behind their vehicle's watermark and all that came before which is released by now, in order of
            arrival by vehicle. late_after_ns: int64, per late record the greatest event time its vehicle had reached when it came.
        dead_letters: refuted time jumps, kept.
    """

    frames: FrameBatch
    late: FrameBatch = field(default_factory=empty_frames)
    late_after_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    dead_letters: tuple[DeadLetter, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Vehicle:
    """Carried state: greatest event time seen, last time released, boot session of the last record, and suspects."""

    greatest_ns: int = NEVER
    released_ns: int = NEVER
    boot_session: int = NEVER
    held: Held | None = None
    suspects: FrameBatch | None = None
    late: FrameBatch | None = None
    late_after_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class HoldBack:
    """The first stage of the line: frames in arrival order -> frames in total order.

    Args:
        lateness_ns: how far records may arrive out of order; 0 where sequences are gapless.
        jump_ns: a stamp further ahead than this, within one boot session, is quarantined until later records confirm it.
    """

    name = "holdback"
    version = "2"
    CONFIRMATIONS = 3

    def __init__(self, *, lateness_ns: int = SECOND_NS, jump_ns: int = 86_400 * SECOND_NS) -> None:
        self.lateness_ns, self._jump_ns = lateness_ns, jump_ns
        self._vehicles: dict[str, _Vehicle] = {}

    def push(self, frames: FrameBatch) -> Released:
        """Take frames in arrival order, give those whose time has come."""
        if not len(frames):
            return Released(frames=frames)
        late: list[tuple[FrameBatch, NDArray[np.int64]]] = []
        letters: list[DeadLetter] = []
        ordered, others = self._push_in_order(frames)
        released = [ordered]
        for own in by_vehicle(others):
            state = self._vehicles[own.vehicles[0]]
            released += [self._push_one(run, state) for run in self._settle_jumps(own, state, letters)]
            late += _late_due(state, state.greatest_ns - self.lateness_ns)
        return _released(released, late, letters)

    def reached(self, vehicle: str) -> tuple[int, int] | None:
        """(greatest event time seen in ns, boot session of the last record) of this vehicle, None before its first record."""
        state = self._vehicles.get(vehicle)
        return None if state is None or state.greatest_ns == NEVER else (state.greatest_ns, state.boot_session)

    def close(self, vehicle: str) -> Released:
        """The vehicle's records end here: release what is held and append an end-of-drive tick."""
        state = self._vehicles.get(vehicle)
        if state is None or state.greatest_ns == NEVER:
            return Released(frames=empty_frames())
        letters = [] if state.suspects is None else _letters(state.suspects, "time_jump", "no later record confirmed this stamp")
        state.suspects = None
        parts = [] if state.held is None else [_released_in_order(_in_order(compact_frames(state.held.own)), state)]
        state.held = None
        last = state.greatest_ns
        late = _late_due(state, last + 1)
        template = parts[0] if parts else empty_frames((vehicle,), ("",))
        tick = drive_end_ticks(template, vehicle, np.array([last + DRIVE_GAP_NS]), np.array([state.boot_session]))
        state.released_ns = NEVER  # the drive is closed: the gap to the next one makes no second tick
        state.greatest_ns = last + DRIVE_GAP_NS
        return _released([*parts, tick], late, letters)

    def _push_in_order(self, frames: FrameBatch) -> tuple[FrameBatch, FrameBatch]:
        """What is released of the vehicles whose records came in order, and the records of the others as they came."""
        names = [frames.vehicles[number] for number in np.flatnonzero(np.bincount(frames.vehicle)).tolist()]
        held = [self._vehicles.setdefault(name, _Vehicle()).held for name in names]
        found = runs([each for each in held if each is not None], frames)
        states = [self._vehicles[name] for name in found.vehicles]
        plain = np.array([state.suspects is None and state.late is None for state in states])
        greatest_ns, released_ns = (np.array([getattr(s, name) for s in states]) for name in ("greatest_ns", "released_ns"))
        plain &= in_order(found, greatest_ns, released_ns, self._jump_ns)
        ready = found.frames.time_ns < np.repeat(found.last_ns - self.lateness_ns, found.ends - found.starts)
        chosen = found.of(plain)
        self._note_in_order(found, plain, chosen & ready)
        for name, waiting in keep(found, chosen & ~ready):
            self._vehicles[name].held = waiting
        if len(states) == 1 and plain[0]:
            return found.frames.take(slice(0, int(np.count_nonzero(ready)))), frames.take(slice(0, 0))
        others = {name for name, is_plain in zip(found.vehicles, plain.tolist(), strict=True) if not is_plain}
        rest = np.array([name in others for name in frames.vehicles])[frames.vehicle]
        return found.frames.take(np.flatnonzero(chosen & ready)), frames.take(np.flatnonzero(rest))

    def _note_in_order(self, found: Runs, plain: NDArray[np.bool_], leaves: NDArray[np.bool_]) -> None:
        """Carry on with the runs that are plain, of which these records leave."""
        left = np.add.reduceat(leaves, found.starts, dtype=np.intp)
        released_ns = np.where(left > 0, found.frames.time_ns[found.starts + np.maximum(left, 1) - 1], NEVER)
        boot = found.frames.messages.boot_session[found.frames.message[found.ends - 1]]
        figures = (found.vehicles, plain.tolist(), found.last_ns.tolist(), released_ns.tolist(), boot.tolist())
        for name, is_plain, last_ns, left_ns, session in zip(*figures, strict=True):
            if is_plain:
                state = self._vehicles[name]
                state.held, state.greatest_ns, state.boot_session = None, last_ns, session
                state.released_ns = state.released_ns if left_ns == NEVER else left_ns

    def _push_one(self, arrived: FrameBatch, state: _Vehicle) -> FrameBatch:
        """One vehicle's newly arrived records, its jumps settled."""
        time_ns = arrived.time_ns
        seen_before = np.maximum.accumulate(np.concatenate(([state.greatest_ns], time_ns)))
        if state.greatest_ns != NEVER or len(time_ns) > 1:
            floor = seen_before[:-1]
            late = (floor != NEVER) & (time_ns < floor - np.where(floor == NEVER, 0, self.lateness_ns))
            if late.any():
                rows = np.flatnonzero(late)
                fresh = compact_frames(arrived.take(rows))
                state.late = fresh if state.late is None else concat_frames([state.late, fresh])
                state.late_after_ns = np.concatenate([state.late_after_ns, floor[rows]])
                arrived = arrived.take(np.flatnonzero(~late))
        state.greatest_ns = int(seen_before[-1])
        state.boot_session = _last_boot_session(arrived, state.boot_session)
        waiting = _in_order(arrived if state.held is None else concat_frames([compact_frames(state.held.own), arrived]))
        ready = int(np.searchsorted(waiting.time_ns, state.greatest_ns - self.lateness_ns, side="left"))
        held = _compact(waiting, ready)
        state.held = None if held is None else Held(frames=held, first=0, end=len(held))
        return _released_in_order(waiting.take(slice(0, ready)), state)

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
            if greatest != NEVER and session == boot and time_ns > greatest + self._jump_ns:
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
        start = state.greatest_ns if state.greatest_ns != NEVER else int(arrived.time_ns[0])
        return int(arrived.time_ns.max()) - min(start, int(arrived.time_ns.min())) > self._jump_ns

    def snapshot(self, vehicle: str) -> bytes | None:
        """Greatest and released time, boot session, and the frames that are held, suspect or late."""
        state = self._vehicles.get(vehicle)
        if state is None:
            return None
        held = None if state.held is None else state.held.own
        packed = [NO_FRAMES if part is None else pack_frames(part) for part in (held, state.suspects, state.late)]
        head = [state.greatest_ns, state.released_ns, state.boot_session, *map(len, packed)]
        return b"".join([np.array(head, "<i8").tobytes(), *packed, state.late_after_ns.astype("<i8").tobytes()])

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`."""
        greatest, released, boot, *sizes = np.frombuffer(state[:_HEAD_BYTES], "<i8").tolist()
        ends = (_HEAD_BYTES + np.cumsum([0, *sizes])).tolist()
        held, suspects, late = (unpack_frames(state[start:end], vehicle) for start, end in itertools.pairwise(ends))
        self._vehicles[vehicle] = _Vehicle(
            greatest_ns=greatest,
            released_ns=released,
            boot_session=boot,
            held=Held(frames=held, first=0, end=len(held)) if len(held) else None,
            suspects=suspects if len(suspects) else None,
            late=late if len(late) else None,
            late_after_ns=np.frombuffer(state[ends[-1] :], "<i8").astype(np.int64),
        )

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._vehicles.pop(vehicle, None)


def _late_due(state: _Vehicle, before_ns: int) -> list[tuple[FrameBatch, NDArray[np.int64]]]:
    """Late records before whose arrival everything has been released by now: their place in the order is settled."""
    if state.late is None:
        return []
    due = int(np.searchsorted(state.late_after_ns, before_ns, side="left"))
    if due == 0:
        return []
    given = state.late.take(slice(0, due)), state.late_after_ns[:due]
    state.late, state.late_after_ns = _compact(state.late, due), state.late_after_ns[due:]
    return [given]


def _released(frames: list[FrameBatch], late: list[tuple[FrameBatch, NDArray[np.int64]]], letters: list[DeadLetter]) -> Released:
    joined = concat_frames(frames) if frames else empty_frames()
    if (np.diff(joined.vehicle) < 0).any():
        joined = joined.take(np.argsort(joined.vehicle, kind="stable"))
    return Released(
        frames=joined,
        late=concat_frames([part for part, _ in late]) if late else empty_frames(),
        late_after_ns=np.concatenate([after_ns for _, after_ns in late]) if late else np.empty(0, np.int64),
        dead_letters=tuple(letters),
    )


def _released_in_order(frames: FrameBatch, state: _Vehicle) -> FrameBatch:
    """With the ticks of the drives that these records show to have ended."""
    if not len(frames):
        return frames
    whole = with_drive_ends(frames, state.released_ns)
    state.released_ns = int(frames.time_ns[-1])
    return whole


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


def _letters(frames: FrameBatch, reason: str, detail: str) -> list[DeadLetter]:
    return [frame_letter(frames, row, reason, detail) for row in range(len(frames))]
