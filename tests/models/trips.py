"""Trips for the tests, made by hand or from others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.simulated_trips import PATHS, trip
from domain.signals import TICK_SIGNAL, SampleBatch
from models.coolant_detector import COOLANT
from simulator.drive_spec import FIRST_START_NS as START_NS

COOLANT_PATH = COOLANT.target.path
LOAD_PATHS = tuple(each.path for each in COOLANT.inputs if not each.required and each.path.split(".")[-1] != "AirTemperature")
AMBIENT_PATHS = ("Vehicle.Exterior.AirTemperature", "Vehicle.OBD.IntakeTemp")


def steady_trip(
    vehicle: str = "car",
    *,
    coolant: float = 90.0,
    start_ns: int = START_NS,
    minutes: float = 20.0,
) -> SampleBatch:
    """A warm engine at 60 km/h, once a second."""
    time_ns = start_ns + np.arange(int(minutes * 60)) * 1_000_000_000
    level = dict(zip(PATHS, (coolant, 1800.0, 60.0, 30.0, 30.0, 45.0, 18.0, 20.0, 30.0), strict=True))
    return trip(vehicle, {path: (time_ns, np.full(len(time_ns), value)) for path, value in level.items()})


def joined(batches: Sequence[SampleBatch]) -> SampleBatch:
    """Several batches as one, sorted by vehicle, each vehicle's batches in the order given."""
    vehicles = tuple(dict.fromkeys(name for batch in batches for name in batch.vehicles))
    paths = tuple(dict.fromkeys(path for batch in batches for path in batch.paths))
    columns = []
    for batch in batches:
        vehicle = np.array([vehicles.index(name) for name in batch.vehicles], np.int32)[batch.vehicle]
        of_path = np.array([*(paths.index(path) for path in batch.paths), TICK_SIGNAL], np.int32)
        columns.append((batch.time_ns, vehicle, of_path[batch.signal], batch.value))
    time_ns, vehicle, signal, value = (np.concatenate(each) for each in zip(*columns, strict=True))
    order = np.argsort(vehicle, kind="stable")
    return SampleBatch(
        vehicles=vehicles, paths=paths, time_ns=time_ns[order], vehicle=vehicle[order], signal=signal[order], value=value[order]
    )


def without(batch: SampleBatch, absent: Sequence[str]) -> SampleBatch:
    """A batch as of a car that does not send these paths."""
    gone = [number for number, path in enumerate(batch.paths) if path in absent]
    return rows_of(batch, np.flatnonzero(~np.isin(batch.signal, gone)))


def rows_of(batch: SampleBatch, rows: NDArray[np.int64] | slice) -> SampleBatch:
    """Some rows of a batch."""
    return SampleBatch(
        vehicles=batch.vehicles,
        paths=batch.paths,
        time_ns=batch.time_ns[rows],
        vehicle=batch.vehicle[rows],
        signal=batch.signal[rows],
        value=batch.value[rows],
    )
