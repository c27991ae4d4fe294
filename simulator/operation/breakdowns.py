"""When what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.fleet import Vehicle
from simulator.operation.chance import Chance
from simulator.operation.tables import FaultRate

DAY_NS = 86_400_000_000_000
_YEAR_D = 365.25


class Truth(StrEnum):
    """What is behind an alert."""

    CAUSE = "cause"
    OTHER = "other"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """A fault of one car shows at this time."""

    vehicle: str
    time_ns: int
    rate: FaultRate
    truth: Truth


def breakdowns(
    vehicles: Sequence[Vehicle], rates: Sequence[FaultRate], chance: Chance, *, start_ns: int, days: int
) -> Iterator[Breakdown]:
    """Every fault of these days, each a Poisson process by its rate; it shows between 7 and 21 o'clock (UTC+8)."""
    for vehicle in vehicles:
        for rate in rates:
            if vehicle.powertrain not in rate.powertrains:
                continue
            rng = chance.of("fault", vehicle.id, rate.fault)
            day = rng.expovariate(rate.per_1000_car_years / 1000 / _YEAR_D)
            while day < days:
                time_ns = start_ns + int(day) * DAY_NS + round(rng.uniform(-1, 13) * 3600e9)
                yield Breakdown(vehicle=vehicle.id, time_ns=max(time_ns, start_ns), rate=rate, truth=truth_of(rate, rng.random()))
                day += rng.expovariate(rate.per_1000_car_years / 1000 / _YEAR_D)


def truth_of(rate: FaultRate, luck: float) -> Truth:
    """By its shares; `luck` is uniform in [0, 1)."""
    if luck < rate.false_share:
        return Truth.NOTHING
    return Truth.OTHER if luck < rate.false_share + rate.other_share else Truth.CAUSE
