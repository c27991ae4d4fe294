"""Reads recordings of real cars (docs/guides/model-benchmarks.md says how they lie) and evaluates the shipped detectors on them."""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.kernels import compiler
from app.simulated_trips import trip
from domain.errors import DataFileError, InputError
from domain.signals import SampleBatch
from models.cell_deviation import as_json, deviating_cells, window_record
from models.trip.entries import shipped
from models.trip.features import TripFeatures, TripRows, tables_of
from models.trip.injected import Protocol, injected_figures, joined
from models.trip.slots import Slots

Floats = NDArray[np.float64]
Figures = dict[str, Any]

TRIPS = "trips.tar.xz"
DAY_NS = 86_400_000_000_000
FIRST_DAY_NS = 20_000 * DAY_NS

PATH_OF = {
    "COOLANT_TEMPERATURE": "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature",
    "ENGINE_RPM": "Vehicle.Powertrain.CombustionEngine.Speed",
    "VEHICLE_SPEED": "Vehicle.Speed",
    "ENGINE_LOAD": "Vehicle.OBD.EngineLoad",
    "INTAKE_MANIFOLD_PRESSURE": "Vehicle.Powertrain.CombustionEngine.MAP",
    "INTAKE_AIR_TEMP": "Vehicle.OBD.IntakeTemp",
    "LONG_TERM_FUEL_TRIM_BANK_1": "Vehicle.OBD.LongTermFuelTrim1",
    "CONTROL_MODULE_VOLTAGE": "Vehicle.OBD.ControlModuleVoltage",
}
"""Column of the recordings, without its unit -> VSS path."""
RUN_TIME = "ENGINE_RUN_TINE"
"""Seconds since the engine started; spelt so in the data."""

INJECTED = {"coolant": 2.0, "fuel_trim": 2.0, "charging_voltage": -0.1}
"""Detector -> shift that is added to held-out trips: kelvin, percent, volts."""


