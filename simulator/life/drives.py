"""Single trips of a vehicle's life as drives of the drive simulator, which gives their CAN frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from simulator.drive_spec import MINIMUM_DURATION_S, DriveSpec
from simulator.life.fleet_year import FleetYear
from simulator.life.vehicle_life import VehicleLife

SHOWN_AS: Final[Mapping[tuple[str, str], str]] = {
    ("petrol", "thermostat_open"): "thermostat_stuck_open",
    ("petrol", "cooling_weak"): "overheating",
    ("petrol", "battery_12v_weak"): "weak_12v_battery",
    ("petrol", "misfire"): "misfire",
    ("ev", "cell_deviation"): "ev_cell_imbalance",
}
"""(powertrain, kind over months) -> fault within a drive; others do not show in frames."""
SHOWN_FROM: Final = 0.5
"""Severity from which a drive has the fault."""


def drives_of_day(year: FleetYear, number: int, day: int) -> Iterator[DriveSpec]:
    """The trips that vehicle `number` begins on a day, as specs: same time, length, weather, odometer and charge."""
    life = year.life(number)
    for trip in np.flatnonzero((life.trips.day == day) & life.driven).tolist():
        yield _spec(year, life, trip)


def _spec(year: FleetYear, life: VehicleLife, trip: int) -> DriveSpec:
    vehicle, trips = life.vehicle, life.trips
    start_ns = year.time_ns(float(trips.start_s[trip]))
    assert start_ns is not None
    powertrain = {"petrol": "petrol", "diesel": "truck", "ev": "ev"}[vehicle.powertrain]
    return DriveSpec(
        vin=vehicle.vin,
        powertrain=powertrain,
        fault=_fault(life, float(trips.start_s[trip])),
        seed=year.seed * 100_000 + trip,
        start_ns=start_ns,
        duration_s=max(float(trips.duration_s[trip]), MINIMUM_DURATION_S + 60.0),
        cycle="highway" if trips.motorway[trip] else "city",
        ambient_celsius=round(float(trips.ambient_c[trip]), 1),
        latitude=vehicle.city.latitude,
        longitude=vehicle.city.longitude,
        odometer_km=float(life.odometer_km[trip] - trips.km[trip]),
        soak_celsius=float(life.start_c[trip]) if vehicle.powertrain != "ev" else None,
        onset_s=0.0,
        state_of_charge=float(life.pack.charge[trip]) if vehicle.powertrain == "ev" else 72.0,
    )


def _fault(life: VehicleLife, time_s: float) -> str | None:
    for episode in life.upkeep.episodes:
        shown = SHOWN_AS.get((life.vehicle.powertrain, episode.kind.kind))
        if shown and float(episode.severity(np.array([time_s]))[0]) >= SHOWN_FROM:
            return shown
    return None
