"""Whole drives: from a spec to the frames that the vehicle sends and the truth behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.can_encoding import EncodedTrace, FrameColumns, encode_trace, join_columns, load_dbc, to_batch
from simulator.drive_cycle import DriveCycle, drive_cycle
from simulator.drive_spec import DriveSpec, SimulatedDrive, Trace
from simulator.electric import simulate_electric
from simulator.engine_diagnosis import diagnose_engine
from simulator.faults import Fault, draw_fault, labels_of
from simulator.j1939_traffic import dm1_traffic
from simulator.obd_traffic import obd_traffic
from simulator.petrol import simulate_petrol
from simulator.profile_paths import mapped_signals
from simulator.truck import simulate_truck

Physics = Callable[[DriveSpec, DriveCycle, Fault, np.random.Generator], Trace]


@dataclass(frozen=True, slots=True, kw_only=True)
class Powertrain:
    """How vehicles of a kind are simulated and sent: physics, DBC, profile that maps it, SAE J1939 or not."""

    physics: Physics
    dbc: str
    profile: str
    j1939: bool = False


POWERTRAINS: Mapping[str, Powertrain] = {
    "petrol": Powertrain(physics=simulate_petrol, dbc="petrol.dbc", profile="demo_petrol"),
    "ev": Powertrain(physics=simulate_electric, dbc="ev.dbc", profile="demo_ev"),
    "truck": Powertrain(physics=simulate_truck, dbc="truck.dbc", profile="demo_truck", j1939=True),
}


def simulate_drive(spec: DriveSpec) -> SimulatedDrive:
    """One drive; the same spec gives the same drive.

    Raises:
        InputError: the spec names an unknown powertrain, fault or cycle, or is too short.
    """
    seeds = np.random.SeedSequence([spec.seed, *spec.vin.encode()]).spawn(4)
    cycle_rng, fault_rng, physics_rng, bus_rng = (np.random.default_rng(seed) for seed in seeds)
    fault = draw_fault(spec, fault_rng)
    powertrain = POWERTRAINS[spec.powertrain]
    cycle = drive_cycle(spec, cycle_rng)
    trace = powertrain.physics(spec, cycle, fault, physics_rng)
    encoded = encode_trace(trace, load_dbc(powertrain.dbc), bus_rng, rate=spec.rate, not_available=powertrain.j1939)
    return _drive(spec, powertrain, trace, encoded, _diagnostics(spec, trace, bus_rng), fault)


def _diagnostics(spec: DriveSpec, trace: Trace, rng: np.random.Generator) -> list[FrameColumns]:
    """What the vehicle says of its own faults."""
    if spec.powertrain == "petrol":
        return [obd_traffic(trace, diagnose_engine(trace), rng)]
    if spec.powertrain == "truck":
        return [dm1_traffic(trace)]
    return []


def _drive(
    spec: DriveSpec, powertrain: Powertrain, trace: Trace, encoded: EncodedTrace, extra: list[FrameColumns], fault: Fault
) -> SimulatedDrive:
    frames, order = to_batch(join_columns([encoded.frames, *extra]), vehicle=spec.vehicle, start_ns=spec.start_ns)
    row_of = np.empty(len(order), np.intp)
    row_of[order] = np.arange(len(order))
    signals = {}
    for name, mapped in mapped_signals(powertrain.profile).items():
        rows, values = encoded.carried[name]
        signals[mapped.path] = (frames.time_ns[row_of[rows]], values * mapped.scale + mapped.offset)
    return SimulatedDrive(spec=spec, frames=frames, signals=signals, trace=trace, labels=labels_of(spec, fault))
