"""Vehicles, owners and dealers."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from domain.findings import Text

DEVELOPMENT_KEY = b"pitcall-development-key"
"""Documented key for pseudonyms where none is set; never for real cars."""


def pseudonym(key: bytes, vin: str) -> str:
    """HMAC-SHA256(key, VIN) as 64 hex digits: how a vehicle is known everywhere but in the vault."""
    return hmac.new(key, vin.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """What the stages may know of a vehicle (no VIN, no owner).

    Attributes:
        id: pseudonym. profile: decode profile ("" = generic). powertrain: "petrol", "diesel", "hybrid", "ev" or "truck".
        home: (latitude, longitude) WGS84, used where no position is known. preferred_dealer: dealer id or "".
        devices: pseudonyms (of the same key) of the ids under which its devices publish.
    """

    id: str
    brand: str = ""
    model: str = ""
    year: int = 0
    powertrain: str = ""
    profile: str = ""
    odometer_km: float | None = None
    home: tuple[float, float] | None = None
    preferred_dealer: str = ""
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultEntry:
    """Personal data of one vehicle: kept in the vault table and nowhere else."""

    vehicle: str
    vin: str
    owner_name: str = ""
    owner_phone: str = ""
    owner_email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """A workshop.

    Attributes:
        brands: served brands, () for any (independent). capabilities: "engine", "electric", "hv", "truck", "body", "rescue" …
        capacity_per_day: orders it takes a day. labour_rate: decimal string per hour in `currency`.
        stock: part number -> pieces. endpoint: webhook URL, "" for none. secret_name: setting that holds its signing secret.
        opens_hour, closes_hour: local working hours. utc_offset_hours: local time. days_open: ISO weekdays (1 = Monday).
    """

    id: str
    name: Text
    latitude: float
    longitude: float
    brands: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    tier: str = "community"
    capacity_per_day: int = 8
    labour_rate: str = "0.00"
    currency: str = "CNY"
    stock: tuple[tuple[str, int], ...] = ()
    endpoint: str = ""
    secret_name: str = ""
    opens_hour: int = 8
    closes_hour: int = 18
    utc_offset_hours: float = 8.0
    days_open: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
