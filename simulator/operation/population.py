"""The cars and workshops of the simulated year."""

from __future__ import annotations

import random
from collections.abc import Sequence

from domain.findings import Text
from domain.fleet import Dealer, Vehicle
from simulator.operation.chance import Chance
from simulator.operation.tables import City, cities

BRANDS = ("Chenxing", "Yunchi")
POWERTRAINS = {"petrol": 0.52, "ev": 0.36, "diesel": 0.06, "truck": 0.06}
STOCK = ("PC-THERMOSTAT", "PC-COOLANT", "PC-SPARK-PLUG", "PC-IGNITION-COIL", "PC-BATTERY-12V", "PC-ENGINE-OIL", "PC-OIL-FILTER")
_SPREAD_DEG = 0.12
_RESCUE_SHARE, _MOBILE_SHARE, _INDEPENDENT_SHARE = 0.12, 0.05, 0.4


def vehicles(count: int, chance: Chance) -> list[Vehicle]:
    """So many cars, spread over the cities by their shares."""
    return [_vehicle(number, chance.of("vehicle", number)) for number in range(count)]


def dealers(count: int, chance: Chance) -> list[Dealer]:
    """So many workshops: every city gets one that can do everything and tows before any gets a second one."""
    places = cities()
    return [_dealer(number, places, chance.of("dealer", number)) for number in range(count)]


def _vehicle(number: int, rng: random.Random) -> Vehicle:
    city = _city(rng)
    return Vehicle(
        id=f"car-{number:05d}",
        brand=rng.choice(BRANDS),
        model="S1",
        year=rng.randint(2016, 2025),
        powertrain=rng.choices(list(POWERTRAINS), list(POWERTRAINS.values()))[0],
        odometer_km=float(round(rng.uniform(500, 120_000))),
        home=_near(city, rng),
        region=city.region,
    )


def _dealer(number: int, places: Sequence[City], rng: random.Random) -> Dealer:
    first = number < len(places)
    city = places[number] if first else _city(rng)
    latitude, longitude = _near(city, rng)
    kind = 1.0 if first else rng.random()
    tier = "rescue" if kind < _RESCUE_SHARE else "mobile" if kind < _RESCUE_SHARE + _MOBILE_SHARE else "authorised"
    able = ("engine", "electric", "hv", "truck", "chassis", "body", "rescue")
    skills = able if first else tuple(name for name in able if name != "rescue" and rng.random() < 0.75) or ("engine",)
    name = f"{city.region.rpartition('/')[2].title()} workshop {number}"
    return Dealer(
        id=f"D{number:03d}",
        name=Text(en=name, zh=f"{number} 号维修站"),
        latitude=latitude,
        longitude=longitude,
        brands=() if first or rng.random() < _INDEPENDENT_SHARE else (rng.choice(BRANDS),),
        capabilities=("rescue", "truck") if tier == "rescue" else skills,
        tier=tier,
        capacity_per_day=rng.randint(4, 10),
        labour_rate=f"{rng.randrange(200, 420, 10)}.00",
        stock=tuple((part, rng.randint(2, 12)) for part in STOCK if rng.random() < 0.8),
        endpoint=f"https://d{number:03d}.example/orders",
        secret_name="SIMULATED",  # noqa: S106 - the name of a setting
        region=city.region,
        opens_hour=8,
        closes_hour=rng.choice((17, 18, 19)),
        days_open=(1, 2, 3, 4, 5, 6, 7) if first or rng.random() < 0.3 else (1, 2, 3, 4, 5, 6),
    )


def _city(rng: random.Random) -> City:
    places = cities()
    return rng.choices(places, [city.share for city in places])[0]


def _near(city: City, rng: random.Random) -> tuple[float, float]:
    return (round(city.latitude + rng.gauss(0, _SPREAD_DEG), 5), round(city.longitude + rng.gauss(0, _SPREAD_DEG), 5))
