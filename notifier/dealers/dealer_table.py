"""Dealers as columns, with what is booked at them: what a choice filters and scores by, over many dealers at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from domain.fleet import NO_WORKSHOP_TIERS, Dealer
from domain.orders import Wish
from domain.slots import places, skilled
from notifier.dealers import working_hours
from notifier.dealers.geography import chord_km, chord_of_km, unit_vectors

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOAD_DAYS = 7
"""Days ahead over which it is asked how booked out a dealer is."""


class DealerTable:
    """Rows in order of id; what is asked for comes as one value per row (or per asked row).

    Args:
        dealers: in any order. booked: (dealer id, local day since 1970-01-01) -> orders.
    """

    def __init__(self, dealers: Iterable[Dealer], booked: Mapping[tuple[str, int], int]) -> None:
        self.dealers = tuple(sorted(dealers, key=lambda dealer: dealer.id))
        self.row = {dealer.id: row for row, dealer in enumerate(self.dealers)}
        self.units = unit_vectors(np.array([(dealer.latitude, dealer.longitude) for dealer in self.dealers]).reshape(-1, 2))
        self._tree = cKDTree(self.units) if self.dealers else None
        self.offset_ns = self._ints(working_hours.offset_ns(dealer) for dealer in self.dealers)
        hours = [[working_hours.hours_of_weekday(dealer, day) for day in range(8)] for dealer in self.dealers]
        self._hours = np.array(hours, dtype=np.int64).reshape(-1, 8, 2)
        self._capacity = self._ints(dealer.capacity_per_day for dealer in self.dealers)
        self._capacity_on: dict[int, list[tuple[int, int]]] = {}
        for row, dealer in enumerate(self.dealers):
            for day in {*dealer.holidays, *(day for day, _ in dealer.capacity_on)}:
                self._capacity_on.setdefault(day, []).append((row, working_hours.capacity_on(dealer, day)))
        self._closed_on = {
            day: [row for row, dealer in enumerate(self.dealers) if day in dealer.holidays] for day in self._capacity_on
        }
        self.any_brand = self._bools(not dealer.brands for dealer in self.dealers)
        self.workshop = self._bools(dealer.tier not in NO_WORKSHOP_TIERS for dealer in self.dealers)
        self.mobile = self._bools(dealer.tier == "mobile" for dealer in self.dealers)
        self.loaners = self._ints(dealer.loaners for dealer in self.dealers)
        self.pick_up_km = np.array([dealer.pick_up_km for dealer in self.dealers])
        self.acceptance = np.array([1.0 if dealer.acceptance is None else dealer.acceptance for dealer in self.dealers])
        self.nps = np.array([dealer.nps or 0.0 for dealer in self.dealers])
        self._brands = self._flags((brand.casefold(), row) for row, dealer in enumerate(self.dealers) for brand in dealer.brands)
        self._capabilities = self._flags((name, row) for row, dealer in enumerate(self.dealers) for name in _can_do(dealer))
        self._stock: dict[str, dict[int, int]] = {}
        for row, dealer in enumerate(self.dealers):
            for part, pieces in dealer.stock:
                self._stock.setdefault(part, {})[row] = pieces
        self._booked: dict[int, Ints] = {}
        self._taken: dict[tuple[int, int, str], int] = {}
        self._full: dict[tuple[int, str], Ints] = {}
        for (identity, day), count in booked.items():
            if identity in self.row:
                self.book(self.row[identity], day, count)

    def book(self, row: int, day: int, orders: int) -> None:
        """Take capacity on a local day; negative `orders` give it back."""
        if day not in self._booked:
            self._booked[day] = np.zeros(len(self.dealers), dtype=np.int64)
        self._booked[day][row] += orders

    def book_hour(self, row: int, hour: int, orders: int, capabilities: Iterable[str]) -> None:
        """Take a place, and technicians of these skills, in one local hour and on its day; negative `orders` give them back."""
        day, dealer = hour // 24, self.dealers[row]
        self.book(row, day, orders)
        self._occupy(row, hour, "", orders, places(dealer))
        for capability in capabilities:
            people = skilled(dealer, capability)
            lent = range(day * 24, day * 24 + 24) if capability == Wish.LOANER else (hour,)
            for each in lent if people is not None else ():
                self._occupy(row, each, capability, orders, people or 0)

    def _occupy(self, row: int, hour: int, skill: str, orders: int, most: int) -> None:
        day = hour // 24
        taken = self._taken[row, hour, skill] = self._taken.get((row, hour, skill), 0) + orders
        if (day, skill) not in self._full:
            self._full[day, skill] = np.zeros(len(self.dealers), dtype=np.int64)
        bit = 1 << hour % 24
        self._full[day, skill][row] = (
            (self._full[day, skill][row] | bit) if taken >= most else (self._full[day, skill][row] & ~bit)
        )

    def full_hours(self, day: int, capabilities: Iterable[str]) -> Ints | None:
        """Per row the hours of a local day (bit 0 = midnight) in which no place or no such technician is left; None for nowhere."""
        masks = [self._full[day, skill] for skill in ("", *capabilities) if (day, skill) in self._full]
        return np.bitwise_or.reduce(masks) if masks else None

    def rows_of(self, names: Iterable[str]) -> Ints:
        """Rows of those of these dealers that there are."""
        return np.array([self.row[name] for name in names if name in self.row], dtype=np.int64)

    def nearest(self, here: Floats) -> int:
        """Row of the nearest dealer of all, -1 where there is none."""
        return -1 if self._tree is None else int(self._tree.query(here)[1])

    def within(self, here: Floats, km: float) -> Ints:
        """Rows of the dealers whose great circle from here (a unit vector) is no longer, ascending."""
        if self._tree is None:
            return np.zeros(0, dtype=np.int64)
        return np.array(sorted(self._tree.query_ball_point(here, chord_of_km(km))), dtype=np.int64)

    def great_circle_km(self, here: Floats, rows: Ints) -> Floats:
        """From here to each of these."""
        return chord_km(np.linalg.norm(self.units[rows] - here, axis=1))

    def serves(self, brand: str) -> Bools:
        """Which serve this brand."""
        return self.any_brand | self._brands.get(brand.casefold(), np.zeros_like(self.any_brand))

    def has(self, capability: str) -> Bools:
        """Which are equipped for it and have somebody who can do it."""
        return self._capabilities.get(capability, np.zeros_like(self.any_brand))

    def stocked(self, rows: Ints, parts: tuple[tuple[str, int], ...]) -> Floats:
        """Share of the needed part numbers that each has in sufficient quantity (0 where none is needed)."""
        share = np.zeros(len(rows))
        for number, quantity in parts:
            holders = [row for row, pieces in self._stock.get(number, {}).items() if pieces >= quantity]
            share += np.isin(rows, holders)
        return share / max(len(parts), 1)

    def hours(self, day: int) -> tuple[Ints, Ints]:
        """(opens, closes) on a local day as hours of that day; the same twice where it is closed."""
        hours = self._hours[:, working_hours.iso_weekday(day)]
        if self._closed_on.get(day):
            hours = hours.copy()
            hours[self._closed_on[day]] = 0
        return hours[:, 0], hours[:, 1]

    def room(self, day: int) -> Ints:
        """Orders that each still takes on a local day (negative where it is overbooked); opening hours apart."""
        room = self._capacity - self._booked.get(day, 0)
        for row, capacity in self._capacity_on.get(day, ()):
            room[row] += capacity - self._capacity[row]
        return room

    def load(self, rows: Ints, first_day: int) -> Floats:
        """Share of the capacity of `LOAD_DAYS` days that is booked, 0 to 1 and more."""
        taken = sum(
            (self._booked[day][rows] for day in range(first_day, first_day + LOAD_DAYS) if day in self._booked), np.zeros(1)
        )
        load: Floats = taken / np.maximum(LOAD_DAYS * self._capacity[rows], 1)
        return load

    def _ints(self, values: Iterable[int]) -> Ints:
        return np.fromiter(values, dtype=np.int64, count=len(self.dealers))

    def _bools(self, values: Iterable[bool]) -> Bools:
        return np.fromiter(values, dtype=np.bool_, count=len(self.dealers))

    def _flags(self, pairs: Iterable[tuple[str, int]]) -> dict[str, Bools]:
        flags: dict[str, Bools] = {}
        for name, row in pairs:
            flags.setdefault(name, np.zeros(len(self.dealers), dtype=bool))[row] = True
        return flags


def _can_do(dealer: Dealer) -> list[str]:
    """Capabilities that somebody there is skilled in; where no technicians are named, all of them."""
    skilled = {skill for skill, count in dealer.technicians if count > 0}
    return [name for name in dealer.capabilities if not dealer.technicians or name in skilled or name == "rescue"]
