"""Puts each vehicle's messages into the order of their sequence numbers, each number once.

Messages carry (vehicle, boot session, sequence); the first of a boot session is number 0. Brokers deliver at least once: a message
may come again, and after a crash it comes late and out of order. Here every message passes once and in order, as long as nothing
arrives later than the gap timeout, which is longer than the broker's redelivery.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.frames import FrameBatch, concat_frames, empty_frames
from domain.records import SeenSequences

FIRST_SEQUENCE = 0
"""Number of a boot session's first message."""
UNSEQUENCED = -1
"""Stands for the number of a message whose device sends none."""
SECOND_NS = 1_000_000_000
KEPT_SESSIONS = 16
"""Boot sessions of a vehicle that stay in memory; a car begins thousands in its life, and almost never sends of an old one again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """What may go on to the line now.

    Attributes:
        frames: of the messages that pass; each vehicle's messages in order.
        tokens: to be acknowledged once the frames' consequences and `seen` are stored: of passed messages and of duplicates.
        seen: every number seen so far, of the boot sessions that changed.
        messages: how many pass. duplicates: dropped. gaps: given up now. missing: numbers in these gaps.
        late_messages: passed although later ones of their vehicle had passed before.
    """

    frames: FrameBatch
    tokens: tuple[int, ...] = ()
    seen: tuple[SeenSequences, ...] = ()
    messages: int = 0
    duplicates: int = 0
    gaps: int = 0
    missing: int = 0
    late_messages: int = 0


class SequenceRanges:
    """A set of numbers as sorted, disjoint, merged ranges."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges = list(ranges)

    def __contains__(self, number: int) -> bool:
        if not self._ranges or number > self._ranges[-1][1]:
            return False
        at = bisect_right(self._ranges, number, key=_first) - 1
        return at >= 0 and number <= self._ranges[at][1]

    @property
    def end(self) -> int:
        """One past the greatest number; the first sequence number where there is none."""
        return self._ranges[-1][1] + 1 if self._ranges else FIRST_SEQUENCE

    def add(self, number: int) -> None:
        """Put a number in that is not there, joining ranges that now touch."""
        ranges = self._ranges
        at = len(ranges) if number >= self.end else bisect_right(ranges, number, key=_first)
        first = last = number
        if at < len(ranges) and ranges[at][0] == number + 1:
            last = ranges.pop(at)[1]
        if at and ranges[at - 1][1] == number - 1:
            at -= 1
            first = ranges.pop(at)[0]
        ranges.insert(at, (first, last))

    def as_tuple(self) -> tuple[tuple[int, int], ...]:
        """The ranges, both ends inclusive."""
        return tuple(self._ranges)


