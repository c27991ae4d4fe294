"""Orders go through random lives, with several actors at once: no illegal state, no lost update, and the audit tells it all."""

from __future__ import annotations

import dataclasses
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.order_audit import verify_orders
from domain.order_audit import first_break
from domain.orders import Order, OrderKind
from domain.records import Commit, VehicleCase
from domain.slots import SLOT_STATES, SlotStatus, place_is_taken, slot_status
from notifier.orders.order_states import TABLES, OrderEvent, OrderState, TransitionOutcome, transition
from storage.database import open_store
from storage.sql_store import SqlStore
from tests.storage import examples
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY, SECOND

kinds = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
ONE_BAY = dataclasses.replace(examples.dealer(), bays=1)
ANY = st.integers(0, 719)
FIRST_STATE = {OrderKind.SERVICE: OrderState.DRAFT, OrderKind.RESCUE: OrderState.REQUESTED}


def new_order(identifier: str, kind: OrderKind) -> Order:
    """At a dealer with a single bay, all of them at the same hour."""
    return dataclasses.replace(
        examples.order(), id=identifier, kind=kind, state=FIRST_STATE[kind].value, slots=((3600 * SECOND, 7200 * SECOND),)
    )


def taken(store: SqlStore, before: Order, after: Order) -> bool:
    """Whether others have filled its hour, told from all that is stored."""
    return place_is_taken(before, after, ONE_BAY, store.orders(dealer=ONE_BAY.id))


class Lives(RuleBasedStateMachine):
    """Two stores over one database, as the pipeline and the web process have them."""

    url: str

    @initialize(kinds=st.lists(st.sampled_from(OrderKind), min_size=1, max_size=3))
    def make(self, kinds: list[OrderKind]) -> None:
        self.stores = [open_store(self.url, key=KEY) for _ in range(2)]
        self.stores[0].save_dealers([ONE_BAY])
        for old in self.stores[0].orders(state=SLOT_STATES):  # of another example: it is over
            self.stores[0].change_order(dataclasses.replace(old, state="closed", version=old.version + 1), old.version)
        known = len(self.stores[0].orders())
        orders = [new_order(f"order-{known + number}", kind) for number, kind in enumerate(kinds)]
        self.stores[0].commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=tuple(orders)),)))
        self.model = {order.id: (OrderState(order.state), 1) for order in orders}
        self.kinds = {order.id: order.kind for order in orders}

    @property
    def names(self) -> list[str]:
        return sorted(self.model)

    def _apply(self, store: SqlStore, seen: Order, event: OrderEvent, actor: str) -> tuple[TransitionOutcome, bool]:
        asked = transition(
            seen, event, time_ns=seen.updated_ns + 1, actor=actor, reason="because\x00 of it", expected_version=None
        )
        changed = asked.outcome is TransitionOutcome.CHANGED and store.change_order(asked.order, seen.version)
        return asked.outcome, changed

    @rule(data=st.data(), event=st.sampled_from(OrderEvent), who=st.integers(0, 1))
    def one_acts(self, data: st.DataObject, event: OrderEvent, who: int) -> None:
        name = data.draw(st.sampled_from(self.names))
        state, version = self.model[name]
        seen = self.stores[who].order(name)
        assert seen is not None
        outcome, changed = self._apply(self.stores[who], seen, event, f"actor {who}")
        legal = event in TABLES[self.kinds[name]][state]
        assert (outcome is TransitionOutcome.CHANGED) == legal
        target = dataclasses.replace(seen, state=TABLES[self.kinds[name]][state][event].value) if legal else seen
        assert changed == (legal and not taken(self.stores[1], seen, target))
        if changed:
            self.model[name] = (TABLES[self.kinds[name]][state][event], version + 1)

    @rule(
        which=ANY, what=st.tuples(ANY, ANY)
    )  # drawn without regard to where the orders are: who won before is no matter of the draw
    def two_act_at_once(self, which: int, what: tuple[int, int]) -> None:
        able = [name for name in self.names if TABLES[self.kinds[name]][self.model[name][0]]]
        if not able:
            return
        name = able[which % len(able)]
        state, version = self.model[name]
        table = TABLES[self.kinds[name]][state]
        events = [sorted(table)[each % len(table)] for each in what]
        seen = self.stores[0].order(name)
        assert seen is not None
        free = [not taken(self.stores[0], seen, dataclasses.replace(seen, state=table[event].value)) for event in events]
        won = [False, False]

        def act(who: int) -> None:
            _, won[who] = self._apply(self.stores[who], seen, events[who], f"actor {who}")

        threads = [threading.Thread(target=act, args=(who,)) for who in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(won) == any(free), "exactly one of two changes of the same version stands, if it may"
        if any(won):
            self.model[name] = (table[events[won.index(True)]], version + 1)

    @rule(data=st.data())
    def the_pipeline_adds_an_incident(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.names))
        state, version = self.model[name]
        seen = self.stores[1].order(name)
        assert seen is not None
        ours = dataclasses.replace(seen, version=seen.version + 1, incidents=(*seen.incidents, f"incident-{version}"))
        self.stores[0].commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=(ours,)),)))
        self.model[name] = (state, version + 1)

    @invariant()
    def every_order_is_where_it_should_be(self) -> None:
        for name, (state, version) in getattr(self, "model", {}).items():
            found = self.stores[1].order(name)
            assert found is not None
            assert (found.state, found.version) == (state, version)
            assert [entry.version for entry in self.stores[1].order_audit(order=name)] == list(range(1, version + 1))

    @invariant()
    def no_place_is_promised_twice(self) -> None:
        if not hasattr(self, "stores"):
            return
        firm = [order for order in self.stores[0].orders() if slot_status(order) in (SlotStatus.RESERVED, SlotStatus.CONFIRMED)]
        assert len(firm) <= 1

    def teardown(self) -> None:
        for store in getattr(self, "stores", ()):
            assert verify_orders(store).whole
            store.close()


@kinds
def test_orders_live_through_anything(kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Lives.url = fresh_url(kind, Path(folder))
        how = settings(max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
        run_state_machine_as_test(Lives, settings=how)


def changed_thrice(path: Path) -> str:
    url = f"sqlite:///{path / 'a.db'}"
    with open_store(url, key=KEY) as store:
        store.commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=(examples.order(),)),)))
        for version, state in ((2, "accepted"), (3, "scheduled")):
            assert store.change_order(examples.order(version=version, state=state), version - 1)
        assert verify_orders(store).whole
    return url


@pytest.mark.parametrize(
    ("harm", "broken_at", "altered"),
    [
        ("UPDATE order_audit SET reason = 'another' WHERE number = 2", 2, 0),
        ("DELETE FROM order_audit WHERE number = 1", 1, 0),
        ("DELETE FROM order_audit WHERE number = 2", 2, 0),
        ("UPDATE service_order SET document = replace(document, 'scheduled', 'settled')", None, 1),
        ("DELETE FROM order_audit WHERE number = 3", None, 1),
    ],
)
def test_what_was_altered_behind_our_back_is_found(harm: str, broken_at: int | None, altered: int, tmp_path: Path) -> None:
    url = changed_thrice(tmp_path)
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute(harm)
    connection.close()
    with open_store(url, key=KEY) as store:
        verdict = verify_orders(store)
        assert (verdict.first_break, len(verdict.altered), verdict.whole) == (broken_at, altered, False)
        assert first_break(store.order_audit()) == broken_at
