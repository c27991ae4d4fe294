"""A car with a 2.0 l four-cylinder petrol engine and a six-speed automatic gearbox."""

from __future__ import annotations

import numpy as np

from simulator.cooling import CoolingCircuit, CoolingHistory, follow, run_circuit
from simulator.drive_cycle import DriveCycle
from simulator.drive_spec import STEP_S, DriveSpec, FloatArray, Trace
from simulator.engine_phases import Phases, phases
from simulator.faults import Fault
from simulator.low_voltage import draw_battery, run_supply
from simulator.road_load import wheel_force

MASS_KG, DRAG_AREA, ROLLING = 1480.0, 0.66, 0.0105
WHEEL_RADIUS_M, FINAL_DRIVE = 0.316, 3.75
GEARS = np.array([4.04, 2.37, 1.56, 1.16, 0.85, 0.67])
DISPLACEMENT_L, GREATEST_TORQUE_NM, FRICTION_NM = 2.0, 195.0, 19.0
BAROMETRIC_KPA, STOICHIOMETRIC = 101.0, 14.7
FUEL_J_PER_G, FUEL_G_PER_L = 43_000.0, 745.0
COOLING = CoolingCircuit(heat_capacity=42_000.0, surface=12.0, surface_per_mps=1.0, radiator=90.0, radiator_per_mps=30.0)
STUCK_OPENING = 0.46
"""How far a failed thermostat stands open."""
MISFIRE_SHARE = 0.12
"""Share of a bad cylinder's ignitions that fail at full severity."""
ASLEEP_AFTER_S = 3.0
"""The buses stay awake that long after key off."""


def simulate_petrol(spec: DriveSpec, cycle: DriveCycle, fault: Fault, rng: np.random.Generator) -> Trace:
    """The whole car over one drive; keys of the trace are the signals of petrol.dbc."""
    time_s = cycle.time_s
    soak = spec.ambient_celsius if spec.soak_celsius is None else spec.soak_celsius
    battery = draw_battery(weak=fault.kind == "weak_12v_battery", blocks=1, rng=rng)
    phase = phases(cycle, battery.crank_s)
    misfiring = fault.severity("misfire", time_s)
    values = _engine(cycle, phase, soak, battery.crank_rpm, misfiring, rng)
    burnt_w = values["FuelRate"] / 3600 * FUEL_G_PER_L * FUEL_J_PER_G
    lost = fault.severity("overheating", time_s)
    coolant = run_circuit(
        COOLING,
        heat_w=burnt_w * (0.40 - 0.14 * values["EngineLoad"] / 100),
        speed_mps=cycle.speed_mps,
        ambient=spec.ambient_celsius,
        start=soak,
        stuck_open=STUCK_OPENING * fault.severity("thermostat_stuck_open", time_s),
        coolant_lost=lost,
    )
    values |= _temperatures(spec, coolant, values, soak, rng)
    values |= _fuelling(cycle, phase, values, rng)
    values |= _misfires(values["EngineSpeed"], phase.running, misfiring, fault.place, rng)
    load_a = 16.0 + 14.0 * coolant.fan + 6.0 * (rng.random() < 0.5)
    supply = run_supply(
        battery,
        time_s=time_s,
        key_on=phase.key_on,
        cranking=phase.cranking,
        running=phase.running,
        load_a=load_a - 8.0 * (1 - phase.running),
        ambient=spec.ambient_celsius,
        rng=rng,
    )
    values |= {
        "BatteryVoltage": supply.voltage,
        "BatteryCurrent": supply.current,
        "IgnitionOn": phase.key_on,
        "StarterEngaged": phase.cranking,
        "KeyPosition": 2 * phase.key_on + phase.cranking,
        "EngineRunning": phase.running,
        "CoolantLevel": np.clip(88.0 - 75.0 * lost, 0.0, 100.0),
        "FanStage": 2 * coolant.fan,
        "VehicleSpeed": cycle.speed_mps * 3.6,
        "BrakePressed": ((cycle.acceleration < -0.4) | (cycle.speed_mps < 0.1)).astype(np.float64) * phase.key_on,
        "Odometer": spec.odometer_km + cycle.distance_km,
        "Latitude": cycle.latitude,
        "Longitude": cycle.longitude,
        "AmbientTemperature": np.full(len(time_s), spec.ambient_celsius),
        "BarometricPressure": np.full(len(time_s), BAROMETRIC_KPA),
    }
    values |= _lamp(values["MisfireCountAll"], coolant.temperature, time_s)
    return Trace(time_s=time_s, values=values, asleep_s=cycle.off_s + ASLEEP_AFTER_S)


