"""An electric car: 96 cells in series, one motor, DC-DC converter, DC charging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.cooling import follow
from simulator.drive_cycle import DriveCycle
from simulator.drive_spec import STEP_S, DriveSpec, FloatArray, Trace
from simulator.faults import Fault
from simulator.road_load import wheel_force

MASS_KG, DRAG_AREA, ROLLING = 1850.0, 0.62, 0.0095
WHEEL_RADIUS_M, REDUCTION = 0.33, 9.5
CELLS, MODULES = 96, 8
CAPACITY_AH, CELL_OHM = 165.0, 0.00075
CHARGE_W, GREATEST_REGENERATION_W = 62_000.0, 60_000.0
SOC_POINTS = np.array([0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0])
OPEN_CIRCUIT_V = np.array([3.00, 3.33, 3.43, 3.53, 3.59, 3.63, 3.68, 3.77, 3.86, 3.96, 4.06, 4.18])
"""Open-circuit voltage of an NMC cell over its state of charge."""
ASLEEP_AFTER_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The battery over a drive: current A (positive when discharged), SOC %, mean cell V, temperature °C."""

    current: FloatArray
    soc: FloatArray
    cell_v: FloatArray
    temperature: FloatArray


def simulate_electric(spec: DriveSpec, cycle: DriveCycle, fault: Fault, rng: np.random.Generator) -> Trace:
    """The whole car over one drive; keys of the trace are the signals of ev.dbc."""
    time_s, count = cycle.time_s, len(cycle.time_s)
    on = ((time_s >= cycle.ready_s) & (time_s < cycle.off_s)).astype(np.float64)
    driving = on * (time_s >= cycle.start_s)
    charging = ((time_s >= 4.0) & (time_s < spec.charge_s - 8.0)).astype(np.float64)
    connected = np.maximum(driving, charging)
    wheel_w = wheel_force(cycle, MASS_KG, DRAG_AREA, ROLLING) * cycle.speed_mps
    regenerated = np.maximum(wheel_w * 0.74, -GREATEST_REGENERATION_W) * np.clip((cycle.speed_mps - 2.0) / 3.0, 0.0, 1.0)
    motor_w = np.where(wheel_w > 0, wheel_w / 0.88, regenerated)
    comfort_w = 380.0 + min(70.0 * abs(spec.ambient_celsius - 22.0), 2600.0)
    demand_w = driving * (motor_w + comfort_w)
    soak = spec.ambient_celsius if spec.soak_celsius is None else spec.soak_celsius
    health = rng.uniform(91.0, 98.5)
    pack = _pack(spec, demand_w, charging, health, soak)
    values = _cells(pack, fault, rng) | _motor(spec, cycle, motor_w * driving, charging, rng)
    dcdc = np.maximum(driving, charging)
    values |= {
        "PackVoltage": pack.cell_v * CELLS,
        "PackCurrent": pack.current + rng.normal(0.0, 0.06, count) * connected,
        "StateOfCharge": pack.soc,
        "StateOfHealth": np.full(count, health),
        "HighVoltageConnected": connected,
        "Charging": charging,
        "BatteryMode": 1.0 + driving + 2.0 * charging,
        "InsulationResistance": rng.uniform(2400.0, 5200.0) + follow(rng.normal(0.0, 300.0, count), 0.0, 20.0),
        "ChargeCurrent": np.maximum(-pack.current, 0.0) * charging,
        "ChargePlug": np.where(time_s < spec.charge_s - 3.0, 1.0 + charging, 0.0),
        "DcdcActive": dcdc,
        "BatteryVoltage": follow(np.where(dcdc > 0, 13.9 - 0.004 * (spec.ambient_celsius - 20.0), 12.75), 12.6, 0.8)
        + rng.normal(0.0, 0.012, count),
        "IgnitionOn": on,
        "VehicleSpeed": cycle.speed_mps * 3.6,
        "BrakePressed": ((cycle.acceleration < -1.0) | (cycle.speed_mps < 0.1)).astype(np.float64) * on,
        "AcceleratorPedal": np.clip(motor_w / 1400.0, 0.0, 100.0) * driving,
        "Odometer": spec.odometer_km + cycle.distance_km,
        "AmbientTemperature": np.full(count, spec.ambient_celsius),
        "Latitude": cycle.latitude,
        "Longitude": cycle.longitude,
    }
    return Trace(time_s=time_s, values=values, asleep_s=cycle.off_s + ASLEEP_AFTER_S)


