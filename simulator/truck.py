"""A 30 t truck with a 12.8 l diesel engine, twelve gears, air brakes and a 24 V system, as it shows itself on SAE J1939."""

from __future__ import annotations

import numpy as np

from simulator.cooling import CoolingCircuit, follow, run_circuit
from simulator.drive_cycle import DriveCycle
from simulator.drive_spec import STEP_S, DriveSpec, FloatArray, Trace
from simulator.engine_phases import Phases, phases
from simulator.faults import Fault
from simulator.low_voltage import draw_battery, run_supply
from simulator.road_load import wheel_force

MASS_KG, DRAG_AREA, ROLLING = 30_000.0, 6.2, 0.0055
WHEEL_RADIUS_M, FINAL_DRIVE = 0.50, 2.85
GEARS = 1.0 * 1.28 ** np.arange(11, -1, -1)
GREATEST_TORQUE_NM, FRICTION_NM, INDICATED_EFFICIENCY = 2400.0, 130.0, 0.46
DIESEL_J_PER_L = 35_900_000.0
COOLING = CoolingCircuit(
    heat_capacity=190_000.0,
    surface=45.0,
    surface_per_mps=2.5,
    radiator=400.0,
    radiator_per_mps=150.0,
    opens=83.0,
    wide_open=96.0,
    fan_on=98.0,
    fan_off=93.0,
)
COMPRESSOR_CUT_IN_KPA, COMPRESSOR_CUT_OUT_KPA = 860.0, 1010.0
RELIEF_VALVE_KPA = 480.0
ASLEEP_AFTER_S = 2.0


def simulate_truck(spec: DriveSpec, cycle: DriveCycle, fault: Fault, rng: np.random.Generator) -> Trace:
    """The whole truck over one drive; keys of the trace are the signals of truck.dbc."""
    time_s, count = cycle.time_s, len(cycle.time_s)
    soak = spec.ambient_celsius if spec.soak_celsius is None else spec.soak_celsius
    battery = draw_battery(weak=False, blocks=2, rng=rng)
    phase = phases(cycle, battery.crank_s)
    values = _engine(cycle, phase, soak, battery.crank_rpm, rng)
    lost = np.zeros(count)
    fuel_w = values["FuelRate"] / 3600 * DIESEL_J_PER_L
    coolant = run_circuit(
        COOLING,
        heat_w=fuel_w * (0.34 - 0.12 * values["EngineLoad"] / 100),
        speed_mps=cycle.speed_mps,
        ambient=spec.ambient_celsius,
        start=soak,
        stuck_open=lost,
        coolant_lost=lost,
    )
    worn = fault.severity("red_stop_lamp", time_s)
    values |= _fluids(spec, coolant.temperature, values, worn, soak, rng)
    supply = run_supply(
        battery,
        time_s=time_s,
        key_on=phase.key_on,
        cranking=phase.cranking,
        running=phase.running,
        load_a=14.0 + 16.0 * phase.running,
        ambient=spec.ambient_celsius,
        rng=rng,
    )
    hours = 9_000.0 * spec.odometer_km / 600_000.0 + np.cumsum(phase.running) * STEP_S / 3600
    values |= {
        "BatteryVoltage": supply.voltage,
        "KeySwitchVoltage": np.where(phase.key_on > 0, supply.voltage - 0.2, 0.0),
        "ChargingVoltage": np.where(phase.running > 0, supply.voltage + 0.1, supply.voltage),
        "NetBatteryCurrent": np.clip(supply.current, -125.0, 125.0),
        "AlternatorCurrent": np.clip((supply.current + 30.0) * phase.running, 0.0, 150.0),
        "StarterMode": phase.cranking + 2.0 * phase.running,
        "ControllingDevice": np.zeros(count),
        "EngineTorqueMode": (values["AcceleratorPedal"] > 1.0).astype(np.float64),
        "VehicleSpeed": cycle.speed_mps * 3.6,
        "ParkingBrake": ((time_s < cycle.pull_away_s - 3.0) | (time_s > cycle.park_s + 3.0)).astype(np.float64),
        "BrakeSwitch": (cycle.acceleration < -0.35).astype(np.float64),
        "CruiseActive": ((cycle.speed_mps > 20.0) & (np.abs(cycle.acceleration) < 0.15)).astype(np.float64),
        "Odometer": spec.odometer_km + cycle.distance_km,
        "TripDistance": cycle.distance_km,
        "EngineHours": hours,
        "EngineRevolutions": hours * 60 * 1150.0,
        "Latitude": cycle.latitude,
        "Longitude": cycle.longitude,
        "AmbientTemperature": np.full(count, spec.ambient_celsius),
        "BarometricPressure": np.full(count, 101.0),
        "ExhaustFluidLevel": np.full(count, rng.uniform(40.0, 90.0)),
    }
    values |= _air(phase, cycle, rng)
    return Trace(time_s=time_s, values=values, asleep_s=cycle.off_s + ASLEEP_AFTER_S)


def _gears(speed_mps: FloatArray) -> FloatArray:
    """Gear 1-12 at each step: holds the engine between 950 and 1500 rpm, skipping where the speed asks for it."""
    per_ratio = speed_mps / WHEEL_RADIUS_M * FINAL_DRIVE * 60 / (2 * np.pi)
    gear, since, gears = 2, 0, np.empty(len(speed_mps))
    for step, turns in enumerate(per_ratio.tolist()):
        since += 1
        if gear < 11 and since > 10 and turns * GEARS[gear] > 1500.0:
            gear, since = gear + 1, 0
        elif gear > 2 and turns * GEARS[gear] < 950.0:
            gear, since = gear - 1, 0
        gears[step] = gear + 1
    return gears