def _gears(speed_mps: FloatArray, force: FloatArray) -> FloatArray:
    """Gear 1-6 at each step: holds the engine between 1250 and about 2300 rpm, lower under load."""
    rpm_per_ratio = speed_mps / WHEEL_RADIUS_M * FINAL_DRIVE * 60 / (2 * np.pi)
    upshift = 2000.0 + 900.0 * np.clip(force / 4500.0, 0.0, 1.0)
    gear, since, gears = 0, 0, np.empty(len(speed_mps))
    for step, (turns, limit) in enumerate(zip(rpm_per_ratio.tolist(), upshift.tolist(), strict=True)):
        since += 1
        if gear < 5 and since > 8 and turns * GEARS[gear] > limit:
            gear, since = gear + 1, 0
        elif gear > 0 and turns * GEARS[gear] < 1250.0:
            gear, since = gear - 1, 0
        gears[step] = gear + 1
    return gears


def _engine(
    cycle: DriveCycle, phase: Phases, soak: float, crank_rpm: float, misfiring: FloatArray, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Speed, torque, air and fuel."""
    running, count = phase.running, len(cycle.time_s)
    force = wheel_force(cycle, MASS_KG, DRAG_AREA, ROLLING)
    gears = _gears(cycle.speed_mps, force)
    ratio = GEARS[gears.astype(np.intp) - 1] * FINAL_DRIVE
    run_s = np.cumsum(running) * STEP_S
    idle = 740.0 + 8.0 * max(60.0 - soak, 0.0) * np.exp(-run_s / 110.0)
    flare = 450.0 * np.exp(-run_s / 0.8) * running
    driveline = cycle.speed_mps / WHEEL_RADIUS_M * ratio * 60 / (2 * np.pi)
    rough = rng.normal(0.0, 1.0, count) * (5.0 + 28.0 * misfiring)
    speed = running * (follow(np.maximum(idle, driveline), idle[0], 0.35) + flare + rough) + phase.cranking * crank_rpm
    omega = np.maximum(speed, 500.0) * 2 * np.pi / 60
    wheel_w = force * cycle.speed_mps
    driven = np.where(wheel_w > 0, wheel_w / 0.90, wheel_w * 0.85) / omega
    fuel_cut = (driven < -FRICTION_NM) & (speed > 1150.0)
    creep = 7.0 * (cycle.speed_mps < 0.5)
    indicated = np.clip(driven + FRICTION_NM + creep, 6.0, GREATEST_TORQUE_NM + FRICTION_NM) * running
    filling = np.clip(indicated / (GREATEST_TORQUE_NM + FRICTION_NM), 0.0, 1.0)
    hunting = 1.0 + follow(rng.normal(0.0, 0.08, count), 0.0, 0.6)  # the driver's foot and the idle controller
    filling = np.where(fuel_cut, 0.12, np.clip(filling, 0.155, 1.0) * hunting) * running
    air = 0.86 * filling * DISPLACEMENT_L * speed / 120.0 * 1.18 * 1.12
    fuel_lph = np.where(fuel_cut, 0.0, air / STOICHIOMETRIC * 3600 / FUEL_G_PER_L)
    throttle = np.clip(4.0 + 96.0 * (filling * (0.25 + 0.75 * np.minimum(speed, 6000) / 6000)) ** 0.85, 0.0, 100.0)
    pedal = np.where(fuel_cut | (cycle.speed_mps < 0.5), 0.0, np.clip(filling * 85.0 - 14.0, 0.0, 100.0))
    return {
        "EngineSpeed": speed,
        "EngineTorque": np.where(running > 0, np.where(fuel_cut, -FRICTION_NM, indicated - FRICTION_NM), 0.0)
        * (1 - 0.25 * MISFIRE_SHARE * misfiring),
        "EngineLoad": filling * 100.0,
        "ManifoldPressure": np.where(running > 0, 14.0 + (BAROMETRIC_KPA - 16.0) * filling, BAROMETRIC_KPA),
        "ThrottlePosition": np.where(running > 0, throttle, 6.0),
        "AcceleratorPedal": pedal * running,
        "CurrentGear": gears * running,
        "MassAirFlow": air,
        "FuelRate": fuel_lph,
        "FuelCut": fuel_cut * running,
    }


def _temperatures(
    spec: DriveSpec, coolant: CoolingHistory, values: dict[str, FloatArray], soak: float, rng: np.random.Generator
) -> dict[str, FloatArray]:
    count = len(coolant.temperature)
    load = values["EngineLoad"] / 100
    oil = follow(coolant.temperature + 3.0 + 22.0 * load, soak, 210.0)
    thickness = np.clip(np.exp(-(oil - 95.0) / 55.0), 0.6, 4.0)
    pressure_kpa = np.minimum(30.0 + 0.135 * values["EngineSpeed"] * thickness**0.5, 430.0 + 20.0 * (thickness - 1.0))
    spinning = values["EngineSpeed"] > 50
    intake = follow(
        spec.ambient_celsius + np.clip(14.0 - 0.3 * values["MassAirFlow"], 2.0, 14.0) * (coolant.temperature > 50), soak, 60.0
    )
    return {
        "CoolantTemperature": coolant.temperature + rng.normal(0.0, 0.06, count),
        "OilTemperature": oil,
        "OilPressure": follow(pressure_kpa * spinning, 0.0, 0.5) / 100.0,
        "IntakeAirTemperature": intake,
        "TransmissionTemperature": follow(np.minimum(coolant.temperature, 105.0) - 6.0, soak, 420.0),
    }


def _fuelling(cycle: DriveCycle, phase: Phases, values: dict[str, FloatArray], rng: np.random.Generator) -> dict[str, FloatArray]:
    """Trims (closed loop above 40 °C), ignition timing, tank."""
    count = len(cycle.time_s)
    closed = phase.running * (values["CoolantTemperature"] > 40.0) * (1 - values["FuelCut"])
    short = follow(rng.normal(0.0, 9.0, count), 0.0, 1.5) * closed
    long = np.full(count, rng.uniform(-3.0, 3.0)) + follow(rng.normal(0.0, 4.0, count), 0.0, 40.0)
    load = values["EngineLoad"] / 100
    timing = np.where(
        phase.running > 0, 8.0 + 0.008 * np.maximum(values["EngineSpeed"] - 700.0, 0.0) * (1 - 0.5 * load) - 6.0 * load, 0.0
    )
    used_l = np.cumsum(values["FuelRate"]) * STEP_S / 3600
    return {
        "ShortTermFuelTrim": short,
        "LongTermFuelTrim": long,
        "IgnitionTiming": np.clip(timing, -10.0, 45.0),
        "FuelLevel": np.clip(rng.uniform(45.0, 90.0) - used_l / 52.0 * 100.0, 0.0, 100.0),
    }


def _misfires(
    engine_speed: FloatArray, running: FloatArray, severity: FloatArray, cylinder: int, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Misfires of each cylinder over the last 1000 revolutions: one ignition a cylinder every two revolutions."""
    turns = engine_speed * running / 60 * STEP_S
    revolutions = np.cumsum(turns)
    window_start = np.searchsorted(revolutions, revolutions - 1000.0, side="right")
    counts: dict[str, FloatArray] = {}
    for number in range(1, 5):
        share = 0.0003 + (MISFIRE_SHARE * severity if number == cylinder else 0.0)
        failed = np.cumsum(rng.poisson(turns / 2 * share))
        before = np.where(window_start > 0, failed[np.maximum(window_start - 1, 0)], 0)
        counts[f"MisfireCount{number}"] = (failed - before).astype(np.float64)
    counts["MisfireCountAll"] = sum(counts.values(), np.zeros(len(turns)))
    alternating = (np.arange(len(turns)) // 5) % 2
    return counts | {"CylinderPair": alternating.astype(np.float64)}


def _lamp(misfires: FloatArray, coolant: FloatArray, time_s: FloatArray) -> dict[str, FloatArray]:
    """The malfunction lamp flashes while misfires harm the catalyst, and stays on after that or after overheating."""
    flashing = misfires >= 40.0
    lit = np.maximum.accumulate((flashing | (coolant >= 120.0)) & (time_s > 0))
    return {"MilOn": lit.astype(np.float64), "MilState": np.where(flashing, 2.0, lit)}
