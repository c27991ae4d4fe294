"""The tables beside simulated logs: vehicles and owners (invented), manifests, labels, and the DBCs, profiles and dealers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from simulator.drive_spec import DriveSpec, SimulatedDrive

VEHICLE_COLUMNS = (
    "vin", "brand", "model", "year", "powertrain", "profile", "odometer_km", "latitude", "longitude", "preferred_dealer",
    "owner_name", "owner_phone", "owner_email",
)  # fmt: skip
PROFILES: Mapping[str, str] = {"petrol": "profiles/demo_petrol.yaml", "ev": "profiles/demo_ev.yaml", "truck": "j1939"}
MODELS: Mapping[str, tuple[str, str, int]] = {
    "petrol": ("Chenxing", "Demo 2.0", 2022),
    "ev": ("Yunchi", "Demo E", 2024),
    "truck": ("Qilin", "Demo T13", 2021),
}
"""Brand, model and year of each powertrain: invented."""

TEMPLATES = (
    "dbc/petrol.dbc", "dbc/ev.dbc", "dbc/truck.dbc",
    "profiles/demo_petrol.yaml", "profiles/demo_ev.yaml", "profiles/demo_truck.yaml", "dealers.csv",
)  # fmt: skip

_TRANSLITERATION = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "12345678123457923456789" + "0123456789", strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def demonstration_vin(powertrain: str, number: int) -> str:
    """A VIN with a valid check digit whose maker code, LTEST, is plainly invented; `number` is its serial."""
    kind = {"petrol": "PTR", "ev": "EVH", "truck": "TRK"}[powertrain]
    draft = f"LTEST{kind}0T{number:07d}"
    remainder = sum(int(_TRANSLITERATION[sign]) * weight for sign, weight in zip(draft, _WEIGHTS, strict=True)) % 11
    return draft[:8] + ("X" if remainder == 10 else str(remainder)) + draft[9:]


def vehicle_row(spec: DriveSpec) -> dict[str, str]:
    """One line of vehicles.csv; the owner is invented from the VIN's serial (example domain, unassigned number range)."""
    brand, model, year = MODELS[spec.powertrain]
    serial = int(spec.vin[-7:])
    return {
        "vin": spec.vin,
        "brand": brand,
        "model": model,
        "year": str(year),
        "powertrain": spec.powertrain,
        "profile": PROFILES[spec.powertrain],
        "odometer_km": f"{spec.odometer_km:.0f}",
        "latitude": f"{spec.latitude:.4f}",
        "longitude": f"{spec.longitude:.4f}",
        "preferred_dealer": "",
        "owner_name": f"测试车主{serial:03d}",
        "owner_phone": f"+86 100 0000 {serial:04d}",
        "owner_email": f"owner{serial:03d}@example.com",
    }


def manifest_row(spec: DriveSpec, log: str) -> dict[str, str]:
    """One line of a manifest; `start` is empty because candump -L stamps are absolute."""
    return {"log": log, "vin": spec.vin, "profile": PROFILES[spec.powertrain], "start": ""}


def write_table(file: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write a CSV table with a header, lines ending in a plain newline."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8", newline="")


def write_manifest(file: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write a manifest."""
    write_table(file, ("log", "vin", "profile", "start"), rows)


def write_labels(file: Path, drives: Iterable[tuple[str, SimulatedDrive]]) -> None:
    """Write the truth, for evaluation only: log, VIN, kind, onset (event time, ns), detail."""
    rows = [
        {"log": log, "vin": label.vin, "kind": label.kind, "onset_ns": str(label.onset_ns), "detail": label.detail}
        for log, drive in drives
        for label in drive.labels
    ]
    write_table(file, ("log", "vin", "kind", "onset_ns", "detail"), rows)


def write_vehicles(file: Path, specs: Iterable[DriveSpec]) -> None:
    """Write vehicles.csv, one line a vehicle in order of VIN."""
    rows = {spec.vin: vehicle_row(spec) for spec in specs}
    write_table(file, VEHICLE_COLUMNS, [rows[vin] for vin in sorted(rows)])


def copy_templates(folder: Path, names: Iterable[str] = TEMPLATES) -> None:
    """Put DBCs, profiles and dealers beside the logs."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files("simulator").joinpath("templates", *name.split("/")).read_bytes())
