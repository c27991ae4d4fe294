"""What a report is made from: domain records, and the samples to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.fleet import Dealer, Vehicle
from domain.records import VehicleCase

Series = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Event times in ns, ascending, and the values at them (NaN draws a gap)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveSummary:
    """One recorded drive, as read.

    Attributes:
        vehicle: pseudonym. log: file name without personal data. profile: "" for generic decoding.
        start_ns, end_ns: event times of the first and last frame. signals: samples decoded. dtcs: trouble-code reports.
    """

    vehicle: str
    log: str
    profile: str = ""
    start_ns: int = 0
    end_ns: int = 0
    frames: int = 0
    signals: int = 0
    dtcs: int = 0
    dead_letters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """A replay and what came of it.

    Attributes:
        drives: in the order to be shown. cases: of the vehicles that have any.
        vehicles, dealers: those that drives, cases and orders speak of; unknown ones are shown by their id.
        series: (pseudonym, VSS path) -> samples to draw; alerts whose signals are not in it get no plot.
        rules, detectors, codes: how many rules, detectors and trouble codes were checked for.
        generated_from: the command line, without personal data. elapsed_s: wall time of the replay, None to leave it out.
    """

    drives: tuple[DriveSummary, ...]
    cases: tuple[VehicleCase, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    dealers: tuple[Dealer, ...] = ()
    series: Mapping[tuple[str, str], Series] = field(default_factory=dict)
    rules: int = 0
    detectors: int = 0
    codes: int = 0
    generated_from: str = ""
    elapsed_s: float | None = None
