"""The nearest able dealer: hard filters with counted reasons, then a score whose parts are stored.

A k-d tree over unit vectors gives the dealers within reach; filters and score are exact numpy over those. The reach widens where
dealers are sparse, then the horizon is stretched, before an order is left to a person. Distances are great circles times a detour
factor, an estimate of the way by road.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from domain.findings import DealerChoice, Order, OrderKind, Urgency
from domain.fleet import Dealer
from notifier import working_hours
from notifier.dealer_needs import LIMITS, RESCUE_REACH_KM, DealerDecision, DealerNeeds, DealerOutcome, Rejection, reasons
from notifier.geography import chord_km, chord_of_km, unit_vectors
from notifier.order_states import is_open
from notifier.working_hours import HOUR_NS

DETOUR = 1.3
"""Way by road over great circle: about what road networks of Europe and China show on average."""
DRIVE_KMH = 40.0
"""Average speed to the workshop, in and out of town."""

PREFERRED_KM = 25.0
"""The owner's preferred workshop may be this much farther away."""
STOCKED_KM = 10.0
"""All parts in stock are worth this detour; some of them, their share of it."""
FRANCHISED_KM = 5.0
"""A workshop of the vehicle's own brand is worth this detour over an independent one."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Able dealers: row numbers, kilometres, first local hour of an appointment, hours to wait for it, share of parts, score."""

    rows: Ints
    km: Floats
    hour: Ints
    wait_h: Floats
    stocked: Floats
    score: Floats


