"""How early bad batches are raised, and how many cases are false, on simulated fleets."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from domain.emerging import EmergingCase
from models.emerging.cases import DAY_NS, RECIPE, EmergingRecipe, FoundCause, find_cases
from models.emerging.groups import Fleet, WatchedVehicle
from simulator.life import BadBatch, FleetYear, plan_fleet_year

SOON_ENOUGH = 15
"""A bad lot is to be raised before so many of its failures."""
YEAR_DAYS = 365.25


def backtest(
    *,
    fleets: int,
    cars: int,
    days: int,
    seed: int,
    parameters: str,
    batch: BadBatch,
    recipe: EmergingRecipe = RECIPE,
) -> dict[str, Any]:
    """As many fleets with this bad lot, and as many without, from the seed on.

    Returns:
        `raised`: share of the bad lots; `too_late`: lots of which 15 had failed without a case; `failures_until_raised`: (median, greatest)
        failures of a lot up to its case, that one counted; `failures`: (median, greatest) of the lots by the end; `false_cases` and
        `false_cases_per_fleet_year`, over all fleets. A case is true where most of its failures are of the bad lot and its part.
    """
    until, total, false, late, raised = list[int](), list[int](), 0, 0, 0
    for number in range(fleets):
        sound, bad = (
            plan_fleet_year(cars=cars, days=days, seed=seed + 2 * number + k, parameters=parameters, bad_batches=batches)
            for k, batches in enumerate(((), (batch,)))
        )
        false += len(cases_of(sound, recipe))
        cases = cases_of(bad, recipe)
        times = lot_failures(bad, batch)
        total.append(len(times))
        true = [case for case in cases if is_true(bad, batch, case)]
        false += len(cases) - len(true)
        raised += bool(true)
        told = sum(time_ns <= true[0].opened_ns for time_ns in times) if true else len(times)
        late += told >= SOON_ENOUGH
        until += [told] if true else []
    return {
        "fleets": 2 * fleets,
        "cars": cars,
        "raised": raised / fleets,
        "too_late": late,
        "failures_until_raised": _middle_and_most(until),
        "failures": _middle_and_most(total),
        "false_cases": false,
        "false_cases_per_fleet_year": false / (2.0 * fleets * days / YEAR_DAYS),
    }


def cases_of(year: FleetYear, recipe: EmergingRecipe = RECIPE) -> list[EmergingCase]:
    """Cases of a simulated fleet after its last day."""
    end_ns = year.start_ns + year.days * DAY_NS
    vehicles = [
        WatchedVehicle(
            id=car.id,
            model=car.model,
            attributes={
                "build_batch": car.build_batch,
                "software": car.software,
                "region": car.city.region,
                **{f"lot.{part}": lot for part, lot in car.lots.items()},
            },
            built_day=int(car.built.timestamp()) * 1_000_000_000 // DAY_NS,
            from_day=year.start_ns // DAY_NS,
            until_day=end_ns // DAY_NS,
        )
        for car in year.vehicles
    ]
    return find_cases(Fleet(vehicles), found_causes(year), now_ns=end_ns, recipe=recipe)


def found_causes(year: FleetYear) -> list[FoundCause]:
    """What workshops found: faults when they were repaired, or broke down."""
    found = []
    for number, car in enumerate(year.vehicles):
        for fault in year.history(number).faults:
            known_s = min(fault.failed_s, fault.repaired_s)
            if isfinite(known_s) and known_s <= year.days * 86_400:
                cause = f"{fault.component}/{fault.kind}"
                found.append(FoundCause(vehicle=car.id, cause=cause, time_ns=year.start_ns + round(known_s * 1e9)))
    return found


def is_true(year: FleetYear, batch: BadBatch, case: EmergingCase) -> bool:
    """Most of its failures are of the bad lot, and of its part."""
    bad = _bad_cars(year, batch)
    return case.cause.partition("/")[0] == batch.component and 2 * sum(each in bad for each in case.vehicles) > len(case.vehicles)


def lot_failures(year: FleetYear, batch: BadBatch) -> list[int]:
    """Times at which vehicles of the bad lot were found to have a fault of its part, in order."""
    bad = _bad_cars(year, batch)
    mine = [each for each in found_causes(year) if each.vehicle in bad and each.cause.partition("/")[0] == batch.component]
    return sorted({each.vehicle: each.time_ns for each in sorted(mine, key=lambda one: -one.time_ns)}.values())


def _bad_cars(year: FleetYear, batch: BadBatch) -> frozenset[str]:
    return frozenset(car.id for car in year.vehicles if car.lots.get(batch.component) == batch.lot)


def _middle_and_most(values: Sequence[int]) -> list[float] | None:
    return [float(np.median(values)), float(max(values))] if values else None
