"""Vehicles over months, with faults that develop and the truth beside them (docs/decisions/0051-fleet-year.md).

fleet_plan     who is in the fleet        tables, streams   what is given, and where chance comes from
weather, trips when it is driven, where   faults, maintenance, truth   what goes wrong, what is mended, what is known of it
low_voltage, engine_heat, combustion, air_path, exhaust, oil, brakes, tyres, traction_battery   the physics of each system
vehicle_life   all that is slow           driving   the instants of a drive     devices   what sensors and units make of it
emission       one vehicle, one page of 28 days -> samples                      fleet_year   blocks of vehicles and days
"""

from simulator.life.fleet_plan import BadBatch, LifeVehicle
from simulator.life.fleet_year import FleetYear, VehicleHistory, plan_fleet_year
from simulator.life.truth import FaultRecord

__all__ = ["BadBatch", "FaultRecord", "FleetYear", "LifeVehicle", "VehicleHistory", "plan_fleet_year"]
