"""A fleet over a year (or more): vehicles, their truth, and their samples by blocks of vehicles and days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from domain.signals import SampleBatch
from simulator.life.emission import PAGE_DAYS, Samples, Sampling, page_samples, signal_paths
from simulator.life.faults import NEVER
from simulator.life.fleet_plan import LARGEST_FLEET, YEAR_START_NS, BadBatch, LifeVehicle, check_seed, plan_vehicle
from simulator.life.maintenance import Breakdown, Service
from simulator.life.tables import ParameterSet, parameter_set
from simulator.life.truth import FaultRecord
from simulator.life.vehicle_life import VehicleLife, live
from simulator.life.weather import DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleHistory:
    """The truth about one vehicle in the run; times in seconds since day 0 (`FleetYear.time_ns` makes event times of them).

    Attributes:
        driven_days: days on which it drove.
    """

    faults: tuple[FaultRecord, ...]
    services: tuple[Service, ...]
    breakdowns: tuple[Breakdown, ...]
    driven_days: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetYear:
    """A planned fleet; nothing is simulated until it is asked for, and nothing is kept but the vehicles.

    Attributes:
        start_ns: event time of day 0. faults: False leaves the faults out, and nothing else changes before their onsets.
    """

    vehicles: tuple[LifeVehicle, ...]
    days: int
    seed: int
    parameters: ParameterSet
    bad_batches: tuple[BadBatch, ...] = ()
    faults: bool = True
    sampling: Sampling = field(default_factory=Sampling)
    start_ns: int = YEAR_START_NS

    def time_ns(self, time_s: float) -> int | None:
        """Event time of seconds since day 0, None for `NEVER`."""
        return None if time_s == NEVER else self.start_ns + round(time_s * 1000.0) * 1_000_000

    def life(self, number: int) -> VehicleLife:
        """The whole life of a vehicle, worked out over whole years."""
        years = -(-self.days // 365)
        return live(self.seed, self.vehicles[number], years, self.parameters, faults=self.faults, bad_batches=self.bad_batches)

    def history(self, number: int) -> VehicleHistory:
        """What happened to a vehicle within the run: what begins after its last day is left out, what ends after it has not ended."""
        life, end_s = self.life(number), self.days * DAY_S
        return VehicleHistory(
            faults=tuple(each.until(end_s) for each in life.faults if each.onset_s < end_s),
            services=tuple(each for each in life.services if each.time_s < end_s),
            breakdowns=tuple(each for each in life.breakdowns if each.time_s < end_s),
            driven_days=np.unique(life.trips.day[life.driven & (life.trips.day < self.days)]),
        )

    def samples(self, vehicles: Sequence[int], *, first_day: int = 0, days: int = PAGE_DAYS) -> SampleBatch:
        """What these vehicles send of the trips that begin in days [first_day, first_day + days), each trip whole."""
        return self.samples_of([self.life(number) for number in vehicles], first_day=first_day, days=days)

    def blocks(self, *, vehicles: int = 20, days: int = PAGE_DAYS) -> Iterator[SampleBatch]:
        """All samples: groups of vehicles one after the other, each group from its first day to its last."""
        for first in range(0, len(self.vehicles), vehicles):
            yield from self.blocks_of(range(first, min(first + vehicles, len(self.vehicles))), days=days)

    def blocks_of(self, vehicles: Sequence[int], *, days: int = PAGE_DAYS) -> Iterator[SampleBatch]:
        """All samples of these vehicles from their first day to their last."""
        lives = [self.life(number) for number in vehicles]
        for day in range(0, self.days, days):
            yield self.samples_of(lives, first_day=day, days=days)

    def samples_of(self, lives: Sequence[VehicleLife], *, first_day: int, days: int) -> SampleBatch:
        """As `samples`, of lives that are worked out already."""
        parts = [_pages(life, first_day, min(first_day + days, self.days), self.sampling) for life in lives]
        flat = [part for pages in parts for part in pages]
        counts = [sum(len(part.time_ns) for part in pages) for pages in parts]
        return SampleBatch(
            vehicles=tuple(life.vehicle.id for life in lives),
            paths=signal_paths(),
            time_ns=np.concatenate([np.empty(0, np.int64), *(part.time_ns for part in flat)]),
            vehicle=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            signal=np.concatenate([np.empty(0, np.int32), *(part.signal for part in flat)]),
            value=np.concatenate([np.empty(0), *(part.value for part in flat)]),
        )


def plan_fleet_year(
    *,
    cars: int,
    days: int = 365,
    seed: int = 1,
    parameters: str = "development",
    bad_batches: Sequence[BadBatch] = (),
    faults: bool = True,
    sampling: Sampling | None = None,
) -> FleetYear:
    """A fleet drawn from a seed. The same seed gives the same cars, however many there are and however long they run.

    Raises:
        InputError: no cars or days, too many cars, a seed of the other set, or a bad batch of an unknown component.
    """
    if not 1 <= cars <= LARGEST_FLEET or days < 1:
        raise InputError(f"a fleet of {cars} cars over {days} days", mend=f"take 1 to {LARGEST_FLEET} cars and at least a day")
    chosen = parameter_set(parameters)
    check_seed(seed, chosen)
    return FleetYear(
        vehicles=tuple(plan_vehicle(seed, number, bad_batches) for number in range(cars)),
        days=days,
        seed=seed,
        parameters=chosen,
        bad_batches=tuple(bad_batches),
        faults=faults,
        sampling=sampling or Sampling(),
    )


def _pages(life: VehicleLife, first_day: int, last_day: int, sampling: Sampling) -> list[Samples]:
    """The vehicle's samples of these days, in parts."""
    parts = []
    for page in range(first_day // PAGE_DAYS, -(-last_day // PAGE_DAYS)):
        part = page_samples(life, page, sampling)
        whole = first_day <= page * PAGE_DAYS and (page + 1) * PAGE_DAYS <= last_day
        if not whole:
            chosen = (part.day >= first_day) & (part.day < last_day)
            part = Samples(
                time_ns=part.time_ns[chosen], signal=part.signal[chosen], value=part.value[chosen], day=part.day[chosen]
            )
        parts.append(part)
    return parts
