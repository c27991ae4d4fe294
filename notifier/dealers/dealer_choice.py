"""The dealer of one order: the routing policy's steps, hard filters with counted reasons, then a score whose parts are stored.

A k-d tree over unit vectors gives the dealers within reach; filters and score are exact numpy over those. The reach widens where
dealers are sparse, then the horizon is stretched; then a mobile unit is sent or the vehicle towed, before an order is left to a person.
Distances are great circles times a detour factor, or a road service's, which is asked about the nearest able dealers only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from domain.errors import RoadError
from domain.findings import Urgency
from domain.fleet import Dealer
from domain.orders import DealerChoice, Order, OrderKind, Wish
from domain.slots import holds_slot, takes
from notifier.dealers import working_hours
from notifier.dealers.dealer_needs import DealerDecision, DealerNeeds, DealerOutcome, Rejection
from notifier.dealers.dealer_reasons import Won, reasons
from notifier.dealers.dealer_table import Bools, DealerTable, Floats, Ints
from notifier.dealers.geography import unit_vectors
from notifier.dealers.routing_policy import PLAIN_ROUTING, RegionPolicy, Routing, Step
from notifier.dealers.working_hours import HOUR_NS

ROADS_ASKED = 25
"""A road service is asked about so many of the nearest able dealers."""


@dataclass(frozen=True, slots=True)
class _Able:
    """Able dealers: row numbers, way by road, first local hour of an appointment, share of parts, load, score; how the way is known."""

    rows: Ints
    km: Floats
    travel_h: Floats
    hour: Ints
    stocked: Floats
    load: Floats
    score: Floats
    by_road: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One try: which rows, how the vehicle gets there, and what does not matter.

    `from_day`: first local day of an appointment. `together`: with so many orders the dealer was chosen, 0 = by itself.
    """

    needs: DealerNeeds
    policy: RegionPolicy
    step: Step
    rows: Ints
    horizon_h: int
    reach_km: float = np.inf
    transport: str = ""
    from_day: int = 0
    together: int = 0


