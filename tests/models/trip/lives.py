"""Made-up lives of a car that sends everything that any detector looks at."""

from __future__ import annotations

import numpy as np

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch
from models.trip.channels import CHANNELS
from models.trip.panes import NS_PER_S, PANE_S

START_NS = 20_000 * 86_400 * NS_PER_S
PATHS = tuple(each.path for each in CHANNELS)
NUMBER = {each.name: number for number, each in enumerate(CHANNELS)}

# about where each channel of a warm car under way stands, and how it scatters
LEVELS = {
    "engine_speed_rpm": (1800.0, 200.0),
    "battery_v": (14.1, 0.05),
    "module_v": (14.0, 0.05),
    "speed_kmh": (60.0, 10.0),
    "coolant_c": (90.0, 1.0),
    "load_percent": (35.0, 8.0),
    "torque_percent": (30.0, 8.0),
    "ambient_c": (15.0, 1.0),
    "intake_c": (25.0, 2.0),
    "oil_c": (95.0, 3.0),
    "oil_kpa": (350.0, 10.0),
    "long_trim_percent": (1.0, 0.5),
    "misfires": (0.5, 0.3),
    "fuel_kpa": (450.0, 8.0),
    "boost_kpa": (85.0, 4.0),
    "boost_desired_kpa": (86.0, 4.0),
    "egr_commanded_percent": (25.0, 4.0),
    "egr_error_percent": (0.0, 1.0),
    "dpf_pa": (4000.0, 200.0),
    "dpf_soot_percent": (40.0, 2.0),
    "dpf_regenerating": (0.0, 0.0),
    "exhaust_kgph": (200.0, 15.0),
    "scr_inlet_c": (300.0, 10.0),
    "nox_in_ppm": (500.0, 30.0),
    "nox_out_ppm": (40.0, 4.0),
    "pack_v": (360.0, 3.0),
    "pack_a": (-40.0, 20.0),
    "soc_percent": (60.0, 4.0),
    "pack_c": (25.0, 1.0),
    "pack_low_c": (24.0, 0.5),
    "pack_high_c": (27.0, 0.5),
    "cell_low_v": (3.70, 0.003),
    "cell_high_v": (3.72, 0.003),
    "isolation_kohm": (5000.0, 200.0),
}


def level_of(name: str) -> tuple[float, float]:
    """(mean, scatter) of a channel."""
    if name.startswith("tyre_"):
        return (240.0, 1.5) if name.endswith("kpa") else (25.0, 1.0)
    if name.startswith("pad_"):
        return 30.0, 0.2
    return LEVELS.get(name, (50.0, 2.0))


def life(vehicle: str = "car", *, trips: int = 3, minutes: float = 30.0, seed: int = 1, start_ns: int = START_NS) -> SampleBatch:
    """Trips a day apart, everything every ten seconds, with a start of the engine before each and a tick after it."""
    rng = np.random.default_rng(seed)
    parts = [_trip(rng, start_ns + day * 86_400 * NS_PER_S, minutes) for day in range(trips)]
    time_ns, signal, value = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(time_ns, kind="stable")
    return SampleBatch(
        vehicles=(vehicle,),
        paths=PATHS,
        time_ns=time_ns[order],
        vehicle=np.zeros(len(time_ns), np.int32),
        signal=signal[order].astype(np.int32),
        value=value[order],
    )


def _trip(rng: np.random.Generator, start_ns: int, minutes: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    steps = int(minutes * 60 / PANE_S)
    grid = start_ns + 5 * NS_PER_S + np.arange(steps) * PANE_S * NS_PER_S
    columns = [_start_of_engine(rng, start_ns)]
    for number, channel in enumerate(CHANNELS):
        mean, scatter = level_of(channel.name)
        value = np.clip(mean + scatter * rng.standard_normal(steps), channel.low, channel.high)
        if channel.name == "soc_percent":
            value = np.linspace(80.0, 80.0 - minutes, steps)
        columns.append((grid + rng.integers(0, NS_PER_S, steps), np.full(steps, number), value))
    columns.append((np.array([grid[-1] + 2 * NS_PER_S]), np.array([TICK_SIGNAL]), np.array([float(TickKind.END_OF_DRIVE)])))
    time_ns, signal, value = (np.concatenate(each) for each in zip(*columns, strict=True))
    return time_ns, signal, value


def _start_of_engine(rng: np.random.Generator, start_ns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At rest for a second, turned for one, running afterwards: 20 records a second of voltage and engine speed."""
    seconds = np.arange(0.0, 4.0, 0.05)
    turning, running = (seconds >= 1.0) & (seconds < 2.0), seconds >= 2.0
    volts = np.where(turning, 10.2, np.where(running, 13.9, 12.6)) + 0.05 * rng.standard_normal(len(seconds))
    rpm = np.where(turning, 220.0, np.where(running, 900.0, 0.0))
    time_ns = start_ns + (seconds * NS_PER_S).astype(np.int64)
    both = np.concatenate((np.full(len(seconds), NUMBER["battery_v"]), np.full(len(seconds), NUMBER["engine_speed_rpm"])))
    return np.concatenate((time_ns, time_ns + 1)), both, np.concatenate((volts, rpm))
