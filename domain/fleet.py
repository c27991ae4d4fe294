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
        home: (latitude, longitude) WGS84, used where no position is known. preferred_dealer: dealer id or "", worth a detour.
        chosen_dealer: the one that the owner has chosen, whatever the distance and its brands. last_service_dealer, selling_dealer: ids.
        region: whose routing policy holds ("cn/shanghai"), "" for that of the nearest dealer.
        devices: pseudonyms (of the same key) of the ids under which its devices publish.
        built_day: days since 1970, None where unknown. build_batch, software: words of the maker. lots: (component, supplier lot).
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
    chosen_dealer: str = ""
    last_service_dealer: str = ""
    selling_dealer: str = ""
    region: str = ""
    built_day: int | None = None
    build_batch: str = ""
    software: str = ""
    lots: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultEntry:
    """Personal data of one vehicle: kept in the vault table and nowhere else."""

    vehicle: str
    vin: str
    owner_name: str = ""
    owner_phone: str = ""
    owner_email: str = ""


TIERS = ("centre", "authorised", "community", "composite", "mobile", "rescue")
"""Kinds of dealers: repair centre, the maker's workshop, neighbourhood shop, sales with service, mobile unit, rescue partner."""
NO_WORKSHOP_TIERS = frozenset({"mobile", "rescue"})
"""Tiers that no vehicle is brought to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """A workshop, mobile unit or rescue partner. Days are counted from 1970-01-01 in local time.

    Attributes:
        brands: served brands, () for any (independent). capabilities: "engine", "electric", "hv", "truck", "body", "rescue" …
        tier: one of `TIERS`. region: open-ended path such as "cn/shanghai/pudong". bays: 0 where unknown.
        technicians: (skill, how many); where any are named, work that asks for a capability needs one with that skill.
        capacity_per_day: orders it takes a day. capacity_on: (day, orders) where it differs. holidays: days on which it is closed.
        labour_rate: decimal string per hour in `currency`. labour_rates: (capability, rate) where it differs.
        stock: part number -> pieces. endpoint: webhook URL, "" for none. secret_name: setting that holds its signing secret.
        dms: kind of its dealer-management system ("star"), whose documents the endpoint then takes and sends; "" for ours.
        email: the workshop's address, where orders go if it has no endpoint.
        opens_hour, closes_hour: local working hours. hours: (ISO weekday, opens, closes) where they differ.
        utc_offset_hours: local time. days_open: ISO weekdays (1 = Monday).
        loaners: cars that it lends out on one day. pick_up_km: so far it fetches vehicles and brings them back, 0 = not at all.
        acceptance: share of offers that it accepts, nps: net promoter score (-100 to 100); None where unknown.
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
    region: str = ""
    bays: int = 0
    technicians: tuple[tuple[str, int], ...] = ()
    hours: tuple[tuple[int, int, int], ...] = ()
    holidays: tuple[int, ...] = ()
    capacity_on: tuple[tuple[int, int], ...] = ()
    labour_rates: tuple[tuple[str, str], ...] = ()
    acceptance: float | None = None
    nps: float | None = None
    email: str = ""
    dms: str = ""
    loaners: int = 0
    pick_up_km: float = 0.0