class DealerNetwork:
    """Dealers with what is booked at them: the one thing that the orders of different vehicles share.

    Args:
        dealers: in any order; ties go to the smaller id. booked: (dealer id, local day since 1970-01-01) -> orders.
        routing: how dealers are chosen.
    """

    def __init__(
        self,
        dealers: Iterable[Dealer],
        booked: Mapping[tuple[str, int], int] | None = None,
        *,
        routing: Routing = PLAIN_ROUTING,
    ) -> None:
        self.table = DealerTable(dealers, booked or {})
        self.routing = routing

    @classmethod
    def from_orders(
        cls,
        dealers: Iterable[Dealer],
        orders: Iterable[Order],
        *,
        routing: Routing = PLAIN_ROUTING,
    ) -> DealerNetwork:
        """The network as the open orders have booked it: each holds its first slot, and takes its dealer's capacity on that day."""
        network = cls(dealers, routing=routing)
        for order in orders:
            network.hold(order)
        return network

    def dealer(self, identity: str) -> Dealer | None:
        """The dealer of this id, None where there is none."""
        row = self.table.row.get(identity)
        return None if row is None else self.table.dealers[row]

    def book(self, dealer: str, day: int, orders: int = 1) -> None:
        """Take capacity of a dealer on its local day (days since 1970-01-01); negative `orders` give it back."""
        self.table.book(self.table.row[dealer], day, orders)

    def book_slot(self, dealer: str, start_ns: int, orders: int = 1, capabilities: Iterable[str] = ()) -> None:
        """Take a place in the local hour of this appointment, with technicians of these skills; negative `orders` give them back."""
        row = self.table.row.get(dealer)
        if row is not None:
            self.table.book_hour(row, working_hours.local_hour(self.table.dealers[row], start_ns), orders, capabilities)

    def hold(self, order: Order, orders: int = 1) -> None:
        """Take the first slot of an order that holds one; negative `orders` give it back."""
        if order.choice is not None and holds_slot(order):
            self.book_slot(order.choice.dealer, order.slots[0][0], orders, takes(order))

    def is_free(self, dealer: Dealer, hour: int, capabilities: Iterable[str]) -> bool:
        """Whether a place, technicians of these skills and capacity of the day are left in a local hour."""
        row, day = self.table.row[dealer.id], hour // 24
        full = self.table.full_hours(day, capabilities)
        return self.table.room(day)[row] > 0 and (full is None or not full[row] >> hour % 24 & 1)

    def choose(self, needs: DealerNeeds) -> DealerChoice | None:
        """The choice of `decide`."""
        return self.decide(needs).choice

    def policy(self, needs: DealerNeeds) -> RegionPolicy:
        """Of the vehicle's region, or of the nearest dealer's where the vehicle names none."""
        if needs.region or needs.location is None:
            return self.routing.policy.of(needs.region)
        nearest = self.table.nearest(_unit(needs.location))
        return self.routing.policy.of(self.table.dealers[nearest].region if nearest >= 0 else "")

    def decide(self, needs: DealerNeeds) -> DealerDecision:
        """The dealer of the first step that finds an able one, there the one with the greatest score; ties go to the smaller id.

        Nothing is booked.
        """
        policy = self.policy(needs)
        if needs.kind is OrderKind.RESCUE:
            return self._nearest(needs, policy) if needs.location else DealerDecision(outcome=DealerOutcome.NO_LOCATION)
        named = self.decide_by_name(needs)
        if named is not None:
            return named
        if needs.location is None:
            return self._without_location(needs, policy)
        found = self._nearest(needs, policy)
        return found if found.choice is not None else self._sparse(needs, policy) or found

    def decide_by_name(self, needs: DealerNeeds) -> DealerDecision | None:
        """The owner's choice, last-service or selling dealer of a service order, as the policy has it; None where none is able."""
        policy = self.policy(needs)
        for step, name in _named(needs, policy):
            found = self._by_name(needs, policy, step, name)
            if found.choice is not None:
                return found
        return None

    def decide_for(self, needs: DealerNeeds, dealer: str) -> DealerDecision:
        """The choice of the dealer that a person has named, however far and whatever brands it serves; NONE_ABLE where it cannot."""
        return self._by_name(needs, self.policy(needs), Step.OWNER_CHOICE, dealer)

    def decide_on(self, needs: DealerNeeds, dealer: str, day: int, together: int) -> DealerDecision:
        """The choice of this dealer from its local `day` on, with so many orders together; NONE_ABLE where that cannot be."""
        policy, rejected = self.policy(needs), Counter[Rejection]()
        search = _Search(
            needs=needs,
            policy=policy,
            step=Step.NEAREST,
            rows=self.table.rows_of([dealer]),
            horizon_h=policy.limits_of(needs.urgency).horizon_h[0],
            from_day=day,
            together=together,
        )
        able = self._able(search, rejected)
        if not len(able.rows):
            return DealerDecision(outcome=DealerOutcome.NONE_ABLE, rejected=_counted(rejected))
        return self._decision(able, search, rejected)

    def _by_name(self, needs: DealerNeeds, policy: RegionPolicy, step: Step, name: str) -> DealerDecision:
        """That dealer if it is able, in the first horizon in which it is free."""
        rejected: Counter[Rejection] = Counter()
        rows = self.table.rows_of([name])
        reach_km = np.inf if step is Step.OWNER_CHOICE or needs.location is None else policy.within_km
        for horizon_h in policy.limits_of(needs.urgency).horizon_h:
            search = _Search(needs=needs, policy=policy, step=step, rows=rows, horizon_h=horizon_h, reach_km=reach_km)
            able = self._able(search, rejected := Counter())
            if len(able.rows):
                return self._decision(able, search, rejected)
        return DealerDecision(outcome=DealerOutcome.NONE_ABLE, rejected=_counted(rejected))

    def _without_location(self, needs: DealerNeeds, policy: RegionPolicy) -> DealerDecision:
        """The preferred dealer if it is able, since distances are unknown."""
        if needs.preferred not in self.table.row:
            return DealerDecision(outcome=DealerOutcome.NO_LOCATION)
        return self._by_name(needs, policy, Step.NEAREST, needs.preferred)

    def _nearest(self, needs: DealerNeeds, policy: RegionPolicy) -> DealerDecision:
        """The best of all in reach; the reach widens before the horizon does."""
        assert needs.location is not None
        here, limits = _unit(needs.location), policy.limits_of(needs.urgency)
        rescue, rejected = needs.kind is OrderKind.RESCUE, Counter[Rejection]()
        for horizon_h in limits.horizon_h[:1] if rescue else limits.horizon_h:
            for reach_km in policy.rescue_reach_km if rescue else limits.reach_km:
                rows = self.table.within(here, reach_km / policy.detour)
                rejected = Counter({Rejection.TOO_FAR: len(self.table.dealers) - len(rows)})
                search = _Search(needs=needs, policy=policy, step=Step.NEAREST, rows=rows, horizon_h=horizon_h, reach_km=reach_km)
                able = self._able(search, rejected)
                if len(able.rows):
                    return self._decision(able, search, rejected)
        return DealerDecision(outcome=DealerOutcome.NONE_ABLE, rejected=_counted(rejected))

    def _sparse(self, needs: DealerNeeds, policy: RegionPolicy) -> DealerDecision | None:
        """Where no workshop is able in reach: a mobile unit that comes, else a workshop farther off for a tow; None for neither."""
        assert needs.location is not None
        here, horizon_h = _unit(needs.location), policy.limits_of(needs.urgency).horizon_h[-1]
        comes = [("MOBILE", policy.mobile_km)] if needs.drivable else []
        towed = [] if needs.wish is Wish.LOANER else [("FLAT_BED", policy.tow_km)]
        needs = replace(needs, wish=None)  # the vehicle stays where it is, or is fetched
        for transport, reach_km in (*comes, *towed):
            rows = self.table.within(here, reach_km / policy.detour) if reach_km else self.table.rows_of(())
            rejected = Counter({Rejection.TOO_FAR: len(self.table.dealers) - len(rows)})
            search = _Search(
                needs=needs,
                policy=policy,
                step=Step.NEAREST,
                rows=rows,
                horizon_h=horizon_h,
                reach_km=reach_km,
                transport=transport,
            )
            able = self._able(search, rejected)
            if len(able.rows):
                return self._decision(able, search, rejected)
        return None

    def _able(self, search: _Search, rejected: Counter[Rejection]) -> _Able:
        needs, table, rows = search.needs, self.table, search.rows
        rescue = needs.kind is OrderKind.RESCUE
        rows = _keep(rows, ~np.isin(rows, table.rows_of(needs.excluded)), Rejection.EXCLUDED, rejected)
        if not rescue:
            kind = table.mobile if search.transport == "MOBILE" else table.workshop
            rows = _keep(rows, kind[rows], Rejection.NO_WORKSHOP, rejected)
        if needs.brand and not rescue and search.step is not Step.OWNER_CHOICE:
            rows = _keep(rows, table.serves(needs.brand)[rows], Rejection.BRAND, rejected)
        for name in needs.capabilities:
            rows = _keep(rows, table.has(name)[rows], Rejection.CAPABILITY, rejected)
        rows, km, hours, by_road = self._ways(search, rows)
        if needs.wish is Wish.LOANER:
            lend = table.loaners[rows] > 0
            rejected[Rejection.NO_LOANER] += int(np.count_nonzero(~lend))
            rows, km, hours = rows[lend], km[lend], hours[lend]
        if needs.wish is Wish.PICK_UP:
            fetch = (table.pick_up_km[rows] > 0) & (km <= table.pick_up_km[rows])
            rejected[Rejection.NO_PICK_UP] += int(np.count_nonzero(~fetch))
            rows, km, hours = rows[fetch], km[fetch], hours[fetch]
        near = km <= search.reach_km
        rejected[Rejection.TOO_FAR] += int(np.count_nonzero(~near))
        rows, km, hours = rows[near], km[near], hours[near]
        if rescue:  # partners work around the clock and are not booked by the day
            return self._scored(search, rows, km, hours, np.zeros_like(rows), np.zeros(len(rows)), by_road)
        earliest, hour, full = self._first_hours(rows, hours, search)
        rejected[Rejection.FULL] += int(np.count_nonzero(full))
        rejected[Rejection.CLOSED] += int(np.count_nonzero((hour < 0) & ~full))
        free = hour >= 0
        wait_h = (hour - earliest)[free].astype(np.float64)
        return self._scored(search, rows[free], km[free], hours[free], hour[free], wait_h, by_road)

    def _ways(self, search: _Search, rows: Ints) -> tuple[Ints, Floats, Floats, bool]:
        """Rows with kilometres and hours by road, and whether a road service says so; without a position all are at hand."""
        location, policy = search.needs.location, search.policy
        if location is None:
            return rows, np.zeros(len(rows)), np.zeros(len(rows)), False
        km = policy.detour * self.table.great_circle_km(_unit(location), rows)
        if (roads := self.routing.roads) is not None and len(rows):
            nearest = np.sort(np.argsort(km, kind="stable")[:ROADS_ASKED])
            ends = [(self.table.dealers[row].latitude, self.table.dealers[row].longitude) for row in rows[nearest].tolist()]
            try:
                ways = roads.ways(location, ends)
            except RoadError:
                return rows, km, km / policy.drive_kmh, False
            return rows[nearest], ways.km, ways.hours, True
        return rows, km, km / policy.drive_kmh, False

    def _first_hours(self, rows: Ints, travel_h: Floats, search: _Search) -> tuple[Ints, Ints, Bools]:
        """Per dealer: local hour at which the vehicle can be there, first bookable hour (-1: none), open but booked out."""
        hour, full = np.full(len(rows), -1, dtype=np.int64), np.zeros(len(rows), dtype=bool)
        travel_ns = np.ceil(travel_h * HOUR_NS).astype(np.int64)
        local_ns = search.needs.time_ns + self.table.offset_ns[rows]
        earliest = -(-(local_ns + travel_ns) // HOUR_NS)
        latest = np.maximum((local_ns + search.horizon_h * HOUR_NS) // HOUR_NS, earliest)
        if not len(rows):
            return earliest, hour, full
        for day in range(max(int(earliest.min()) // 24, search.from_day), int(latest.max()) // 24 + 1):
            opens, closes = (hours[rows] for hours in self.table.hours(day))
            start = np.maximum(earliest, day * 24 + opens)
            fits = (opens < closes) & (start < day * 24 + closes) & (start <= latest)
            bookable = fits & (self.table.room(day)[rows] > 0)
            if (busy := self.table.full_hours(day, search.needs.takes)) is not None:
                start = _first_free(start, day, closes, busy[rows])
                bookable &= (start < day * 24 + closes) & (start <= latest)
            full |= fits & ~bookable
            hour = np.where((hour < 0) & bookable, start, hour)
            if (hour >= 0).all():
                break
        return earliest, hour, full & (hour < 0)

    def _scored(
        self, search: _Search, rows: Ints, km: Floats, travel_h: Floats, hour: Ints, wait_h: Floats, by_road: bool
    ) -> _Able:
        needs, policy, table = search.needs, search.policy, self.table
        if needs.kind is OrderKind.RESCUE:
            nothing, minutes = np.zeros(len(rows)), 60 * travel_h  # who is there first, however far
            return _Able(rows, km, travel_h, hour, nothing, nothing, np.round(-minutes, 6), by_road)
        load = table.load(rows, int((needs.time_ns // HOUR_NS) // 24))
        stocked = table.stocked(rows, needs.parts)
        score = merits_km(table, rows, needs, policy, stocked, load) - km - policy.limits_of(needs.urgency).wait_km_per_h * wait_h
        return _Able(rows, km, travel_h, hour, stocked, load, np.round(score, 6), by_road)

    def _decision(self, able: _Able, search: _Search, rejected: Counter[Rejection]) -> DealerDecision:
        best = int(np.argmax(able.score))  # the first of equals, and rows are in order of id
        dealer, needs = self.table.dealers[int(able.rows[best])], search.needs
        won = Won(
            step=search.step,
            km=float(able.km[best]),
            by_road=able.by_road,
            stocked=float(able.stocked[best]),
            load=float(able.load[best]),
            horizon_h=search.horizon_h,
            able=len(able.rows),
            transport=search.transport,
            together=search.together,
        )
        choice = DealerChoice(
            dealer=dealer.id,
            distance_km=round(won.km, 1),
            score=round(float(able.score[best]), 2),
            why=reasons(dealer, needs, search.policy, won),
            rejected=_counted(rejected),
            drive_min=None if needs.location is None else round(60 * float(able.travel_h[best]), 1),
        )
        rescue = needs.kind is OrderKind.RESCUE
        slots = () if rescue else self.slots(dealer, needs, int(able.hour[best]), search.horizon_h)
        return DealerDecision(
            outcome=DealerOutcome.CHOSEN, choice=choice, slots=slots, rejected=choice.rejected, transport=search.transport
        )

    def slots(self, dealer: Dealer, needs: DealerNeeds, first_hour: int, horizon_h: int) -> tuple[tuple[int, int], ...]:
        """Up to three appointments from a local hour on: the earliest ones two hours apart if it is urgent, else one a day."""
        last = max(first_hour, (needs.time_ns + horizon_h * HOUR_NS + working_hours.offset_ns(dealer)) // HOUR_NS)
        hours = list[int]()
        for hour in working_hours.hours_between(dealer, first_hour, last):
            day = hour // 24
            if not self.is_free(dealer, hour, needs.takes):
                continue
            if not hours or (hour - hours[-1] >= 2 if needs.urgency >= Urgency.TODAY else day > hours[-1] // 24):
                hours.append(hour)
            if len(hours) == 3:
                break
        return tuple(working_hours.slot(dealer, hour) for hour in hours)


def _first_free(start: Ints, day: int, closes: Ints, full: Ints) -> Ints:
    """The first hour from `start` on in which a place is left, or closing time; bit n of `full` is hour n of the day."""
    begin = np.clip(start - day * 24, 0, 24)
    one = np.int64(1)
    left = ((one << closes) - 1) & ~((one << begin) - 1) & ~full
    first = np.where(left != 0, np.log2(np.maximum(left & -left, 1)).astype(np.int64), closes)
    return np.where(full != 0, np.maximum(start, day * 24 + first), start)


def merits_km(table: DealerTable, rows: Ints, needs: DealerNeeds, policy: RegionPolicy, stocked: Floats, load: Floats) -> Floats:
    """What each of these dealers is worth to the order, in kilometres of detour; distance and waiting apart."""
    worth = policy.worth
    franchised = ~table.any_brand[rows] if needs.brand else np.zeros(len(rows), dtype=bool)
    preferred = rows == table.row.get(needs.preferred, -1)
    merits: Floats = (
        worth.stocked * stocked
        + worth.franchised * franchised
        + worth.preferred * preferred
        + worth.acceptance * (table.acceptance[rows] - 1)
        + worth.nps * table.nps[rows] / 100
        - worth.load * np.minimum(load, 1.0)
    )
    return merits


def _named(needs: DealerNeeds, policy: RegionPolicy) -> list[tuple[Step, str]]:
    names = {Step.OWNER_CHOICE: needs.owner_choice, Step.LAST_SERVICE: needs.last_service, Step.SELLING: needs.selling}
    return [(step, names[step]) for step in policy.steps if names.get(step)]


def _unit(place: tuple[float, float]) -> Floats:
    unit: Floats = unit_vectors(np.array([place]))[0]
    return unit


def _keep(rows: Ints, passes: Bools, reason: Rejection, rejected: Counter[Rejection]) -> Ints:
    rejected[reason] += int(np.count_nonzero(~passes))
    return rows[passes]


def _counted(rejected: Counter[Rejection]) -> tuple[tuple[str, int], ...]:
    return tuple((reason.value, rejected[reason]) for reason in Rejection if rejected[reason])
