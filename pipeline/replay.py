"""Recorded drives through the line, committed chunk by chunk, so that a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from domain.errors import DataFileError
from domain.fleet import Vehicle
from domain.frames import FrameBatch
from domain.ports import Store
from domain.records import Commit, DeadLetter, DriveProgress, StageState
from ingest.logs import LogFile, open_log
from ingest.logs.clock import LogClock, continuous_time
from pipeline.casework import Casework
from pipeline.line import Advance, Line

CLOCK_STAGE = "log_clock"
HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One recording of one vehicle.

    Attributes:
        log: the file. vehicle: its pseudonym and profile. start_ns: added to logs without absolute time, None = epoch 0.
        ordinal: boot session, grows along a vehicle's drives. named_in, named_line: manifest and line, for error messages.
    """

    log: Path
    vehicle: Vehicle
    start_ns: int | None = None
    ordinal: int = 0
    named_in: Path | None = None
    named_line: int | None = None

    @property
    def id(self) -> str:
        """Hash of vehicle, file name, size, first megabyte and start: the same drive is known again after a restart."""
        with self.log.open("rb") as file:
            head = hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
        key = f"{self.vehicle.id}|{self.log.name}|{self.log.stat().st_size}|{head}|{self.start_ns}"
        return hashlib.sha256(key.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveDone:
    """What one drive amounted to. `first_ns`, `last_ns` are None where it had no frame, or was finished in an earlier run."""

    drive: Drive
    progress: DriveProgress
    anomalies: dict[str, int]
    first_ns: int | None
    last_ns: int | None
    resumed_at: int = 0


Observer = Callable[[Advance], None]
OnProgress = Callable[[Drive, int, int], None]
"""Told (drive, bytes done, bytes in all) after each chunk."""


class Replay:
    """Runs drives through a line into a store."""

    def __init__(
        self,
        *,
        line: Line,
        casework: Casework,
        store: Store,
        observers: Sequence[Observer] = (),
        on_progress: OnProgress | None = None,
        batch_frames: int = 262_144,
    ) -> None:
        self._line, self._casework, self._store = line, casework, store
        self._observers, self._on_progress, self._batch_frames = tuple(observers), on_progress, batch_frames

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
            done.append(self._run_drive(drive, closes=last_of[vehicle] == number))
            if last_of[vehicle] == number:
                self._line.forget(vehicle)
                self._casework.forget(vehicle)
        return done

    def _run_drive(self, drive: Drive, *, closes: bool) -> DriveDone:
        vehicle, name = drive.vehicle.id, drive.id
        progress = self._store.progress(name) or DriveProgress(drive=name, vehicle=vehicle)
        if progress.finished:
            return DriveDone(drive=drive, progress=progress, anomalies={}, first_ns=None, last_ns=None)
        log = open_log(
            drive.log, vehicle=vehicle, start_ns=drive.start_ns, boot_session=drive.ordinal, batch_frames=self._batch_frames
        )
        resumed_at = progress.frames
        if resumed_at:
            log.skip(resumed_at)
        clock = self._clock(vehicle, name, resumed=bool(resumed_at))
        first_ns: int | None = None
        for logged in log:
            frames, clock = _on_clock(logged, clock)
            if not len(frames):
                continue
            if first_ns is None:
                first_ns = int(frames.time_ns[0])
                if not resumed_at:
                    self._refuse_the_past(drive, first_ns)
            progress = replace(progress, frames=progress.frames + len(frames), dead_letters=len(log.dead_letters))
            progress = self._commit(self._line.push(frames), progress, log.dead_letters, clock.state(vehicle, name))
            if self._on_progress:
                self._on_progress(drive, log.bytes_done, log.bytes_total)
        progress = replace(progress, finished=True, dead_letters=len(log.dead_letters))
        tail = self._line.close(vehicle) if closes else None
        progress = self._commit(tail, progress, log.dead_letters, clock.state(vehicle, name))
        if self._on_progress:
            self._on_progress(drive, log.bytes_total, log.bytes_total)
        return DriveDone(
            drive=drive,
            progress=progress,
            anomalies=_anomalies(log),
            first_ns=first_ns,
            last_ns=clock.last_ns if first_ns is not None else None,
            resumed_at=resumed_at,
        )
