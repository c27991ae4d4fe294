"""Vehicle and dealer tables (CSV). No message ever shows a VIN: problems are named by line and column."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.fleet import Dealer, VaultEntry, Vehicle, pseudonym
from notifier.dealers.dealer_row import DealerRow, Latitude, Longitude, Region, Words

VIN_SHAPE = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
"""17 capital letters and digits without I, O and Q (ISO 3779)."""

_EPOCH = date(1970, 1, 1).toordinal()
_QUOTED = re.compile(r"'[^']*[0-9A-Z][^']*'")


class _VehicleRow(pydantic.BaseModel):
    """One line of the vehicle table."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    vin: str
    brand: str = ""
    model: str = ""
    year: Annotated[int, pydantic.Field(ge=1950, le=2100)] | None = None
    powertrain: Literal["petrol", "diesel", "hybrid", "ev", "truck", ""] = ""
    profile: str = ""
    odometer_km: Annotated[float, pydantic.Field(ge=0, le=5_000_000, allow_inf_nan=False)] | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    preferred_dealer: str = ""
    chosen_dealer: str = ""
    last_service_dealer: str = ""
    selling_dealer: str = ""
    region: Region | Literal[""] = ""
    owner_name: str = ""
    owner_phone: str = ""
    owner_email: str = ""
    device: Words = ()
    built: date | None = None
    build_batch: str = ""
    software: str = ""
    lots: Words = ()

    @pydantic.field_validator("lots")
    @classmethod
    def _lots_shape(cls, lots: tuple[str, ...]) -> tuple[str, ...]:
        if any(not all(lot.partition("=")[::2]) for lot in lots):
            raise ValueError("write COMPONENT=LOT, separated by semicolons")
        return lots

    @pydantic.field_validator("vin")
    @classmethod
    def _vin_shape(cls, vin: str) -> str:
        vin = vin.upper()
        if len(vin) != 17:
            raise ValueError(f"a VIN has 17 characters, this one has {len(vin)}")
        if not VIN_SHAPE.fullmatch(vin):
            raise ValueError("a VIN has only letters and digits, and never I, O or Q")
        return vin

    @pydantic.model_validator(mode="after")
    def _whole_position(self) -> _VehicleRow:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude go together")
        return self


def read_vehicles(file: Path, key: bytes) -> list[tuple[Vehicle, VaultEntry]]:
    """Vehicles in the order of the file, each with its personal data apart.

    Columns: vin, brand, model, year, powertrain, profile, odometer_km, latitude, longitude, preferred_dealer (worth a detour),
    chosen_dealer (the owner's choice, whatever the distance and its brands), last_service_dealer, selling_dealer, region, owner_name,
    owner_phone, owner_email, device (ids under which its devices publish, separated by semicolons), built (2024-05-31), build_batch,
    software, lots of its parts (`water_pump=L7;battery_12v=A19`); only vin is needed.

    Args:
        file: CSV in UTF-8 with a header.
        key: of the pseudonyms (`domain.fleet.pseudonym`).

    Raises:
        DataFileError: the first problem, with its line; never with a VIN or a contact in it.
    """
    try:
        rows = read_csv(file, _VehicleRow)
    except DataFileError as problem:
        # a file without a header has a VIN where a column name should stand
        raise DataFileError(_QUOTED.sub("(hidden)", problem.what), file=file, line=problem.line, mend=problem.mend) from None
    _refuse_duplicates(file, [(line, row.vin) for line, row in rows], "vin", hide=True)
    _refuse_duplicates(file, [(line, device) for line, row in rows for device in row.device], "device", hide=True)
    return [_vehicle(row, key) for _, row in rows]


def _vehicle(row: _VehicleRow, key: bytes) -> tuple[Vehicle, VaultEntry]:
    identity = pseudonym(key, row.vin)
    home = None if row.latitude is None or row.longitude is None else (row.latitude, row.longitude)
    vehicle = Vehicle(
        id=identity,
        brand=row.brand,
        model=row.model,
        year=row.year or 0,
        powertrain=row.powertrain,
        profile=row.profile,
        odometer_km=row.odometer_km,
        home=home,
        preferred_dealer=row.preferred_dealer,
        chosen_dealer=row.chosen_dealer,
        last_service_dealer=row.last_service_dealer,
        selling_dealer=row.selling_dealer,
        region=row.region,
        devices=tuple(pseudonym(key, device) for device in row.device),
        built_day=None if row.built is None else row.built.toordinal() - _EPOCH,
        build_batch=row.build_batch,
        software=row.software,
        lots=tuple((component, lot) for component, _, lot in (each.partition("=") for each in row.lots)),
    )
    vault = VaultEntry(
        vehicle=identity, vin=row.vin, owner_name=row.owner_name, owner_phone=row.owner_phone, owner_email=row.owner_email
    )
    return vehicle, vault


def read_dealers(file: Path) -> list[Dealer]:
    """Dealers in the order of the file.

    Columns: id, name_en, name_zh, latitude, longitude, region (`cn/shanghai`), brands, capabilities, tier, bays, technicians, capacity_per_day,
    capacity_on, labour_rate, labour_rates, currency, stock, endpoint, secret_name, dms, email, opens_hour, closes_hour, hours, utc_offset_hours,
    days_open, holidays, loaners, pick_up_km, acceptance, nps (`notifier.dealers.dealer_row`); lists are separated by semicolons (`BYD;NIO`,
    `PC-THERMOSTAT=3;PC-PUMP=1`, `1;2;3;4;5`, `hv=2;engine=4`, `6=9-13`, `2026-10-01..2026-10-07`, `2026-11-02=3`).
    id, name_en, latitude and longitude are needed.

    Raises:
        DataFileError: the first problem, with its line.
    """
    rows = read_csv(file, DealerRow)
    _refuse_duplicates(file, [(line, row.id) for line, row in rows], "id", hide=False)
    return [row.dealer() for _, row in rows]


def _refuse_duplicates(file: Path, keys: list[tuple[int, str]], column: str, *, hide: bool) -> None:
    first: dict[str, int] = {}
    for line, value in keys:
        if value in first:
            shown = "" if hide else f" {value!r}"
            raise DataFileError(
                f"column {column}:{shown} stands in line {first[value]} already", file=file, line=line, mend="remove one"
            )
        first[value] = line
