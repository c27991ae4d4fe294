"""A small fleet drawn from a seed, and the folder with its logs and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from domain.errors import InputError
from simulator.candump_writer import write_candump
from simulator.drive import simulate_drive
from simulator.drive_spec import FAULTS, FIRST_START_NS, DriveSpec, SimulatedDrive
from simulator.faults import KINDS
from simulator.fleet_tables import (
    copy_templates,
    demonstration_vin,
    manifest_row,
    write_labels,
    write_manifest,
    write_vehicles,
)

__all__ = ["plan_fleet", "simulate_drive", "simulate_fleet", "simulate_to_folder"]

CITIES = (
    (31.2304, 121.4737), (39.9042, 116.4074), (23.1291, 113.2644), (30.5728, 104.0668),
    (22.5431, 114.0579), (30.2741, 120.1551), (30.5928, 114.3055), (31.2989, 120.5853),
)  # fmt: skip
"""Shanghai, Beijing, Guangzhou, Chengdu, Shenzhen, Hangzhou, Wuhan, Suzhou (WGS84)."""


def plan_fleet(
    *,
    vehicles: int,
    powertrain: str = "mixed",
    faults: Sequence[str] = (),
    seed: int = 0,
    minutes: float = 20.0,
    healthy: bool = False,
    start_ns: int = FIRST_START_NS,
) -> list[DriveSpec]:
    """One drive for each vehicle, all drawn from the seed.

    Args:
        vehicles: how many. powertrain: "petrol", "ev", "truck" or "mixed" (in turn).
        faults: dealt out in turn, one a vehicle; none = a healthy fleet. healthy: a sound vehicle follows each faulty one.
        seed: equal seeds give equal fleets. minutes: length of each drive (longer where a fault needs it).
        start_ns: when the first vehicle sets off; the others follow within an hour.

    Raises:
        InputError: no vehicles, an unknown powertrain, or a fault that the powertrain cannot have.
    """
    kinds = _kinds(powertrain, faults, healthy)
    if vehicles < 1:
        raise InputError("a fleet needs a vehicle", mend="give at least 1")
    rng = np.random.default_rng([seed, vehicles])
    specs = []
    for number in range(vehicles):
        kind, fault = kinds[number % len(kinds)]
        specs.append(_spec(number, kind, fault, seed, minutes, start_ns, rng))
    return specs


def _kinds(powertrain: str, faults: Sequence[str], healthy: bool) -> list[tuple[str, str | None]]:
    if powertrain != "mixed" and powertrain not in FAULTS:
        raise InputError(f"unknown powertrain {powertrain!r}", mend=f"use {', '.join(FAULTS)} or mixed")
    owners = list(FAULTS) if powertrain == "mixed" else [powertrain]
    known = {fault: owner for owner in owners for fault in FAULTS[owner]}
    for fault in faults:
        if fault not in known:
            raise InputError(f"a {powertrain} fleet has no fault {fault!r}", mend=f"use {', '.join(known)}")
    if not faults:
        return [(owner, None) for owner in owners]
    return [(known[fault], given) for fault in faults for given in ((fault, None) if healthy else (fault,))]


def _spec(
    number: int, powertrain: str, fault: str | None, seed: int, minutes: float, start_ns: int, rng: np.random.Generator
) -> DriveSpec:
    latitude, longitude = CITIES[int(rng.integers(len(CITIES)))]
    coldest, hottest = {"thermostat_stuck_open": (-3.0, 20.0), "overheating": (8.0, 34.0)}.get(fault or "", (-5.0, 33.0))
    ambient = round(float(rng.uniform(coldest, hottest)), 1)
    truck, electric = powertrain == "truck", powertrain == "ev"
    charges = electric and fault is None and rng.random() < 0.5 and minutes >= 15
    return DriveSpec(
        vin=demonstration_vin(powertrain, 1000 + number),
        powertrain=powertrain,
        fault=fault,
        seed=seed * 1000 + number,
        start_ns=start_ns + int(rng.integers(0, 3600)) * 1_000_000_000,
        duration_s=max(60.0 * minutes, KINDS[fault].shows_in_s if fault else 0.0),
        cycle=("city", "mixed", "highway")[int(rng.integers(3))],
        ambient_celsius=ambient,
        latitude=latitude + float(rng.normal(0.0, 0.04)),
        longitude=longitude + float(rng.normal(0.0, 0.04)),
        odometer_km=round(float(rng.uniform(180_000, 640_000) if truck else rng.uniform(9_000, 130_000)), 0),
        # trucks are seldom cold: they stand for an hour, not for a night
        soak_celsius=float(rng.uniform(45.0, 65.0)) if truck else None,
        charge_s=300.0 if charges else 0.0,
        state_of_charge=float(rng.uniform(50.0, 76.0)),
    )


def simulate_fleet(specs: Iterable[DriveSpec]) -> Iterator[SimulatedDrive]:
    """The drives, one after the other (a fleet need not fit in memory)."""
    for spec in specs:
        yield simulate_drive(spec)


def simulate_to_folder(
    *,
    out: Path,
    vehicles: int,
    powertrain: str = "mixed",
    faults: Sequence[str] = (),
    seed: int = 0,
    minutes: float = 20.0,
    healthy: bool = False,
    start_ns: int = FIRST_START_NS,
) -> list[SimulatedDrive]:
    """Simulate `plan_fleet(…)` and write it as `pitcall replay` reads it.

    Writes drive_NNN.log.gz (names tell nothing of vehicle or fault), manifest.csv, vehicles.csv, dealers.csv, the DBCs and
    profiles, and labels.csv (the truth, for evaluation only).

    Raises:
        InputError: as `plan_fleet`, or the folder cannot be written.
    """
    specs = plan_fleet(
        vehicles=vehicles, powertrain=powertrain, faults=faults, seed=seed, minutes=minutes, healthy=healthy, start_ns=start_ns
    )
    drives: list[tuple[str, SimulatedDrive]] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        copy_templates(out)
        for number, drive in enumerate(simulate_fleet(specs), start=1):
            log = f"drive_{number:03d}.log.gz"
            write_candump(drive.frames, out / log)
            drives.append((log, drive))
        write_manifest(out / "manifest.csv", [manifest_row(drive.spec, log) for log, drive in drives])
        write_vehicles(out / "vehicles.csv", specs)
        write_labels(out / "labels.csv", drives)
    except OSError as problem:
        raise InputError(
            f"cannot be written ({problem.strerror})", file=out, mend="give a folder that you may write"
        ) from problem
    return [drive for _, drive in drives]
