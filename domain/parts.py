"""Parts on dealers' shelves, what is kept for which order, and what is on its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from domain.fleet import Dealer
from domain.orders import Order

SUPPLIER = "supplier"
"""Where a lot comes from that no dealer has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """Pieces of one part at one dealer; `version` grows with each change.

    Attributes:
        quantity: on the shelf. reserved: of these, kept for orders; more than `quantity` only where a count found fewer than were kept.
    """

    dealer: str
    part: str
    quantity: int = 0
    reserved: int = 0
    version: int = 0

    @property
    def available(self) -> int:
        """What a new order may have."""
        return max(0, self.quantity - self.reserved)


class LotState(StrEnum):
    """Where the pieces of a lot are."""

    RESERVED = "reserved"
    """On the shelf of the order's dealer, kept for the order."""
    IN_TRANSFER = "in_transfer"
    """Kept at another dealer, and on their way from there."""
    ON_ORDER = "on_order"
    """Ordered from the supplier."""
    USED = "used"
    RELEASED = "released"


AWAITED = frozenset({LotState.IN_TRANSFER, LotState.ON_ORDER})
"""Not there yet."""
LIVE = frozenset({LotState.RESERVED, *AWAITED})
"""Still meant for the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLot:
    """Pieces of one part for one order that come from one place; also the record of their transfer.

    Attributes:
        dealer: the order's. wanted: number in the order's plan. part: what is fitted, `wanted` or a successor of it.
        source: where they come from: `dealer` itself, another dealer, or `SUPPLIER`.
        eta_ns: wall time at which they are expected, None where they lie on the shelf. updated_ns: wall time.
    """

    id: str
    order: str
    dealer: str
    wanted: str
    part: str
    quantity: int
    state: LotState
    source: str
    eta_ns: int | None = None
    updated_ns: int = 0


class PartsDesk(Protocol):
    """Decides which pieces are kept for which order; asked by the store within the transaction that changes the order."""

    def concerns(self, before: Order | None, after: Order) -> frozenset[str] | None:
        """Part numbers whose stock this change of an order may touch, None where it has nothing to do with parts."""

    def decide(
        self,
        after: Order,
        lots: Sequence[PartLot],
        levels: Mapping[tuple[str, str], StockLevel],
        dealers: Mapping[str, Dealer],
        now_ns: int,
    ) -> tuple[PartLot, ...]:
        """The lots of the order that are new or change.

        Args:
            lots: of the order, all of them. levels: by (dealer, part), of all dealers that have any. dealers: those, and the order's.
        """


class NoPartsDesk:
    """Keeps nothing for anybody."""

    def concerns(self, before: Order | None, after: Order) -> frozenset[str] | None:  # noqa: ARG002 - the contract's names
        """Nothing."""
        return None

    def decide(
        self,
        after: Order,  # noqa: ARG002
        lots: Sequence[PartLot],  # noqa: ARG002
        levels: Mapping[tuple[str, str], StockLevel],  # noqa: ARG002
        dealers: Mapping[str, Dealer],  # noqa: ARG002
        now_ns: int,  # noqa: ARG002
    ) -> tuple[PartLot, ...]:
        """Nothing."""
        return ()


def changed_levels(
    levels: Mapping[tuple[str, str], StockLevel], lots: Iterable[tuple[PartLot | None, PartLot]]
) -> tuple[StockLevel, ...]:
    """The stock that changes when lots become others: (before, after) of each, None for a new lot.

    What a lot kept is given back, what it keeps now is taken, and pieces that move are moved. Levels that are not there count as
    empty; each that changes is one version on.
    """
    counts = {key: [level.quantity, level.reserved] for key, level in levels.items()}

    def add(dealer: str, part: str, quantity: int, reserved: int) -> None:
        count = counts.setdefault((dealer, part), [0, 0])
        count[0] += quantity
        count[1] += reserved

    for before, after in lots:
        if before is not None and (keeper := _kept_at(before)):
            add(keeper, before.part, 0, -before.quantity)
        if keeper := _kept_at(after):
            add(keeper, after.part, 0, after.quantity)
        if before is not None and before.state in AWAITED and after.state is LotState.RESERVED:
            add(after.dealer, after.part, after.quantity, 0)
            if before.state is LotState.IN_TRANSFER:
                add(before.source, before.part, -before.quantity, 0)
        if before is not None and before.state is LotState.RESERVED and after.state is LotState.USED:
            add(after.dealer, after.part, -after.quantity, 0)
    changed = []
    for (dealer, part), (quantity, reserved) in sorted(counts.items()):
        known = levels.get((dealer, part), StockLevel(dealer=dealer, part=part))
        if (known.quantity, known.reserved) != (quantity, reserved):
            changed.append(replace(known, quantity=max(0, quantity), reserved=max(0, reserved), version=known.version + 1))
    return tuple(changed)


def counted(level: StockLevel, quantity: int) -> StockLevel:
    """The level after somebody has counted so many pieces; the very same one where that is what was known."""
    return level if quantity == level.quantity else replace(level, quantity=quantity, version=level.version + 1)


def with_stock(dealers: Iterable[Dealer], levels: Iterable[StockLevel]) -> tuple[Dealer, ...]:
    """The dealers with what is available at each as their `stock`, by part number."""
    stock: dict[str, list[tuple[str, int]]] = {}
    for level in sorted((level for level in levels if level.version), key=lambda level: level.part):
        stock.setdefault(level.dealer, []).append((level.part, level.available))
    return tuple(replace(dealer, stock=tuple(stock.get(dealer.id, ()))) for dealer in dealers)


def stock_taken(dealer: Dealer, known: Iterable[StockLevel]) -> tuple[StockLevel, ...]:
    """The levels that change when a dealer table names this dealer's stock: parts that it does not name are gone.

    A dealer whose row names no stock at all keeps what it has.
    """
    if not dealer.stock:
        return ()
    named, levels, changed = dict(dealer.stock), {level.part: level for level in known}, []
    for part in sorted({*named, *levels}):
        level = levels.get(part, StockLevel(dealer=dealer.id, part=part))
        if (after := counted(level, named.get(part, 0))) is not level or part not in levels:
            changed.append(replace(after, version=level.version + 1))
    return tuple(changed)


def _kept_at(lot: PartLot) -> str:
    """The dealer on whose shelf the lot is kept, "" where on none."""
    if lot.state is LotState.RESERVED:
        return lot.dealer
    return lot.source if lot.state is LotState.IN_TRANSFER else ""
