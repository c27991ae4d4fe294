"""Faults that develop: when they begin and how bad they are from then on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.errors import InputError
from simulator.drive_spec import FAULTS, DriveSpec, FaultLabel, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """How a kind of fault comes.

    Attributes:
        onset_share: the onset is drawn between these shares of the drive. ramp_s: from onset to full severity.
        shows_in_s: length of a drive in which it shows itself whatever the cycle (a cold engine must have had time to warm).
    """

    onset_share: tuple[float, float]
    ramp_s: float
    shows_in_s: float


KINDS = {
    "thermostat_stuck_open": FaultKind(onset_share=(0.02, 0.06), ramp_s=120.0, shows_in_s=1620.0),
    "overheating": FaultKind(onset_share=(0.28, 0.36), ramp_s=60.0, shows_in_s=1080.0),
    "weak_12v_battery": FaultKind(onset_share=(0.0, 0.0), ramp_s=0.0, shows_in_s=180.0),
    "misfire": FaultKind(onset_share=(0.25, 0.35), ramp_s=60.0, shows_in_s=600.0),
    "ev_cell_imbalance": FaultKind(onset_share=(0.10, 0.20), ramp_s=240.0, shows_in_s=600.0),
    "red_stop_lamp": FaultKind(onset_share=(0.40, 0.50), ramp_s=120.0, shows_in_s=600.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in one drive, or none (kind ""). `place` is the cylinder (1-4) or cell (1-96) that it strikes."""

    kind: str = ""
    onset_s: float = np.inf
    ramp_s: float = 0.0
    place: int = 0

    def severity(self, kind: str, time_s: FloatArray) -> FloatArray:
        """0 (as new) to 1 (full) of this kind at each time; zeros where the fault is of another kind."""
        if kind != self.kind:
            return np.zeros(len(time_s))
        if self.ramp_s <= 0.0:
            return (time_s >= self.onset_s).astype(np.float64)
        return np.clip((time_s - self.onset_s) / self.ramp_s, 0.0, 1.0)


def draw_fault(spec: DriveSpec, rng: np.random.Generator) -> Fault:
    """The fault of a drive.

    Raises:
        InputError: the powertrain is unknown or cannot have this fault.
    """
    if spec.powertrain not in FAULTS:
        raise InputError(f"unknown powertrain {spec.powertrain!r}", mend=f"use {', '.join(FAULTS)}")
    cylinder, cell, share = int(rng.integers(1, 5)), int(rng.integers(1, 97)), float(rng.random())
    if spec.fault is None:
        return Fault()
    if spec.fault not in FAULTS[spec.powertrain]:
        raise InputError(
            f"a {spec.powertrain} vehicle has no fault {spec.fault!r}", mend=f"use {', '.join(FAULTS[spec.powertrain])}"
        )
    kind = KINDS[spec.fault]
    low, high = kind.onset_share
    onset_s = spec.duration_s * (low + share * (high - low)) if spec.onset_s is None else spec.onset_s
    place = {"misfire": cylinder, "ev_cell_imbalance": cell}.get(spec.fault, 0)
    return Fault(kind=spec.fault, onset_s=onset_s, ramp_s=kind.ramp_s, place=place)


def labels_of(spec: DriveSpec, fault: Fault) -> tuple[FaultLabel, ...]:
    """The truth about the drive."""
    if not fault.kind:
        return ()
    detail = {"misfire": f"cylinder {fault.place}", "ev_cell_imbalance": f"cell {fault.place}"}.get(fault.kind, "")
    onset_ns = spec.start_ns + round(fault.onset_s * 1e9)
    return (FaultLabel(vin=spec.vin, kind=fault.kind, onset_ns=onset_ns, detail=detail),)
