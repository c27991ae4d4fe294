"""An engine's cooling circuit: one lump of metal and coolant, thermostat, radiator, fan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from simulator.drive_spec import STEP_S, FloatArray

BOILING_CELSIUS = 124.0
"""At the pressure of a radiator cap; above it steam carries heat away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolingCircuit:
    """Sizes of a circuit.

    Attributes:
        heat_capacity: J/K of block, head and coolant.
        surface, surface_per_mps: W/K lost by the engine's surface and cabin heater, at rest and per m/s of speed.
        radiator, radiator_per_mps: W/K of the radiator with the thermostat fully open, in still air and per m/s of air.
        opens, wide_open: °C of the thermostat. wax_s: its time constant.
        fan_on, fan_off: °C. fan_mps: air that the fan draws.
    """

    heat_capacity: float
    surface: float
    surface_per_mps: float
    radiator: float
    radiator_per_mps: float
    opens: float = 87.0
    wide_open: float = 99.0
    wax_s: float = 12.0
    fan_on: float = 97.0
    fan_off: float = 92.0
    fan_mps: float = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolingHistory:
    """Temperature °C, thermostat opening 0..1 and fan 0/1 at each step."""

    temperature: FloatArray
    opening: FloatArray
    fan: FloatArray


def run_circuit(
    circuit: CoolingCircuit,
    *,
    heat_w: FloatArray,
    speed_mps: FloatArray,
    ambient: float,
    start: float,
    stuck_open: FloatArray,
    coolant_lost: FloatArray,
) -> CoolingHistory:
    """Step the circuit (explicit Euler).

    `heat_w` is the heat into the coolant at each step, `start` °C at the first step, `stuck_open` the least opening of
    the thermostat (0..1); `coolant_lost` (0..1) takes flow from the radiator and stops the fan.
    """
    count = len(heat_w)
    temperature, opening, fan = np.empty(count), np.empty(count), np.empty(count)
    degrees, valve, running = start, 0.0, False
    steps = zip(heat_w.tolist(), speed_mps.tolist(), stuck_open.tolist(), coolant_lost.tolist(), strict=True)
    for step, (heat, speed, stuck, lost) in enumerate(steps):
        wanted = min(max((degrees - circuit.opens) / (circuit.wide_open - circuit.opens), 0.0), 1.0)
        valve += (wanted - valve) * STEP_S / circuit.wax_s
        flow = max(valve, stuck) * (1.0 - 0.95 * lost)
        running = lost < 0.5 and degrees > (circuit.fan_off if running else circuit.fan_on)
        air = speed + (circuit.fan_mps if running else 0.0)
        surface = (circuit.surface + circuit.surface_per_mps * speed) * (1.0 - 0.5 * lost)  # the cabin heater runs dry too
        surface = (circuit.surface + circuit.surface_per_mps * speed) * (1.0 - 0.5 * lost)  # the cabin heater runs dry too
        conductance = surface + flow * (circuit.radiator + circuit.radiator_per_mps * air)
        steam = 2500.0 * max(degrees - BOILING_CELSIUS, 0.0)
        capacity = circuit.heat_capacity * (1.0 - 0.35 * lost)
        degrees += (heat - conductance * (degrees - ambient) - steam) * STEP_S / capacity
        temperature[step], opening[step], fan[step] = degrees, flow, float(running)
    return CoolingHistory(temperature=temperature, opening=opening, fan=fan)


def follow(target: FloatArray, start: float, seconds: float) -> FloatArray:
    """A first-order lag behind `target`."""
    keep = float(np.exp(-STEP_S / seconds))
    followed, _ = lfilter([1 - keep], [1.0, -keep], target, zi=[keep * start])
    return np.asarray(followed, np.float64)
