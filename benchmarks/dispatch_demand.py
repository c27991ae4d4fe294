"""A made-up country for `pitcall bench dispatch`: 120 cities, a countryside, cars that need a workshop, and workshops.

The draw is fixed by its seed. Cities lie evenly in a rectangle (22 to 44° N, 100 to 124° E); the r-th largest has a share of r^-0.8 of
everything and spreads normally with 0.1 to 0.4° a side; a tenth of cars and of workshops lie anywhere in the rectangle. Cars and
workshops follow the same shares, so capacity stands where demand is, but for chance. 30 % of the cars are electric and need a
workshop for high voltage; 45 % of the workshops are one. Room for the day is dealt out by a gamma distribution (shape 2) and adds up
to the orders divided by the load.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from notifier.dealers.geography import Floats, unit_vectors
from notifier.dispatch import NOWHERE, Kind, PlacementProblem

CITIES, RURAL, ELECTRIC, EQUIPPED = 120, 0.1, 0.3, 0.45
DETOUR, REACH_M = 1.3, 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Places in degrees (latitude, longitude), in order of arrival; `electric` cars need an `equipped` workshop."""

    orders: Floats
    dealers: Floats
    electric: npt.NDArray[np.bool_]
    equipped: npt.NDArray[np.bool_]
    room: npt.NDArray[np.int64]

    def problem(self) -> PlacementProblem:
        """One day's batch: only the way counts."""
        count = len(self.dealers)
        kinds = tuple(
            Kind(
                able=able,
                favour_m=np.zeros(count, dtype=np.int64),
                wait_m=np.zeros(1, dtype=np.int64),
                reach_m=REACH_M,
                detour=DETOUR,
            )
            for able in (np.ones(count, dtype=bool), self.equipped)
        )
        return PlacementProblem(
            dealers=unit_vectors(self.dealers),
            room=self.room[:, None],
            orders=unit_vectors(self.orders),
            kinds=kinds,
            kind=self.electric.astype(np.int64),
            favourite=np.full(len(self.orders), NOWHERE, dtype=np.int64),
            favourite_m=np.zeros(len(self.orders), dtype=np.int64),
        )


def draw_demand(orders: int, dealers: int, *, load: float, seed: int) -> Demand:
    """The country of this seed."""
    rng = np.random.default_rng(seed)
    centres, spreads = _anywhere(rng, CITIES), rng.uniform(0.1, 0.4, CITIES)
    shares = np.arange(1, CITIES + 1) ** -0.8
    shares /= shares.sum()

    def places(count: int) -> Floats:
        city = rng.choice(CITIES, count, p=shares)
        found: Floats = centres[city] + rng.normal(size=(count, 2)) * spreads[city, None]
        rural = rng.random(count) < RURAL
        found[rural] = _anywhere(rng, int(rural.sum()))
        return found

    return Demand(
        orders=places(orders),
        dealers=places(dealers),
        electric=rng.random(orders) < ELECTRIC,
        equipped=rng.random(dealers) < EQUIPPED,
        room=_dealt(rng.gamma(2.0, 1.0, dealers), round(orders / load)),
    )


def _anywhere(rng: np.random.Generator, count: int) -> Floats:
    return np.column_stack((rng.uniform(22, 44, count), rng.uniform(100, 124, count)))


def _dealt(weights: Floats, total: int) -> npt.NDArray[np.int64]:
    """Whole numbers in the proportion of the weights that add up to the total (greatest remainders)."""
    exact = weights / weights.sum() * total
    dealt: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    dealt[np.argsort(dealt - exact, kind="stable")[: total - int(dealt.sum())]] += 1
    return dealt
