"""The vehicles of a fleet: what they are, where they live, how they are used, and from which lots their parts came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import numpy as np

from domain.errors import InputError
from domain.fleet import DEVELOPMENT_KEY, pseudonym
from simulator.fleet_tables import demonstration_vin
from simulator.life.streams import Topic, stream
from simulator.life.tables import City, ParameterSet, Powertrain, cities, fault_kinds

T = TypeVar("T")

YEAR_START_NS: Final = 1_735_660_800_000_000_000
"""2025-01-01 00:00 in China: day 0 of every fleet."""
LARGEST_FLEET = 100_000

MODELS: Final[Mapping[Powertrain, tuple[tuple[str, float], ...]]] = {
    "petrol": (("Chenxing A 1.5T", 0.6), ("Chenxing B 2.0", 0.4)),
    "diesel": (("Qilin Van 2.0D", 0.6), ("Qilin Truck 8", 0.4)),
    "ev": (("Yunchi E60", 0.6), ("Yunchi S80", 0.4)),
}
"""Invented models and their shares."""
USAGES: Final[Mapping[Powertrain, tuple[tuple[str, float], ...]]] = {
    "petrol": (("commuter", 0.45), ("family", 0.22), ("short", 0.15), ("motorway", 0.10), ("seldom", 0.08)),
    "ev": (("commuter", 0.50), ("family", 0.25), ("short", 0.12), ("motorway", 0.08), ("seldom", 0.05)),
    "diesel": (("delivery", 0.55), ("haulage", 0.45)),
}
SHARES: Final[Mapping[Powertrain, float]] = {"petrol": 0.55, "diesel": 0.20, "ev": 0.25}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadBatch:
    """A supplier lot that fails more often: `share` of the cars with this component carry it, at `hazard` times the rate of its faults."""

    component: str
    lot: str = "L-BAD"
    share: float = 0.02
    hazard: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeVehicle:
    """One vehicle of a fleet.

    Attributes:
        number: within the fleet. id: pseudonym under the development key. age_days, odometer_km: at day 0.
        built: date. build_batch: year and month of building. lots: component -> supplier lot.
        usage: how it is driven; towing: often. Neither is known outside the simulator.
    """

    number: int
    vin: str
    id: str
    powertrain: Powertrain
    model: str
    built: datetime
    build_batch: str
    lots: Mapping[str, str]
    software: str
    city: City
    usage: str
    towing: bool
    age_days: int
    odometer_km: float

    @property
    def is_truck(self) -> bool:
        """Whether it has a 24 V supply and a truck's masses."""
        return self.model == "Qilin Truck 8"

    @property
    def is_turbo(self) -> bool:
        """Whether boost pressure is reported."""
        return self.powertrain == "diesel" or self.model == "Chenxing A 1.5T"


def check_seed(seed: int, parameters: ParameterSet) -> None:
    """Refuse seeds of the other set.

    Raises:
        InputError: the seed is not one of this set's.
    """
    first, last = parameters.seeds
    if not first <= seed <= last:
        raise InputError(f"seed {seed} is not one of the {parameters.name} set", mend=f"use a seed from {first} to {last}")


def plan_vehicle(seed: int, number: int, bad_batches: Sequence[BadBatch] = ()) -> LifeVehicle:
    """One vehicle, drawn from the seed and its number alone (a bad batch replaces lots and nothing else)."""
    rng = stream(seed, number, Topic.MAKEUP)
    powertrain = _choose(tuple(SHARES.items()), rng)
    model, usage = _choose(MODELS[powertrain], rng), _choose(USAGES[powertrain], rng)
    if powertrain == "diesel":
        usage = "haulage" if model == "Qilin Truck 8" else "delivery"
    city = cities()[int(rng.integers(len(cities())))]
    age_days = int(rng.uniform(30, 2200 if powertrain == "ev" else 3600))
    yearly = {"short": 6_000, "seldom": 5_000, "motorway": 28_000, "delivery": 25_000, "haulage": 45_000}.get(usage, 13_000)
    built = datetime.fromtimestamp(YEAR_START_NS / 1e9, UTC) - timedelta(days=age_days)
    odometer = age_days / 365.0 * yearly * rng.uniform(0.7, 1.3)
    vin = demonstration_vin({"petrol": "petrol", "diesel": "truck", "ev": "ev"}[powertrain], seed % 100 * LARGEST_FLEET + number)
    return LifeVehicle(
        number=number,
        vin=vin,
        id=pseudonym(DEVELOPMENT_KEY, vin),
        powertrain=powertrain,
        model=model,
        built=built,
        build_batch=built.strftime("%Y-%m"),
        lots=_lots(powertrain, built, bad_batches, rng),
        software=f"{rng.integers(2, 5)}.{rng.integers(0, 4)}",
        city=city,
        usage=usage,
        towing=bool(rng.random() < 0.08),
        age_days=age_days,
        odometer_km=round(float(odometer), 1),
    )


def _lots(powertrain: Powertrain, built: datetime, bad_batches: Sequence[BadBatch], rng: np.random.Generator) -> dict[str, str]:
    components = sorted({kind.component for kind in fault_kinds().values()})
    suppliers, luck = rng.integers(0, 3, len(components)), rng.random(len(components))
    fitted = {kind.component for kind in fault_kinds().values() if powertrain in kind.powertrains}
    lots = {
        component: f"{'ABC'[supplier]}{built:%y}Q{(built.month + 2) // 3}"
        for component, supplier in zip(components, suppliers.tolist(), strict=True)
    }
    for batch in bad_batches:
        if batch.component not in lots:
            raise InputError(f"there is no component {batch.component!r}", mend=f"use one of {', '.join(components)}")
        if luck[components.index(batch.component)] < batch.share:
            lots[batch.component] = batch.lot
    return {component: lot for component, lot in lots.items() if component in fitted}


def _choose(options: Sequence[tuple[T, float]], rng: np.random.Generator) -> T:
    edges = np.cumsum([share for _, share in options])
    return options[min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(options) - 1)][0]
