"""Makes `sample_can_logs/`: the same drives, byte for byte, every time.

From a checkout: `python -m simulator.write_samples sample_can_logs`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from simulator.candump_writer import write_candump
from simulator.drive import simulate_drive
from simulator.drive_spec import DriveSpec, SimulatedDrive
from simulator.fleet import simulate_to_folder
from simulator.fleet_tables import (
    TEMPLATES,
    copy_templates,
    demonstration_vin,
    manifest_row,
    write_labels,
    write_manifest,
    write_vehicles,
)

__all__ = ["SAMPLES", "simulate_to_folder", "write_samples"]

MARCH_2_NS = 1_772_409_600_000_000_000
"""2026-03-02 00:00 UTC, 08:00 in China."""
DAY_NS, HOUR_NS = 86_400_000_000_000, 3_600_000_000_000


def _start(day: int, hour: float) -> int:
    return MARCH_2_NS + day * DAY_NS + int(hour * HOUR_NS)


SAMPLES: Mapping[str, DriveSpec] = {
    "healthy_petrol_city": DriveSpec(
        vin=demonstration_vin("petrol", 1), seed=101, cycle="city", duration_s=1200.0, ambient_celsius=14.0, start_ns=_start(0, 0.2)
    ),
    "healthy_petrol_highway_cold": DriveSpec(
        vin=demonstration_vin("petrol", 2), seed=102, cycle="highway", duration_s=1200.0, ambient_celsius=-8.0,
        latitude=39.9042, longitude=116.4074, odometer_km=61_250.0, start_ns=_start(1, 0.7),
    ),
    "healthy_ev_mixed": DriveSpec(
        vin=demonstration_vin("ev", 3), powertrain="ev", seed=103, cycle="mixed", duration_s=1320.0, charge_s=300.0,
        state_of_charge=52.0, ambient_celsius=22.0, latitude=22.5431, longitude=114.0579, odometer_km=18_400.0, start_ns=_start(2, 3.1),
    ),
    "healthy_truck": DriveSpec(
        vin=demonstration_vin("truck", 4), powertrain="truck", seed=104, cycle="mixed", duration_s=1080.0, ambient_celsius=16.0,
        soak_celsius=48.0, latitude=30.8700, longitude=121.8500, odometer_km=284_300.0, start_ns=_start(3, 1.5),
    ),
    "faulty_petrol_overheating": DriveSpec(
        vin=demonstration_vin("petrol", 5), fault="overheating", seed=105, cycle="mixed", duration_s=1200.0, ambient_celsius=26.0,
        latitude=23.1291, longitude=113.2644, odometer_km=88_900.0, start_ns=_start(4, 5.4),
    ),
    "faulty_petrol_thermostat": DriveSpec(
        vin=demonstration_vin("petrol", 6), fault="thermostat_stuck_open", seed=106, cycle="mixed", duration_s=1650.0,
        ambient_celsius=18.0, latitude=30.2741, longitude=120.1551, odometer_km=104_700.0, start_ns=_start(5, 0.4),
    ),
    "faulty_petrol_misfire": DriveSpec(
        vin=demonstration_vin("petrol", 7), fault="misfire", seed=107, cycle="mixed", duration_s=1080.0, ambient_celsius=12.0,
        latitude=30.5728, longitude=104.0668, odometer_km=97_300.0, start_ns=_start(7, 9.6),
    ),
    "faulty_petrol_weak_battery": DriveSpec(
        vin=demonstration_vin("petrol", 8), fault="weak_12v_battery", seed=108, cycle="city", duration_s=600.0, ambient_celsius=-2.0,
        latitude=39.9600, longitude=116.3300, odometer_km=73_800.0, start_ns=_start(8, 22.9),
    ),
    "faulty_ev_cells": DriveSpec(
        vin=demonstration_vin("ev", 9), powertrain="ev", fault="ev_cell_imbalance", seed=109, cycle="city", duration_s=1200.0,
        state_of_charge=64.0, ambient_celsius=20.0, latitude=31.2000, longitude=121.4000, odometer_km=126_500.0, start_ns=_start(9, 10.3),
    ),
    "faulty_truck_red_stop": DriveSpec(
        vin=demonstration_vin("truck", 10), powertrain="truck", fault="red_stop_lamp", seed=110, cycle="mixed", duration_s=1080.0,
        ambient_celsius=19.0, soak_celsius=52.0, latitude=30.9200, longitude=121.7800, odometer_km=611_200.0, start_ns=_start(10, 2.2),
    ),
}  # fmt: skip
"""File name without ending -> drive."""


def write_samples(folder: Path) -> None:
    """Write every sample log, the tables beside them and the README into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    copy_templates(folder, (*TEMPLATES, "README.md"))
    drives: list[tuple[str, SimulatedDrive]] = []
    for name, spec in SAMPLES.items():
        drive = simulate_drive(spec)
        log = f"{name}.log.gz"
        write_candump(drive.frames, folder / log)
        drives.append((log, drive))
    rows = [manifest_row(drive.spec, log) for log, drive in drives]
    write_manifest(folder / "manifest.csv", rows)
    write_manifest(folder / "manifest_healthy.csv", [row for row in rows if row["log"].startswith("healthy")])
    write_manifest(folder / "manifest_faulty.csv", [row for row in rows if row["log"].startswith("faulty")])
    write_vehicles(folder / "vehicles.csv", SAMPLES.values())
    write_labels(folder / "labels.csv", drives)


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
