"""Lead-acid battery, starter and alternator (12 V or 24 V)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.drive_spec import STEP_S, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class StartingBattery:
    """A battery on the day of the drive.

    Attributes:
        rest_v: open-circuit voltage. resistance_ohm: of battery and cables at 20 °C.
        starter_a: current while the starter turns, at 20 °C. inrush: greatest over mean current.
        crank_s: how long the engine turns before it fires. crank_rpm: how fast.
    """

    rest_v: float
    resistance_ohm: float
    starter_a: float
    inrush: float
    crank_s: float
    crank_rpm: float


def draw_battery(*, weak: bool, blocks: int, rng: np.random.Generator) -> StartingBattery:
    """A healthy or weak battery; `blocks` 12 V blocks in series (1 = car, 2 = truck)."""
    rest, resistance, crank = rng.uniform(12.55, 12.70), rng.uniform(0.0042, 0.0054), rng.uniform(0.6, 1.0)
    weak_rest, weak_resistance, weak_crank = rng.uniform(11.60, 11.85), rng.uniform(0.0165, 0.0190), rng.uniform(2.2, 3.4)
    return StartingBattery(
        rest_v=blocks * (weak_rest if weak else rest),
        resistance_ohm=weak_resistance if weak else resistance * (1.0 if blocks == 1 else 0.9),
        starter_a=180.0 if blocks == 1 else 420.0,
        inrush=1.25 if weak else 2.0,
        crank_s=round(weak_crank if weak else crank, 1),
        crank_rpm=rng.uniform(115, 145) if weak else rng.uniform(220, 260) if blocks == 1 else rng.uniform(170, 200),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Voltage at the battery's terminals, V, and its current, A (positive when charged), at each step."""

    voltage: FloatArray
    current: FloatArray


def run_supply(
    battery: StartingBattery,
    *,
    time_s: FloatArray,
    key_on: FloatArray,
    cranking: FloatArray,
    running: FloatArray,
    load_a: FloatArray,
    ambient: float,
    rng: np.random.Generator,
) -> Supply:
    """Voltage and current over a drive; `load_a` are the consumers. Cold raises the resistance and the drag a little."""
    blocks = 2 if battery.rest_v > 20 else 1
    cold = 1.0 + 0.006 * max(20.0 - ambient, 0.0)
    since_crank = np.cumsum(cranking) * STEP_S
    pulses = 1.0 + 0.06 * np.sin(2 * np.pi * 3.1 * time_s)
    starter = (
        cranking
        * battery.starter_a
        * pulses
        * (1.0 + (battery.inrush - 1.0) * np.exp(-np.maximum(since_crank - STEP_S, 0.0) / 0.12))
    )
    charged_s = np.cumsum(running) * STEP_S
    deficit = 13.0 - battery.rest_v / blocks
    charging = running * (4.0 + 38.0 * deficit * np.exp(-charged_s / 420.0))
    target = blocks * (14.25 - 0.006 * (ambient - 20.0)) - 0.0025 * load_a * running
    surface = 0.35 * blocks * (1 - np.exp(-charged_s / 300.0)) * (1 - running)
    sagging = battery.rest_v + surface - battery.resistance_ohm * (np.where(running > 0, 0.0, load_a) * key_on + starter * cold)
    ripple = rng.normal(0.0, 0.007 * blocks, len(time_s)) * (running + 0.2)
    voltage = np.where(running > 0, np.clip(target, blocks * 13.85, blocks * 14.55), sagging) + ripple
    current = np.where(running > 0, charging, -(load_a * key_on + starter))
    return Supply(voltage=voltage, current=current)
