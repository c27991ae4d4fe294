"""One vehicle's whole life in the run: weather, trips, faults, upkeep, and the slow states from trip to trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.drive_spec import FloatArray
from simulator.life.brakes import PadWear, pad_wear
from simulator.life.engine_heat import start_temperature
from simulator.life.exhaust import FilterStates, filter_states
from simulator.life.faults import Episode, draw_episodes
from simulator.life.fleet_plan import BadBatch, LifeVehicle
from simulator.life.low_voltage import SupplyStates, supply_states
from simulator.life.maintenance import Breakdown, Service, Upkeep, keep_up
from simulator.life.oil import OilLife, oil_life
from simulator.life.tables import ParameterSet
from simulator.life.traction_battery import PackStates, pack_states
from simulator.life.trips import Trips, plan_trips
from simulator.life.truth import FaultRecord, record_of
from simulator.life.tyres import TyreStates, tyre_states
from simulator.life.weather import weather

_NOTHING = np.zeros(1)


@dataclass(frozen=True, kw_only=True)
class VehicleLife:
    """All that is slow; k trips. Slow states are worked out when first asked for.

    Attributes:
        days: length of the life (whole years). trips: all that were meant; `driven` tells which took place.
    """

    seed: int
    vehicle: LifeVehicle
    days: int
    trips: Trips
    upkeep: Upkeep

    @property
    def driven(self) -> NDArray[np.bool_]:
        """bool[k]: False while the car waits for a repair."""
        return self.upkeep.driven

    @property
    def oil_changes_s(self) -> FloatArray:
        """Times of scheduled services."""
        return self.upkeep.oil_changes_s

    @cached_property
    def start_c(self) -> FloatArray:
        """Engine temperature at the start of each trip."""
        return start_temperature(self.trips)

    @cached_property
    def odometer_km(self) -> FloatArray:
        """At the end of each trip."""
        return np.asarray(self.vehicle.odometer_km + np.cumsum(self.trips.km * self.driven), np.float64)

    @cached_property
    def supply(self) -> SupplyStates:
        """12 V or 24 V battery."""
        return supply_states(self.seed, self)

    @cached_property
    def oil(self) -> OilLife:
        """Engine oil."""
        return oil_life(self)

    @cached_property
    def pads(self) -> PadWear:
        """Brake pads."""
        return pad_wear(self)

    @cached_property
    def tyres(self) -> TyreStates:
        """Tyres."""
        return tyre_states(self)

    @cached_property
    def filter(self) -> FilterStates:
        """Particulate filter (diesel)."""
        return filter_states(self)

    @cached_property
    def pack(self) -> PackStates:
        """Traction battery (ev)."""
        return pack_states(self)

    def episode(self, kind: str) -> Episode | None:
        """The vehicle's fault of this kind."""
        return next((each for each in self.upkeep.episodes if each.kind.kind == kind), None)

    def severity(self, kind: str, time_s: FloatArray) -> FloatArray:
        """Of a kind at these times, 0 to 1; one zero for all where there is none."""
        episode = self.episode(kind)
        if episode is None or not len(time_s) or time_s[-1] < episode.onset_s or time_s[0] >= episode.repaired_s:
            return _NOTHING
        return episode.severity(time_s)

    def effect(self, kind: str, time_s: FloatArray) -> FloatArray:
        """Severity times size, in the unit of the kind; one zero for all where there is none."""
        severity = self.severity(kind, time_s)
        episode = self.episode(kind)
        return severity if episode is None or severity is _NOTHING else severity * episode.size

    @property
    def services(self) -> tuple[Service, ...]:
        """All visits to workshops, by time."""
        return tuple(sorted((*self.upkeep.services, *self.pads.services), key=lambda each: each.time_s))

    @property
    def breakdowns(self) -> tuple[Breakdown, ...]:
        """By time."""
        return self.upkeep.breakdowns

    @property
    def faults(self) -> tuple[FaultRecord, ...]:
        """The truth, by onset."""
        records = (*map(record_of, self.upkeep.episodes), *self.pads.records, *self.oil.records, *self.tyres.records)
        return tuple(sorted(records, key=lambda each: each.onset_s))


def live(
    seed: int,
    vehicle: LifeVehicle,
    years: int,
    parameters: ParameterSet,
    *,
    faults: bool = True,
    bad_batches: Sequence[BadBatch] = (),
) -> VehicleLife:
    """The life of a vehicle over whole years; without `faults` only ordinary wear."""
    days = 365 * years
    trips = plan_trips(seed, vehicle, days, weather(seed, vehicle.city, days))
    short = float(np.mean(trips.duration_s < 900.0)) if len(trips) else 0.0
    drawn = draw_episodes(seed, vehicle, days, parameters, short_share=short, bad_batches=bad_batches) if faults else []
    return VehicleLife(
        seed=seed, vehicle=vehicle, days=days, trips=trips, upkeep=keep_up(seed, vehicle, trips, drawn, parameters)
    )