def _first(span: tuple[int, int]) -> int:
    return span[0]


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A message behind a gap: where its frames lie (`held` is None while they are in the batch at hand), and since when."""

    row: int
    tokens: list[int]
    since_ns: int
    held: FrameBatch | None = None
    passed: bool = False


@dataclass(slots=True, kw_only=True)
class _Session:
    """One boot session. `next` is the number that passes next; `waiting` is in order of arrival."""

    seen: SequenceRanges
    next: int = FIRST_SEQUENCE
    waiting: dict[int, _Waiting] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Vehicle:
    """Boot sessions by number. `newest` is the greatest one that has begun to pass, None before the first.

    `heard_ns`: last arrival of a message of a begun session, None where unknown (restored).
    `dropped`: the greatest session that has left memory, None where none has; what was seen of it is in the store.
    """

    sessions: dict[int, _Session]
    newest: int | None = None
    heard_ns: int | None = None
    dropped: int | None = None

    def unopened(self) -> list[int]:
        """Sessions that wait to begin."""
        return [number for number, session in self.sessions.items() if session.waiting and self._not_begun(number)]

    def _not_begun(self, number: int) -> bool:
        return self.newest is None or number > self.newest

    def waits(self) -> bool:
        """Some message is behind a gap."""
        return any(session.waiting for session in self.sessions.values())

    def drop_old(self) -> None:
        """Forget the oldest sessions where there are far too many; never the newest, nor one that has messages."""
        if len(self.sessions) < 2 * KEPT_SESSIONS:
            return
        for number in sorted(self.sessions)[:-KEPT_SESSIONS]:
            if not self.sessions[number].waiting and self.newest is not None and number < self.newest:
                del self.sessions[number]
                self.dropped = number if self.dropped is None else max(self.dropped, number)


class _Passing:
    """Collects what one push lets pass, in order."""

    def __init__(self, batch: FrameBatch) -> None:
        self.batch = batch
        self.tokens: list[int] = []
        self.touched: dict[tuple[str, int], _Session] = {}
        self.rows: list[int] = []
        """Message rows in the order in which they pass."""
        self.sources: list[FrameBatch] = []
        """The batch that each of `rows` lies in."""
        self.duplicates = self.gaps = self.missing = self.late = 0

    def let(self, row: int, held: FrameBatch | None, tokens: list[int]) -> None:
        self.rows.append(row)
        self.sources.append(self.batch if held is None else held)
        self.tokens += tokens

    def frames(self) -> FrameBatch:
        """The frames of all messages that pass, in their order; the batch itself where nothing was dropped or moved."""
        total = len(self.batch.messages.sequence)
        if self.rows == list(range(total)) and all(source is self.batch for source in self.sources):
            return self.batch
        sources = {id(source): source for source in self.sources}
        rank_of = {key: np.full(len(source.messages.sequence), -1, np.int64) for key, source in sources.items()}
        for rank, (row, source) in enumerate(zip(self.rows, self.sources, strict=True)):
            rank_of[id(source)][row] = rank
        parts, orders = [], []
        for key, source in sources.items():
            ranks = rank_of[key][source.message]
            rows = np.flatnonzero(ranks >= 0)
            if len(rows):
                parts.append(source.take(rows))
                orders.append(ranks[rows])
        if not parts:
            return empty_frames()
        return concat_frames(parts).take(np.argsort(np.concatenate(orders), kind="stable"))


class Sequencing:
    """Carries, per vehicle and boot session, which numbers have passed and which messages wait.

    A boot session that follows another begins only when nothing of the earlier one waits and nothing of it has arrived for the
    gap timeout, since nobody knows an earlier session's last number.

    Args:
        gap_timeout_s: how long messages wait for a missing one.
    """

    def __init__(self, *, gap_timeout_s: float = 6.0) -> None:
        self._timeout_ns = round(gap_timeout_s * SECOND_NS)
        self._vehicles: dict[str, _Vehicle] = {}
        self._with_waiting: set[str] = set()

    def knows(self, vehicle: str) -> bool:
        """Whether the vehicle was restored or has sent something."""
        return vehicle in self._vehicles

    def waits(self, vehicle: str) -> bool:
        """Whether messages of the vehicle wait behind a gap."""
        return vehicle in self._with_waiting

    @property
    def waiting_messages(self) -> int:
        """Messages that wait, of all vehicles."""
        return sum(len(s.waiting) for name in self._with_waiting for s in self._vehicles[name].sessions.values())

    def restore(self, vehicle: str, seen: Sequence[SeenSequences]) -> None:
        """Set what is committed; a hole between committed ranges is a gap that was given up."""
        sessions = {}
        for each in seen:
            ranges = SequenceRanges(each.ranges)
            sessions[each.boot_session] = _Session(seen=ranges, next=ranges.end)
        self._vehicles[vehicle] = _Vehicle(sessions=sessions, newest=max(sessions, default=None))

    def lacks(self, vehicle: str, boot_session: int) -> bool:
        """Whether this may be a session that has left memory, so that `recall` is needed before its messages come."""
        known = self._vehicles.get(vehicle)
        return (
            known is not None
            and known.dropped is not None
            and boot_session <= known.dropped
            and boot_session not in known.sessions
        )

    def recall(self, vehicle: str, seen: Sequence[SeenSequences]) -> None:
        """Take sessions that have left memory in again, until the next push is over."""
        sessions = self._vehicles[vehicle].sessions
        for each in seen:
            if each.boot_session not in sessions:
                ranges = SequenceRanges(each.ranges)
                sessions[each.boot_session] = _Session(seen=ranges, next=ranges.end)

    def forget(self, vehicle: str) -> None:
        """Drop a vehicle; messages that wait are dropped with it (their acknowledgement is outstanding)."""
        self._vehicles.pop(vehicle, None)
        self._with_waiting.discard(vehicle)

    def push(self, batch: FrameBatch, now_ns: int) -> Sequenced:
        """Messages in order of arrival, their frames behind them in the same order.

        Args:
            batch: its message table decides; a message may have no frames.
            now_ns: time on the clock of `received_ns`. Whoever has a backlog gives the newest `received_ns` taken from it, so that
                messages that lie in the backlog are not missed.
        """
        passing = _Passing(batch)
        table = batch.messages
        columns = (table.vehicle, table.boot_session, table.sequence, table.received_ns, table.position)
        fresh: list[_Waiting] = []
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for row, (number, boot, sequence, received_ns, token) in enumerate(rows):
            if sequence <= UNSEQUENCED:
                passing.let(row, None, [token])
                continue
            name = batch.vehicles[number]
            vehicle = self._vehicles.get(name)
            if vehicle is None:
                vehicle = self._vehicles[name] = _Vehicle(sessions={})
            message = _Waiting(row=row, tokens=[token], since_ns=received_ns)
            self._arrive(name, vehicle, (boot, sequence, received_ns), message, passing, fresh)
        for name in sorted(self._with_waiting):
            self._give_up(name, self._vehicles[name], now_ns, passing)
        self._hold(fresh, batch)
        for name in batch.vehicles:
            if name in self._vehicles:
                self._vehicles[name].drop_old()
        return Sequenced(
            frames=passing.frames(),
            tokens=tuple(passing.tokens),
            seen=tuple(
                SeenSequences(vehicle=name, boot_session=boot, ranges=session.seen.as_tuple())
                for (name, boot), session in passing.touched.items()
            ),
            messages=len(passing.rows),
            duplicates=passing.duplicates,
            gaps=passing.gaps,
            missing=passing.missing,
            late_messages=passing.late,
        )

    def _arrive(
        self,
        name: str,
        vehicle: _Vehicle,
        key: tuple[int, int, int],
        message: _Waiting,
        passing: _Passing,
        fresh: list[_Waiting],
    ) -> None:
        """One sequenced message: passes, is a duplicate, or waits."""
        boot, sequence, received_ns = key
        session = vehicle.sessions.get(boot)
        if session is None:
            session = vehicle.sessions[boot] = _Session(seen=SequenceRanges())
        if vehicle.newest is None and sequence == FIRST_SEQUENCE and boot <= min(vehicle.unopened(), default=boot):
            vehicle.newest = boot  # the first that is ever heard of this vehicle: nothing to wait for
        begun = vehicle.newest is not None and boot <= vehicle.newest
        if begun:
            vehicle.heard_ns = received_ns
        if sequence in session.seen:
            passing.duplicates += 1
            passing.tokens += message.tokens
        elif sequence in session.waiting:
            passing.duplicates += 1
            session.waiting[sequence].tokens += message.tokens
        elif begun and (boot != vehicle.newest or sequence <= session.next):
            passing.late += boot != vehicle.newest or sequence < session.next
            self._pass(name, boot, session, sequence, message, passing)
            self._drain(name, boot, session, passing)
        else:
            session.waiting[sequence] = message
            fresh.append(message)
            self._with_waiting.add(name)

    def _pass(self, name: str, boot: int, session: _Session, sequence: int, message: _Waiting, passing: _Passing) -> None:
        passing.let(message.row, message.held, message.tokens)
        message.passed = True
        session.seen.add(sequence)
        session.next = max(session.next, sequence + 1)
        passing.touched[name, boot] = session

    def _drain(self, name: str, boot: int, session: _Session, passing: _Passing) -> None:
        """Let pass what waited for the number that has just passed."""
        while session.waiting and session.next in session.waiting:
            sequence = session.next
            self._pass(name, boot, session, sequence, session.waiting.pop(sequence), passing)

    def _give_up(self, name: str, vehicle: _Vehicle, now_ns: int, passing: _Passing) -> None:
        """Begin sessions whose time has come, and give up gaps whose time is over."""
        while True:
            if vehicle.newest is not None:
                session = vehicle.sessions[vehicle.newest]
                while session.waiting and now_ns - next(iter(session.waiting.values())).since_ns >= self._timeout_ns:
                    first = min(session.waiting)
                    passing.gaps += 1
                    passing.missing += first - session.next
                    session.next = first
                    self._drain(name, vehicle.newest, session, passing)
                if session.waiting:
                    return
            following = min(vehicle.unopened(), default=None)
            if following is None:
                self._with_waiting.discard(name)
                return
            since_ns = next(iter(vehicle.sessions[following].waiting.values())).since_ns
            quiet_since_ns = since_ns if vehicle.heard_ns is None else vehicle.heard_ns
            if now_ns - quiet_since_ns < self._timeout_ns:
                return
            vehicle.newest = following
            vehicle.heard_ns = since_ns
            self._drain(name, following, vehicle.sessions[following], passing)

    def _hold(self, fresh: list[_Waiting], batch: FrameBatch) -> None:
        """Keep the frames of this batch's messages that still wait, and not the whole batch."""
        waiting = [message for message in fresh if not message.passed]
        if waiting:
            waits = np.zeros(len(batch.messages.sequence), np.bool_)
            waits[[message.row for message in waiting]] = True
            held = batch.take(waits[batch.message])
            for message in waiting:
                message.held = held
