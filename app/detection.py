"""How well faults are found on simulated fleets: the whole way from log files to alerts, compared with the simulator's labels."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.fault_labels import read_labels
from app.fleet import choose_fleet
from app.replaying import replay_drives
from app.scoring import Fault, score
from domain.findings import Alert
from domain.fleet import DEVELOPMENT_KEY
from domain.records import VehicleCase
from simulator.drive_spec import FAULTS
from simulator.fleet import simulate_to_folder
from storage.memory_store import MemoryStore


def detection(seeds: Sequence[int]) -> dict[str, Any]:
    """One vehicle of each fault and three healthy ones per seed, a drive each.

    Returns:
        `seeds`; `faults`: kind -> {"vehicles", "found", "median_delay_s"} (delay: onset to first alert of its system, in the
        vehicle's time); `recall`; `healthy_vehicles`; `false_alerts`: alerts on healthy vehicles, and on faulty ones before the onset;
        `false_alarms_per_1000_vehicle_days` (a drive counts as a day); `other_alerts`: on faulty vehicles in other systems.
    """
    faults: list[Fault] = []
    alerts: list[Alert] = []
    kinds = tuple(kind for of_powertrain in FAULTS.values() for kind in of_powertrain)
    vehicles = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory() as scratch:
            for folder, dealt in ((Path(scratch) / "faulty", kinds), (Path(scratch) / "healthy", ())):
                simulate_to_folder(out=folder, vehicles=len(dealt) or len(FAULTS), faults=dealt, seed=seed)
                fleet = f"{seed}/{folder.name}/"  # the same vehicles come again in every fleet
                faults += [
                    replace(fault, vehicle=fleet + fault.vehicle) for fault in read_labels(folder / "labels.csv", DEVELOPMENT_KEY)
                ]
                cases = _cases(folder)
                vehicles += len(cases)
                alerts += [replace(alert, vehicle=fleet + alert.vehicle) for case in cases for alert in case.alerts]
    scored = score(faults, alerts, vehicle_days=vehicles)
    by_kind = scored.by_kind()
    return {
        "seeds": list(seeds),
        "faults": {kind: by_kind[kind] for kind in kinds if kind in by_kind},
        "recall": scored.recall,
        "healthy_vehicles": vehicles - len(faults),
        "false_alerts": scored.false,
        "false_alarms_per_1000_vehicle_days": scored.false_per_1000_days,
        "other_alerts": scored.other,
    }


def _cases(folder: Path) -> tuple[VehicleCase, ...]:
    choice = choose_fleet(
        [],
        key=DEVELOPMENT_KEY,
        vin=None,
        manifest=folder / "manifest.csv",
        profile=None,
        start_ns=None,
        vehicle_table=None,
        dealer_table=None,
    )
    with MemoryStore() as store:
        return replay_drives(choice, store).cases
