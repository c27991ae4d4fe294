"""Vehicle and dealer tables (CSV). No message ever shows a VIN: problems are named by line and column."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.findings import Text
from domain.fleet import Dealer, VaultEntry, Vehicle, pseudonym

VIN_SHAPE = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
"""17 capital letters and digits without I, O and Q (ISO 3779)."""

_QUOTED = re.compile(r"'[^']*[0-9A-Z][^']*'")
_Id = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$")]
_Latitude = Annotated[float, pydantic.Field(ge=-90, le=90, allow_inf_nan=False)]
_Longitude = Annotated[float, pydantic.Field(ge=-180, le=180, allow_inf_nan=False)]


def _items(cell: str) -> tuple[str, ...]:
    """A list in one cell: values between semicolons."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())


_Words = Annotated[tuple[str, ...], pydantic.BeforeValidator(_items)]


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
    latitude: _Latitude | None = None
    longitude: _Longitude | None = None
    preferred_dealer: str = ""
    owner_name: str = ""
    owner_phone: str = ""
    owner_email: str = ""
    device: _Words = ()

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


def _stock(cell: str) -> tuple[tuple[str, int], ...]:
    """Stock in one cell: `NUMBER=PIECES;…`."""
    pairs = []
    for item in _items(cell):
        match = re.fullmatch(r"([^=]+?)\s*=\s*([0-9]{1,9})", item)
        if not match:
            raise ValueError(f"{item!r} is not NUMBER=PIECES")
        pairs.append((match[1], int(match[2])))
    if len({number for number, _ in pairs}) < len(pairs):
        raise ValueError("names a part twice")
    return tuple(pairs)


_Weekdays = Annotated[tuple[Annotated[int, pydantic.Field(ge=1, le=7)], ...], pydantic.BeforeValidator(_items)]
_Hour = Annotated[int, pydantic.Field(ge=0, le=24)]


class _DealerRow(pydantic.BaseModel):
    """One line of the dealer table."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    id: _Id
    name_en: str
    name_zh: str = ""
    latitude: _Latitude
    longitude: _Longitude
    brands: _Words = ()
    capabilities: _Words = ()
    tier: str = "community"
    capacity_per_day: Annotated[int, pydantic.Field(ge=0, le=10_000)] = 8
    labour_rate: Annotated[Decimal, pydantic.Field(ge=0, le=1_000_000, decimal_places=2)] = Decimal("0.00")
    currency: Annotated[str, pydantic.Field(pattern="^[A-Z]{3}$")] = "CNY"
    stock: Annotated[tuple[tuple[str, int], ...], pydantic.BeforeValidator(_stock)] = ()
    endpoint: Annotated[str, pydantic.Field(pattern=r"^https?://[^\s@]+$")] | None = None
    secret_name: str = ""
    opens_hour: _Hour = 8
    closes_hour: _Hour = 18
    utc_offset_hours: Annotated[float, pydantic.Field(ge=-12, le=14, allow_inf_nan=False)] = 8.0
    days_open: _Weekdays = (1, 2, 3, 4, 5, 6)

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> _DealerRow:
        if self.closes_hour <= self.opens_hour:
            raise ValueError("closes_hour must be later than opens_hour")
        if self.endpoint is not None and not self.secret_name:
            raise ValueError("an endpoint needs a secret_name to sign with")
        return self


def read_vehicles(file: Path, key: bytes) -> list[tuple[Vehicle, VaultEntry]]:
    """Vehicles in the order of the file, each with its personal data apart.

    Columns: vin, brand, model, year, powertrain, profile, odometer_km, latitude, longitude, preferred_dealer, owner_name,
    owner_phone, owner_email, device (ids under which its devices publish, separated by semicolons); only vin is needed.

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
        devices=tuple(pseudonym(key, device) for device in row.device),
    )
    vault = VaultEntry(
        vehicle=identity, vin=row.vin, owner_name=row.owner_name, owner_phone=row.owner_phone, owner_email=row.owner_email
    )
    return vehicle, vault


def read_dealers(file: Path) -> list[Dealer]:
    """Dealers in the order of the file.

    Columns: id, name_en, name_zh, latitude, longitude, brands, capabilities, tier, capacity_per_day, labour_rate, currency, stock,
    endpoint, secret_name, opens_hour, closes_hour, utc_offset_hours, days_open; lists are separated by semicolons
    (`BYD;NIO`, `PC-THERMOSTAT=3;PC-PUMP=1`, `1;2;3;4;5`). id, name_en, latitude and longitude are needed.

    Raises:
        DataFileError: the first problem, with its line.
    """
    rows = read_csv(file, _DealerRow)
    _refuse_duplicates(file, [(line, row.id) for line, row in rows], "id", hide=False)
    return [_dealer(row) for _, row in rows]


def _dealer(row: _DealerRow) -> Dealer:
    return Dealer(
        id=row.id,
        name=Text(en=row.name_en, zh=row.name_zh or row.name_en),
        latitude=row.latitude,
        longitude=row.longitude,
        brands=row.brands,
        capabilities=row.capabilities,
        tier=row.tier,
        capacity_per_day=row.capacity_per_day,
        labour_rate=str(row.labour_rate.quantize(Decimal("0.01"))),
        currency=row.currency,
        stock=row.stock,
        endpoint=row.endpoint or "",
        secret_name=row.secret_name,
        opens_hour=row.opens_hour,
        closes_hour=row.closes_hour,
        utc_offset_hours=row.utc_offset_hours,
        days_open=row.days_open,
    )


def _refuse_duplicates(file: Path, keys: list[tuple[int, str]], column: str, *, hide: bool) -> None:
    first: dict[str, int] = {}
    for line, value in keys:
        if value in first:
            shown = "" if hide else f" {value!r}"
            raise DataFileError(
                f"column {column}:{shown} stands in line {first[value]} already", file=file, line=line, mend="remove one"
            )
        first[value] = line
