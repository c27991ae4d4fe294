"""Orders that wait: dealers are reminded, offers expire, owners are called, operations are told, each once and in time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.order_clocks import ClockTally, adopt_orders, release_agreed, run_clocks
from domain.consents import Consent, ConsentChannel, Purpose
from domain.findings import Urgency
from domain.fleet import Dealer, VaultEntry
from domain.order_clocks import RUNNING, STOPPED, OrderClock
from domain.orders import Desk, ManualReason, Order
from domain.records import Commit, VehicleCase
from domain.tickets import Ticket
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.order_states import OrderEvent, OrderState, transition
from notifier.orders.ordering import update_orders
from notifier.orders.redispatch import MOST_OFFERS
from notifier.orders.service_levels import load_service_levels
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore
from tests.notifier.builders import SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, recommendation, vehicle

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
LEVELS = load_service_levels()
ASKS_FIRST = Consent(vehicle="v1", purpose=Purpose.SURVEY, channel=ConsentChannel.EMAIL, given=True, time_ns=0)
CONSENT = replace(ASKS_FIRST, purpose=Purpose.SERVICE, channel=ConsentChannel.ORDER, time_ns=1)


class Fleet:
    """One order that came to where it stands at wall time 0, long after its event time or long before: that does not matter."""

    def __init__(
        self,
        urgency: Urgency = Urgency.STOP,
        dealers: list[Dealer] | None = None,
        *,
        offered: bool = True,
        consents: tuple[Consent, ...] = (),
        store: MemoryStore | SqlStore | None = None,
    ) -> None:
        self.now_ns = 0
        self.store = store or MemoryStore(clock=lambda: self.now_ns)
        self.store.register([(vehicle(), VaultEntry(vehicle="v1", vin=""))])
        known = [dealer(f"d{number}", 1.0 + number) for number in range(5)] if dealers is None else dealers
        self.store.save_dealers(known)
        self.store.add_consents(consents)
        advice = recommendation(urgency=urgency)
        case, pushes = update_orders(
            VehicleCase(vehicle="v1"), advice, vehicle(), DealerNetwork(known), SHANGHAI, WEDNESDAY_10_UTC_NS, consents
        )
        self.store.commit(Commit(cases=(case,), outbox=pushes))
        if offered:
            self.move(OrderEvent.OFFER)

    @property
    def order(self) -> Order:
        return self.store.orders()[0]

    @property
    def clock(self) -> OrderClock:
        found = self.store.paper(OrderClock, self.order.id)
        assert found is not None
        return found

    def move(self, event: OrderEvent) -> None:
        moved = transition(self.order, event, time_ns=self.order.updated_ns, actor="test")
        assert self.store.change_order(moved.order, self.order.version)

    def run(self, at_ns: int) -> ClockTally:
        """All that is due by then."""
        self.now_ns, total = at_ns, ClockTally()
        for _ in range(4):
            tally = run_clocks(self.store, LEVELS, at_ns)
            total = ClockTally(
                reminded=total.reminded + tally.reminded,
                calls=total.calls + tally.calls,
                told=total.told + tally.told,
                expired=total.expired + tally.expired,
                given_up=total.given_up + tally.given_up,
            )
        return total

    def pushed(self) -> list[tuple[str, str]]:
        return sorted((event.type, event.recipient) for event in self.store.outbox_events())

    def escalations(self) -> list[str]:
        bodies = [json.loads(event.body) for event in self.store.events_of(self.order.id)]
        return [body["step"] for body in bodies if body["change"] == "escalated"]


@pytest.mark.parametrize(
    ("urgency", "limit_ns"),
    [
        (Urgency.STOP, 10 * MINUTE_NS),
        (Urgency.TODAY, HOUR_NS),
        (Urgency.SOON, 10 * HOUR_NS),
        (Urgency.NEXT, 30 * HOUR_NS),
    ],
)
def test_an_offer_is_reminded_of_expires_by_its_urgency_and_the_next_dealer_is_asked(urgency: Urgency, limit_ns: int) -> None:
    fleet = Fleet(urgency)
    first = fleet.order
    assert first.choice is not None
    assert fleet.run(limit_ns // 2 - 1) == ClockTally()
    assert fleet.run(limit_ns // 2) == ClockTally(reminded=1)
    assert ("order.reminder", first.choice.dealer) in fleet.pushed()
    assert fleet.run(limit_ns - 1) == ClockTally()
    assert fleet.order == first
    assert fleet.run(limit_ns) == ClockTally(expired=1)
    after = fleet.order
    assert after.choice is not None
    assert (after.state, after.refused_by) == (OrderState.DISPATCHING, (first.choice.dealer,))
    assert after.choice.dealer != first.choice.dealer
    assert {("order.updated", after.choice.dealer), ("order.cancelled", first.choice.dealer)} <= set(fleet.pushed())
    assert fleet.escalations() == ["remind_dealer"]


def test_an_offer_that_can_wait_waits_for_the_dealers_opening_hours_and_an_urgent_one_does_not() -> None:
    closed_at_0 = [dealer(f"d{number}", 1.0 + number, opens_hour=9, closes_hour=17) for number in range(3)]  # 08:00 there
    soon, urgent = Fleet(Urgency.SOON, closed_at_0), Fleet(Urgency.TODAY, closed_at_0)
    assert urgent.run(HOUR_NS).expired == 1
    # ten open hours: nine to five, then two hours of the next day
    assert soon.run(26 * HOUR_NS + 59 * MINUTE_NS).expired == 0
    assert soon.run(27 * HOUR_NS).expired == 1


def test_each_dealer_has_its_own_time_and_at_last_a_desk_takes_over_with_the_reason() -> None:
    fleet, now_ns = Fleet(), 0
    for _ in range(MOST_OFFERS - 1):
        now_ns += 10 * MINUTE_NS
        assert fleet.run(now_ns).expired == 1
        now_ns += 5 * MINUTE_NS
        fleet.now_ns = now_ns
        fleet.move(OrderEvent.OFFER)
        assert fleet.run(now_ns + 9 * MINUTE_NS).expired == 0
    assert fleet.run(now_ns + 10 * MINUTE_NS).expired == 1
    order = fleet.order
    assert (order.state, order.choice, order.manual, order.desk) == (
        OrderState.MANUAL,
        None,
        ManualReason.TOO_MANY_OFFERS,
        Desk.DISPATCH,
    )
    assert fleet.run(now_ns + 20 * MINUTE_NS).told == 1, "nobody at the desk has begun"
    assert ("order.escalated", "operations") in fleet.pushed()


def test_what_is_answered_stays_and_another_clock_runs() -> None:
    fleet = Fleet()
    fleet.now_ns = 7 * MINUTE_NS
    fleet.move(OrderEvent.ACCEPT)
    assert (fleet.clock.since_ns, fleet.clock.step, fleet.clock.state) == (7 * MINUTE_NS, 0, RUNNING)
    assert fleet.run(1000 * HOUR_NS) == ClockTally(reminded=1, told=1)
    assert (fleet.order.state, fleet.clock.state) == (OrderState.ACCEPTED, STOPPED)
    assert fleet.run(2000 * HOUR_NS) == ClockTally(), "each step is taken once"


def test_an_order_that_the_pipeline_adds_to_is_still_the_same_offer() -> None:
    fleet = Fleet()
    fleet.now_ns = 9 * MINUTE_NS
    added = replace(fleet.order, version=fleet.order.version + 1, incidents=("i1", "i2"))
    fleet.store.commit(Commit(cases=(replace(fleet.store.case("v1"), orders=(added,)),)))
    assert fleet.order.incidents == ("i1", "i2")
    assert fleet.run(10 * MINUTE_NS).expired == 1


def test_who_answers_in_the_same_moment_wins() -> None:
    fleet = Fleet()
    fleet.run(5 * MINUTE_NS)
    read = fleet.store.case

    def answer_meanwhile(car: str) -> VehicleCase:
        found = read(car)
        fleet.move(OrderEvent.ACCEPT)
        return found

    fleet.store.case = answer_meanwhile  # type: ignore[method-assign]
    assert run_clocks(fleet.store, LEVELS, 10 * MINUTE_NS).expired == 0
    assert fleet.order.state == OrderState.ACCEPTED


def test_a_proposal_that_nobody_answers_becomes_a_call_and_then_the_call_centres() -> None:
    fleet = Fleet(Urgency.TODAY, offered=False, consents=(ASKS_FIRST,))
    assert fleet.order.state == OrderState.PROPOSED
    assert fleet.run(HOUR_NS) == ClockTally(calls=1)
    (ticket,) = fleet.store.papers(Ticket, order=fleet.order.id)
    assert (ticket.kind, ticket.reason, ticket.state, ticket.due_ns) == ("call", "late_agree", "open", 2 * HOUR_NS)
    assert fleet.run(2 * HOUR_NS) == ClockTally(given_up=1)
    assert (fleet.order.state, fleet.order.manual, fleet.order.desk) == ("manual", ManualReason.OWNER_SILENT, Desk.CALL_CENTRE)


def test_a_proposal_goes_out_once_its_purpose_is_agreed_to() -> None:
    fleet = Fleet(offered=False, consents=(ASKS_FIRST,))
    assert release_agreed(fleet.store, HOUR_NS) == 0
    fleet.store.add_consents([replace(CONSENT, purpose=Purpose.RESCUE)])
    assert release_agreed(fleet.store, HOUR_NS) == 0
    fleet.store.add_consents([CONSENT])
    assert release_agreed(fleet.store, HOUR_NS) == 1
    order = fleet.order
    assert (order.state, order.choice and order.choice.dealer, order.change.reason) == (OrderState.DISPATCHING, "d0", "given")
    assert release_agreed(fleet.store, HOUR_NS) == 0


def test_orders_of_an_earlier_version_of_the_service_are_given_a_clock_once() -> None:
    fleet = Fleet()
    fleet.store._papers.clear()
    assert adopt_orders(fleet.store, 5) == 1
    assert (fleet.clock.since_ns, adopt_orders(fleet.store, 9)) == (5, 0)


def test_clocks_are_kept_in_the_database(tmp_path: Path) -> None:
    now_ns = [0]
    with open_store(f"sqlite:///{tmp_path / 'a.db'}", key=b"k", clock=lambda: now_ns[0]) as store:
        fleet = Fleet(store=store)
        assert (fleet.clock.since_ns, fleet.clock.step) == (0, 0)
        assert fleet.run(5 * MINUTE_NS) == ClockTally(reminded=1)
        assert fleet.escalations() == ["remind_dealer"]
        now_ns[0] = 10 * MINUTE_NS
        assert fleet.run(10 * MINUTE_NS) == ClockTally(expired=1)
        assert fleet.clock.since_ns == 10 * MINUTE_NS