class DealerNetwork:
    """Dealers with what is booked at them: the one thing that the orders of different vehicles share.

    Args:
        dealers: in any order; ties go to the smaller id. booked: (dealer id, local day since 1970-01-01) -> orders.
    """

    def __init__(self, dealers: Iterable[Dealer], booked: Mapping[tuple[str, int], int] | None = None) -> None:
        self._dealers = tuple(sorted(dealers, key=lambda dealer: dealer.id))
        self._row = {dealer.id: row for row, dealer in enumerate(self._dealers)}
        self._units = unit_vectors(np.array([(dealer.latitude, dealer.longitude) for dealer in self._dealers]).reshape(-1, 2))
        self._tree = cKDTree(self._units) if self._dealers else None
        self._capacity = self._ints(dealer.capacity_per_day for dealer in self._dealers)
        self._offset_ns = self._ints(working_hours.offset_ns(dealer) for dealer in self._dealers)
        self._opens = self._ints(dealer.opens_hour for dealer in self._dealers)
        self._closes = self._ints(dealer.closes_hour for dealer in self._dealers)
        self._open_on = np.array([[day in dealer.days_open for day in range(8)] for dealer in self._dealers]).reshape(-1, 8)
        self._any_brand = np.array([not dealer.brands for dealer in self._dealers], dtype=bool)
        self._brands = self._flags((brand.casefold(), row) for row, dealer in enumerate(self._dealers) for brand in dealer.brands)
        self._capabilities = self._flags((name, row) for row, dealer in enumerate(self._dealers) for name in dealer.capabilities)
        self._stock: dict[str, dict[int, int]] = {}
        for row, dealer in enumerate(self._dealers):
            for part, pieces in dealer.stock:
                self._stock.setdefault(part, {})[row] = pieces
        self._booked: dict[int, Ints] = {}
        for (identity, day), count in (booked or {}).items():
            if identity in self._row:
                self._booked_on(day)[self._row[identity]] += count

    @classmethod
    def from_orders(cls, dealers: Iterable[Dealer], orders: Iterable[Order]) -> DealerNetwork:
        """The network as the open orders have booked it: each takes its dealer's capacity on the day of its first slot."""
        by_id = {dealer.id: dealer for dealer in dealers}
        booked: Counter[tuple[str, int]] = Counter()
        for order in orders:
            if order.choice and order.slots and is_open(order) and order.choice.dealer in by_id:
                dealer = by_id[order.choice.dealer]
                booked[dealer.id, working_hours.local_day(dealer, order.slots[0][0])] += 1
        return cls(by_id.values(), booked)

    def dealer(self, identity: str) -> Dealer | None:
        """The dealer of this id, None where there is none."""
        row = self._row.get(identity)
        return None if row is None else self._dealers[row]

    def book(self, dealer: str, day: int, orders: int = 1) -> None:
        """Take capacity of a dealer on its local day (days since 1970-01-01); negative `orders` give it back."""
        self._booked_on(day)[self._row[dealer]] += orders

    def book_slot(self, dealer: str, start_ns: int, orders: int = 1) -> None:
        """`book` on the local day of this appointment."""
        row = self._row.get(dealer)
        if row is not None:
            self.book(dealer, working_hours.local_day(self._dealers[row], start_ns), orders)

    def choose(self, needs: DealerNeeds) -> DealerChoice | None:
        """The choice of `decide`."""
        return self.decide(needs).choice

    def decide(self, needs: DealerNeeds) -> DealerDecision:
        """The able dealer with the greatest score; ties go to the smaller id. Nothing is booked."""
        if needs.location is None:
            return self._without_location(needs)
        rescue, limits = needs.kind is OrderKind.RESCUE, LIMITS.get(needs.urgency, LIMITS[Urgency.NEXT])
        here = unit_vectors(np.array([needs.location]))[0]
        rejected: Counter[Rejection] = Counter()
        for horizon_h in limits.horizon_h[:1] if rescue else limits.horizon_h:
            for reach_km in RESCUE_REACH_KM if rescue else limits.reach_km:
                rows = self._within(here, reach_km)
                rejected = Counter({Rejection.TOO_FAR: len(self._dealers) - len(rows)})
                able = self._able(rows, self._road_km(here, rows), needs, horizon_h, rejected)
                if len(able.rows):
                    return self._decision(able, needs, horizon_h, rejected)
        return DealerDecision(outcome=DealerOutcome.NONE_ABLE, rejected=_counted(rejected))

    def _without_location(self, needs: DealerNeeds) -> DealerDecision:
        """The preferred dealer if it is able, since distances are unknown; a rescue cannot be sent to nowhere."""
        row = self._row.get(needs.preferred)
        if row is None or needs.kind is OrderKind.RESCUE:
            return DealerDecision(outcome=DealerOutcome.NO_LOCATION)
        rejected: Counter[Rejection] = Counter()
        for horizon_h in LIMITS.get(needs.urgency, LIMITS[Urgency.NEXT]).horizon_h:
            able = self._able(np.array([row]), np.zeros(1), needs, horizon_h, rejected := Counter())
            if len(able.rows):
                return self._decision(able, needs, horizon_h, rejected)
        return DealerDecision(outcome=DealerOutcome.NONE_ABLE, rejected=_counted(rejected))

    def _within(self, here: Floats, reach_km: float) -> Ints:
        """Rows of the dealers within this way by road, ascending."""
        if self._tree is None:
            return np.zeros(0, dtype=np.int64)
        return np.array(sorted(self._tree.query_ball_point(here, chord_of_km(reach_km / DETOUR))), dtype=np.int64)

    def _road_km(self, here: Floats, rows: Ints) -> Floats:
        return DETOUR * chord_km(np.linalg.norm(self._units[rows] - here, axis=1))

    def _able(self, rows: Ints, km: Floats, needs: DealerNeeds, horizon_h: int, rejected: Counter[Rejection]) -> _Candidates:
        excluded = np.array([self._row[name] for name in needs.excluded if name in self._row], dtype=np.int64)
        serves = self._any_brand | self._brands.get(needs.brand.casefold(), np.zeros_like(self._any_brand))
        rescue = needs.kind is OrderKind.RESCUE
        rows, km = _keep(rows, km, ~np.isin(rows, excluded), Rejection.EXCLUDED, rejected)
        if needs.brand and not rescue:
            rows, km = _keep(rows, km, serves[rows], Rejection.BRAND, rejected)
        for name in needs.capabilities:
            has = self._capabilities.get(name, np.zeros_like(self._any_brand))
            rows, km = _keep(rows, km, has[rows], Rejection.CAPABILITY, rejected)
        if rescue:  # partners work around the clock and are not booked by the day
            return self._scored(rows, km, np.zeros_like(rows), np.zeros(len(rows)), needs)
        earliest, hour, full = self._first_hours(rows, km, needs, horizon_h)
        rejected[Rejection.FULL] += int(np.count_nonzero(full))
        rejected[Rejection.CLOSED] += int(np.count_nonzero((hour < 0) & ~full))
        free = hour >= 0
        return self._scored(rows[free], km[free], hour[free], (hour - earliest)[free].astype(np.float64), needs)

    def _first_hours(self, rows: Ints, km: Floats, needs: DealerNeeds, horizon_h: int) -> tuple[Ints, Ints, Bools]:
        """Per dealer: local hour at which the vehicle can be there, first bookable hour (-1: none), open but booked out."""
        travel_ns = np.ceil(km / DRIVE_KMH * HOUR_NS).astype(np.int64)
        local_ns = needs.time_ns + self._offset_ns[rows]
        earliest = -(-(local_ns + travel_ns) // HOUR_NS)
        latest = np.maximum((local_ns + horizon_h * HOUR_NS) // HOUR_NS, earliest)
        hour, full = np.full(len(rows), -1, dtype=np.int64), np.zeros(len(rows), dtype=bool)
        if not len(rows):
            return earliest, hour, full
        for day in range(int(earliest.min()) // 24, int(latest.max()) // 24 + 1):
            start = np.maximum(earliest, day * 24 + self._opens[rows])
            fits = (
                self._open_on[rows, working_hours.iso_weekday(day)] & (start < day * 24 + self._closes[rows]) & (start <= latest)
            )
            taken = self._booked[day][rows] if day in self._booked else 0
            bookable = fits & (taken < self._capacity[rows])
            full |= fits & ~bookable
            hour = np.where((hour < 0) & bookable, start, hour)
            if (hour >= 0).all():
                break
        return earliest, hour, full & (hour < 0)

    def _scored(self, rows: Ints, km: Floats, hour: Ints, wait_h: Floats, needs: DealerNeeds) -> _Candidates:
        rescue, limits = needs.kind is OrderKind.RESCUE, LIMITS.get(needs.urgency, LIMITS[Urgency.NEXT])
        stocked = np.zeros(len(rows)) if rescue else self._stocked(rows, needs.parts)
        score = -km
        if not rescue:
            franchised = ~self._any_brand[rows] if needs.brand else np.zeros(len(rows), dtype=bool)
            preferred = rows == self._row.get(needs.preferred, -1)
            score = (
                score
                - limits.wait_km_per_h * wait_h
                + STOCKED_KM * stocked
                + FRANCHISED_KM * franchised
                + PREFERRED_KM * preferred
            )
        return _Candidates(rows, km, hour, wait_h, stocked, np.round(score, 6))

    def _stocked(self, rows: Ints, parts: tuple[tuple[str, int], ...]) -> Floats:
        """Share of the needed part numbers that each dealer has in sufficient quantity (0 where none is needed)."""
        share = np.zeros(len(rows))
        for number, quantity in parts:
            holders = [row for row, pieces in self._stock.get(number, {}).items() if pieces >= quantity]
            share += np.isin(rows, holders)
        return share / max(len(parts), 1)

    def _decision(self, able: _Candidates, needs: DealerNeeds, horizon_h: int, rejected: Counter[Rejection]) -> DealerDecision:
        best = int(np.argmax(able.score))  # the first of equals, and rows are in order of id
        dealer = self._dealers[int(able.rows[best])]
        km = float(able.km[best])
        choice = DealerChoice(
            dealer=dealer.id,
            distance_km=round(km, 1),
            score=round(float(able.score[best]), 2),
            why=reasons(dealer, needs, km, able.stocked[best], horizon_h, len(able.rows)),
            rejected=_counted(rejected),
        )
        slots = () if needs.kind is OrderKind.RESCUE else self._slots(dealer, needs, int(able.hour[best]), horizon_h)
        return DealerDecision(outcome=DealerOutcome.CHOSEN, choice=choice, slots=slots, rejected=choice.rejected)

    def _slots(self, dealer: Dealer, needs: DealerNeeds, first_hour: int, horizon_h: int) -> tuple[tuple[int, int], ...]:
        """Up to three appointments: the earliest ones two hours apart if it is urgent, else one a day."""
        last = max(first_hour, (needs.time_ns + horizon_h * HOUR_NS + working_hours.offset_ns(dealer)) // HOUR_NS)
        row, hours = self._row[dealer.id], list[int]()
        for hour in working_hours.hours_between(dealer, first_hour, last):
            day = hour // 24
            if day in self._booked and self._booked[day][row] >= dealer.capacity_per_day:
                continue
            if not hours or (hour - hours[-1] >= 2 if needs.urgency >= Urgency.TODAY else day > hours[-1] // 24):
                hours.append(hour)
            if len(hours) == 3:
                break
        return tuple(working_hours.slot(dealer, hour) for hour in hours)

    def _booked_on(self, day: int) -> Ints:
        if day not in self._booked:
            self._booked[day] = np.zeros(len(self._dealers), dtype=np.int64)
        return self._booked[day]

    def _ints(self, values: Iterable[int]) -> Ints:
        return np.fromiter(values, dtype=np.int64, count=len(self._dealers))

    def _flags(self, pairs: Iterable[tuple[str, int]]) -> dict[str, Bools]:
        flags: dict[str, Bools] = {}
        for name, row in pairs:
            flags.setdefault(name, np.zeros(len(self._dealers), dtype=bool))[row] = True
        return flags


def _keep(rows: Ints, km: Floats, passes: Bools, reason: Rejection, rejected: Counter[Rejection]) -> tuple[Ints, Floats]:
    rejected[reason] += int(np.count_nonzero(~passes))
    return rows[passes], km[passes]


def _counted(rejected: Counter[Rejection]) -> tuple[tuple[str, int], ...]:
    return tuple((reason.value, rejected[reason]) for reason in Rejection if rejected[reason])
