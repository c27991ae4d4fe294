"""What an operator has to look at, decided purely."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.findings import Urgency
from domain.live import VehicleSummary
from domain.orders import ManualReason, OrderKind
from notifier.orders.order_states import ENDED_STATES, TABLES
from notifier.orders.service_levels import Escalation, load_service_levels
from tests.web.report_examples import SECOND, overheating
from web.pages import words
from web.pages.attention import Ages, NextAction, StuckReason, next_action, stuck

ORDER = overheating().orders[0]
HOUR = 3600 * SECOND


def order(state, urgency=Urgency.STOP, kind=OrderKind.SERVICE):
    return replace(ORDER, state=state, kind=kind, recommendation=replace(ORDER.recommendation, urgency=urgency))


@pytest.mark.parametrize(
    ("state", "late", "action"),
    [
        ("manual", False, NextAction.FIND_DEALER),
        ("dispatching", False, NextAction.AWAIT_DISPATCH),
        ("offered", False, NextAction.AWAIT_ANSWER),
        ("offered", True, NextAction.CALL_DEALER),
        ("accepted", True, NextAction.CONFIRM_STOPPED),
        ("en_route", False, NextAction.AWAIT_ARRIVAL),
        ("towing", False, NextAction.BEING_HELPED),
        ("cancelled", False, NextAction.CALL_OWNER),
        ("closed", False, NextAction.FOLLOW_UP),
    ],
)
def test_the_next_action_follows_from_the_order(state, late, action):
    assert next_action(order(state), late=late) is action


def test_without_an_order_somebody_calls_the_owner():
    assert next_action(None, late=False) is NextAction.CALL_OWNER


def test_every_state_has_an_action_and_every_decision_its_words():
    for kind, table in TABLES.items():
        for state in table:
            for late in (False, True):
                assert next_action(order(state.value, kind=kind), late=late) in NextAction
    assert set(words.NEXT_ACTIONS) == {action.value for action in NextAction}
    assert set(words.STUCK_REASONS) == {reason.value for reason in StuckReason}
    assert set(words.ESCALATIONS) == {step.value for step in Escalation}


def test_an_order_is_stuck_when_it_has_stood_longer_than_its_service_level_allows():
    assert stuck(order("offered"), late=False) is None
    assert stuck(order("offered"), late=True) is StuckReason.NOT_ACCEPTED


def test_no_order_is_late_without_a_named_reason():
    levels = load_service_levels()
    for kind, table in TABLES.items():
        for state in set(table) - ENDED_STATES:
            assert levels.of(order(state.value, kind=kind)) is not None, state
            assert stuck(order(state.value, kind=kind), late=True) is not None, state


@pytest.mark.parametrize(("state", "reason"), [("manual", "no_dealer"), ("no_show", "no_show"), ("on_hold", "on_hold")])
def test_what_only_a_person_can_solve_is_stuck_at_once(state, reason):
    assert stuck(order(state), late=False) == stuck(order(state), late=True) == StuckReason(reason)


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_what_has_ended_is_never_stuck(state):
    assert stuck(order(state), late=True) is None


@pytest.mark.parametrize(
    ("manual", "reason"), [("owner_silent", "awaits_owner"), ("review", "review"), ("none_able", "no_dealer")]
)
def test_what_a_person_must_see_to_is_told_by_its_reason(manual, reason):
    waiting = replace(order("manual"), manual=ManualReason(manual))
    assert stuck(waiting, late=False) is StuckReason(reason)


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
