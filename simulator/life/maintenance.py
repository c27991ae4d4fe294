"""What workshops do: scheduled services, repairs that cure or do not, faults found before they fail; and what breaks down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import FloatArray
from simulator.life.faults import NEVER, Episode
from simulator.life.fleet_plan import LifeVehicle
from simulator.life.streams import Topic, stream
from simulator.life.tables import ParameterSet
from simulator.life.trips import Trips
from simulator.life.weather import DAY_S

SERVICE_TAKES_S = 3 * 3600.0
FINDABLE_FROM = 0.5
"""Severity from which a workshop can see a fault that nobody has complained of."""
CARELESS, SKIPS_CARELESS, SKIPS = 0.15, 0.6, 0.03
"""Share of careless owners, and the share of services that they and others let pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A visit to a workshop at `time_s` since day 0. `cured` is False where the wrong part was changed."""

    time_s: float
    reason: str
    component: str = ""
    kind: str = ""
    cured: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The car stood still at the roadside, or would not start."""

    time_s: float
    kind: str
    component: str
    sudden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What became of faults and trips.

    Attributes:
        episodes: with failures and repairs. services, breakdowns: by time. driven: bool[k], which trips took place.
        oil_changes_s: times of the scheduled services.
    """

    episodes: tuple[Episode, ...]
    services: tuple[Service, ...]
    breakdowns: tuple[Breakdown, ...]
    driven: NDArray[np.bool_]
    oil_changes_s: FloatArray


def keep_up(seed: int, vehicle: LifeVehicle, trips: Trips, episodes: Sequence[Episode], parameters: ParameterSet) -> Upkeep:
    """Go through the faults in the order in which they fail."""
    rng = stream(seed, vehicle.number, Topic.MAINTENANCE)
    scheduled = _schedule(vehicle, trips, rng)
    services = [Service(time_s=time_s, reason="scheduled") for time_s in scheduled.tolist()]
    driven = np.ones(len(trips), np.bool_)
    breakdowns: list[Breakdown] = []
    resolved = []
    for episode in sorted(episodes, key=lambda each: each.full_s):
        own = stream(seed, vehicle.number, Topic.MAINTENANCE, 1 + sum(map(ord, episode.kind.kind)))
        ended, visits = _end(episode, trips, driven, scheduled, parameters, own)
        resolved.append(ended)
        services += visits
        if ended.kind.strands and ended.failed_s < NEVER:
            driven &= ~((trips.start_s >= ended.failed_s) & (trips.start_s < ended.repaired_s))
            breakdowns.append(
                Breakdown(time_s=ended.failed_s, kind=ended.kind.kind, component=ended.kind.component, sudden=ended.sudden)
            )
    return Upkeep(
        episodes=tuple(sorted(resolved, key=lambda each: each.onset_s)),
        services=tuple(sorted(services, key=lambda each: each.time_s)),
        breakdowns=tuple(sorted(breakdowns, key=lambda each: each.time_s)),
        driven=driven,
        oil_changes_s=scheduled,
    )


def _schedule(vehicle: LifeVehicle, trips: Trips, rng: np.random.Generator) -> FloatArray:
    """Ends of the trips after which the car goes to its service; some are let pass."""
    every_km = 30_000.0 if vehicle.is_truck else 20_000.0 if vehicle.powertrain == "diesel" else 10_000.0
    skips = SKIPS_CARELESS if rng.random() < CARELESS else SKIPS
    used_km, used_s = every_km * rng.random(), 365.0 * DAY_S * rng.random()
    lucks = rng.random(1000)
    done: list[float] = []
    last_km, last_s = -used_km, -used_s
    travelled, ends = np.cumsum(trips.km), trips.end_s
    for place in np.flatnonzero(np.diff(trips.day, append=trips.day[-1:] + 1)).tolist():  # after the last trip of a day
        km, time_s = float(travelled[place]), float(ends[place])
        if km - last_km >= every_km or time_s - last_s >= 365.0 * DAY_S:
            last_km, last_s = km, time_s
            if lucks[len(done) % len(lucks)] >= skips:
                done.append(time_s)
            lucks = np.roll(lucks, -1)
    return np.array(done, np.float64)


def _end(
    episode: Episode,
    trips: Trips,
    driven: NDArray[np.bool_],
    scheduled: FloatArray,
    parameters: ParameterSet,
    rng: np.random.Generator,
) -> tuple[Episode, list[Service]]:
    """When it fails or is found, and the visits that this takes."""
    after = np.flatnonzero((trips.start_s >= episode.full_s) & driven)
    failed_s = float(trips.start_s[after[0]]) if len(after) else NEVER
    lucks = rng.random(len(scheduled) + 2)
    for luck, time_s in zip(lucks[2:].tolist(), scheduled.tolist(), strict=True):
        if time_s >= failed_s:
            break
        severe = float(episode.severity(np.array([time_s]))[0]) >= FINDABLE_FROM
        if severe and luck < parameters.found_at_service:
            done_s = time_s + SERVICE_TAKES_S
            return episode.mended(failed_s=NEVER, repaired_s=done_s), [_repair(episode, done_s)]
    if failed_s == NEVER:
        return episode, []
    low, high = parameters.days_to_repair
    first_s = failed_s + (low + (high - low) * float(lucks[0])) * DAY_S
    if lucks[1] >= parameters.wrong_part:
        return episode.mended(failed_s=failed_s, repaired_s=first_s), [_repair(episode, first_s)]
    second_s = first_s + (3.0 + 17.0 * float(rng.random())) * DAY_S
    visits = [_repair(episode, first_s, cured=False), _repair(episode, second_s)]
    return episode.mended(failed_s=failed_s, repaired_s=second_s), visits


def _repair(episode: Episode, time_s: float, *, cured: bool = True) -> Service:
    return Service(time_s=time_s, reason="repair", component=episode.kind.component, kind=episode.kind.kind, cured=cured)
