"""A replay as one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

from app.replaying import Replayed
from domain.errors import InputError
from pipeline.replay import DriveDone
from web.report import DriveSummary, ReplayReport, render_report


def write_report(file: Path, replayed: Replayed) -> None:
    """Write the page.

    Raises:
        InputError: the file cannot be written.
    """
    series = replayed.series.series() if replayed.series else {}
    profiles = replayed.parts.profiles
    report = ReplayReport(
        drives=tuple(_drive(done, profiles[done.drive.vehicle.profile].id) for done in replayed.done),
        cases=tuple(case for case in replayed.cases if case.alerts),
        vehicles=replayed.choice.vehicles,
        dealers=replayed.dealers,
        series=series,
        rules=len(replayed.parts.rules),
        detectors=replayed.parts.detectors,
        codes=replayed.parts.codes,
        generated_from="pitcall replay",
        elapsed_s=replayed.elapsed_s,
    )
    try:
        file.write_text(render_report(report), encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"cannot be written ({problem.strerror})", file=file, mend="name a file in a writable folder"
        ) from problem


def _drive(done: DriveDone, profile: str) -> DriveSummary:
    progress = done.progress
    return DriveSummary(
        vehicle=progress.vehicle,
        log=done.drive.log.name,
        profile=profile,
        start_ns=done.first_ns or 0,
        end_ns=done.last_ns or 0,
        frames=progress.frames,
        signals=progress.signals,
        dtcs=progress.dtcs,
        dead_letters=progress.dead_letters,
    )
