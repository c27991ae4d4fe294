"""Faults of a vehicle: when each begins, how it grows, when it fails and when it is repaired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.drive_spec import FloatArray
from simulator.life.fleet_plan import BadBatch, LifeVehicle
from simulator.life.streams import Topic, stream
from simulator.life.tables import FaultKind, FaultParameters, ParameterSet, fault_kinds
from simulator.life.weather import DAY_S

NEVER = np.inf
SUDDEN_S = 1.0
"""A sudden fault is whole one second after its onset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One fault from onset to repair; times in seconds since day 0, `NEVER` where it does not come.

    Attributes:
        kind: what. place: cylinder, wheel or cell it strikes, 0 where there is none. lot: supplier lot of the part.
        develops_s: from onset to full severity. shape: power of the growth. size: effect at full severity.
        shows_at: severity from which it counts as detectable. sudden: no warning is possible.
        failed_s: when the part failed (full severity, first drive after). repaired_s: when it was mended.
    """

    kind: FaultKind
    place: int
    lot: str
    onset_s: float
    develops_s: float
    shape: float
    size: float
    shows_at: float
    sudden: bool
    failed_s: float = NEVER
    repaired_s: float = NEVER

    @property
    def full_s(self) -> float:
        """When it reaches full severity, if nobody mends it before."""
        return self.onset_s + self.develops_s

    @property
    def detectable_s(self) -> float:
        """From when on it counts as detectable."""
        return self.onset_s + self.develops_s * float(self.shows_at ** (1.0 / self.shape))

    def severity(self, time_s: FloatArray) -> FloatArray:
        """0 before the onset and after the repair, growing to 1."""
        grown = np.clip((time_s - self.onset_s) / self.develops_s, 0.0, 1.0) ** self.shape
        return np.where(time_s < self.repaired_s, grown, 0.0)

    def mended(self, *, failed_s: float, repaired_s: float) -> Episode:
        """The same, failed and repaired at these times."""
        return replace(self, failed_s=failed_s, repaired_s=repaired_s)


def draw_episodes(
    seed: int,
    vehicle: LifeVehicle,
    days: int,
    parameters: ParameterSet,
    *,
    short_share: float,
    bad_batches: Sequence[BadBatch] = (),
) -> list[Episode]:
    """The first fault of each kind that the vehicle gets in these days, by onset, as if nobody mended any."""
    found = []
    for part, given in enumerate(parameters.faults):
        kind = fault_kinds()[given.kind]
        if not _has(vehicle, kind):
            continue
        rng = stream(seed, vehicle.number, Topic.FAULTS, part)
        rate = given.per_1000_years / 1000.0 * hazard_factor(vehicle, kind, short_share, bad_batches)
        onset_s = float(rng.exponential()) / rate * 365.0 * DAY_S
        episode = _episode(vehicle, kind, given, onset_s, rng)
        if onset_s < days * DAY_S:
            found.append(episode)
    return sorted(found, key=lambda each: each.onset_s)


def hazard_factor(vehicle: LifeVehicle, kind: FaultKind, short_share: float, bad_batches: Sequence[BadBatch] = ()) -> float:
    """By how much this vehicle is more likely to get this fault than one that nothing speaks against."""
    worse = kind.worse
    factor = 1.0 + worse.age * vehicle.age_days / 3650.0
    factor *= 1.0 + worse.distance * vehicle.odometer_km / (400_000.0 if vehicle.powertrain == "diesel" else 100_000.0)
    factor *= (1.0 + worse.cold * vehicle.city.cold) * (1.0 + worse.hot * vehicle.city.hot)
    factor *= (1.0 + worse.short * short_share) * (1.0 + worse.towing * vehicle.towing)
    for batch in bad_batches:
        if vehicle.lots.get(kind.component) == batch.lot:
            factor *= batch.hazard
    return factor


def _has(vehicle: LifeVehicle, kind: FaultKind) -> bool:
    return vehicle.powertrain in kind.powertrains and (kind.kind != "boost_leak" or vehicle.is_turbo)


def _episode(vehicle: LifeVehicle, kind: FaultKind, given: FaultParameters, onset_s: float, rng: np.random.Generator) -> Episode:
    sudden = bool(rng.random() < given.sudden)
    low, high = np.log(given.develops_days)
    develops_s = float(np.exp(rng.uniform(low, high))) * DAY_S
    shape, size, luck = float(rng.uniform(*given.shape)), float(rng.uniform(*given.size)), float(rng.random())
    places = {"misfire": 4, "brake_drag": 4, "tyre_leak": 4, "cell_deviation": 96}.get(kind.kind, 0)
    return Episode(
        kind=kind,
        place=1 + int(luck * places) if places else 0,
        lot=vehicle.lots[kind.component],
        onset_s=onset_s,
        develops_s=SUDDEN_S if sudden else develops_s,
        shape=shape,
        size=size,
        shows_at=given.shows_at,
        sudden=sudden,
    )
