"""Stock of parts and what is kept for orders, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from domain.fleet import Dealer
from domain.orders import Order
from domain.parts import (
    SUPPLIER,
    LotState,
    PartLot,
    PartsDesk,
    StockLevel,
    changed_levels,
    counted,
    stock_taken,
    with_stock,
)
from storage import rows, schema
from storage.sql_base import IDS_AT_ONCE, SqlBase, insert_absent, parse, replace_rows, transaction


class SqlParts(SqlBase):
    """The tables of parts. Writers lock lots before stock, both in the order of their keys."""

    def stock(self, *, dealer: str | None = None, part: str | None = None) -> tuple[StockLevel, ...]:
        """Levels by (dealer, part): all, or those of one dealer, of one part."""
        return _levels(self._fetch(_stock(dealer, part)))

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
        table = schema.part_lot
        query = select(table.c.document).order_by(table.c.eta_ns, table.c.id).limit(limit).offset(offset)
        query = query if order is None else query.where(table.c.order_id == order)
        query = query if dealer is None else query.where(table.c.dealer == dealer)
        query = query if state is None else query.where(table.c.state.in_(sorted(state)))
        return parse(PartLot, self._fetch(query))

    def part_lot(self, identifier: str) -> PartLot | None:
        """One lot."""
        found = self._documents(schema.part_lot, PartLot, schema.part_lot.c.id == identifier)
        return found[0] if found else None

    def count_stock(self, dealer: str, part: str, quantity: int, expected_version: int) -> bool:
        """Note how many pieces were counted, if the level is still of this version (0 = there is none); False and nothing else where not."""
        with transaction(self._writes) as connection:
            level = _locked(connection, [StockLevel(dealer=dealer, part=part)])[dealer, part]
            if level.version != expected_version:
                return False
            after = counted(level, quantity)
            replace_rows(connection, schema.part_stock, [rows.stock_row(after)] if after is not level else [])
        return True

    def move_lot(self, before: PartLot, after: PartLot) -> bool:
        """Store a lot with the stock that it moves, if what is stored is still `before`; False and nothing else where not."""
        table = schema.part_lot
        with transaction(self._writes) as connection:
            query = select(table.c.document).where(table.c.id == before.id).with_for_update()
            if parse(PartLot, connection.execute(query).mappings().all()) != (before,):
                return False
            places = {(dealer, lot.part) for lot in (before, after) for dealer in (lot.dealer, lot.source) if dealer != SUPPLIER}
            levels = _locked(connection, [StockLevel(dealer=dealer, part=part) for dealer, part in places])
            _write(connection, [(before, after)], levels)
        return True


def take_stock(connection: Connection, dealers: Iterable[Dealer]) -> None:
    """The stock that a dealer table names."""
    for dealer in sorted(dealers, key=lambda dealer: dealer.id):
        found = _levels(connection.execute(_stock(dealer.id, None).with_for_update()).mappings().all())
        replace_rows(connection, schema.part_stock, [rows.stock_row(level) for level in stock_taken(dealer, found)])


def stocked(connection: Connection, dealers: Sequence[Dealer]) -> tuple[Dealer, ...]:
    """The dealers with what is available at each."""
    own = _stock(dealers[0].id if len(dealers) == 1 else None, None)
    return with_stock(dealers, _levels(connection.execute(own).mappings().all()))


def keep_parts(
    connection: Connection, desk: PartsDesk, changed: Sequence[tuple[Order | None, Order]], clock: Callable[[], int]
) -> None:
    """Keep, fetch, use or give back the parts of orders that change, in the transaction in which they do."""
    concerned = [(after, parts) for before, after in changed if (parts := desk.concerns(before, after)) is not None]
    if not concerned:
        return
    orders = sorted(after.id for after, _ in concerned)
    table, lots = schema.part_lot, list[PartLot]()
    for start in range(0, len(orders), IDS_AT_ONCE):
        query = select(table.c.document).where(table.c.order_id.in_(orders[start : start + IDS_AT_ONCE]))
        lots += parse(PartLot, connection.execute(query.order_by(table.c.id).with_for_update()).mappings().all())
    numbers = frozenset().union(*(parts for _, parts in concerned)) | {lot.part for lot in lots}
    stock = schema.part_stock
    query = select(stock).where(stock.c.part.in_(sorted(numbers))).order_by(stock.c.dealer, stock.c.part).with_for_update()
    levels = {(level.dealer, level.part): level for level in _levels(connection.execute(query).mappings().all())}
    names = {dealer for dealer, _ in levels} | {after.choice.dealer for after, _ in concerned if after.choice}
    dealers = _dealers(connection, names)
    for after, _ in concerned:
        own = [lot for lot in lots if lot.order == after.id]
        moved = desk.decide(after, own, levels, dealers, clock())
        known = {lot.id: lot for lot in own}
        levels |= _write(connection, [(known.get(lot.id), lot) for lot in moved], levels)


def _write(
    connection: Connection, moved: Sequence[tuple[PartLot | None, PartLot]], levels: Mapping[tuple[str, str], StockLevel]
) -> dict[tuple[str, str], StockLevel]:
    """Store lots and the stock that they move; gives the levels that changed."""
    changed = changed_levels(levels, moved)
    replace_rows(connection, schema.part_lot, [rows.lot_row(lot) for _, lot in moved])
    replace_rows(connection, schema.part_stock, [rows.stock_row(level) for level in changed])
    return {(level.dealer, level.part): level for level in changed}


def _locked(connection: Connection, levels: Sequence[StockLevel]) -> dict[tuple[str, str], StockLevel]:
    """These levels as they are stored, locked; one that was not there is, empty, so that two writers cannot both begin it."""
    insert_absent(connection, schema.part_stock, [rows.stock_row(level) for level in levels])
    found = dict[tuple[str, str], StockLevel]()
    for wanted in sorted(levels, key=lambda level: (level.dealer, level.part)):
        query = _stock(wanted.dealer, wanted.part).with_for_update()
        found |= {(level.dealer, level.part): level for level in _levels(connection.execute(query).mappings().all())}
    return found


def _stock(dealer: str | None, part: str | None) -> Select[Any]:
    table = schema.part_stock
    query = select(table).order_by(table.c.dealer, table.c.part)
    query = query if dealer is None else query.where(table.c.dealer == dealer)
    return query if part is None else query.where(table.c.part == part)


def _levels(found: Sequence[RowMapping]) -> tuple[StockLevel, ...]:
    return tuple(StockLevel(**row) for row in found)


def _dealers(connection: Connection, names: Collection[str]) -> dict[str, Dealer]:
    table, found, ordered = schema.dealer, list[Dealer](), sorted(names)
    for start in range(0, len(ordered), IDS_AT_ONCE):
        query = select(table.c.document).where(table.c.id.in_(ordered[start : start + IDS_AT_ONCE]))
        found += parse(Dealer, connection.execute(query).mappings().all())
    return {dealer.id: dealer for dealer in found}
