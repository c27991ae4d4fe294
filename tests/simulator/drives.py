"""Drives that several tests look at (simulated once)."""

from functools import cache

from simulator.drive import simulate_drive
from simulator.drive_spec import DriveSpec, SimulatedDrive
from simulator.fleet_tables import demonstration_vin


@cache
def drive(powertrain: str = "petrol", **fields) -> SimulatedDrive:
    return simulate_drive(DriveSpec(vin=demonstration_vin(powertrain, 77), powertrain=powertrain, **fields))
