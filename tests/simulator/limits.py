"""Limits that a sound vehicle keeps and a faulty one breaks, judged on the values that a decoder would see."""

import numpy as np

from simulator.drive_spec import SimulatedDrive

ENGINE = "Vehicle.Powertrain.CombustionEngine."
COOLANT = ENGINE + "EngineCoolant.Temperature"
BATTERY = "Vehicle.Powertrain.TractionBattery."
VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"


def seconds_of(drive: SimulatedDrive, path: str):
    time_ns, values = drive.signals[path]
    return (time_ns - drive.spec.start_ns) / 1e9, values


def held(drive: SimulatedDrive, path: str, time_s):
    """The last value of a signal at each time (NaN before its first)."""
    own_s, values = seconds_of(drive, path)
    rows = np.searchsorted(own_s, time_s, side="right") - 1
    return np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan)


def longest_s(time_s, condition) -> float:
    """Longest unbroken stretch of samples that fulfil a condition."""
    longest, since = 0.0, None
    for now, true in zip(time_s.tolist(), condition.tolist(), strict=True):
        since = (now if since is None else since) if true else None
        longest = max(longest, now - since if since is not None else 0.0)
    return longest


def is_overheating(drive) -> bool:
    time_s, coolant = seconds_of(drive, COOLANT)
    return longest_s(time_s, coolant >= 115.0) > 10.0


def stays_cold(drive) -> bool:
    speed_s, rpm = seconds_of(drive, ENGINE + "Speed")
    started = speed_s[np.argmax(rpm > 500)]
    time_s, coolant = seconds_of(drive, COOLANT)
    return longest_s(time_s, (coolant < 70.0) & (time_s > started + 1200.0)) > 60.0


def cranks_weakly(drive) -> bool:
    time_s, volts = seconds_of(drive, VOLTAGE)
    return bool((volts[time_s < 60.0] < 9.6).any())


def misfires(drive) -> bool:
    return any(seconds_of(drive, f"{ENGINE}Cylinder{n}.MisfireCount")[1].max() > 20 for n in range(1, 5))


def cells_part(drive) -> bool:
    time_s, lowest = seconds_of(drive, BATTERY + "CellVoltage.Min")
    spread = held(drive, BATTERY + "CellVoltage.Max", time_s) - lowest
    current, soc = held(drive, BATTERY + "CurrentCurrent", time_s), held(drive, BATTERY + "StateOfCharge.Current", time_s)
    return bool(((spread > 0.10) & (np.abs(current) < 20.0) & (soc > 30.0) & (soc < 80.0)).any())


def loses_oil_pressure(drive) -> bool:
    time_s, pressure = seconds_of(drive, ENGINE + "EOP")
    return longest_s(time_s, (pressure < 70.0) & (held(drive, ENGINE + "Speed", time_s) > 500.0)) > 5.0


LIMITS = {
    "petrol": {
        "overheating": is_overheating,
        "thermostat_stuck_open": stays_cold,
        "weak_12v_battery": cranks_weakly,
        "misfire": misfires,
        "low_oil_pressure": loses_oil_pressure,
    },
    "ev": {"ev_cell_imbalance": cells_part},
    "truck": {"red_stop_lamp": loses_oil_pressure, "overheating": is_overheating, "thermostat_stuck_open": stays_cold},
}


def broken_limits(drive: SimulatedDrive) -> set[str]:
    return {name for name, breaks in LIMITS[drive.spec.powertrain].items() if breaks(drive)}