def _engine(cycle: DriveCycle, phase: Phases, soak: float, crank_rpm: float, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Speed, torque, fuel, charge air, exhaust."""
    running = phase.running
    gears = _gears(cycle.speed_mps)
    ratio = GEARS[gears.astype(np.intp) - 1] * FINAL_DRIVE
    run_s = np.cumsum(running) * STEP_S
    idle = 600.0 + 3.0 * max(40.0 - soak, 0.0) * np.exp(-run_s / 180.0)
    driveline = cycle.speed_mps / WHEEL_RADIUS_M * ratio * 60 / (2 * np.pi)
    turning = follow(np.maximum(idle, driveline), idle[0], 0.5) + rng.normal(0.0, 2.0, len(run_s))
    speed = running * turning + phase.cranking * crank_rpm
    omega = np.maximum(speed, 400.0) * 2 * np.pi / 60
    wheel_w = wheel_force(cycle, MASS_KG, DRAG_AREA, ROLLING) * cycle.speed_mps
    driven = np.where(wheel_w > 0, wheel_w / 0.92, 0.0) / omega
    indicated = np.clip(driven + FRICTION_NM, 0.0, GREATEST_TORQUE_NM) * running
    overrun = (wheel_w < -4000.0) & (speed > 850.0)
    indicated = np.where(overrun, 0.0, indicated)
    share = indicated / GREATEST_TORQUE_NM
    load = follow(share, 0.0, 1.2)
    return {
        "EngineSpeed": speed,
        "CurrentGear": np.where((cycle.speed_mps < 0.3) | (running < 1), 0.0, gears),
        "SelectedGear": np.where((cycle.speed_mps < 0.3) | (running < 1), 0.0, gears),
        "ActualGearRatio": GEARS[gears.astype(np.intp) - 1],
        "ActualEngineTorque": share * 100.0,
        "DriverDemandTorque": np.clip(share * 100.0 - 4.0, 0.0, 100.0),
        "EngineLoad": share * 100.0,
        "AcceleratorPedal": np.where(overrun | (cycle.speed_mps < 0.3), 0.0, np.clip(share * 95.0 - 5.0, 0.0, 100.0)) * running,
        "FuelRate": indicated * omega / INDICATED_EFFICIENCY / DIESEL_J_PER_L * 3600,
        "BoostPressure": 190.0 * load * np.clip((speed - 500.0) / 900.0, 0.0, 1.0),
        "ExhaustGasTemperature": follow(np.where(running > 0, 130.0 + 360.0 * share, 60.0), soak, 25.0),
        "FuelDeliveryPressure": follow(running * (480.0 + 0.06 * speed), 0.0, 1.0),
    }


def _fluids(
    spec: DriveSpec, coolant: FloatArray, values: dict[str, FloatArray], worn: FloatArray, soak: float, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Temperatures, pressures and levels; `worn` (0..1) takes the oil."""
    count, load = len(coolant), values["EngineLoad"] / 100
    oil = follow(coolant + 4.0 + 18.0 * load, soak, 300.0)
    thickness = np.clip(np.exp(-(oil - 95.0) / 60.0), 0.7, 4.0)
    pumped = 25.0 + 0.27 * values["EngineSpeed"] * thickness**0.4
    relieved = pumped / (1.0 + (pumped / RELIEF_VALVE_KPA) ** 6) ** (1 / 6)
    pressure = relieved * (1.0 - 0.88 * worn)
    used_l = np.cumsum(values["FuelRate"]) * STEP_S / 3600
    return {
        "CoolantTemperature": coolant + rng.normal(0.0, 0.1, count),
        "OilTemperature": oil,
        "OilPressure": follow(pressure * (values["EngineSpeed"] > 100), 0.0, 0.6),
        "OilLevel": np.clip(rng.uniform(70.0, 90.0) * (1.0 - 0.88 * worn), 0.0, 100.0),
        "CoolantLevel": np.full(count, rng.uniform(80.0, 96.0)),
        "CoolantPressure": np.clip(0.9 * (coolant - 45.0), 0.0, 90.0),
        "FuelTemperature": follow(np.full(count, spec.ambient_celsius + 18.0), spec.ambient_celsius, 900.0),
        "IntakeAirTemperature": np.full(count, spec.ambient_celsius + 3.0),
        "IntakeManifoldTemperature": follow(spec.ambient_celsius + 12.0 + 20.0 * load, soak, 20.0),
        "TransmissionTemperature": follow(np.minimum(coolant, 95.0) - 4.0, soak, 900.0),
        "FuelLevel": np.clip(rng.uniform(40.0, 92.0) - used_l / 600.0 * 100.0, 0.0, 100.0),
    }


def _air(phase: Phases, cycle: DriveCycle, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Brake air: the compressor cuts in and out, every braking takes some; two circuits and the supply."""
    pressure, pumping, circuit = float(rng.uniform(880.0, 960.0)), False, np.empty(len(cycle.time_s))
    braking = np.clip(-cycle.acceleration - 0.35, 0.0, 1.0) * (cycle.speed_mps > 0.1)
    for step, (running, brake) in enumerate(zip(phase.running.tolist(), braking.tolist(), strict=True)):
        pumping = running > 0 and pressure < (COMPRESSOR_CUT_OUT_KPA if pumping else COMPRESSOR_CUT_IN_KPA)
        pressure += ((5.0 if pumping else 0.0) - 9.0 * brake - 0.04) * STEP_S
        circuit[step] = pressure
    return {"AirPressure1": circuit, "AirPressure2": circuit - 12.0, "AirSupplyPressure": circuit + 16.0}
