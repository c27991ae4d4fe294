"""What an operator has to look at, decided purely."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.findings import Urgency
from domain.live import VehicleSummary
from domain.orders import OrderKind
from notifier.orders.order_states import TABLES, OrderState
from tests.web.report_examples import SECOND, overheating
from web.pages import words
from web.pages.attention import ANSWER_NS, Ages, NextAction, StuckReason, next_action, stuck

ORDER = overheating().orders[0]
LONG = ANSWER_NS[Urgency.STOP] + 1
HOUR = 3600 * SECOND


def order(state, urgency=Urgency.STOP, kind=OrderKind.SERVICE):
    return replace(ORDER, state=state, kind=kind, recommendation=replace(ORDER.recommendation, urgency=urgency))


@pytest.mark.parametrize(
    ("state", "waited_ns", "action"),
    [
        ("manual", 0, NextAction.FIND_DEALER),
        ("dispatching", 0, NextAction.AWAIT_DISPATCH),
        ("offered", LONG - 1, NextAction.AWAIT_ANSWER),
        ("offered", LONG, NextAction.CALL_DEALER),
        ("accepted", LONG, NextAction.CONFIRM_STOPPED),
        ("en_route", 0, NextAction.AWAIT_ARRIVAL),
        ("towing", 0, NextAction.BEING_HELPED),
        ("cancelled", 0, NextAction.CALL_OWNER),
        ("closed", 0, NextAction.FOLLOW_UP),
    ],
)
def test_the_next_action_follows_from_the_order(state, waited_ns, action):
    assert next_action(order(state), waited_ns) is action


def test_without_an_order_somebody_calls_the_owner():
    assert next_action(None, 0) is NextAction.CALL_OWNER


def test_every_state_has_an_action_and_every_decision_its_words():
    for kind, table in TABLES.items():
        for state in table:
            for waited_ns in (0, LONG):
                assert next_action(order(state.value, kind=kind), waited_ns) in NextAction
    assert set(words.NEXT_ACTIONS) == {action.value for action in NextAction}
    assert set(words.STUCK_REASONS) == {reason.value for reason in StuckReason}


def test_an_order_is_stuck_when_it_has_waited_longer_than_its_urgency_allows():
    for urgency in (Urgency.STOP, Urgency.TODAY, Urgency.SOON, Urgency.NEXT):
        offered = order("offered", urgency)
        assert stuck(offered, ANSWER_NS[urgency]) is None
        assert stuck(offered, ANSWER_NS[urgency] + 1) is StuckReason.NOT_ACCEPTED
    assert ANSWER_NS[Urgency.STOP] < ANSWER_NS[Urgency.TODAY] < ANSWER_NS[Urgency.SOON] < ANSWER_NS[Urgency.NEXT]


@pytest.mark.parametrize(("state", "reason"), [("manual", "no_dealer"), ("no_show", "no_show"), ("on_hold", "on_hold")])
def test_what_only_a_person_can_solve_is_stuck_at_once(state, reason):
    assert stuck(order(state), 0) == stuck(order(state), LONG) == StuckReason(reason)


@pytest.mark.parametrize(
    "state", [state for state in OrderState if state.value in {"scheduled", "in_progress", "closed", "cancelled"}]
)
def test_what_moves_or_has_ended_is_never_stuck(state):
    assert stuck(order(state.value), 1000 * HOUR) is None


def summary(event_ns, received_ns):
    return VehicleSummary(
        vehicle="v", registered=True, event_ns=event_ns, received_ns=received_ns, location=None, open_alerts=1, urgency=None
    )


def test_an_age_is_what_passed_on_the_vehicles_clock_and_on_ours_since():
    ahead = Ages.of(summary(event_ns=50 * HOUR, received_ns=10 * HOUR), 10 * HOUR + 3 * SECOND)
    assert ahead.since_ns(49 * HOUR) == HOUR + 3 * SECOND
    assert ahead.data_ns == 3 * SECOND
    assert ahead.since_ns(51 * HOUR) == 3 * SECOND  # an order made after the last data


def test_a_car_that_was_never_heard_of_live_is_aged_by_wall_time():
    for unheard in (None, summary(None, None)):
        ages = Ages.of(unheard, 10 * HOUR)
        assert (ages.since_ns(9 * HOUR), ages.since_ns(11 * HOUR), ages.data_ns) == (HOUR, 0, None)
