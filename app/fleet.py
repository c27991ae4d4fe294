"""Which drives of which vehicles a command is about: from --vin, a manifest, and the vehicle and dealer tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError, InputError
from domain.fleet import Dealer, VaultEntry, Vehicle, pseudonym
from notifier.dealers.fleet_files import read_dealers, read_vehicles
from pipeline.replay import Drive


class ManifestRow(pydantic.BaseModel, extra="forbid"):
    """One drive of a manifest: `log,vin,profile,start`."""

    log: Path
    vin: str
    profile: str = ""
    start: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetChoice:
    """Drives to replay and the tables behind them."""

    drives: tuple[Drive, ...]
    registered: tuple[tuple[Vehicle, VaultEntry], ...]
    dealers: tuple[Dealer, ...]

    @property
    def vehicles(self) -> tuple[Vehicle, ...]:
        """The vehicles of the drives, each once."""
        return tuple({drive.vehicle.id: drive.vehicle for drive in self.drives}.values())


def parse_start(text: str) -> int:
    """Event time in ns from RFC 3339 (UTC where no offset is given) or seconds since the epoch.

    Raises:
        ValueError: neither.
    """
    try:
        return round(float(text) * 1e9)
    except ValueError:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def choose_fleet(
    logs: Sequence[Path],
    *,
    key: bytes,
    vin: str | None,
    manifest: Path | None,
    profile: str | None,
    start_ns: int | None,
    vehicle_table: Path | None,
    dealer_table: Path | None,
) -> FleetChoice:
    """Drives from the command line's words.

    A manifest's paths and profiles are relative to it, and `vehicles.csv` and `dealers.csv` beside it are used where no other
    tables are named.

    Raises:
        InputError: the words do not fit together, or a file is not valid.
    """
    if manifest is not None:
        vehicle_table = vehicle_table or _beside(manifest, "vehicles.csv")
        dealer_table = dealer_table or _beside(manifest, "dealers.csv")
    registered = tuple(read_vehicles(vehicle_table, key)) if vehicle_table else ()
    known = _known(registered, vehicle_table)
    if manifest is not None:
        if logs or vin:
            raise InputError("a manifest names logs and VINs itself", mend="give either --manifest, or logs with --vin")
        rows = [(line, row) for line, row in read_csv(manifest, ManifestRow)]
        drives = [_manifest_drive(manifest, line, row, key, known, profile) for line, row in rows]
    else:
        if not logs or not vin:
            raise InputError("which drives?", mend="give logs with --vin, or --manifest FILE.csv")
        vehicle = _vehicle(known, pseudonym(key, vin), profile)
        drives = [Drive(log=log, vehicle=vehicle, start_ns=start_ns) for log in logs]
    dealers = tuple(read_dealers(dealer_table)) if dealer_table else ()
    return FleetChoice(drives=tuple(drives), registered=registered, dealers=dealers)


def choose_vehicles(vins: Sequence[str], *, key: bytes, profile: str | None, vehicle_table: Path | None) -> tuple[Vehicle, ...]:
    """The vehicles with these VINs, as the table knows them.

    Raises:
        InputError: no VIN was given, or the table is not valid.
    """
    if not vins:
        raise InputError("which cars?", mend="give --vin, several times for several cars")
    known = _known(tuple(read_vehicles(vehicle_table, key)) if vehicle_table else (), vehicle_table)
    return tuple(_vehicle(known, name, profile) for name in dict.fromkeys(pseudonym(key, vin) for vin in vins))


def _known(registered: Sequence[tuple[Vehicle, VaultEntry]], vehicle_table: Path | None) -> dict[str, Vehicle]:
    """Pseudonym -> vehicle, its profile as it is found from here."""
    tables = vehicle_table.parent if vehicle_table else Path()
    return {vehicle.id: replace(vehicle, profile=profile_in(vehicle.profile, tables)) for vehicle, _ in registered}


def _manifest_drive(
    manifest: Path, line: int, row: ManifestRow, key: bytes, known: dict[str, Vehicle], profile: str | None
) -> Drive:
    log = manifest.parent / row.log
    if not log.is_file():
        raise DataFileError(f"log {row.log} is not there", file=manifest, line=line, mend="paths are relative to the manifest")
    try:
        start_ns = parse_start(row.start) if row.start else None
    except ValueError as problem:
        mend = "write RFC 3339, such as 2026-05-01T08:00:00Z, or seconds since 1970"
        raise DataFileError(f"column start: {row.start!r} is no time", file=manifest, line=line, mend=mend) from problem
    vehicle = _vehicle(known, pseudonym(key, row.vin), profile or profile_in(row.profile, manifest.parent))
    return Drive(log=log, vehicle=vehicle, start_ns=start_ns, named_in=manifest, named_line=line)


def profile_in(word: str, folder: Path) -> str:
    """A profile as a table names it: a built-in name as it is, a file relative to the table."""
    return str(folder / word) if Path(word).suffix in {".yaml", ".yml"} else word


def _vehicle(known: dict[str, Vehicle], name: str, profile: str | None) -> Vehicle:
    vehicle = known.get(name, Vehicle(id=name))
    return replace(vehicle, profile=profile) if profile else vehicle


def _beside(manifest: Path, name: str) -> Path | None:
    file = manifest.parent / name
    return file if file.is_file() else None
