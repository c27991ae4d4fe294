"""Recorded drives through the line, committed chunk by chunk, so that a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from domain.errors import DataFileError, LogFileError
from domain.findings import Finding
from domain.fleet import Vehicle
from domain.ports import Jit, Store, no_jit
from domain.records import Commit, DeadLetter, DriveProgress, StageState
from ingest.logs import ClockState, continuous_time, open_log
from pipeline.casework import Decided
from pipeline.drive_ticks import Ended
from pipeline.line import Advance, Line, Pushed

CLOCK_STAGE = "log_clock"
HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One recording of one vehicle.

    Attributes:
        log: the file. vehicle: its pseudonym and profile. start_ns: added to logs without absolute time, None = epoch 0.
        named_in, named_line: manifest and line, for error messages.
    """

    log: Path
    vehicle: Vehicle
    start_ns: int | None = None
    named_in: Path | None = None
    named_line: int | None = None

    @property
    def id(self) -> str:
        """Hash of vehicle, file name, size, first megabyte and start: the same drive is known again after a restart."""
        try:
            with self.log.open("rb") as file:
                head = hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
        except OSError as problem:
            reason = f"cannot be read ({problem.strerror or problem})"
            raise LogFileError(reason, file=self.log, mend="check the path and its permissions") from problem
        key = f"{self.vehicle.id}|{self.log.name}|{self.log.stat().st_size}|{head}|{self.start_ns}"
        return hashlib.sha256(key.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveDone:
    """What one drive amounted to.

    Attributes:
        anomalies: of the log, kind -> count, as far as read in this run. first_ns, last_ns: event times of the first and last
            frame read in this run, None where there was none. resumed_at: frames that an earlier run had committed.
    """

    drive: Drive
    progress: DriveProgress
    anomalies: dict[str, int] = field(default_factory=dict)
    first_ns: int | None = None
    last_ns: int | None = None
    resumed_at: int = 0


Observer = Callable[[Advance], None]
OnProgress = Callable[[int, int], None]
"""Told (number of the drive, bytes of it that are done) after each chunk."""


class Decides(Protocol):
    """What is done about findings: `pipeline.casework.Casework`, or whoever only wants to know them."""

    def handle(self, findings: Sequence[Finding], ended: Ended = ()) -> Decided:
        """Apply findings sorted by (vehicle, `order_ns`), and the ends of drives."""

    def forget(self, vehicle: str) -> None:
        """The vehicle's last drive is done."""


class Replay:
    """Runs drives through a line into a store."""

    def __init__(
        self,
        *,
        line: Line,
        casework: Decides,
        store: Store,
        observers: Sequence[Observer] = (),
        on_progress: OnProgress | None = None,
        batch_frames: int = 262_144,
        jit: Jit = no_jit,
    ) -> None:
        self._line, self._casework, self._store = line, casework, store
        self._observers, self._on_progress = tuple(observers), on_progress
        self._batch_frames, self._jit = batch_frames, jit

    def run(self, drives: Sequence[Drive]) -> list[DriveDone]:
        """Replay the drives in their order; a vehicle's trip is closed after its last one.

        Raises:
            LogFileError: a file that cannot be read.
            DataFileError: a drive starts before records of its vehicle that were already evaluated.
            StorageError: the database failed; what was committed stays.
        """
        done: list[DriveDone] = []
        last_of = {drive.vehicle.id: number for number, drive in enumerate(drives)}
        loaded: set[str] = set()
        for number, drive in enumerate(drives):
            vehicle = drive.vehicle.id
            if vehicle not in loaded:
                self._line.restore(self._store.states(vehicle))
                loaded.add(vehicle)
            done.append(self._run_drive(number, drive, closes=last_of[vehicle] == number))
            if last_of[vehicle] == number:
                self._line.forget(vehicle)
                self._casework.forget(vehicle)
        return done

    def _run_drive(self, number: int, drive: Drive, *, closes: bool) -> DriveDone:
        vehicle, name = drive.vehicle.id, drive.id
        progress = self._store.progress(name) or DriveProgress(drive=name, vehicle=vehicle)
        if progress.finished:
            if self._on_progress:
                self._on_progress(number, drive.log.stat().st_size)
            return DriveDone(drive=drive, progress=progress)
        resumed_at = progress.frames
        before = self._line.reached(vehicle)
        # each drive is a boot session of its own, after that of the drive before
        boot_session = 0 if before is None else before[1] + (not resumed_at)
        log = open_log(
            drive.log,
            vehicle=vehicle,
            start_ns=drive.start_ns,
            boot_session=boot_session,
            batch_frames=self._batch_frames,
            jit=self._jit,
        )
        log.skip(resumed_at)
        clock = self._stored_clock(vehicle, name) if resumed_at else ClockState()
        noted = 0
        first_ns = None
        last_ns = None
        for logged in log:
            time_ns, clock = continuous_time(logged.time_ns, clock)
            frames = replace(logged, time_ns=time_ns)
            if first_ns is None:
                first_ns = int(time_ns[0])
                if before is not None and not resumed_at:
                    self._refuse_the_past(drive, first_ns, before[0])
            last_ns = int(time_ns[-1])
            progress = replace(progress, frames=progress.frames + len(frames))
            fresh = log.dead_letters[noted:]
            noted += len(fresh)
            progress = self._commit(self._line.push(frames), progress, fresh, _clock_state(clock, vehicle, name))
            if self._on_progress:
                self._on_progress(number, log.bytes_done)
        tail = self._line.close(vehicle) if closes else None
        progress = replace(progress, finished=True, dead_letters=progress.dead_letters + len(log.dead_letters))
        progress = self._commit(tail, progress, log.dead_letters[noted:], _clock_state(clock, vehicle, name))
        if self._on_progress:
            self._on_progress(number, log.bytes_total)
        return DriveDone(
            drive=drive,
            progress=progress,
            anomalies=dict(log.anomalies),
            first_ns=first_ns,
            last_ns=last_ns,
            resumed_at=resumed_at,
        )

    def _commit(
        self, pushed: Pushed | None, progress: DriveProgress, logged: Sequence[DeadLetter], clock: StageState
    ) -> DriveProgress:
        """Decide on what was found and store everything in one transaction; gives the progress as stored."""
        decided, letters = Decided(), tuple(logged)
        if pushed is not None:
            for advance in pushed.advances:
                for observe in self._observers:
                    observe(advance)
            decided = self._casework.handle(pushed.findings, pushed.ended)
            letters += pushed.dead_letters
            progress = replace(
                progress,
                signals=progress.signals + sum(len(advance.samples) for advance in pushed.advances),
                dtcs=progress.dtcs + sum(len(report.codes) for advance in pushed.advances for report in advance.dtcs),
                dead_letters=progress.dead_letters + len(pushed.dead_letters),
            )
        self._store.commit(
            Commit(
                cases=decided.cases,
                states=(*self._line.snapshot(progress.vehicle), clock),
                progress=(progress,),
                outbox=decided.outbox,
                dead_letters=letters,
                usage=() if pushed is None else pushed.usage,
            )
        )
        return progress

    def _refuse_the_past(self, drive: Drive, first_ns: int, reached_ns: int) -> None:
        if first_ns >= reached_ns - self._line.lateness_ns:
            return
        raise DataFileError(
            f"{drive.log.name} starts at {_utc(first_ns)}, but records of its vehicle up to {_utc(reached_ns)} were evaluated already",
            file=drive.named_in or drive.log,
            line=drive.named_line,
            mend="replay a vehicle's drives in order of time (give logs without absolute time a start), or use a new database",
        )

    def _stored_clock(self, vehicle: str, drive: str) -> ClockState:
        for state in self._store.states(vehicle):
            if state.stage == CLOCK_STAGE and state.version == drive:
                last_ns, offset_ns = struct.unpack("<qq", state.state)
                return ClockState(last_ns=last_ns, offset_ns=offset_ns)
        return ClockState()


def _clock_state(clock: ClockState, vehicle: str, drive: str) -> StageState:
    """The log clock is carried like any stage's state; its version is the drive, since each file has a clock of its own."""
    packed = struct.pack("<qq", clock.last_ns or 0, clock.offset_ns)
    return StageState(vehicle=vehicle, stage=CLOCK_STAGE, version=drive, state=packed)


def _utc(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
