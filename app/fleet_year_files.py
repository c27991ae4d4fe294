"""A simulated fleet over months as files: samples by month, vehicles, the truth, and CAN frames of chosen days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from domain.errors import InputError
from simulator.candump_writer import write_candump
from simulator.drive import simulate_drive
from simulator.fleet_tables import copy_templates, manifest_row, write_manifest
from simulator.life import FleetYear
from simulator.life.drives import drives_of_day
from simulator.life.truth_tables import write_truth
from storage.sample_file import SampleFile

GROUP = 20
"""Vehicles in memory at a time."""


def write_year(
    year: FleetYear,
    out: Path,
    *,
    can_days: Sequence[int] = (),
    can_cars: int = 10,
    told: Callable[[int], None] = lambda _cars: None,
) -> int:
    """Write samples/YYYY-MM.parquet, the tables and, of the first `can_cars` cars on `can_days`, can/*.log.gz.

    Args:
        told: called with the number of cars done.

    Returns:
        How many samples were written.

    Raises:
        InputError: the folder cannot be written. StorageError: a file cannot be written.
    """
    try:
        (out / "samples").mkdir(parents=True, exist_ok=True)
        count = _write_samples(year, out / "samples", told)
        write_truth(out, year, ((vehicle, year.history(vehicle.number)) for vehicle in year.vehicles))
        if can_days:
            _write_frames(year, out / "can", can_days, min(can_cars, len(year.vehicles)))
    except OSError as problem:
        what = f"cannot be written ({problem.strerror})"
        raise InputError(what, file=out, mend="give a folder that you may write") from problem
    return count


def _write_samples(year: FleetYear, folder: Path, told: Callable[[int], None]) -> int:
    """All months are open at once, so that a group of vehicles is simulated once."""
    months = list(_months(year))
    count = 0
    with ExitStack() as stack:
        files = [stack.enter_context(SampleFile(folder / f"{name}.parquet")) for name, _, _ in months]
        for first in range(0, len(year.vehicles), GROUP):
            group = range(first, min(first + GROUP, len(year.vehicles)))
            lives = [year.life(number) for number in group]
            for file, (_, first_day, days) in zip(files, months, strict=True):
                batch = year.samples_of(lives, first_day=first_day, days=days)
                file.write(batch)
                count += len(batch)
            told(group.stop)
    return count


def _months(year: FleetYear) -> Iterator[tuple[str, int, int]]:
    """(YYYY-MM, first day, days) of each calendar month of the run."""
    begins = (datetime.fromtimestamp(year.start_ns / 1e9, UTC) + timedelta(hours=8)).date()
    day = 0
    while day < year.days:
        today = begins + timedelta(days=day)
        rest = (date(today.year + today.month // 12, today.month % 12 + 1, 1) - today).days
        yield f"{today:%Y-%m}", day, min(rest, year.days - day)
        day += rest


def _write_frames(year: FleetYear, folder: Path, days: Sequence[int], cars: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    copy_templates(folder)
    rows = []
    for day in days:
        for number in range(cars):
            for order, spec in enumerate(drives_of_day(year, number, day)):
                log = f"car{number:04d}_day{day:03d}_{order}.log.gz"
                write_candump(simulate_drive(spec).frames, folder / log)
                rows.append(manifest_row(spec, log))
    write_manifest(folder / "manifest.csv", rows)
