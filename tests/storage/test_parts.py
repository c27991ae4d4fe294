"""Stock and what is kept for orders: the same promise in memory, on SQLite and on PostgreSQL, with several writers at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.orders import Order
from domain.parts import LotState
from domain.records import Commit, VehicleCase
from notifier.parts.desk import StockDesk, arrived
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore
from tests.notifier.parts.making import SUPPLY, moved, order_for, shop
from tests.storage.databases import fresh_url
from tests.storage.examples import KEY
from tests.storage.test_two_writers import together

AnyStore = MemoryStore | SqlStore
DESK = StockDesk(supply=SUPPLY)
kinds = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    if request.param == "memory":
        yield MemoryStore(desk=DESK)
        return
    with open_store(fresh_url(request.param, tmp_path), key=KEY, desk=DESK) as opened:
        yield opened


def commit(store: AnyStore, *orders: Order) -> None:
    store.commit(Commit(cases=(VehicleCase(vehicle="v1", orders=orders),)))


def lots(store: AnyStore) -> list[tuple[str, str, int, str, str]]:
    return sorted((lot.order, lot.part, lot.quantity, lot.state.value, lot.source) for lot in store.part_lots())


def test_parts_are_kept_in_the_transaction_in_which_an_order_is_taken_and_given_back_with_it(store: AnyStore) -> None:
    store.save_dealers([shop("here", 0, PUMP=1), shop("near", 40, PUMP=1)])
    mark = store.network_mark()
    offered = order_for({"PUMP": 2}, state="offered", event="offer")
    commit(store, offered)
    assert store.part_lots() == ()
    taken = moved(offered, "accepted", "accept")
    assert not store.change_order(taken, 7)
    assert store.part_lots() == ()
    assert store.change_order(taken, 1)
    assert lots(store) == [("order-1", "PUMP", 1, "in_transfer", "near"), ("order-1", "PUMP", 1, "reserved", "here")]
    assert [dealer.stock for dealer in store.dealers()] == [(("PUMP", 0),), (("PUMP", 0),)]
    assert store.network_mark() != mark
    assert store.change_order(moved(taken, "cancelled", "cancel"), 2)
    assert [dealer.stock for dealer in store.dealers()] == [(("PUMP", 1),), (("PUMP", 1),)]
    commit(store, moved(taken, "cancelled", "cancel"))


def test_what_comes_is_moved_and_lots_are_found_by_order_dealer_and_state(store: AnyStore) -> None:
    store.save_dealers([shop("here", 0), shop("near", 40, PUMP=1)])
    commit(store, order_for({"PUMP": 1, "HOSE": 1}), order_for({"PUMP": 1}, identity="order-2"))
    coming = store.part_lots(order="order-1", state={LotState.IN_TRANSFER, LotState.ON_ORDER})
    assert [lot.state for lot in coming] == [LotState.IN_TRANSFER, LotState.ON_ORDER]
    for lot in coming:
        assert store.part_lot(lot.id) == lot
        assert store.move_lot(lot, arrived(lot, 5))
        assert not store.move_lot(lot, arrived(lot, 5))
    assert lots(store) == [
        ("order-1", "HOSE", 1, "reserved", "supplier"),
        ("order-1", "PUMP", 1, "reserved", "near"),
        ("order-2", "PUMP", 1, "on_order", "supplier"),
    ]
    levels = [(level.dealer, level.part, level.quantity, level.reserved) for level in store.stock() if level.version]
    assert levels == [("here", "HOSE", 1, 1), ("here", "PUMP", 1, 1), ("near", "PUMP", 0, 0)]
    assert len(store.part_lots(dealer="here")) == 3
    assert [lot.id for lot in store.part_lots(limit=1, offset=2)] == [
        lot.id for lot in store.part_lots(state={LotState.ON_ORDER})
    ]
    assert store.part_lot("none") is None


def test_a_count_is_stored_for_the_version_that_was_seen(store: AnyStore) -> None:
    store.save_dealers([shop("here", 0, PUMP=3)])
    assert not store.count_stock("here", "PUMP", 9, 4)
    assert store.count_stock("here", "PUMP", 9, 1)
    assert store.count_stock("here", "HOSE", 2, 0)
    assert [(level.part, level.quantity, level.version) for level in store.stock(dealer="here")] == [
        ("HOSE", 2, 1),
        ("PUMP", 9, 2),
    ]
    assert [level.quantity for level in store.stock(part="PUMP")] == [9]


@kinds
def test_two_writers_never_promise_a_piece_twice(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    names = [f"order-{number:02}" for number in range(40)]
    with open_store(url, key=KEY, desk=DESK) as one, open_store(url, key=KEY, desk=DESK) as other:
        one.save_dealers([shop("here", 0, PUMP=13, HOSE=8), shop("near", 40, PUMP=9)])
        commit(one, *(order_for({"PUMP": 1, "HOSE": 1}, identity=name, state="offered") for name in names))

        def take(store: SqlStore, own: list[str], given_up: int) -> Callable[[], None]:
            def run() -> None:
                for number, name in enumerate(own):
                    seen = store.order(name)
                    assert seen is not None
                    assert store.change_order(taken := moved(seen, "accepted", "accept"), seen.version)
                    if number < given_up:
                        assert store.change_order(moved(taken, "cancelled", "cancel"), taken.version)

            return run

        def count() -> None:
            for _ in range(10):
                (level,) = one.stock(dealer="near", part="PUMP")
                one.count_stock("near", "PUMP", level.quantity, level.version)

        together(take(one, names[::2], 5), take(other, names[1::2], 5), count)
        live = [lot for lot in one.part_lots() if lot.state is not LotState.RELEASED]
        assert sum(lot.quantity for lot in live) == 60
        for level in one.stock():
            kept = [
                lot.quantity
                for lot in live
                if lot.part == level.part
                and (lot.source if lot.state is LotState.IN_TRANSFER else lot.dealer) == level.dealer
                and lot.state is not LotState.ON_ORDER
            ]
            assert level.reserved == sum(kept) <= level.quantity
        assert {(level.dealer, level.part): level.quantity for level in one.stock()} == {
            ("here", "HOSE"): 8,
            ("here", "PUMP"): 13,
            ("near", "PUMP"): 9,
        }


@kinds
def test_two_deliveries_of_a_part_that_was_never_there_are_both_counted(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    with open_store(url, key=KEY, desk=DESK) as one, open_store(url, key=KEY, desk=DESK) as other:
        one.save_dealers([shop("here", 0)])
        commit(one, *(order_for({"PUMP": 1}, identity=f"order-{number}") for number in range(8)))
        waiting = one.part_lots()

        def deliver(store: SqlStore, own: int) -> Callable[[], None]:
            return lambda: [store.move_lot(lot, arrived(lot, 9)) for lot in waiting[own::2]] and None

        together(deliver(one, 0), deliver(other, 1))
        (level,) = one.stock()
        assert dataclasses.replace(level, version=0) == dataclasses.replace(level, quantity=8, reserved=8, version=0)
