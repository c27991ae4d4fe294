"""Limits are data, whole and in order; time in opening hours is what a clock on the dealer's wall would count, minute by minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DataFileError
from domain.findings import Urgency
from domain.fleet import Dealer
from domain.records import VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.working_hours import after_open_time
from notifier.orders.order_states import OrderState
from notifier.orders.ordering import update_orders
from notifier.orders.service_levels import SHIPPED, load_service_levels
from tests.notifier.builders import HOUR_NS, SHANGHAI, WEDNESDAY_10_UTC_NS, dealer, recommendation, vehicle

MINUTE_NS = 60_000_000_000
MONDAY = date(2026, 9, 28)
EPOCH = date(1970, 1, 1)


def counted_by_the_minute(shop: Dealer, start: datetime, minutes: int) -> datetime:
    """The slow way: look at the calendar once a minute."""
    zone, now, left = timezone(timedelta(hours=shop.utc_offset_hours)), start, minutes
    while left:
        local = now.astimezone(zone)
        opens, closes = next(
            ((o, c) for day, o, c in shop.hours if day == local.isoweekday()), (shop.opens_hour, shop.closes_hour)
        )
        holiday = (local.date() - EPOCH).days in shop.holidays
        left -= local.isoweekday() in shop.days_open and not holiday and opens <= local.hour < closes
        now += timedelta(minutes=1)
    return now


shops = st.builds(
    lambda opens, length, days, short, holidays, offset: dealer(
        opens_hour=opens,
        closes_hour=min(24, opens + length),
        days_open=tuple(sorted(days)),
        hours=((min(days), opens, opens + 1),) if short else (),
        holidays=tuple((MONDAY - EPOCH).days + day for day in holidays),
        utc_offset_hours=offset,
    ),
    st.integers(0, 20),
    st.integers(2, 12),
    st.sets(st.integers(1, 7), min_size=1),
    st.booleans(),
    st.sets(st.integers(0, 9), max_size=4),
    st.sampled_from([-9.5, 0.0, 5.75, 8.0, 14.0]),
)


@given(shop=shops, start=st.integers(0, 7 * 1440), minutes=st.integers(0, 900))
@settings(max_examples=60)
def test_opening_time_is_what_counting_every_minute_gives(shop: Dealer, start: int, minutes: int) -> None:
    began = datetime(2026, 9, 28, tzinfo=UTC) + timedelta(minutes=start)
    slow = counted_by_the_minute(shop, began, minutes)
    start_ns = round(began.timestamp()) * 1_000_000_000
    assert after_open_time(shop, start_ns, minutes * MINUTE_NS) == round(slow.timestamp()) * 1_000_000_000


def test_a_dealer_that_never_opens_is_counted_by_the_wall() -> None:
    assert after_open_time(dealer(days_open=()), 7, HOUR_NS) == 7 + HOUR_NS


def test_a_visit_is_late_so_long_after_its_appointment_and_an_urgent_limit_counts_every_minute() -> None:
    levels, shop = load_service_levels(), dealer(opens_hour=9, closes_hour=17)
    for urgency, late_after_h in ((Urgency.SOON, 4), (Urgency.STOP, 1)):
        case, _ = update_orders(
            VehicleCase(vehicle="v1"),
            recommendation(urgency=urgency),
            vehicle(),
            DealerNetwork([shop]),
            SHANGHAI,
            WEDNESDAY_10_UTC_NS,
        )
        order = replace(case.orders[0], state="scheduled")
        assert levels.late_ns(order, shop, 5) == order.slots[0][1] + late_after_h * HOUR_NS
        assert levels.late_ns(replace(order, state="closed"), shop, 5) is None
        assert levels.late_ns(replace(order, state="quoted"), None, 5) == 5 + (24 if urgency is Urgency.SOON else 4) * HOUR_NS


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("STOP: 5, TODAY: 60", "STOP: 90, TODAY: 60", "may not take longer"),
        ("states: [draft]", "states: [proposed]", "two clocks"),
        ("do: call_owner}, {at: 2.0", "do: call_owner}, {at: 0.5", "one after the other"),
        ("do: tell_operations", "do: panic", "should be"),
        ("do: tell_operations", "do: next_dealer", "only an offer"),
        ("runs: always", "runs: sometimes", "runs"),
        ("    source: our own; a proposal", "    from: x\n    source: our own; a proposal", "from"),
    ],
)
def test_levels_that_make_no_sense_are_refused_by_line(old: str, new: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "levels.yaml"
    file.write_text(SHIPPED.read_text().replace(old, new, 1))
    with pytest.raises(DataFileError, match=says) as refused:
        load_service_levels(file)
    assert refused.value.line


def test_only_offers_expire() -> None:
    levels = load_service_levels().by_state
    assert {state for state, level in levels.items() if any(step.do == "next_dealer" for step in level.steps)} == {
        OrderState.OFFERED
    }
