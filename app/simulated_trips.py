"""Trips of simulated fleets for training and evaluating detectors: what a decoder would give, without the detour by CAN."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch
from models.coolant_detector import COOLANT
from simulator.drive import simulate_drive
from simulator.drive_spec import FIRST_START_NS, DriveSpec

Columns = Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]

PATHS = tuple(each.path for each in COOLANT.columns)
DAY_NS = 86_400_000_000_000


def trip(vehicle: str, columns: Columns, *, tick: bool = True, paths: Collection[str] = PATHS) -> SampleBatch:
    """One trip as a sample batch, in order of time, closed by an end-of-drive tick a second after its last sample."""
    kept = {path: column for path, column in columns.items() if path in paths}
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
        for day in range(trips):
            temperature = rng.uniform(*ambient)
            faulty = fault is not None and day >= faulty_from
            spec = DriveSpec(
                vin=simulated_vin(seed, number),
                fault=fault if faulty else None,
                onset_s=0.0 if faulty else None,
                seed=int(rng.integers(2**31)),
                start_ns=FIRST_START_NS + day * DAY_NS,
                duration_s=round(rng.uniform(*duration_s)),
                cycle=str(rng.choice(["city", "mixed", "highway"])),
                ambient_celsius=round(temperature, 1),
                soak_celsius=round(rng.uniform(max(temperature, 30.0), 88.0), 1) if rng.random() < 0.5 else None,
            )
            yield trip(spec.vehicle, simulate_drive(spec).signals)


def simulated_vin(seed: int, number: int) -> str:
    """The made-up VIN of vehicle `number` of the fleet of `seed`."""
    return f"LSVSEED{seed % 10**6:06d}{number:04d}"
