"""The tables beside a fleet's samples: its vehicles, and the truth about them (for evaluation only; the pipeline reads none of it)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from simulator.fleet_tables import write_table
from simulator.life.fleet_plan import LifeVehicle
from simulator.life.fleet_year import FleetYear, VehicleHistory

VEHICLE_COLUMNS = (
    "vin", "vehicle", "powertrain", "model", "built", "build_batch", "software", "region", "latitude", "longitude", "age_days",
    "odometer_km", "lots",
)  # fmt: skip
FAULT_COLUMNS = (
    "vin", "vehicle", "kind", "family", "component", "group_key", "onset", "detectable_from", "failed", "repaired", "outcome",
    "sudden", "place", "lot",
)  # fmt: skip
SERVICE_COLUMNS = ("vin", "vehicle", "time", "reason", "component", "kind", "cured")
BREAKDOWN_COLUMNS = ("vin", "vehicle", "time", "kind", "component", "sudden")
Row = dict[str, str]


def write_truth(out: Path, year: FleetYear, histories: Iterable[tuple[LifeVehicle, VehicleHistory]]) -> None:
    """Write vehicles.csv, faults.csv, services.csv and breakdowns.csv."""
    faults: list[Row] = []
    services: list[Row] = []
    breakdowns: list[Row] = []
    for vehicle, history in histories:
        who = {"vin": vehicle.vin, "vehicle": vehicle.id}
        for fault in history.faults:
            times = {
                "onset": fault.onset_s,
                "detectable_from": fault.detectable_s,
                "failed": fault.failed_s,
                "repaired": fault.repaired_s,
            }
            words = {name: getattr(fault, name) for name in ("kind", "family", "component", "group_key", "outcome", "lot")}
            flags = {"sudden": _flag(fault.sudden), "place": str(fault.place or "")}
            faults.append(who | words | flags | {name: _time(year, time_s) for name, time_s in times.items()})
        for visit in history.services:
            words = {"reason": visit.reason, "component": visit.component, "kind": visit.kind, "cured": _flag(visit.cured)}
            services.append(who | words | {"time": _time(year, visit.time_s)})
        for breakdown in history.breakdowns:
            words = {"kind": breakdown.kind, "component": breakdown.component, "sudden": _flag(breakdown.sudden)}
            breakdowns.append(who | words | {"time": _time(year, breakdown.time_s)})
    write_table(out / "vehicles.csv", VEHICLE_COLUMNS, map(vehicle_row, year.vehicles))
    write_table(out / "faults.csv", FAULT_COLUMNS, faults)
    write_table(out / "services.csv", SERVICE_COLUMNS, services)
    write_table(out / "breakdowns.csv", BREAKDOWN_COLUMNS, breakdowns)


def vehicle_row(vehicle: LifeVehicle) -> Row:
    """One line of vehicles.csv."""
    return {
        "vin": vehicle.vin,
        "vehicle": vehicle.id,
        "powertrain": vehicle.powertrain,
        "model": vehicle.model,
        "built": f"{vehicle.built:%Y-%m-%d}",
        "build_batch": vehicle.build_batch,
        "software": vehicle.software,
        "region": vehicle.city.region,
        "latitude": f"{vehicle.city.latitude:.2f}",
        "longitude": f"{vehicle.city.longitude:.2f}",
        "age_days": str(vehicle.age_days),
        "odometer_km": f"{vehicle.odometer_km:.1f}",
        "lots": ";".join(f"{component}={lot}" for component, lot in vehicle.lots.items()),
    }


def _time(year: FleetYear, time_s: float) -> str:
    time_ns = year.time_ns(time_s)
    return "" if time_ns is None else datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _flag(value: bool) -> str:
    return "true" if value else "false"
