"""Orders wait for parts that are on their way, and go on when the last of them has come."""

from __future__ import annotations

import json

from domain.orders import Order, OrderChange
from domain.parts import AWAITED, LotState
from domain.records import Commit, VehicleCase
from notifier.orders.order_states import OrderEvent, OrderState, transition
from notifier.parts.desk import StockDesk, arrived
from notifier.parts.holds import HoldTally, receive_lot, review_holds
from storage.memory_store import MemoryStore
from tests.notifier.parts.making import SUPPLY, order_for, shop

NOW_NS = 5_000


def approved(store: MemoryStore, parts: dict[str, int], state: OrderState = OrderState.APPROVED) -> Order:
    order = order_for(parts, state=state.value, event="approve")
    store.save_dealers([shop("here", 0, PUMP=1), shop("near", 40, HOSE=1)])
    store.commit(Commit(cases=(VehicleCase(vehicle="v1", orders=(order,)),)))
    return order


def stored(store: MemoryStore) -> tuple[str, OrderChange]:
    (order,) = store.orders()
    return order.state, order.change


def test_an_approved_order_is_held_until_the_last_part_has_come() -> None:
    store = MemoryStore(desk=StockDesk(supply=SUPPLY), clock=lambda: 1)
    approved(store, {"PUMP": 1, "HOSE": 1, "BELT": 1})
    assert review_holds(store, NOW_NS) == HoldTally(held=1)
    assert stored(store) == ("on_hold", OrderChange(event="hold", actor="system", reason="parts"))
    assert review_holds(store, NOW_NS) == HoldTally()
    first, last = store.part_lots(state=AWAITED)
    assert receive_lot(store, first, NOW_NS)
    assert stored(store)[0] == "on_hold"
    assert receive_lot(store, last, NOW_NS)
    assert stored(store) == ("in_progress", OrderChange(event="resume", actor="system", reason="parts have come"))
    assert not receive_lot(store, last, NOW_NS)
    told = [json.loads(event.body)["data"]["state"] for event in store.outbox_events()]
    assert sorted(told) == ["in_progress", "on_hold"]


def test_an_order_whose_parts_lie_there_is_not_held() -> None:
    store = MemoryStore(desk=StockDesk(supply=SUPPLY), clock=lambda: 1)
    approved(store, {"PUMP": 1})
    assert review_holds(store, NOW_NS) == HoldTally()
    assert stored(store)[0] == "approved"


def test_a_hold_that_the_workshop_made_for_another_reason_is_its_own_to_end() -> None:
    for reason, after in (("warranty", "on_hold"), ("Parts: a bolt is missing too", "in_progress")):
        store = MemoryStore(desk=StockDesk(supply=SUPPLY), clock=lambda: 1)
        order = approved(store, {"BELT": 1}, OrderState.IN_PROGRESS)
        held = transition(order, OrderEvent.HOLD, time_ns=9, actor="here", reason=reason).order
        assert store.change_order(held, order.version)
        (lot,) = store.part_lots(state={LotState.ON_ORDER})
        assert receive_lot(store, lot, NOW_NS)
        assert stored(store)[0] == after


def test_what_was_noted_as_come_before_a_crash_lets_the_order_go_on_at_the_next_look() -> None:
    store = MemoryStore(desk=StockDesk(supply=SUPPLY), clock=lambda: 1)
    approved(store, {"BELT": 1})
    review_holds(store, NOW_NS)
    (lot,) = store.part_lots(state=AWAITED)

    assert store.move_lot(lot, arrived(lot, NOW_NS))
    assert review_holds(store, NOW_NS) == HoldTally(resumed=1)


def test_a_cancelled_order_is_left_alone_by_what_comes_for_it() -> None:
    store = MemoryStore(desk=StockDesk(supply=SUPPLY), clock=lambda: 1)
    order = approved(store, {"BELT": 1})
    (lot,) = store.part_lots(state=AWAITED)
    cancelled = transition(order, OrderEvent.CANCEL, time_ns=9, actor="owner").order
    assert store.change_order(cancelled, order.version)
    assert not receive_lot(store, lot, NOW_NS)
    assert stored(store)[0] == "cancelled"
