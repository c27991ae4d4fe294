"""How cars are used over years, day by day: commuters, families, taxis, delivery vans, lorries. Labels for tests and figures only."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from domain.care import DayUsage

CONDITIONED_SHARE = 0.5
"""Of combustion cars: those that tell their oil's temperature, so that its wear is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A way of using a vehicle.

    Attributes:
        workday_km, weekend_km: typical day, 0 = parked. used: chance that it is driven on such a day. trip_km: length of a trip.
        idle: share of the running time standing still. holiday_km: a day of the three holiday weeks a year. cold: winters below -10 °C.
    """

    name: str
    powertrain: str
    workday_km: float
    weekend_km: float
    used: float
    trip_km: float
    idle: float = 0.1
    holiday_km: float = 0.0
    speed_kmh: float = 38.0
    cold: bool = False


DRIVERS = (
    Driver(name="commuter", powertrain="petrol", workday_km=38, weekend_km=25, used=0.95, trip_km=16, holiday_km=180),
    Driver(name="short hops", powertrain="petrol", workday_km=14, weekend_km=10, used=0.85, trip_km=4),
    Driver(name="weekend", powertrain="petrol", workday_km=3, weekend_km=90, used=0.6, trip_km=30, holiday_km=200),
    Driver(name="family diesel", powertrain="diesel", workday_km=45, weekend_km=60, used=0.9, trip_km=20, holiday_km=250),
    Driver(name="electric commuter", powertrain="ev", workday_km=42, weekend_km=30, used=0.95, trip_km=15, holiday_km=120),
    Driver(name="electric taxi", powertrain="ev", workday_km=260, weekend_km=240, used=0.97, trip_km=9, idle=0.25),
    Driver(name="delivery", powertrain="diesel", workday_km=110, weekend_km=0, used=0.98, trip_km=5, idle=0.4, speed_kmh=25),
    Driver(name="lorry", powertrain="truck", workday_km=480, weekend_km=40, used=0.95, trip_km=160, speed_kmh=62, cold=True),
)


def days_of_use(driver: Driver, first_day: int, days: int, odometer_km: float, seed: int) -> Iterator[DayUsage]:
    """The days on which the vehicle was driven, in order; the odometer goes on from `odometer_km` at their begin."""
    chance = random.Random(seed)  # noqa: S311 - a simulation, no secret
    tells_oil = chance.random() < CONDITIONED_SHARE and driver.powertrain in ("petrol", "diesel")
    holidays = {week + year * 52 for year in range(days // 365 + 1) for week in chance.sample(range(52), 3)}
    pace = 1.0
    for day in range(first_day, first_day + days):
        if chance.random() < 1 / 400:
            pace = chance.uniform(0.7, 1.35)  # a new job, another school
        weekend, holiday = (day + 3) % 7 >= 5, (day - first_day) // 7 in holidays
        typical = driver.holiday_km if holiday and driver.holiday_km else driver.weekend_km if weekend else driver.workday_km
        if typical <= 0 or chance.random() > driver.used:
            continue
        km = round(typical * pace * chance.lognormvariate(-0.08, 0.4), 1)
        odometer_km += km
        yield _day(driver, day, km, odometer_km, chance, tells_oil=tells_oil)


def _day(driver: Driver, day: int, km: float, odometer_km: float, chance: random.Random, *, tells_oil: bool) -> DayUsage:
    trips = max(1, round(km / driver.trip_km * chance.uniform(0.7, 1.3)))
    driving_s = km / driver.speed_kmh * 3600
    idle_s = driving_s * driver.idle / (1 - driver.idle) * chance.uniform(0.7, 1.3)
    outside_c = 12 - 16 * math.cos(2 * math.pi * (day % 365.25 - 15) / 365.25) - (8 if driver.cold else 0) + chance.gauss(0, 4)
    short = sum(chance.expovariate(1 / driver.trip_km) < 8 for _ in range(trips))
    usage = DayUsage(
        day=day,
        distance_km=km,
        odometer_km=round(odometer_km, 1),
        trips=trips,
        short_trips=short,
        driving_s=round(driving_s),
        idle_s=round(idle_s),
        extreme_s=round(driving_s) if outside_c < -10 or outside_c > 35 else 0.0,
    )
    if driver.powertrain == "ev":
        return replace(usage, energy_kwh=round(km * (0.15 + 0.003 * max(0.0, 15 - outside_c)), 2))
    hours = (driving_s + idle_s) / 3600
    wear = hours * 60 * 1900 * (1.6 if short / trips > 0.5 else 1.1) if tells_oil else 0.0
    return replace(usage, engine_h=round(hours, 3), oil_wear_rev=round(wear))
