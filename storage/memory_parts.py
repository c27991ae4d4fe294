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
from storage.grouped import Grouped


class MemoryParts:
    """The tables of parts."""

    def __init__(self, desk: PartsDesk) -> None:
        self._desk = desk
        self._levels: dict[tuple[str, str], StockLevel] = {}
        self._shelves: dict[str, dict[str, StockLevel]] = {}
        self._stocked_dealers: dict[str, tuple[Dealer, Dealer]] = {}
        self._lots = Grouped[PartLot](lambda lot: lot.order)
        self._lots_in = Grouped[PartLot](lambda lot: lot.state)

    def stock(self, *, dealer: str | None = None, part: str | None = None) -> tuple[StockLevel, ...]:
        """Levels by (dealer, part): all, or those of one dealer, of one part."""
        shelves = sorted(self._shelves) if dealer is None else [dealer]
        wanted = (level for name in shelves for _, level in sorted(self._shelves.get(name, {}).items()))
        return tuple(level for level in wanted if part in (None, level.part))

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
            for lot in (self._lots_in.values(state) if order is None else self._lots.values(order))
            if dealer in (None, lot.dealer) and (state is None or lot.state in state)
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
        self._put_level(counted(level, quantity))
        return True

    def move_lot(self, before: PartLot, after: PartLot) -> bool:
        """Store a lot with the stock that it moves, if what is stored is still `before`; False and nothing else where not."""
        if self._lots.get(before.id) != before:
            return False
        self._move([(before, after)])
        return True

    def _keep_parts(self, before: Order | None, after: Order, dealers: Mapping[str, Dealer], clock: Callable[[], int]) -> None:
        if self._desk.concerns(before, after) is not None:
            own = {lot.id: lot for lot in self._lots.values(after.id)}
            moved = self._desk.decide(after, list(own.values()), self._levels, dealers, clock())
            self._move([(own.get(lot.id), lot) for lot in moved])

    def _move(self, moved: Sequence[tuple[PartLot | None, PartLot]]) -> None:
        for level in changed_levels(self._levels, moved):
            self._put_level(level)
        for _, lot in moved:
            self._lots.put(lot.id, lot)
            self._lots_in.put(lot.id, lot)

    def _put_level(self, level: StockLevel) -> None:
        self._levels[level.dealer, level.part] = level
        self._shelves.setdefault(level.dealer, {})[level.part] = level
        self._stocked_dealers.pop(level.dealer, None)

    def _take_stock(self, dealers: Iterable[Dealer]) -> None:
        for dealer in dealers:
            taken = stock_taken(dealer, self.stock(dealer=dealer.id))
            for level in taken:
                self._put_level(level)

    def _stocked(self, dealers: Iterable[Dealer]) -> tuple[Dealer, ...]:
        return tuple(self._with_shelf(dealer) for dealer in dealers)

    def _with_shelf(self, dealer: Dealer) -> Dealer:
        """Asked again and again, and seldom another answer."""
        plain, stocked = self._stocked_dealers.get(dealer.id, (None, dealer))
        if plain is not dealer:
            (stocked,) = with_stock([dealer], self._shelves.get(dealer.id, {}).values())
            self._stocked_dealers[dealer.id] = dealer, stocked
        return stocked
