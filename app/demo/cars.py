"""Which cars drive in the demonstration: number, VIN, city and fault of each are fixed; nothing here is a real car."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.findings import Text
from simulator.drive_spec import FAULTS, DriveSpec
from simulator.faults import KINDS
from simulator.fleet import plan_fleet
from simulator.fleet_tables import demonstration_vin

FIRST_SERIAL = 5000
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class City:
    """A real city (WGS84)."""

    name: Text
    latitude: float
    longitude: float


NEAR_DEALERS = (
    City(Text(en="Shanghai", zh="上海"), 31.2304, 121.4737),
    City(Text(en="Suzhou", zh="苏州"), 31.2989, 120.5853),
    City(Text(en="Hangzhou", zh="杭州"), 30.2741, 120.1551),
)
CITIES = (
    *NEAR_DEALERS,
    City(Text(en="Beijing", zh="北京"), 39.9042, 116.4074),
    City(Text(en="Guangzhou", zh="广州"), 23.1291, 113.2644),
    City(Text(en="Chengdu", zh="成都"), 30.5728, 104.0668),
    City(Text(en="Shenzhen", zh="深圳"), 22.5431, 114.0579),
    City(Text(en="Wuhan", zh="武汉"), 30.5928, 114.3055),
)
KINDS_OF_FAULT = ("weak_12v_battery", "misfire", "overheating", "ev_cell_imbalance", "red_stop_lamp", "thermostat_stuck_open")
_POWERTRAIN_OF = {fault: powertrain for powertrain, faults in FAULTS.items() for fault in faults}


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """One car. `fault` begins on its first drive; None = it stays sound."""

    number: int
    vin: str
    powertrain: str
    fault: str | None
    city: City
    latitude: float
    longitude: float
    odometer_km: float


def plan_cars(count: int, faults: Sequence[str] = KINDS_OF_FAULT) -> list[Car]:
    """The first `count` cars; one for each of these faults comes first, the others are sound. Faulty cars are near the dealers."""
    cars = []
    for number in range(count):
        fault = faults[number] if number < len(faults) else None
        powertrain = _POWERTRAIN_OF[fault] if fault else tuple(FAULTS)[number % len(FAULTS)]
        city = NEAR_DEALERS[number % len(NEAR_DEALERS)] if fault else CITIES[number % len(CITIES)]
        rng = np.random.default_rng([zlib.crc32(b"car"), number])
        north, east = rng.normal(0.0, 0.04, 2)
        cars.append(
            Car(
                number=number,
                vin=demonstration_vin(powertrain, FIRST_SERIAL + number),
                powertrain=powertrain,
                fault=fault,
                city=city,
                latitude=round(city.latitude + float(north), 5),
                longitude=round(city.longitude + float(east), 5),
                odometer_km=float(rng.integers(180_000, 640_000) if powertrain == "truck" else rng.integers(9_000, 130_000)),
            )
        )
    return cars


def sets_off_s(car: Car) -> float:
    """Seconds of the fleet's time until the car's first drive: faulty ones set off at once, the others within ten minutes."""
    rng = np.random.default_rng([zlib.crc32(b"start"), car.number])
    return 0.0 if car.fault else float(rng.uniform(0.0, 600.0))


def parks_s(car: Car, ordinal: int) -> float:
    """How long it stands after a drive: long enough (more than five minutes) for the drive to count as ended."""
    return float(np.random.default_rng([zlib.crc32(b"park"), car.number, ordinal]).uniform(360.0, 900.0))


def drive_spec(car: Car, ordinal: int, start_ns: int) -> DriveSpec:
    """The car's drive number `ordinal` (0 = first); the same car and ordinal drive alike whenever they start."""
    seed = zlib.crc32(b"drive %d of car %d" % (ordinal, car.number))
    rng = np.random.default_rng(seed)
    minutes = KINDS[car.fault].shows_in_s / 60.0 if car.fault else float(rng.uniform(10.0, 22.0))
    faults = (car.fault,) if car.fault else ()
    [spec] = plan_fleet(vehicles=1, powertrain=car.powertrain, faults=faults, seed=seed % 1_000_000, minutes=minutes)
    return replace(
        spec,
        vin=car.vin,
        start_ns=start_ns,
        latitude=car.latitude,
        longitude=car.longitude,
        odometer_km=car.odometer_km + 20.0 * ordinal,
    )
