"""Drives or stored signals through a line of rules: the alerts of every side, one vehicle after the other, in several processes.

A vehicle's drives are one task, because state goes on from one drive to the next. What a task gives does not depend on which process
did it, nor on how many there were.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.episodes import Episodes
from app.backtest.stored import StoredSpan, stored_frames
from app.backtest.variants import Side
from app.composition import build_rule_line, load_profiles
from app.kernels import compiler
from app.progress import OnBytes
from app.rule_files import RuleSet
from domain.findings import Alert
from domain.fleet import Vehicle
from domain.frames import FrameBatch, FrameFlag
from domain.signals import TICK_SIGNAL, SampleBatch
from notifier.alerts.alert_policy import load_alert_policy
from pipeline.line import Advance, Line, Pushed
from pipeline.replay import Drive, Replay
from storage.memory_store import MemoryStore

DAY_NS = 86_400_000_000_000
BYTES_PER_PROCESS = 8_000_000
"""A process takes a second to begin, in which another one has done about so many bytes of packed recordings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every process needs to know.

    Attributes:
        vehicles: all there are. rule_set: to run, each rule under an id of its own. sides: whose alerts are wanted. span: stored signals instead of recordings.
    """

    vehicles: tuple[Vehicle, ...]
    rule_set: RuleSet
    sides: tuple[Side, ...]
    extra_dbc: tuple[tuple[str, Path], ...] = ()
    batch_frames: int = 262_144
    span: StoredSpan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One vehicle and its drives (none where its signals are stored); `numbers` are theirs among all drives."""

    vehicle: str
    drives: tuple[Drive, ...] = ()
    numbers: tuple[int, ...] = ()


@dataclass(slots=True, kw_only=True)
class VehicleRun:
    """What the records of one vehicle gave.

    Attributes:
        alerts: of each side, silent ones too.
        samples: VSS path -> how many samples. days: UTC days (since 1970) with records. first_ns, last_ns: of the records, None = none.
        reports: trouble-code reports. dead_letters: records that could not be used.
    """

    vehicle: str
    alerts: tuple[tuple[Alert, ...], ...] = ()
    samples: dict[str, int] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)
    first_ns: int | None = None
    last_ns: int | None = None
    frames: int = 0
    dead_letters: int = 0
    reports: int = 0

    @property
    def is_blind(self) -> bool:
        """Nothing that the rules read could be read from its records."""
        return not self.samples and not self.reports

    def observe(self, advance: Advance) -> None:
        """Take note of what passed through the line (`pipeline.line.Observer`)."""
        self._note_times(advance.frames)
        self.reports += len(advance.dtcs)
        for path, count in _counts(advance.samples):
            self.samples[path] = self.samples.get(path, 0) + count

    def _note_times(self, frames: FrameBatch) -> None:
        times = frames.time_ns[(frames.flags & FrameFlag.TICK) == 0]
        if not len(times):
            return
        self.days.update(np.unique(times // DAY_NS).tolist())
        first, last = int(times.min()), int(times.max())
        self.first_ns = first if self.first_ns is None else min(first, self.first_ns)
        self.last_ns = last if self.last_ns is None else max(last, self.last_ns)


def run_all(work: Work, tasks: Sequence[Task], *, jobs: int, on_bytes: OnBytes) -> list[VehicleRun]:
    """Do every task, in `jobs` processes (this one alone where it is 1); the runs stand in the order of the tasks.

    Raises:
        InputError: a file is not valid. StorageError: a stored signal cannot be read.
    """
    if jobs == 1:
        line = _line(work)
        return [_run(work, line, task, on_bytes) for task in tasks]
    context = multiprocessing.get_context("spawn")
    with _told(context, on_bytes) as reports:
        pool = ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context, initializer=_begin, initargs=(work, reports))
        with pool:
            try:
                return list(pool.map(_run_here, tasks))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def sensible_jobs(tasks: Sequence[Task]) -> int:
    """As many processes as there are cores, vehicles, and work for."""
    size = sum(drive.log.stat().st_size for task in tasks for drive in task.drives if drive.log.is_file())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, len(tasks), size // BYTES_PER_PROCESS + 1))


def _line(work: Work) -> Line:
    return build_rule_line(work.vehicles, profiles=load_profiles(work.vehicles, extra_dbc=work.extra_dbc), rule_set=work.rule_set)


def _run(work: Work, line: Line, task: Task, on_bytes: OnBytes) -> VehicleRun:
    run = VehicleRun(vehicle=task.vehicle)
    episodes = Episodes(task.vehicle, work.sides, load_alert_policy())
    if work.span is None:
        _replay(work, line, task, on_bytes, run, episodes)
    else:
        _read_stored(work, line, work.span, run, episodes)
    run.alerts = episodes.alerts
    return run


def _replay(work: Work, line: Line, task: Task, on_bytes: OnBytes, run: VehicleRun, episodes: Episodes) -> None:
    with MemoryStore() as store:
        replay = Replay(
            line=line,
            casework=episodes,
            store=store,
            observers=[run.observe],
            on_progress=lambda number, done: on_bytes(task.numbers[number], done),
            batch_frames=work.batch_frames,
            jit=compiler(),
        )
        done = replay.run(task.drives)
    run.frames = sum(each.progress.frames for each in done)
    run.dead_letters = sum(each.progress.dead_letters for each in done)


def _read_stored(work: Work, line: Line, span: StoredSpan, run: VehicleRun, episodes: Episodes) -> None:
    def take(pushed: Pushed) -> None:
        for advance in pushed.advances:
            run.observe(advance)
        episodes.handle(pushed.findings, pushed.ended)
        run.dead_letters += len(pushed.dead_letters)

    paths = sorted({path for rule in work.rule_set.rules for path in rule.paths})
    for frames in stored_frames(span, run.vehicle, paths):
        run.frames += len(frames)
        take(line.push(frames))
    take(line.close(run.vehicle))
    line.forget(run.vehicle)


class _Process:
    """What a process of the pool keeps from one task to the next."""

    work: Work
    line: Line
    reports: Any


def _begin(work: Work, reports: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    _Process.work, _Process.line, _Process.reports = work, _line(work), reports


def _run_here(task: Task) -> VehicleRun:
    return _run(_Process.work, _Process.line, task, lambda number, done: _Process.reports.put((number, done)))


@contextmanager
def _told(context: Any, on_bytes: OnBytes) -> Iterator[Any]:
    """A queue of (number of the drive, bytes of it done), told to `on_bytes` as they come."""
    reports = context.SimpleQueue()

    def tell() -> None:
        while (report := reports.get()) is not None:
            on_bytes(*report)

    teller = threading.Thread(target=tell, name="progress", daemon=True)
    teller.start()
    try:
        yield reports
    finally:
        reports.put(None)
        teller.join()


def _counts(samples: SampleBatch) -> Iterator[tuple[str, int]]:
    counts = np.bincount(samples.signal[samples.signal != TICK_SIGNAL], minlength=len(samples.paths))
    return ((samples.paths[number], int(counts[number])) for number in np.flatnonzero(counts).tolist())
