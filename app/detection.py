"""How well faults are found on simulated fleets: the whole way from log files to alerts, compared with the simulator's labels."""

from __future__ import annotations

import csv
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.fleet import choose_fleet
from app.replaying import replay_drives
from domain.fleet import DEVELOPMENT_KEY, pseudonym
from simulator.drive_spec import FAULTS
from simulator.fleet import simulate_to_folder
from storage.memory_store import MemoryStore

SYSTEM_OF = {
    "thermostat_stuck_open": "engine.cooling",
    "overheating": "engine.cooling",
    "weak_12v_battery": "electrical.12v",
    "misfire": "engine.ignition",
    "ev_cell_imbalance": "ev.battery",
    "red_stop_lamp": "engine.lubrication",
}
"""Fault -> group key of the alerts that find it."""


def detection(seeds: Sequence[int]) -> dict[str, Any]:
    """One vehicle of each fault and three healthy ones per seed, a drive each.

    Returns:
        `seeds`; `faults`: kind -> {"vehicles", "found", "median_delay_s"} (delay: onset to first alert of its system, in the
        vehicle's time); `recall`; `healthy_vehicles`; `false_alerts`: alerts on healthy vehicles, and on faulty ones before the onset;
        `false_alarms_per_1000_vehicle_days` (a drive counts as a day); `other_alerts`: on faulty vehicles in other systems.
    """
    found: dict[str, list[float | None]] = {kind: [] for kinds in FAULTS.values() for kind in kinds}
    healthy = false_alerts = other = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory() as scratch:
            for folder, faults in ((Path(scratch) / "faulty", tuple(found)), (Path(scratch) / "healthy", ())):
                simulate_to_folder(out=folder, vehicles=len(faults) or len(FAULTS), faults=faults, seed=seed)
                onsets = _onsets(folder / "labels.csv")
                for vehicle, alerts in _alerts(folder).items():
                    kind, onset_ns = onsets.get(vehicle, ("", 0))
                    if not kind:
                        healthy += 1
                        false_alerts += len(alerts)
                        continue
                    after = [(opened, group) for opened, group in alerts if opened >= onset_ns]
                    false_alerts += len(alerts) - len(after)
                    delays = [(opened - onset_ns) / 1e9 for opened, group in after if group == SYSTEM_OF[kind]]
                    other += len(after) - len(delays)
                    found[kind].append(min(delays, default=None))
    vehicles = sum(map(len, found.values()))
    hits = sum(delay is not None for delays in found.values() for delay in delays)
    return {
        "seeds": list(seeds),
        "faults": {kind: _figures(delays) for kind, delays in found.items()},
        "recall": hits / vehicles,
        "healthy_vehicles": healthy,
        "false_alerts": false_alerts,
        "false_alarms_per_1000_vehicle_days": 1000.0 * false_alerts / (healthy + vehicles),
        "other_alerts": other,
    }


def _figures(delays: Sequence[float | None]) -> dict[str, Any]:
    known = [delay for delay in delays if delay is not None]
    return {"vehicles": len(delays), "found": len(known), "median_delay_s": statistics.median(known) if known else None}


def _onsets(labels: Path) -> dict[str, tuple[str, int]]:
    with labels.open(encoding="utf-8", newline="") as file:
        return {pseudonym(DEVELOPMENT_KEY, row["vin"]): (row["kind"], int(row["onset_ns"])) for row in csv.DictReader(file)}


def _alerts(folder: Path) -> dict[str, list[tuple[int, str]]]:
    """Vehicle -> (opened_ns, group key) of its alerts."""
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
        replayed = replay_drives(choice, store)
    return {case.vehicle: [(alert.opened_ns, alert.group_key) for alert in case.alerts] for case in replayed.cases}
