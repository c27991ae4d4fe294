"""What is normal for one vehicle: a robust baseline of its own trips, drawn towards the fleet's prior while they are few."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError

LEARNING_TRIPS = 30
"""A baseline is learnt from this many trips, then stands still, so that a slow drift cannot hide in it; from fewer, its own error
would eat up the allowance of the running sums."""
MAD_TO_SIGMA = 1.4826
SCALE_PRIOR_TRIPS = 5
"""The fleet's trip-to-trip scatter weighs as much as this many trips of the vehicle's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known of a vehicle before its first trip, in the target's unit.

    Attributes:
        location: typical residual. between: standard deviation from vehicle to vehicle. within: from trip to trip of a vehicle of
            which nothing is known yet. steadiest: the same of the steadiest vehicle that we believe in.
    """

    location: float
    between: float
    within: float
    steadiest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the next healthy trip of a vehicle should say.

    Attributes:
        location: expected trip residual. scale: its standard deviation, uncertainty of `location` included.
        trips: trips behind it. model: version of the artefact whose residual this is, "" for any.
    """

    location: float
    scale: float
    trips: int
    model: str = ""


def learnt_baseline(prior: Prior, trips: Sequence[float], model: str = "") -> Baseline:
    """Baseline from a vehicle's trip residuals: median and MAD, shrunk to the prior as in normal-normal updating."""
    count = len(trips)
    variance = prior.within**2
    location, scale = prior.location, prior.within
    if count:
        middle = statistics.median(trips)
        weight = count * prior.between**2 / (count * prior.between**2 + variance)
        location = weight * middle + (1 - weight) * prior.location
        own = MAD_TO_SIGMA * statistics.median(abs(trip - middle) for trip in trips)
        scale = math.sqrt((SCALE_PRIOR_TRIPS * variance + count * max(own, prior.steadiest) ** 2) / (SCALE_PRIOR_TRIPS + count))
    unsure = variance * prior.between**2 / (count * prior.between**2 + variance)
    # a median of n normal values scatters like a mean of 2n/π of them
    unsure *= math.pi / 2 if count > 2 else 1.0
    return Baseline(location=location, scale=math.sqrt(scale**2 + unsure), trips=count, model=model)


class _Row(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    vehicle: str
    detector: str
    location: float = pydantic.Field(allow_inf_nan=False)
    scale: float = pydantic.Field(gt=0, allow_inf_nan=False)
    trips: int = pydantic.Field(default=0, ge=0)
    model: str = ""


def load_baselines(path: Path, detector: str = "coolant_residual") -> dict[str, Baseline]:
    """Vehicle pseudonym -> baseline of one detector.

    The file is CSV with the columns `vehicle` (pseudonym), `detector`, `location` and `scale` (in the target's unit), `trips`, and
    `model` (version of the detector's artefact, empty for any); rows of other detectors are left alone.

    Raises:
        DataFileError: the file cannot be read, a cell is not valid, or a vehicle stands there twice.
    """
    found: dict[str, Baseline] = {}
    for line, row in read_csv(path, _Row):
        if row.detector != detector:
            continue
        if row.vehicle in found:
            raise DataFileError(f"vehicle {row.vehicle!r} stands here twice", file=path, line=line, mend="keep one of its rows")
        found[row.vehicle] = Baseline(location=row.location, scale=row.scale, trips=row.trips, model=row.model)
    return found


def save_baselines(path: Path, baselines: Mapping[str, Baseline], detector: str = "coolant_residual") -> None:
    """Write what `load_baselines` reads, sorted by vehicle.

    Raises:
        DataFileError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["vehicle", "detector", "location", "scale", "trips", "model"])
            for vehicle, each in sorted(baselines.items()):
                writer.writerow([vehicle, detector, repr(each.location), repr(each.scale), each.trips, each.model])
    except OSError as problem:
        raise DataFileError(f"cannot be written ({problem.strerror})", file=path, mend="choose a writable path") from problem
