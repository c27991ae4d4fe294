"""Messages from a broker through the line into the store: nothing is acknowledged before what it led to is stored.

    take -> parse -> sequencing -> line -> casework -> one commit -> acknowledge

A process that dies anywhere in between gets the unacknowledged messages again, and the sequence numbers of what was committed make
the rest pass once (decision 0004).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from domain.errors import StorageError
from domain.frames import FrameBatch
from domain.messages import RawMessage, Receiver
from domain.ports import Store
from domain.records import Commit, DeadLetter, SeenSequences, StageState
from domain.repair import repaired_sources
from ingest.mqtt.batching import ParsedMessages
from notifier.orders.order_states import OPEN_STATES
from pipeline.casework import Casework
from pipeline.drive_endings import DriveEndings
from pipeline.line import Line
from pipeline.live_figures import LiveFigures, StepReport
from pipeline.presence import Presence
from pipeline.sequencing import SECOND_NS, Sequenced, Sequencing

log = logging.getLogger(__name__)

PRESENCE_STAGE = "presence"
PRESENCE_VERSION = "1"
DRIVING, AT_REST = b"\x01", b"\x00"
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.1, 5.0


Parse = Callable[[Sequence[RawMessage]], ParsedMessages]


class LiveStore(Store, Protocol):
    """What live operation needs of the store besides."""

    def seen(self, vehicle: str) -> tuple[SeenSequences, ...]:
        """The sequence numbers committed for one vehicle."""

    def states_of(self, stage: str) -> tuple[StageState, ...]:
        """The latest state of one stage for every vehicle that has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What is to be evaluated and committed together; kept until the commit has succeeded."""

    taken: int
    newest_ns: int | None
    sequenced: Sequenced
    dead_letters: tuple[DeadLetter, ...] = ()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    tokens: tuple[int, ...] = ()

    @property
    def vehicles(self) -> list[str]:
        """Those with frames to evaluate or a drive to close."""
        frames = self.sequenced.frames
        present = [frames.vehicles[number] for number in np.unique(frames.vehicle).tolist()]
        return list(dict.fromkeys((*present, *self.closed)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluated:
    """What the line and the casework made of a work; `digests`: (vehicle, stage, hash of its state) of all its vehicles."""

    changes: Commit
    digests: tuple[tuple[str, str, int], ...]
    opened_alerts: int
    late: int
    vehicles: int


class LiveRunner:
    """The pipeline process: one thread takes, evaluates, commits and acknowledges.

    Args:
        parse: messages -> what they say, dead letters for what it cannot use. Called again with the same messages where the store
            failed it; may carry what helps to read, such as devices' clocks.
        batch_messages, batch_wait_s: at most so many messages a step; a step waits so long for the first one.
        clock: wall time, ns since epoch; the clock of `RawMessage.received_ns`.
        gap_timeout_s: how long messages wait for a missing one; longer than the broker's redelivery.
        silent_after_s, offline_after_s: silence after which a drive is over, in general and when the status says offline.
        evict_after_s: silence after which a vehicle leaves memory; its state is in the store.
    """

    CLOSES_PER_STEP = 64
    """Each closing is a pass through the line, so a fleet that stops at once is closed in several steps."""

    def __init__(
        self,
        receiver: Receiver,
        line: Line,
        casework: Casework,
        store: LiveStore,
        parse: Parse,
        *,
        clock: Callable[[], int],
        batch_messages: int = 4_000,
        batch_wait_s: float = 0.05,
        gap_timeout_s: float = 6.0,
        silent_after_s: float = 300.0,
        offline_after_s: float | None = None,
        evict_after_s: float = 900.0,
    ) -> None:
        self._receiver, self._line, self._casework, self._store, self._parse = receiver, line, casework, store, parse
        self._clock, self._batch_messages, self._batch_wait_s = clock, batch_messages, batch_wait_s
        self._evict_after_ns = round(evict_after_s * SECOND_NS)
        self._endings = DriveEndings(line)
        self._sequencing = Sequencing(gap_timeout_s=gap_timeout_s)
        self._presence = Presence(
            silent_after_ns=round(silent_after_s * SECOND_NS),
            offline_after_ns=round((gap_timeout_s if offline_after_s is None else offline_after_s) * SECOND_NS),
        )
        self._began = self._network_stale = False
        self._next_look_ns = self._next_eviction_ns = 0
        self._taken: Sequence[RawMessage] | None = None
        self._parsed: ParsedMessages | None = None
        self._work: _Work | None = None
        self._evaluated: _Evaluated | None = None
        self._written: dict[str, dict[str, int]] = {}
        """Vehicles in the line's memory; hash of each stage's state as the store has it."""
        self._figures = LiveFigures()
        self._next_line: Line | None = None

    def change_line(self, line: Line) -> None:
        """Go on with another line, with other rules for instance, from the next step on; may be called from another thread.

        The state of each vehicle passes through the store, as when a vehicle leaves memory and comes back: nothing is lost of
        what the new line's stages know how to restore.
        """
        self._next_line = line

    @property
    def figures(self) -> LiveFigures:
        """Totals so far; may be read from another thread."""
        return self._figures

    def run(self, stop: threading.Event) -> None:
        """Start the receiver and step until `stop` is set; then finish the step at hand and stop the receiver."""
        backoff_s = FIRST_BACKOFF_S
        self._receiver.start()
        try:
            while not stop.is_set():
                report = self.step()
                if not report.failure:
                    backoff_s = FIRST_BACKOFF_S
                    continue
                log.warning("the step is done again in %.1f s: %s", backoff_s, report.failure)
                stop.wait(backoff_s)
                backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)
        finally:
            self._receiver.stop()

    def step(self) -> StepReport:
        """Take what is there, evaluate it, commit, acknowledge.

        Where the store fails nothing is acknowledged, and the next step goes on with the same work: what was evaluated is
        committed again as it is (it may be stored already: doing it again changes nothing), what was not is evaluated anew.
        """
        try:
            if self._work is None:
                self._take_next_line()
                self._work = self._gather()
            if self._evaluated is None:
                self._evaluated = self._evaluate(self._work)
            work, evaluated = self._work, self._evaluated
            committed = evaluated.changes != Commit()
            if committed:
                self._store.commit(evaluated.changes)
        except StorageError as problem:
            if self._evaluated is None:
                self._throw_away(self._work)
            self._count(StepReport(failure=str(problem)), None)
            return StepReport(failure=str(problem))
        self._receiver.acknowledge(work.tokens)
        self._work = self._evaluated = None
        self._note_stored(evaluated)
        report = _report(work, evaluated, committed=committed)
        self._count(report, work.newest_ns)
        self._evict()
        return report

    def _gather(self) -> _Work:
        """Messages (or those whose vehicles could not be loaded last time) put into sequence, and drives that are over."""
        self._begin()
        if self._taken is None:
            self._taken, self._parsed = self._receiver.take(self._batch_messages, self._batch_wait_s), None
        if self._parsed is None:  # parsing may ask the store for devices, and the store may fail
            self._parsed = self._parse(self._taken)
        messages, parsed = self._taken, self._parsed
        self._load_seen(parsed.frames)
        newest_ns = max((message.received_ns for message in messages), default=None)
        backlog = len(messages) == self._batch_messages  # what lies in it is neither missing nor silent
        now_ns = newest_ns if backlog and newest_ns is not None else self._clock()
        opened = self._note_presence(parsed.frames)
        sequenced = self._sequencing.push(parsed.frames, now_ns)
        tokens = [*parsed.nothing_tokens, *parsed.dead_letter_tokens]
        for vehicle, online, token in parsed.statuses:
            tokens += self._presence.status(vehicle, online=online, token=token, now_ns=now_ns)
        closed = self._drives_over(now_ns)
        for vehicle in closed:
            tokens += self._presence.close(vehicle)
        self._taken = self._parsed = None
        return _Work(
            taken=len(messages),
            newest_ns=newest_ns,
            sequenced=sequenced,
            dead_letters=parsed.dead_letters,
            opened=opened,
            closed=tuple(closed),
            tokens=(*sequenced.tokens, *tokens),
        )

    def _begin(self) -> None:
        """Once: drives that were open when an earlier process stopped are closed by this one if they stay silent."""
        if self._began:
            return
        for state in self._store.states_of(PRESENCE_STAGE):
            if state.version == PRESENCE_VERSION and state.state == DRIVING:
                self._presence.restore(state.vehicle, self._clock())
        self._began = True

    def _load_seen(self, frames: FrameBatch) -> None:
        for vehicle in frames.vehicles:
            if not self._sequencing.knows(vehicle):
                self._sequencing.restore(vehicle, self._store.seen(vehicle))
        table = frames.messages
        for number, boot_session in set(zip(table.vehicle.tolist(), table.boot_session.tolist(), strict=True)):
            if self._sequencing.lacks(vehicle := frames.vehicles[number], boot_session):
                self._sequencing.recall(vehicle, self._store.seen(vehicle))

    def _note_presence(self, frames: FrameBatch) -> tuple[str, ...]:
        """Vehicles whose drive begins with these messages."""
        numbers, received_ns = frames.messages.vehicle, frames.messages.received_ns
        latest: dict[int, int] = dict(zip(numbers.tolist(), received_ns.tolist(), strict=True))
        return tuple(
            frames.vehicles[number] for number, ns in latest.items() if self._presence.heard(frames.vehicles[number], ns)
        )

    def _drives_over(self, now_ns: int) -> list[str]:
        """Looked for once a second. A vehicle with messages behind a gap goes on until they have passed."""
        if now_ns < self._next_look_ns:
            return []
        over = [vehicle for vehicle in self._presence.over(now_ns) if not self._sequencing.waits(vehicle)]
        if len(over) <= self.CLOSES_PER_STEP:
            self._next_look_ns = now_ns + SECOND_NS
        return over[: self.CLOSES_PER_STEP]

    def _evaluate(self, work: _Work) -> _Evaluated:
        """What the work leads to; where the store fails the caller throws away what was computed on the way."""
        if self._network_stale:
            self._casework.reload()
            self._network_stale = False
        vehicles = work.vehicles
        loaded = [vehicle for vehicle in vehicles if vehicle not in self._written]
        for vehicle in loaded:
            self._written[vehicle] = {}
            stored = self._store.states(vehicle)
            self._line.restore(stored)
            self._endings.restore(vehicle, stored)
        for vehicle in dict.fromkeys((*loaded, *work.opened)):
            if vehicle in self._written:  # people confirm repairs while the car stands: seen when it drives again
                self._line.lower(vehicle, repaired_sources(self._store.open_case(vehicle, OPEN_STATES).alerts))
        frames = work.sequenced.frames
        self._endings.take_back(frames)
        pushed = [self._line.push(frames)] if len(frames) else []
        pushed += [self._endings.close(vehicle) for vehicle in work.closed]
        decided = [self._casework.handle(each.findings, each.ended) for each in pushed]
        states = [state for vehicle in vehicles for state in self._line.snapshot(vehicle)]
        digests = tuple((state.vehicle, state.stage, hash(state.state)) for state in states)
        changed = [
            state
            for state, (vehicle, stage, digest) in zip(states, digests, strict=True)
            if self._written[vehicle].get(stage) != digest
        ]
        return _Evaluated(
            changes=Commit(
                cases=tuple({case.vehicle: case for each in decided for case in each.cases}.values()),
                states=(*changed, *self._endings.states(work.closed), *_presence_states(work)),
                outbox=tuple(event for each in decided for event in each.outbox),
                dead_letters=(*work.dead_letters, *(letter for each in pushed for letter in each.dead_letters)),
                seen=work.sequenced.seen,
                usage=tuple(day for each in pushed for day in each.usage),
            ),
            digests=digests,
            opened_alerts=sum(each.opened_alerts for each in decided),
            late=sum(each.late_records for each in pushed),
            vehicles=len(vehicles),
        )

    def _note_stored(self, evaluated: _Evaluated) -> None:
        for vehicle, stage, digest in evaluated.digests:
            self._written[vehicle][stage] = digest
        for case in evaluated.changes.cases:
            self._casework.forget(case.vehicle)  # people change orders too, so the next decision starts from the store

    def _throw_away(self, work: _Work | None) -> None:
        """Half evaluated, nothing stored: states, cases and bookings are loaded again."""
        self._network_stale = True
        for vehicle in work.vehicles if work else ():
            self._drop(vehicle)

    def _drop(self, vehicle: str) -> None:
        self._line.forget(vehicle)
        self._endings.forget(vehicle)
        self._casework.forget(vehicle)
        self._written.pop(vehicle, None)

    def _take_next_line(self) -> None:
        """Between two steps, when all that the old line knows is stored."""
        if self._next_line is None:
            return
        for vehicle in list(self._written):
            self._drop(vehicle)
        self._line, self._next_line = self._next_line, None
        self._endings = DriveEndings(self._line)

    def _evict(self) -> None:
        now_ns = self._clock()
        if now_ns < self._next_eviction_ns:
            return
        self._next_eviction_ns = now_ns + SECOND_NS
        for vehicle in self._presence.idle(now_ns, self._evict_after_ns):
            if self._sequencing.waits(vehicle):
                continue
            self._drop(vehicle)
            self._sequencing.forget(vehicle)
            self._presence.forget_closed(vehicle)

    def _count(self, report: StepReport, newest_ns: int | None) -> None:
        self._figures = self._figures.after(
            report,
            now_ns=self._clock(),
            newest_ns=newest_ns,
            waiting=self._sequencing.waiting_messages,
            vehicles=len(self._written),
            connected=self._receiver.connected,
        )


def _report(work: _Work, evaluated: _Evaluated, *, committed: bool) -> StepReport:
    sequenced, letters = work.sequenced, evaluated.changes.dead_letters
    return StepReport(
        messages=work.taken,
        passed=sequenced.messages,
        duplicates=sequenced.duplicates,
        gaps=sequenced.gaps,
        missing=sequenced.missing,
        frames=len(sequenced.frames),
        late=evaluated.late,
        dead_letters=len(letters),
        alerts=evaluated.opened_alerts,
        vehicles=evaluated.vehicles,
        closed=len(work.closed),
        committed=committed,
    )


def _presence_states(work: _Work) -> list[StageState]:
    """A drive that begins or ends; one that does both in a step has ended."""
    marks = dict.fromkeys(work.opened, DRIVING) | dict.fromkeys(work.closed, AT_REST)
    return [
        StageState(vehicle=vehicle, stage=PRESENCE_STAGE, version=PRESENCE_VERSION, state=mark) for vehicle, mark in marks.items()
    ]