def _pack(spec: DriveSpec, demand_w: FloatArray, charging: FloatArray, health: float, soak: float) -> Pack:
    """Current and state of charge: the voltage hardly depends on them, so a few rounds of substitution settle both."""
    capacity_ah = CAPACITY_AH * health / 100.0
    ohm = CELL_OHM * CELLS * (1.0 + 0.018 * max(20.0 - soak, 0.0))
    soc = np.full(len(demand_w), spec.state_of_charge)
    current, open_v = np.zeros(len(demand_w)), np.zeros(len(demand_w))
    charge_w = -CHARGE_W * follow(charging, 0.0, 6.0) * charging
    for _ in range(3):
        open_v = np.interp(soc, SOC_POINTS, OPEN_CIRCUIT_V) * CELLS
        taper = np.clip((96.0 - soc) / 16.0, 0.05, 1.0)
        power = demand_w + charge_w * taper
        current = (open_v - np.sqrt(np.maximum(open_v**2 - 4.0 * ohm * power, 0.0))) / (2.0 * ohm)
        soc = np.clip(spec.state_of_charge - np.cumsum(current) * STEP_S / 3600.0 / capacity_ah * 100.0, 0.0, 100.0)
    heating = np.cumsum(current**2 * ohm) * STEP_S / 390_000.0
    warmth = follow(heating, 0.0, 60.0)
    return Pack(current=current, soc=soc, cell_v=(open_v - current * ohm) / CELLS, temperature=soak + warmth)


def _cells(pack: Pack, fault: Fault, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Voltage of every cell: a healthy pack spreads a few millivolts; a bad cell sinks under the others."""
    count = len(pack.soc)
    offsets = rng.normal(0.0, 1.0, CELLS)
    offsets *= rng.uniform(0.006, 0.011) / np.ptp(offsets)
    excess_ohm = CELL_OHM * rng.normal(0.0, 0.008, CELLS)
    depth, module_offsets = rng.uniform(0.15, 0.24), rng.normal(0.0, 0.4, MODULES)
    cells = pack.cell_v[:, None] + offsets - pack.current[:, None] * excess_ohm + rng.normal(0.0, 0.0003, (count, CELLS))
    severity = fault.severity("ev_cell_imbalance", np.arange(count, dtype=np.float64) * STEP_S)
    if fault.place:
        cells[:, fault.place - 1] -= severity * (depth + 0.4 * CELL_OHM * pack.current)
    modules = cells.reshape(count, MODULES, CELLS // MODULES).sum(axis=2)
    spread = 1.0 + 0.02 * np.abs(pack.temperature - pack.temperature[0])
    values = {
        "CellVoltageMax": cells.max(axis=1),
        "CellVoltageMin": cells.min(axis=1),
        "CellIdMax": cells.argmax(axis=1) + 1.0,
        "CellIdMin": cells.argmin(axis=1) + 1.0,
        "TemperatureAverage": pack.temperature,
        "TemperatureMin": pack.temperature - 0.8 * spread,
        "TemperatureMax": pack.temperature + 1.1 * spread,
    }
    for module in range(MODULES):
        values[f"ModuleVoltage{module}"] = modules[:, module]
        values[f"ModuleTemperature{module}"] = pack.temperature + module_offsets[module]
    return values


def _motor(
    spec: DriveSpec, cycle: DriveCycle, motor_w: FloatArray, charging: FloatArray, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Motor speed and torque; temperatures follow the losses through a liquid loop."""
    omega = cycle.speed_mps / WHEEL_RADIUS_M * REDUCTION
    torque = np.clip(np.where(omega > 1.0, motor_w / np.maximum(omega, 15.0), 0.0), -300.0, 300.0)
    loss_w = 0.07 * np.abs(motor_w)
    coolant = spec.ambient_celsius + 6.0 + follow(loss_w, 0.0, 400.0) / 160.0
    return {
        "MotorSpeed": omega * 60 / (2 * np.pi),
        "MotorTorque": torque,
        "MotorTemperature": follow(coolant + loss_w / 60.0, spec.ambient_celsius, 260.0),
        "InverterTemperature": follow(coolant + loss_w / 140.0, spec.ambient_celsius, 45.0) + rng.normal(0.0, 0.2, len(omega)),
        "DcdcTemperature": follow(coolant + 8.0 + 4.0 * charging, spec.ambient_celsius, 150.0),
    }
