"""Which dealer and day each of many waiting orders gets: the policy's named dealers first, then the best for all together.

Pure but for the bookings that it notes in the network at hand, as single decisions do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.findings import Urgency
from domain.fleet import Vehicle
from domain.orders import Order, OrderKind
from notifier.dealers.dealer_choice import DealerNetwork, merits_km
from notifier.dealers.dealer_needs import DealerDecision, DealerNeeds
from notifier.dealers.geography import unit_vectors
from notifier.dealers.routing_policy import RegionPolicy
from notifier.dealers.working_hours import HOUR_NS
from notifier.dispatch.flow import place
from notifier.dispatch.problem import NEVER, NOWHERE, Ints, Kind, PlacementProblem
from notifier.orders.ordering import dealer_needs

CAN_WAIT = frozenset({Urgency.SOON, Urgency.NEXT})
"""Urgencies of service orders that lose nothing by some minutes more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """Order id -> decision, for every order asked about; `together` of them were placed by the flow, `proven` optimally."""

    decisions: Mapping[str, DealerDecision]
    together: int
    proven: bool


def can_wait(order: Order) -> bool:
    """Whether an order may be placed together with others."""
    return order.kind is OrderKind.SERVICE and order.recommendation.urgency in CAN_WAIT and not order.recommendation.review


def batch_needs(order: Order, vehicle: Vehicle, time_ns: int) -> DealerNeeds:
    """What the order needs as of now."""
    return replace(dealer_needs(order, vehicle), time_ns=time_ns, location=order.location or vehicle.home)


def plan_batch(waiting: Mapping[str, DealerNeeds], network: DealerNetwork, time_ns: int) -> BatchPlan:
    """Decide for all orders together; appointments begin on the next local day at the earliest.

    Orders with an able owner's choice, last-service or selling dealer go there, as they would alone; those with a wish for transport are
    decided alone too. The rest is placed by
    min-cost flow over dealers and days. What the flow cannot place is decided alone: later, by a mobile unit, by a tow, or by nobody.

    Args:
        waiting: order id -> needs, of the time of the plan; ties go to the earlier one.
        network: with everything booked that does not move; what is decided is booked in it.
        time_ns: of the plan.
    """
    decisions: dict[str, DealerDecision] = {}
    for identity, needs in waiting.items():
        named = network.decide_by_name(needs)
        if named is not None or needs.location is None or needs.wish is not None:
            decisions[identity] = _booked(network, named or network.decide(needs), needs)
    together = [identity for identity in waiting if identity not in decisions]
    proven = True
    if together and network.table.dealers:
        proven = _place_together(together, waiting, network, time_ns, decisions)
    left = [identity for identity in together if identity not in decisions]
    for identity in left:
        decisions[identity] = _booked(network, network.decide(waiting[identity]), waiting[identity])
    in_order = {identity: decisions[identity] for identity in waiting}
    return BatchPlan(decisions=in_order, together=len(together) - len(left), proven=proven)


def _place_together(
    together: Sequence[str],
    waiting: Mapping[str, DealerNeeds],
    network: DealerNetwork,
    time_ns: int,
    decisions: dict[str, DealerDecision],
) -> bool:
    first_day = _next_days(network, time_ns)
    placement = place(_problem([waiting[identity] for identity in together], network, first_day))
    for row, identity in enumerate(together):
        dealer = int(placement.dealer[row])
        if dealer == NOWHERE:
            continue
        day = int(first_day[dealer] + placement.day[row])
        decision = network.decide_on(waiting[identity], network.table.dealers[dealer].id, day, len(together))
        if decision.choice is not None:
            decisions[identity] = _booked(network, decision, waiting[identity])
    return placement.proven


def _next_days(network: DealerNetwork, time_ns: int) -> Ints:
    """(dealers,) the local day after this one."""
    return (time_ns + network.table.offset_ns) // (24 * HOUR_NS) + 1


def _problem(needs: Sequence[DealerNeeds], network: DealerNetwork, first_day: Ints) -> PlacementProblem:
    table = network.table
    keys: dict[object, int] = {}
    kinds: list[Kind] = []
    kind, worth_m = np.zeros(len(needs), dtype=np.int64), np.zeros(len(needs), dtype=np.int64)
    policies = [network.policy(each) for each in needs]
    days = max(_days(each, policy) for each, policy in zip(needs, policies, strict=True))
    for row, (each, policy) in enumerate(zip(needs, policies, strict=True)):
        key = (each.brand.casefold(), each.capabilities, each.parts, each.urgency, id(policy))
        if key not in keys:
            keys[key] = len(kinds)
            kinds.append(_kind(each, policy, network, first_day, days))
        kind[row], worth_m[row] = keys[key], round(1000 * policy.worth.preferred)
    excluded = {(row, table.row[name]) for row, each in enumerate(needs) for name in each.excluded if name in table.row}
    return PlacementProblem(
        dealers=table.units,
        room=_room(network, first_day, days),
        orders=unit_vectors(np.array([each.location for each in needs])),
        kinds=tuple(kinds),
        kind=kind,
        favourite=np.array([table.row.get(each.preferred, NOWHERE) for each in needs], dtype=np.int64),
        favourite_m=worth_m,
        excluded=frozenset(excluded),
    )


def _days(needs: DealerNeeds, policy: RegionPolicy) -> int:
    """Whole days of the first horizon."""
    return max(1, policy.limits_of(needs.urgency).horizon_h[0] // 24 - 1)


def _kind(needs: DealerNeeds, policy: RegionPolicy, network: DealerNetwork, first_day: Ints, days: int) -> Kind:
    table, limits = network.table, policy.limits_of(needs.urgency)
    rows = np.arange(len(table.dealers))
    able = table.workshop & table.serves(needs.brand) if needs.brand else table.workshop.copy()
    for name in needs.capabilities:
        able &= table.has(name)
    alone = replace(needs, preferred="")
    merits = merits_km(table, rows, alone, policy, table.stocked(rows, needs.parts), table.load(rows, int(first_day.min())))
    wait_m = np.rint(24_000 * limits.wait_km_per_h * np.arange(days)).astype(np.int64)
    wait_m[_days(needs, policy) :] = NEVER
    return Kind(
        able=able,
        # what counts for every dealer alike decides nothing, and favours must not be negative
        favour_m=np.rint(1000 * (merits - merits.min())).astype(np.int64),
        wait_m=wait_m,
        reach_m=round(1000 * limits.reach_km[-1]),
        detour=policy.detour,
    )


def _room(network: DealerNetwork, first_day: Ints, days: int) -> Ints:
    """(dealers, days) appointments still free on each day on which the dealer is open."""
    table, room = network.table, np.zeros((len(first_day), days), dtype=np.int64)
    for first in np.unique(first_day).tolist():
        rows = first_day == first
        for day in range(days):
            opens, closes = table.hours(first + day)
            room[rows, day] = np.where(opens < closes, np.maximum(table.room(first + day), 0), 0)[rows]
    return room


def _booked(network: DealerNetwork, decision: DealerDecision, needs: DealerNeeds) -> DealerDecision:
    if decision.choice is not None and decision.slots:
        network.book_slot(decision.choice.dealer, decision.slots[0][0], capabilities=needs.takes)
    return decision
