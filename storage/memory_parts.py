"""Stock of parts and what is kept for orders, in dictionaries: the same as `storage.sql_parts.SqlParts`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from domain.fleet import Dealer
from domain.orders import Order
from domain.parts import (
    LotState,
    PartLot,
    PartsDesk,
    StockLevel,
    changed_levels,
    counted,
    stock_taken,
    with_stock,
)


class MemoryParts:
    """The tables of parts."""

    def __init__(self, desk: PartsDesk) -> None:
        self._desk = desk
        self._levels: dict[tuple[str, str], StockLevel] = {}
        self._lots: dict[str, PartLot] = {}

    def stock(self, *, dealer: str | None = None, part: str | None = None) -> tuple[StockLevel, ...]:
        """Levels by (dealer, part): all, or those of one dealer, of one part."""
        wanted = (level for _, level in sorted(self._levels.items()))
        return tuple(level for level in wanted if dealer in (None, level.dealer) and part in (None, level.part))

    def part_lots(
        self,
        *,
        order: str | None = None,
        dealer: str | None = None,
        state: Collection[LotState] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[PartLot, ...]:
        """Lots by (expected time, id), those that are there first: all, or those of one order, one dealer, in these states."""
        found = [
            lot
            for lot in self._lots.values()
            if order in (None, lot.order) and dealer in (None, lot.dealer) and (state is None or lot.state in state)
        ]
        found.sort(key=lambda lot: (lot.eta_ns or 0, lot.id))
        return tuple(found[offset:][:limit])

    def part_lot(self, identifier: str) -> PartLot | None:
        """One lot."""
        return self._lots.get(identifier)

    def count_stock(self, dealer: str, part: str, quantity: int, expected_version: int) -> bool:
        """Note how many pieces were counted, if the level is still of this version (0 = there is none); False and nothing else where not."""
        level = self._levels.get((dealer, part), StockLevel(dealer=dealer, part=part))
        if level.version != expected_version:
            return False
        self._levels[dealer, part] = counted(level, quantity)
        return True

    def move_lot(self, before: PartLot, after: PartLot) -> bool:
        """Store a lot with the stock that it moves, if what is stored is still `before`; False and nothing else where not."""
        if self._lots.get(before.id) != before:
            return False
        self._move([(before, after)])
        return True

    def _keep_parts(self, before: Order | None, after: Order, dealers: Mapping[str, Dealer], clock: Callable[[], int]) -> None:
        if self._desk.concerns(before, after) is not None:
            own = {lot.id: lot for lot in self._lots.values() if lot.order == after.id}
            moved = self._desk.decide(after, list(own.values()), self._levels, dealers, clock())
            self._move([(own.get(lot.id), lot) for lot in moved])

    def _move(self, moved: Sequence[tuple[PartLot | None, PartLot]]) -> None:
        self._levels.update(((level.dealer, level.part), level) for level in changed_levels(self._levels, moved))
        self._lots.update((lot.id, lot) for _, lot in moved)

    def _take_stock(self, dealers: Iterable[Dealer]) -> None:
        for dealer in dealers:
            taken = stock_taken(dealer, self.stock(dealer=dealer.id))
            self._levels.update(((level.dealer, level.part), level) for level in taken)

    def _stocked(self, dealers: Iterable[Dealer]) -> tuple[Dealer, ...]:
        return with_stock(dealers, self.stock())
