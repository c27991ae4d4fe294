"""The groups that vehicles fall into, and how many of each were watched in each week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from domain.emerging import Group

Ints = NDArray[np.int64]

WEEK_DAYS = 7
LEAST_VEHICLES = 5
MOST_SHARE = 0.5
AGE_BANDS_DAYS = (365, 2 * 365, 4 * 365, 7 * 365)
"""Between these ages vehicles are compared: infant deaths and wear come with age."""
PAIRED = ("build_batch", "software", "region")
"""Attributes of which pairs are groups too; supplier lots stand by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedVehicle:
    """One vehicle.

    Attributes:
        attributes: what it shares with others: "build_batch", "software", "region", "lot.COMPONENT"; unknown ones are absent.
        built_day: days since 1970. from_day, until_day: first day on which it was watched, and the first on which it was no more.
    """

    id: str
    model: str
    attributes: Mapping[str, str]
    built_day: int
    from_day: int
    until_day: int


class Fleet:
    """Vehicles by group, and risk sets by week: vehicles of one model and age band that were watched then."""

    def __init__(self, vehicles: Sequence[WatchedVehicle]) -> None:
        self.vehicles = vehicles
        self.place = {vehicle.id: number for number, vehicle in enumerate(vehicles)}
        self.groups, self._dimensions = _groups(vehicles)
        models = {name: number for number, name in enumerate(sorted({vehicle.model for vehicle in vehicles}))}
        self._model = np.array([models[vehicle.model] for vehicle in vehicles], np.int64)
        self._built = np.array([vehicle.built_day for vehicle in vehicles], np.int64)
        self._from = np.array([vehicle.from_day for vehicle in vehicles], np.int64)
        self._until = np.array([vehicle.until_day for vehicle in vehicles], np.int64)
        self._counts: dict[int, tuple[Ints, Ints]] = {}

    def members(self, group: int) -> NDArray[np.bool_]:
        """Vehicles of a group [vehicles]."""
        return np.asarray(np.any([column == group for column in self._dimensions], axis=0))

    def groups_of(self, vehicle: int) -> Ints:
        """Numbers of the groups of a vehicle."""
        return np.array([column[vehicle] for column in self._dimensions if column[vehicle] >= 0], np.int64)

    def shares(self, vehicle: int, day: int, failed: Ints, without: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Share of each group among the vehicles that could have failed in this one's place in that week [groups].

        Args:
            failed: numbers of vehicles that had failed before, and could not fail for the first time. without: others to leave out [vehicles].
        """
        week = day // WEEK_DAYS
        if without is None:
            if week not in self._counts:
                self._counts[week] = self._count(week, None)
            counts = self._counts[week]
        else:
            counts = self._count(week, without)
            failed = failed[~without[failed]]
        strata = self._strata(week)
        gone = failed[(strata[failed] == strata[vehicle]) & self._watched(week)[failed]]
        numbers = np.concatenate([column[gone] for column in self._dimensions])
        inside = counts[0][strata[vehicle]] - np.bincount(numbers[numbers >= 0], minlength=len(self.groups))
        return np.asarray(inside / max(1, int(counts[1][strata[vehicle]]) - len(gone)), np.float64)

    def _watched(self, week: int) -> NDArray[np.bool_]:
        return (self._from < (week + 1) * WEEK_DAYS) & (self._until > week * WEEK_DAYS)

    def _count(self, week: int, without: NDArray[np.bool_] | None) -> tuple[Ints, Ints]:
        """(vehicles [strata, groups], vehicles [strata]) watched in a week."""
        strata = self._strata(week)
        watched = self._watched(week) if without is None else self._watched(week) & ~without
        size = (int(self._model.max()) + 1) * (len(AGE_BANDS_DAYS) + 1)
        table = np.zeros((size, len(self.groups)), np.int64)
        for column in self._dimensions:
            inside = watched & (column >= 0)
            np.add.at(table, (strata[inside], column[inside]), 1)
        return table, np.bincount(strata[watched], minlength=size)

    def _strata(self, week: int) -> Ints:
        age = week * WEEK_DAYS - self._built
        return self._model * (len(AGE_BANDS_DAYS) + 1) + np.searchsorted(AGE_BANDS_DAYS, age, side="right")


def _groups(vehicles: Sequence[WatchedVehicle]) -> tuple[list[Group], list[Ints]]:
    """(groups, for each attribute or pair the number of each vehicle's group, -1 for none)."""
    names = sorted({name for vehicle in vehicles for name in vehicle.attributes})
    wanted = [(name,) for name in names] + list(combinations([name for name in PAIRED if name in names], 2))
    groups: list[Group] = []
    dimensions: list[Ints] = []
    for dimension in wanted:
        keys = [
            tuple((name, vehicle.attributes[name]) for name in dimension)
            if all(vehicle.attributes.get(n) for n in dimension)
            else None
            for vehicle in vehicles
        ]
        counted: dict[Group, int] = {}
        for key in keys:
            if key is not None:
                counted[key] = counted.get(key, 0) + 1
        kept = sorted(key for key, n in counted.items() if LEAST_VEHICLES <= n <= MOST_SHARE * len(vehicles))
        if not kept:
            continue
        number = {key: len(groups) + place for place, key in enumerate(kept)}
        groups += kept
        dimensions.append(np.array([-1 if key is None else number.get(key, -1) for key in keys], np.int64))
    return groups, dimensions
