"""How many pieces each dealer will need: the distribution of a sum of independent needs, each with its own probability.

A need is some pieces of a part for one vehicle, with the probability that they are wanted within the horizon. Needs of different
vehicles are taken as independent, so the number of pieces has a Poisson-binomial distribution (weighted by the pieces), which is
worked out exactly. What is common to many vehicles at once (a cold snap, a bad batch) is not in it: then it is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pydantic

from datafiles import read_csv
from domain.care import Reminder, Schedule
from domain.fleet import NO_WORKSHOP_TIERS, Dealer, Vehicle
from domain.parts import StockLevel
from domain.risk import RiskAssessment
from notifier.dealers.geography import unit_vectors
from notifier.parts.supply import FOLDER, PartNumber

_Z80 = 1.2815515655446004
"""Standard deviations on either side that hold 80 % of a normal distribution: what a reminder's low and high bound."""
HORIZONS = (1, 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartNeed:
    """Pieces of a part that a vehicle will want with this probability; `cause`: component or care item."""

    vehicle: str
    part: str
    quantity: int
    probability: float
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDemand:
    """Pieces of one part at one dealer within the horizon.

    Attributes:
        expected: mean. low, high: the interval that holds the number with at least the asked probability.
        needs: how many vehicles' needs it is made of. available: on the shelf and kept for nobody. short: what `high` lacks.
    """

    dealer: str
    part: str
    expected: float
    low: int
    high: int
    needs: int
    available: int
    short: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPart:
    """A part that so large a share of a component's failures needs."""

    part: str
    quantity: int
    share: float


class _Row(pydantic.BaseModel):
    component: Annotated[str, pydantic.Field(min_length=1)]
    part: PartNumber
    quantity: Annotated[int, pydantic.Field(ge=1, le=100)]
    share: Annotated[float, pydantic.Field(gt=0, le=1)]
    source: Annotated[str, pydantic.Field(min_length=1)]


def load_component_parts(file: Path = FOLDER / "component_parts.csv") -> dict[str, tuple[ComponentPart, ...]]:
    """Component of the risk models -> parts.

    Raises:
        DataFileError: a row is not valid.
    """
    table: dict[str, tuple[ComponentPart, ...]] = {}
    for _, row in read_csv(file, _Row):
        known = table.get(row.component, ())
        table[row.component] = (*known, ComponentPart(part=row.part, quantity=row.quantity, share=row.share))
    return table


def needs_of_risks(
    risks: Iterable[RiskAssessment], parts: Mapping[str, Sequence[ComponentPart]], horizon_days: int
) -> list[PartNeed]:
    """What predicted failures will need: of each vehicle and component the latest word of the model in charge.

    A probability over another horizon is carried over as that of a constant hazard.
    """
    latest: dict[tuple[str, str], RiskAssessment] = {}
    for risk in risks:
        known = latest.get((risk.vehicle, risk.component))
        if risk.champion and (known is None or risk.day >= known.day):
            latest[risk.vehicle, risk.component] = risk
    return [
        PartNeed(
            vehicle=risk.vehicle,
            part=each.part,
            quantity=each.quantity,
            probability=each.share * (1 - (1 - min(risk.probability, 1.0)) ** (horizon_days / risk.horizon_days)),
            cause=risk.component,
        )
        for risk in latest.values()
        for each in parts.get(risk.component, ())
        if risk.probability > 0
    ]


def needs_of_reminders(
    reminders: Iterable[Reminder], schedule_of: Callable[[str], Schedule | None], today: int, horizon_days: int
) -> list[PartNeed]:
    """What due maintenance will need; `schedule_of`: vehicle -> its maintenance schedule, None where none fits."""
    needs = []
    for reminder in reminders:
        schedule = schedule_of(reminder.vehicle) if reminder.is_open else None
        work = next((each.item.work for each in schedule.items if each.item.id == reminder.item), None) if schedule else None
        for part in work.parts if work else ():
            probability = _due_within(reminder, today + horizon_days)
            needs.append(
                PartNeed(
                    vehicle=reminder.vehicle,
                    part=part.number,
                    quantity=part.quantity,
                    probability=probability,
                    cause=reminder.item,
                )
            )
    return needs


def _due_within(reminder: Reminder, day: int) -> float:
    if reminder.due_day is not None:
        return 1.0
    forecast = reminder.forecast
    spread = max((forecast.high - forecast.low) / (2 * _Z80), 0.5)
    return 0.5 * (1 + math.erf((day - forecast.day) / (spread * math.sqrt(2))))


def usual_dealers(vehicles: Iterable[Vehicle], dealers: Iterable[Dealer]) -> dict[str, str]:
    """Vehicle -> the workshop that it will probably come to: its owner's choice, the last one, the selling one, else the nearest."""
    shops = sorted((each for each in dealers if each.tier not in NO_WORKSHOP_TIERS), key=lambda dealer: dealer.id)
    names = {dealer.id for dealer in shops}
    units = unit_vectors(np.array([(each.latitude, each.longitude) for each in shops]).reshape(-1, 2))
    found = {}
    for vehicle in vehicles:
        own = (vehicle.chosen_dealer, vehicle.last_service_dealer, vehicle.selling_dealer, vehicle.preferred_dealer)
        named = next((name for name in own if name in names), "")
        if not named and vehicle.home is not None and shops:
            serves = [not shop.brands or vehicle.brand.casefold() in {each.casefold() for each in shop.brands} for shop in shops]
            way = np.linalg.norm(units - unit_vectors(np.array([vehicle.home]))[0], axis=1)
            nearest = int(np.argmin(np.where(serves, way, np.inf)))
            named = shops[nearest].id if any(serves) else ""
        if named:
            found[vehicle.id] = named
    return found


def forecast(
    needs: Iterable[PartNeed], dealer_of: Mapping[str, str], stock: Iterable[StockLevel], level: float
) -> tuple[PartDemand, ...]:
    """Demand by dealer and part, for each that has any.

    Args:
        dealer_of: vehicle -> dealer; needs of other vehicles are left out. level: probability that the interval holds, 0 to 1.
    """
    groups: dict[tuple[str, str], list[PartNeed]] = {}
    for need in needs:
        if need.vehicle in dealer_of and need.probability > 0:
            groups.setdefault((dealer_of[need.vehicle], need.part), []).append(need)
    available = {(each.dealer, each.part): each.available for each in stock}
    demands = []
    for (dealer, part), own in sorted(groups.items()):
        low, high = interval(distribution([(each.quantity, each.probability) for each in own]), level)
        there = available.get((dealer, part), 0)
        demands.append(
            PartDemand(
                dealer=dealer,
                part=part,
                expected=round(sum(each.quantity * each.probability for each in own), 4),
                low=low,
                high=high,
                needs=len(own),
                available=there,
                short=max(0, high - there),
            )
        )
    return tuple(demands)


def distribution(needs: Iterable[tuple[int, float]]) -> npt.NDArray[np.float64]:
    """(n,) probability of 0, 1, 2 … pieces, of independent (pieces, probability); exact."""
    chances = np.ones(1)
    for pieces, probability in needs:
        grown = np.zeros(len(chances) + pieces)
        grown[: len(chances)] += (1 - probability) * chances
        grown[pieces:] += probability * chances
        chances = grown
    return chances


def interval(chances: npt.NDArray[np.float64], level: float) -> tuple[int, int]:
    """The central interval that holds the number of pieces with at least this probability."""
    tail, cumulated = (1 - level) / 2, np.cumsum(chances)
    low = int(np.searchsorted(cumulated, tail + 1e-12, side="left"))
    high = int(np.searchsorted(cumulated, 1 - tail - 1e-12, side="left"))
    return low, min(high, len(chances) - 1)


def demand_json(demand: PartDemand) -> dict[str, Any]:
    """One demand."""
    return {
        "dealer": demand.dealer,
        "part": demand.part,
        "expected": demand.expected,
        "low": demand.low,
        "high": demand.high,
        "needs": demand.needs,
        "available": demand.available,
        "short": demand.short,
    }
