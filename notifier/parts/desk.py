"""Which pieces are kept for an order: from the dealer's own shelf, else from the nearest dealer that has them, else from the supplier.

Pure. The store asks within the transaction that changes the order, with the stock locked, so that no piece is promised twice and an
order never holds parts at a dealer that it has left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.fleet import Dealer
from domain.orders import Order, OrderKind
from domain.parts import AWAITED, LIVE, SUPPLIER, LotState, PartLot, StockLevel, changed_levels
from notifier.dealers.geography import chord_km, unit_vectors
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.dealers.working_hours import HOUR_NS
from notifier.identity import lot_id
from notifier.orders.order_states import OrderEvent, OrderState
from notifier.orders.ordering import parts_needed
from notifier.parts.supply import Supply

TRANSFER_REACH_KM = 300.0
"""Nothing is fetched from farther away (estimate: half a day's drive)."""
HANDLING_H = 4.0
"""To pick, pack and receive what goes from one dealer to another (estimate)."""
BOUND = frozenset(
    {
        OrderState.ACCEPTED,
        OrderState.SCHEDULED,
        OrderState.NO_SHOW,
        OrderState.CHECKED_IN,
        OrderState.DIAGNOSING,
        OrderState.QUOTED,
        OrderState.PARTIALLY_APPROVED,
        OrderState.APPROVED,
        OrderState.IN_PROGRESS,
        OrderState.ON_HOLD,
        OrderState.QUALITY_CHECK,
    }
)
"""A dealer has taken the order, and its work is not done: its parts are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDesk:
    """Implements `domain.parts.PartsDesk`."""

    supply: Supply
    routing: Routing = PLAIN_ROUTING

    def concerns(self, before: Order | None, after: Order) -> frozenset[str] | None:
        """The numbers that may be fitted, where a service order is taken, given up, done, or asks for other parts."""
        was, now = _holds(before), _holds(after)
        if after.kind is OrderKind.RESCUE or not (was or now) or (was == now):
            return None
        wanted = {number for held in (was, now) if held for number, _ in held[1]}
        return frozenset(part for number in wanted for part in self.supply.acceptable(number))

    def decide(
        self,
        after: Order,
        lots: Sequence[PartLot],
        levels: Mapping[tuple[str, str], StockLevel],
        dealers: Mapping[str, Dealer],
        now_ns: int,
    ) -> tuple[PartLot, ...]:
        """The lots of the order that are new or change."""
        live = [lot for lot in lots if lot.state in LIVE]
        held = _holds(after)
        if held is None:
            done = after.change.event == OrderEvent.PASS
            return tuple(_ended(lot, now_ns, used=done and lot.state is LotState.RESERVED) for lot in live)
        dealer, needed = held
        changes = {lot.id: _ended(lot, now_ns) for lot in live if lot.dealer != dealer}
        own = [lot for lot in live if lot.dealer == dealer]
        for number in {lot.wanted for lot in own}:
            changes |= {
                lot.id: lot for lot in _less([lot for lot in own if lot.wanted == number], dict(needed).get(number, 0), now_ns)
            }
        known = {lot.id: lot for lot in lots}
        changed = changed_levels(levels, ((known[lot.id], lot) for lot in changes.values()))
        free = Counter({key: level.available for key, level in levels.items()})
        free.update({(level.dealer, level.part): level.available - free[level.dealer, level.part] for level in changed})
        new: list[PartLot] = []
        for number, quantity in needed:
            missing = quantity - sum(lot.quantity for lot in own if lot.wanted == number)
            if missing > 0:
                new += self._found(after, number, missing, free, dealers, now_ns)
        return (*changes.values(), *new)

    def _found(
        self,
        order: Order,
        wanted: str,
        missing: int,
        free: Counter[tuple[str, str]],
        dealers: Mapping[str, Dealer],
        now_ns: int,
    ) -> list[PartLot]:
        """Lots for so many pieces, taken out of `free`."""
        assert order.choice is not None
        here, parts, lots = order.choice.dealer, self.supply.acceptable(wanted), list[PartLot]()

        def take(part: str, quantity: int, source: str, state: LotState, eta_ns: int | None) -> int:
            lots.append(
                PartLot(
                    id=lot_id(order.id, order.version, wanted, part, source),
                    order=order.id,
                    dealer=here,
                    wanted=wanted,
                    part=part,
                    quantity=quantity,
                    state=state,
                    source=source,
                    eta_ns=eta_ns,
                    updated_ns=now_ns,
                )
            )
            free[source, part] -= quantity
            return missing - quantity

        for part in parts:
            if missing and (there := min(missing, free[here, part])) > 0:
                missing = take(part, there, here, LotState.RESERVED, None)
        supplier_ns = now_ns + self.supply.lead_ns(parts[-1])
        for source, eta_ns in self._nearest(here, parts, free, dealers, now_ns) if missing else ():
            for part in parts:
                if missing and eta_ns <= supplier_ns and (there := min(missing, free[source, part])) > 0:
                    missing = take(part, there, source, LotState.IN_TRANSFER, eta_ns)
        if missing:
            take(parts[-1], missing, SUPPLIER, LotState.ON_ORDER, supplier_ns)
        return lots

    def _nearest(
        self, here: str, parts: Sequence[str], free: Counter[tuple[str, str]], dealers: Mapping[str, Dealer], now_ns: int
    ) -> list[tuple[str, int]]:
        """(dealer, wall time of arrival) of the others in reach that have any of these parts, the nearest first."""
        own = dealers.get(here)
        others = sorted({dealer for (dealer, part), left in free.items() if left > 0 and part in parts} & dealers.keys() - {here})
        if own is None or not others:
            return []
        places = unit_vectors(np.array([(dealers[each].latitude, dealers[each].longitude) for each in (here, *others)]))
        policy = self.routing.policy.of(own.region)
        ways_km = (policy.detour * chord_km(np.linalg.norm(places[1:] - places[0], axis=1))).tolist()
        near = sorted((km, other) for km, other in zip(ways_km, others, strict=True) if km <= TRANSFER_REACH_KM)
        return [(other, now_ns + round((HANDLING_H + km / policy.drive_kmh) * HOUR_NS)) for km, other in near]


def arrived(lot: PartLot, now_ns: int) -> PartLot:
    """The lot after its pieces have come: they lie on the shelf of the order's dealer, kept for the order."""
    return replace(lot, state=LotState.RESERVED, eta_ns=None, updated_ns=now_ns)


def _holds(order: Order | None) -> tuple[str, tuple[tuple[str, int], ...]] | None:
    """(dealer, (part, quantity) …) of an order for which parts are kept, None for any other."""
    if order is None or order.choice is None or order.state not in BOUND:
        return None
    return order.choice.dealer, parts_needed(order)


def _ended(lot: PartLot, now_ns: int, *, used: bool = False) -> PartLot:
    return replace(lot, state=LotState.USED if used else LotState.RELEASED, eta_ns=None, updated_ns=now_ns)


def _less(lots: Sequence[PartLot], needed: int, now_ns: int) -> list[PartLot]:
    """What changes so that no more pieces are kept than needed: those that are not there yet are given up first."""
    surplus, changed = sum(lot.quantity for lot in lots) - needed, []
    for lot in sorted(lots, key=lambda lot: (lot.state in AWAITED, lot.eta_ns or 0, lot.id), reverse=True):
        if surplus <= 0:
            break
        spare = min(surplus, lot.quantity)
        surplus -= spare
        changed.append(
            _ended(lot, now_ns) if spare == lot.quantity else replace(lot, quantity=lot.quantity - spare, updated_ns=now_ns)
        )
    return changed