def recorded_trips(folder: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each recorded trip, in order of names: members of trips.tar.xz, or *.csv in the folder.

    Raises:
        DataFileError: there is none, or the archive is damaged.
    """
    archive = folder / TRIPS
    if not archive.exists():
        files = sorted(folder.glob("*.csv"))
        if not files:
            raise DataFileError("holds no trips", file=folder, mend=f"put {TRIPS} or one CSV file per trip there")
        yield from ((file.name, file.read_bytes()) for file in files)
        return
    try:
        with tarfile.open(archive) as opened:
            for member in sorted(opened.getmembers(), key=lambda each: each.name):
                content = opened.extractfile(member)
                if content is not None and member.name.endswith(".csv"):
                    yield member.name, content.read()
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise DataFileError("is no readable archive", file=archive, mend="fetch it again") from problem


def read_trip(name: str, content: bytes, day: int) -> SampleBatch:
    """One recorded trip as samples of the vehicle "car", on a day of its own: when it was driven is not recorded.

    Raises:
        DataFileError: a column is missing.
    """
    table = list(csv.reader(io.StringIO(content.decode("utf-8", "replace")), skipinitialspace=True))
    head = [cell.split(" (")[0].strip() for cell in table[0]] if table else []
    missing = [column for column in (RUN_TIME, *PATH_OF) if column not in head]
    if missing:
        raise DataFileError(f"has no column {missing[0]!r}", file=name, line=1, mend="write the columns as carOBD names them")
    values = {column: _numbers(table[1:], head.index(column)) for column in (RUN_TIME, *PATH_OF)}
    seconds = np.maximum.accumulate(np.nan_to_num(values.pop(RUN_TIME), nan=0.0))
    time_ns = FIRST_DAY_NS + day * DAY_NS + (seconds * 1e9).astype(np.int64)
    columns = {PATH_OF[column]: (time_ns, column_values) for column, column_values in values.items()}
    return trip("car", columns, paths=columns)


def _numbers(rows: Sequence[Sequence[str]], place: int) -> Floats:
    found = np.full(len(rows), np.nan)
    for number, row in enumerate(rows):
        try:
            found[number] = float(row[place])
        except (ValueError, IndexError):
            continue
    return found


def carobd(folder: Path, _cv: bool, _seeds: int, protocol: Protocol | None = None) -> Figures:
    """How soon shifts and ramps are found that are added to held-out trips of one healthy car."""
    detectors = shipped()
    slots = Slots(tables_of(detectors))
    features = TripFeatures(detectors, slots, compiler())
    found: dict[str, list[TripRows]] = {}
    trips = 0
    for day, (name, content) in enumerate(recorded_trips(folder)):
        trips += 1
        for rows in features.read(read_trip(name, content, day)):
            found.setdefault(detectors[rows.detector].id, []).append(rows)
    figures: Figures = {"trips": trips}
    for detector in detectors:
        if detector.id in INJECTED:
            parts = found.get(detector.id, [])
            if sum(len(each) for each in parts) < 10:
                raise DataFileError(f"fewer than 10 trips tell {detector.entry.what.en!r}", file=folder, mend="give more trips")
            shift = INJECTED[detector.id]
            figures[detector.id] = {"shift": shift} | injected_figures(
                detector, joined(parts), shift, protocol or Protocol(), compiler()
            )
    return figures


def ev_field_pack(folder: Path, _cv: bool, _seeds: int) -> Figures:
    """Cells that stand apart, of each car of the folder (carN_processed.zip or .csv).

    Raises:
        DataFileError: there is no such file, or one is not as documented.
    """
    files = sorted(each for each in folder.glob("car*_processed.*") if each.suffix in {".zip", ".csv"})
    if not files:
        raise DataFileError("holds no pack records", file=folder, mend="put carN_processed.zip there")
    return {file.name.split("_processed")[0]: _pack(file) for file in files}


def _pack(file: Path) -> Figures:
    times, current, names, volts = read_pack(file)
    try:
        cells = deviating_cells(names, current, volts)
    except InputError as problem:
        raise DataFileError(problem.what, file=file, mend=problem.mend) from problem
    deviating = [
        as_json(cell) | {"since": None if cell.first_window is None else times[window_record(cell.first_window)]}
        for cell in cells
        if cell.deviating
    ]
    return {
        "records": len(times),
        "cells": len(names),
        "from": times[0],
        "to": times[-1],
        "deviating": deviating,
        "most_conspicuous": [as_json(cell) for cell in cells[:5]],
    }


def read_pack(file: Path) -> tuple[list[str], Floats, list[str], Floats]:
    """(time, current in A, cell names, voltages [n, cells]) of a car's records.

    Raises:
        DataFileError: it cannot be read, or has not the columns `tboxTime`, `BMSBatteryCurrent` and `V_1` to `V_n`.
    """
    try:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                content = archive.read(next(name for name in archive.namelist() if name.endswith(".csv")))
        else:
            content = file.read_bytes()
    except (OSError, zipfile.BadZipFile, StopIteration) as problem:
        raise DataFileError("cannot be read", file=file, mend="fetch it again") from problem
    import pandas as pd

    head = content.split(b"\n", 1)[0].decode("utf-8-sig", "replace").strip().split(",")
    names = [each for each in head if each.startswith("V_") and each[2:].isdigit()]
    missing = [each for each in ("tboxTime", "BMSBatteryCurrent") if each not in head]
    if missing or not names:
        what = f"has no column {(missing or ['V_1'])[0]!r}"
        raise DataFileError(what, file=file, line=1, mend="write the columns as in the published files")
    table = pd.read_csv(
        io.BytesIO(content), usecols=["tboxTime", "BMSBatteryCurrent", *names], encoding="utf-8-sig", low_memory=False
    )
    numbers = table[["BMSBatteryCurrent", *names]].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    return table["tboxTime"].astype(str).tolist(), numbers[:, 0], names, numbers[:, 1:]
