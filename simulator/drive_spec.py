"""What to simulate, and what a simulation gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.fleet import DEVELOPMENT_KEY, pseudonym
from domain.frames import FrameBatch

FloatArray = NDArray[np.float64]

STEP_S = 0.1
"""Step of the physics, seconds: fine enough for a cranking dip."""

MINIMUM_DURATION_S = 180.0
"""Key on, cranking, idling, a short way, parking, key off."""

FIRST_START_NS = 1_772_409_600_000_000_000
"""2026-03-02 08:00 in Shanghai: where simulated fleets begin unless told otherwise."""

FAULTS: Mapping[str, tuple[str, ...]] = {
    "petrol": ("thermostat_stuck_open", "overheating", "weak_12v_battery", "misfire"),
    "ev": ("ev_cell_imbalance",),
    "truck": ("red_stop_lamp",),
}
"""Powertrain -> faults that it can develop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveSpec:
    """One drive of one vehicle, key on to key off; equal specs give equal drives.

    Attributes:
        vin: 17 characters. powertrain: "petrol", "ev" or "truck". fault: one of `FAULTS[powertrain]`, None = healthy.
        start_ns: event time of the first record. duration_s: first to last record.
        cycle: "city", "mixed" or "highway".
        soak_celsius: temperature of engine or battery at the start, None = ambient (parked overnight).
        onset_s: when the fault begins, None = drawn from the seed in the way of the fault.
        rate: messages are sent this many times as often as the vehicle's DBC says (its values still move with the physics).
        charge_s: seconds on a DC charger before driving off (electric only). state_of_charge: at the start, percent.
    """

    vin: str
    powertrain: str = "petrol"
    fault: str | None = None
    seed: int = 0
    start_ns: int = FIRST_START_NS
    duration_s: float = 1200.0
    cycle: str = "mixed"
    ambient_celsius: float = 20.0
    latitude: float = 31.2304
    longitude: float = 121.4737
    odometer_km: float = 32_000.0
    soak_celsius: float | None = None
    onset_s: float | None = None
    charge_s: float = 0.0
    state_of_charge: float = 72.0
    rate: float = 1.0

    @property
    def vehicle(self) -> str:
        """The vehicle's pseudonym under the development key."""
        return pseudonym(DEVELOPMENT_KEY, self.vin)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLabel:
    """The truth about one fault, for evaluation only: nothing in the pipeline reads it."""

    vin: str
    kind: str
    onset_ns: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the physics says, every `STEP_S` from the first record on.

    Attributes:
        time_s: float64[n]. values: name of the signal in the vehicle's DBC -> float64[n] in that signal's unit;
            NaN where the vehicle has no value to send.
        asleep_s: the buses fall silent then.
    """

    time_s: FloatArray
    values: Mapping[str, FloatArray]
    asleep_s: float

    def at(self, name: str, time_s: float) -> float:
        """Value of a signal at a time, held from the step before."""
        return float(self.values[name][min(int(time_s / STEP_S), len(self.time_s) - 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDrive:
    """A drive as its vehicle sends it, and the truth behind it.

    Attributes:
        frames: every CAN frame in order of time, of one vehicle and one message (a log file).
        signals: VSS path -> (time_ns int64[k], value float64[k]): what a decoder should find on the vehicle's own
            messages, in VSS units at the bus's resolution (OBD answers apart).
        trace: the values before encoding. labels: the faults.
    """

    spec: DriveSpec
    frames: FrameBatch
    signals: Mapping[str, tuple[NDArray[np.int64], FloatArray]]
    trace: Trace
    labels: tuple[FaultLabel, ...]
