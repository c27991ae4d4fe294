"""Trips for the tests: from the simulator's physics, and made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch
from models.coolant_detector import COOLANT
from simulator.drive import simulate_drive
from simulator.drive_spec import DriveSpec

Columns = Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]

PATHS = tuple(each.path for each in COOLANT.columns)
COOLANT_PATH = COOLANT.target.path
LOAD_PATHS = tuple(each.path for each in COOLANT.inputs if not each.required and each.path.split(".")[-1] != "AirTemperature")
AMBIENT_PATHS = ("Vehicle.Exterior.AirTemperature", "Vehicle.OBD.IntakeTemp")
DAY_NS = 86_400_000_000_000
START_NS = 1_772_409_600_000_000_000


def trip(vehicle: str, columns: Columns, *, tick: bool = True) -> SampleBatch:
    """One trip as a sample batch, in order of time, closed by an end-of-drive tick a second after its last sample."""
    kept = {path: column for path, column in columns.items() if path in PATHS}
    time_ns = np.concatenate([column[0] for column in kept.values()])
    signal = np.repeat(np.arange(len(kept)), [len(column[0]) for column in kept.values()])
    value = np.concatenate([column[1] for column in kept.values()])
    order = np.argsort(time_ns, kind="stable")
    time_ns, signal, value = time_ns[order], signal[order], value[order]
    if tick:
        time_ns = np.append(time_ns, time_ns[-1] + 1_000_000_000)
        signal, value = np.append(signal, TICK_SIGNAL), np.append(value, float(TickKind.END_OF_DRIVE))
    return SampleBatch(
        vehicles=(vehicle,),
        paths=tuple(kept),
        time_ns=time_ns.astype(np.int64),
        vehicle=np.zeros(len(time_ns), np.int32),
        signal=signal.astype(np.int32),
        value=value.astype(np.float64),
    )


def simulated_trips(
    seed: int,
    *,
    vehicles: int,
    trips: int,
    fault: str | None = None,
    faulty_from: int = 0,
    ambient: tuple[float, float] = (-15.0, 38.0),
    duration_s: tuple[float, float] = (900.0, 3000.0),
) -> Iterator[SampleBatch]:
    """Trips of a simulated petrol fleet, vehicle by vehicle; a fault, where given, is there from trip `faulty_from` on."""
    rng = np.random.default_rng(seed)
    for number in range(vehicles):
        vin = f"LSVSEED{seed % 10**6:06d}{number:04d}"
        for day in range(trips):
            temperature = rng.uniform(*ambient)
            spec = DriveSpec(
                vin=vin,
                fault=fault if day >= faulty_from else None,
                onset_s=0.0 if fault and day >= faulty_from else None,
                seed=int(rng.integers(2**31)),
                start_ns=START_NS + day * DAY_NS,
                duration_s=round(rng.uniform(*duration_s)),
                cycle=str(rng.choice(["city", "mixed", "highway"])),
                ambient_celsius=round(temperature, 1),
                soak_celsius=round(rng.uniform(max(temperature, 30.0), 88.0), 1) if rng.random() < 0.5 else None,
            )
            yield trip(spec.vehicle, simulate_drive(spec).signals)


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
