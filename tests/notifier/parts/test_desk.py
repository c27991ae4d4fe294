"""Which pieces are kept for an order, where they come from, and that none is promised twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.fleet import Dealer
from domain.orders import Order
from domain.parts import LIVE, LotState, PartLot, StockLevel
from domain.quotes import QuoteMark
from notifier.parts.desk import StockDesk, arrived
from notifier.parts.supply import DAY_NS
from storage.memory_store import MemoryStore
from tests.notifier.parts.making import SUPPLY, moved, order_for, shop

NOW_NS = 1_000 * DAY_NS
HOUR_NS = DAY_NS // 24


class Desk:
    """A store that keeps parts, and its orders."""

    def __init__(self, *dealers: Dealer) -> None:
        self.store = MemoryStore(desk=StockDesk(supply=SUPPLY), clock=lambda: NOW_NS)
        self.store.save_dealers(dealers)

    def put(self, before: Order | None, after: Order) -> Order:
        self.store._write_order(before, after)
        return after

    def lots(self, order: str = "order-1") -> list[tuple[str, int, str, str]]:
        return sorted(
            (lot.part, lot.quantity, lot.state.value, lot.source)
            for lot in self.store.part_lots(order=order)
            if lot.state in LIVE
        )

    def level(self, dealer: str, part: str) -> tuple[int, int]:
        (level,) = self.store.stock(dealer=dealer, part=part)
        return level.quantity, level.reserved


def test_what_lies_on_the_shelf_is_kept_and_no_longer_offered_to_others() -> None:
    desk = Desk(shop("here", 0, PUMP=3))
    desk.put(None, order_for({"PUMP": 2}))
    assert desk.lots() == [("PUMP", 2, "reserved", "here")]
    assert desk.level("here", "PUMP") == (3, 2)
    assert [dealer.stock for dealer in desk.store.dealers()] == [(("PUMP", 1),)]


def test_what_is_missing_comes_from_the_nearest_dealer_that_has_it() -> None:
    desk = Desk(shop("here", 0, PUMP=1), shop("near", 40, PUMP=1), shop("far", 90, PUMP=9), shop("nearer", 20, HOSE=5))
    desk.put(None, order_for({"PUMP": 3}))
    assert desk.lots() == [("PUMP", 1, "in_transfer", "far"), ("PUMP", 1, "in_transfer", "near"), ("PUMP", 1, "reserved", "here")]
    assert desk.level("near", "PUMP") == (1, 1)
    eta = {lot.source: lot.eta_ns for lot in desk.store.part_lots()}
    assert eta["here"] is None
    assert NOW_NS + 4 * HOUR_NS < eta["near"] < eta["far"] < NOW_NS + 8 * HOUR_NS


def test_what_nobody_in_reach_has_is_ordered_from_the_supplier_as_the_newest_number() -> None:
    desk = Desk(shop("here", 0), shop("beyond", 400, OLD=5))
    desk.put(None, order_for({"OLD": 1, "SLOW": 2}))
    assert desk.lots() == [("NEWEST", 1, "on_order", "supplier"), ("SLOW", 2, "on_order", "supplier")]
    assert {lot.wanted: lot.eta_ns for lot in desk.store.part_lots()} == {
        "OLD": NOW_NS + 3 * DAY_NS,
        "SLOW": NOW_NS + 30 * DAY_NS,
    }


def test_a_transfer_that_takes_longer_than_the_supplier_is_not_made() -> None:
    desk = Desk(shop("here", 0), shop("near", 100, PUMP=1))
    quick = StockDesk(supply=type(SUPPLY)(successors={}, lead_days={"*": 0.1}))
    (lot,) = quick.decide(
        order_for({"PUMP": 1}),
        (),
        {("near", "PUMP"): StockLevel(dealer="near", part="PUMP", quantity=1)},
        {d.id: d for d in desk.store.dealers()},
        0,
    )
    assert (lot.state, lot.source) == (LotState.ON_ORDER, "supplier")


def test_old_stock_is_used_up_before_its_successor_is_taken() -> None:
    desk = Desk(shop("here", 0, OLD=1, NEW=5))
    desk.put(None, order_for({"OLD": 2}))
    assert desk.lots() == [("NEW", 1, "reserved", "here"), ("OLD", 1, "reserved", "here")]


def test_a_successor_is_not_replaced_by_what_it_replaced() -> None:
    desk = Desk(shop("here", 0, OLD=5))
    desk.put(None, order_for({"NEW": 1}))
    assert desk.lots() == [("NEWEST", 1, "on_order", "supplier")]


def test_a_cancelled_order_gives_back_what_was_kept_here_and_elsewhere() -> None:
    desk = Desk(shop("here", 0, PUMP=1), shop("near", 40, PUMP=1))
    order = desk.put(None, order_for({"PUMP": 3}))
    desk.put(order, moved(order, "cancelled", "cancel"))
    assert desk.lots() == []
    assert {level.reserved for level in desk.store.stock()} == {0}
    assert {lot.state for lot in desk.store.part_lots()} == {LotState.RELEASED}


def test_an_order_that_goes_to_another_dealer_takes_its_parts_along() -> None:
    desk = Desk(shop("here", 0, PUMP=1), shop("there", 5, PUMP=1))
    order = desk.put(None, order_for({"PUMP": 1}))
    desk.put(order, order_for({"PUMP": 1}, at="there", version=2))
    assert desk.lots() == [("PUMP", 1, "reserved", "there")]
    assert desk.level("here", "PUMP") == (1, 0)


def test_a_plan_that_changes_keeps_more_or_gives_up_what_has_not_come_first() -> None:
    desk = Desk(shop("here", 0, PUMP=1))
    order = desk.put(None, order_for({"PUMP": 3}))
    fewer = desk.put(order, order_for({"PUMP": 2}, version=2))
    assert desk.lots() == [("PUMP", 1, "on_order", "supplier"), ("PUMP", 1, "reserved", "here")]
    more = desk.put(fewer, order_for({"PUMP": 2, "HOSE": 1}, version=3))
    assert ("HOSE", 1, "on_order", "supplier") in desk.lots()
    desk.put(more, order_for({"HOSE": 1}, version=4))
    assert desk.lots() == [("HOSE", 1, "on_order", "supplier")]
    assert desk.level("here", "PUMP") == (1, 0)


def test_parts_that_come_lie_on_the_shelf_and_a_repair_that_passes_uses_them() -> None:
    desk = Desk(shop("here", 0), shop("near", 40, PUMP=4))
    order = desk.put(None, order_for({"PUMP": 1, "HOSE": 2}))
    for lot in desk.store.part_lots(state={LotState.IN_TRANSFER, LotState.ON_ORDER}):
        assert desk.store.move_lot(lot, arrived(lot, NOW_NS + 1))
        assert not desk.store.move_lot(lot, arrived(lot, NOW_NS + 1))
    assert (desk.level("near", "PUMP"), desk.level("here", "PUMP"), desk.level("here", "HOSE")) == ((3, 0), (1, 1), (2, 2))
    ready = desk.put(moved(order, "quality_check"), moved(order, "ready", "pass"))
    assert {lot.state for lot in desk.store.part_lots()} == {LotState.USED}
    assert (desk.level("here", "PUMP"), desk.level("here", "HOSE")) == ((0, 0), (0, 0))
    desk.put(ready, moved(ready, "settled", "settle"))
    assert {lot.state for lot in desk.store.part_lots()} == {LotState.USED}


def test_a_repair_that_the_owner_rejects_uses_nothing() -> None:
    desk = Desk(shop("here", 0, PUMP=1))
    order = desk.put(None, order_for({"PUMP": 1}))
    desk.put(moved(order, "quoted"), moved(order, "ready", "reject"))
    assert desk.level("here", "PUMP") == (1, 0)


def test_what_the_owner_declines_is_given_back_and_what_was_quoted_beside_the_plan_is_kept() -> None:
    desk = Desk(shop("here", 0, PUMP=2, HOSE=1))
    order = desk.put(None, order_for({"PUMP": 2}))
    mark = QuoteMark(version=1, content="c", accepted=(2,), declined=(1,), parts=(("HOSE", 1),), signed_by="owner")
    desk.put(order, replace(moved(order, "partially_approved", "approve_partly"), quote=mark))
    assert desk.lots() == [("HOSE", 1, "reserved", "here")]


def test_an_import_without_stock_keeps_it_and_one_with_stock_counts_it() -> None:
    desk = Desk(shop("here", 0, PUMP=3, HOSE=1))
    desk.put(None, order_for({"PUMP": 2}))
    desk.store.save_dealers([shop("here", 0)])
    assert desk.level("here", "PUMP") == (3, 2)
    desk.store.save_dealers([shop("here", 0, PUMP=1)])
    assert (desk.level("here", "PUMP"), desk.level("here", "HOSE")) == ((1, 2), (0, 0))
    assert desk.store.dealers()[0].stock == (("HOSE", 0), ("PUMP", 0))


@given(data=st.data())
def test_whatever_happens_nothing_is_promised_twice_and_nothing_is_lost(data: st.DataObject) -> None:
    places = ("here", "near", "off")
    stock = st.dictionaries(st.sampled_from(["OLD", "NEW", "PUMP"]), st.integers(0, 3))
    desk = Desk(*(shop(place, 30 * number, **data.draw(stock)) for number, place in enumerate(places)))
    pieces = Counter({(level.dealer, level.part): level.quantity for level in desk.store.stock()})
    begun, orders, came, used = sum(pieces.values()), dict[str, Order](), 0, 0
    for _ in range(data.draw(st.integers(1, 12))):
        name = data.draw(st.sampled_from(["a", "b", "c"]))
        before = orders.get(name)
        state, event = data.draw(
            st.sampled_from([("accepted", "accept"), ("cancelled", "cancel"), ("ready", "pass"), ("on_hold", "hold")])
        )
        needs = data.draw(st.dictionaries(st.sampled_from(["OLD", "NEW", "PUMP"]), st.integers(1, 3), max_size=2))
        version = before.version + 1 if before else 1
        reserved = sum(lot.quantity for lot in desk.store.part_lots(order=name, state={LotState.RESERVED}))
        at = data.draw(st.sampled_from(places))
        orders[name] = desk.put(before, order_for(needs, at=at, state=state, identity=name, version=version, event=event))
        used += reserved if state == "ready" and before is not None and before.state in {"accepted", "on_hold"} else 0
        awaited = desk.store.part_lots(state={LotState.IN_TRANSFER, LotState.ON_ORDER})
        if awaited and data.draw(st.booleans()):
            lot = data.draw(st.sampled_from(awaited))
            came += lot.quantity if lot.state is LotState.ON_ORDER else 0
            assert desk.store.move_lot(lot, arrived(lot, NOW_NS))
        check(desk, orders)
    assert sum(level.quantity for level in desk.store.stock()) == begun + came - used


def check(desk: Desk, orders: dict[str, Order]) -> None:
    """The stock as an accountant would work it out from the lots alone."""
    kept: Counter[tuple[str, str]] = Counter()
    lots: dict[str, list[PartLot]] = {
        name: [lot for lot in desk.store.part_lots(order=name) if lot.state in LIVE] for name in orders
    }
    for lot in (lot for own in lots.values() for lot in own):
        assert lot.quantity > 0
        if lot.state is not LotState.ON_ORDER:
            kept[(lot.dealer if lot.state is LotState.RESERVED else lot.source, lot.part)] += lot.quantity
    for level in desk.store.stock():
        assert level.reserved == kept[level.dealer, level.part]
        assert 0 <= level.reserved <= level.quantity
    for name, order in orders.items():
        wanted = Counter({line.number: line.quantity for each in order.recommendation.plan for line in each.parts})
        if order.state not in {"accepted", "on_hold"}:
            wanted.clear()
        had: Counter[str] = Counter()
        for lot in lots[name]:
            had[lot.wanted] += lot.quantity
            assert lot.part in SUPPLY.acceptable(lot.wanted)
        assert had == wanted
