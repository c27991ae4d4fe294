"""Quotes and the owner's answer, line by line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders import Order, OrderKind
from domain.quotes import Quote, quote_hash
from notifier.orders.order_states import TransitionOutcome
from notifier.owners.quoting import SignOffOutcome, declined_work, plan_lines, sign_off, with_quote
from tests.notifier.builders import dealer, plan_line, recommendation

NEEDED, WANTED, EXTRA = plan_line(1, "pump"), plan_line(2, "hose"), plan_line(3, "polish", optional=True)


def _order(state: str = "diagnosing") -> Order:
    return Order(
        id="o1",
        kind=OrderKind.SERVICE,
        version=6,
        state=state,
        vehicle="v1",
        group_key="g",
        incidents=("i1",),
        recommendation=recommendation(plan=(NEEDED, WANTED, EXTRA)),
        created_ns=1,
        updated_ns=1,
        choice=None,
    )


def _quote(order: Order, version: int = 1) -> Quote:
    return Quote(
        order=order.id,
        version=version,
        vehicle=order.vehicle,
        currency="CNY",
        tax_rate="0.13",
        lines=plan_lines(order, dealer()),
        author="d1",
        created_ns=9,
    )


def _quoted(version: int = 1, order: Order | None = None) -> tuple[Order, Quote]:
    before = order or _order()
    quote = _quote(before, version)
    asked = with_quote(before, quote, time_ns=10, actor="d1")
    assert asked.outcome is TransitionOutcome.CHANGED
    return asked.order, quote


def _sign(order: Order, quote: Quote, lines: set[int]) -> tuple[SignOffOutcome, Order]:
    signed = sign_off(order, quote, lines, time_ns=20, wall_ns=21, actor="owner")
    return signed.outcome, signed.order


def test_a_quote_starts_from_the_plan_at_the_dealers_rates() -> None:
    pump, _, polish = plan_lines(_order(), dealer(labour_rate="310.00"))
    assert (pump.labour_hours, pump.labour_rate, pump.parts[0].list_price) == ("1.5", "310.00", "180.00")
    assert (pump.covered_share, polish.optional) == ("0", True)
    warranty = replace(_order(), recommendation=recommendation(plan=(plan_line(pay_type="warranty"),)))
    assert plan_lines(warranty, None)[0].covered_share == "1"


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ({1, 2, 3}, "approved"),
        ({1, 2}, "approved"),
        ({1}, "partially_approved"),
        ({3}, "partially_approved"),
        (set(), "ready"),
    ],
)
def test_what_is_accepted_decides_the_state(lines: set[int], state: str) -> None:
    order, quote = _quoted()
    assert (order.state, order.quote.signed_by if order.quote else None) == ("quoted", "")
    outcome, after = _sign(order, quote, lines)
    assert (outcome, after.state, after.version) == (SignOffOutcome.SIGNED, state, order.version + 1)
    assert after.quote is not None
    assert (set(after.quote.accepted), set(after.quote.declined)) == (lines, {1, 2, 3} - lines)
    assert (after.quote.signed_by, after.quote.signed_ns) == ("owner", 21)
    assert {line.line for line in declined_work(after, quote)} == {1, 2} - lines


def test_the_reason_names_the_quote_and_the_lines() -> None:
    order, quote = _quoted()
    _, after = _sign(order, quote, {1})
    assert after.change.reason == f"quote 1 ({quote_hash(quote)[:16]}): accepted 1; declined 2, 3"
    assert (after.change.event, after.change.actor) == ("approve_partly", "owner")


def test_a_changed_quote_asks_anew_and_the_old_one_can_be_signed_no_more() -> None:
    order, first = _quoted()
    _, signed = _sign(order, first, {1, 2})
    anew, second = _quoted(2, signed)
    assert (anew.state, anew.quote.signed_by if anew.quote else None) == ("quoted", "")
    assert _sign(anew, first, {1})[0] is SignOffOutcome.NO_QUOTE
    assert _sign(anew, second, {1})[0] is SignOffOutcome.SIGNED


def test_a_quote_that_is_not_what_was_shown_cannot_be_signed() -> None:
    order, quote = _quoted()
    dearer = replace(quote, lines=(replace(quote.lines[0], labour_rate="999.00"), *quote.lines[1:]))
    assert _sign(order, dearer, {1})[0] is SignOffOutcome.NO_QUOTE


def test_an_answer_counts_once_and_knows_its_lines_and_its_time() -> None:
    order, quote = _quoted()
    assert _sign(order, quote, {7}) == (SignOffOutcome.UNKNOWN_LINE, order)
    _, signed = _sign(order, quote, {1})
    assert _sign(signed, quote, {1, 2}) == (SignOffOutcome.ALREADY_SIGNED, signed)
    gone = replace(order, state="cancelled")
    assert _sign(gone, quote, {1}) == (SignOffOutcome.NOT_ALLOWED, gone)
    assert _sign(_order(), quote, {1})[0] is SignOffOutcome.NO_QUOTE


@given(lines=st.sets(st.integers(1, 3)))
def test_every_line_is_either_accepted_or_declined(lines: set[int]) -> None:
    order, quote = _quoted()
    _, after = _sign(order, quote, lines)
    assert after.quote is not None
    assert sorted((*after.quote.accepted, *after.quote.declined)) == [1, 2, 3]
