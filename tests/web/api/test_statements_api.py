"""`/api/v1/orders/ID/statement`: equal to what was signed or with reasons, shared by payer, and open until it is paid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Text
from domain.quotes import Adjustment, QuotedPart, QuoteLine
from notifier.owners.pricing import line_amounts, sum_amounts
from notifier.owners.statements import differences, shares
from tests.web.api.test_quotes_api import DEALER_KEY, LINES, PATH, diagnosing, quote
from tests.web.serving import store

URL = f"{PATH}/statement"


@contextmanager
def repaired(accepted: list[int]) -> Iterator[Any]:
    """A client of a service whose order was quoted, signed off and repaired."""
    served = store()
    with diagnosing(served, keys=DEALER_KEY, headers={"X-API-Key": "desk"}) as web:
        assert quote(web, lines=LINES).status_code == 201
        assert web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": accepted}).status_code == 200
        assert web.put(URL, json={}).status_code == 409
        for event in ("start", "inspect", "pass"):
            order = web.get(PATH)
            moved = web.post(f"{PATH}/transitions", json={"event": event}, headers={"If-Match": order.headers["etag"]})
            assert moved.status_code == 200
        yield web


def test_what_was_signed_is_what_is_charged_and_who_pays_what_adds_up() -> None:
    with repaired([1, 3]) as web:
        assert web.get(URL).status_code == 404
        stated = web.put(URL, json={}, headers={"X-API-Key": "dealer"})
        assert stated.status_code == 200
        told = stated.json()
        assert (told["equals_quote"], told["differences"], told["quote_version"], told["version"]) == (True, [], 1, 1)
        assert told["totals"] == told["agreed_totals"]
        assert told["paid_by"] == {"maker": "400.00", "owner": "542.40"}
        assert told["open"] == told["paid_by"]
        assert web.get(URL).json() == told


def test_a_line_that_costs_something_else_needs_a_reason() -> None:
    changed = [{**LINES[0], "labour": {"hours": "1.0", "rate": "200.00"}}, LINES[2], {**LINES[1], "line": 7}]
    with repaired([1, 3]) as web:
        refused = web.put(URL, json={"lines": changed})
        assert (refused.status_code, refused.json()["lines"]) == (422, [1, 7])
        reasons = [{"line": 1, "reason": "less time"}, {"line": 7, "reason": "asked for at the counter"}]
        told = web.put(URL, json={"lines": changed, "reasons": reasons}).json()
        assert [(each["line"], each["agreed"], each["charged"], each["reason"]) for each in told["differences"]] == [
            (1, "542.40", "429.40", "less time"),
            (7, "0.00", "56.50", "asked for at the counter"),
        ]
        assert told["equals_quote"] is False
        assert web.put(URL, json={"reasons": reasons}).json()["version"] == 2


def test_payments_are_noted_once_and_never_exceed_what_is_open() -> None:
    paid = {"payer": "owner", "amount": "500.00", "provider": "till", "reference": "17"}
    with repaired([1, 3]) as web:
        web.put(URL, json={})
        for _ in range(2):
            assert web.post(f"{URL}/payments", json=paid).json()["open"] == {"maker": "400.00", "owner": "42.40"}
        too_much = {**paid, "reference": "18"}
        assert web.post(f"{URL}/payments", json=too_much).status_code == 409
        assert web.post(f"{URL}/payments", json=too_much, headers={"X-API-Key": "dealer"}).status_code == 403
        done = web.post(f"{URL}/payments", json={**too_much, "amount": "42.40"}).json()
        assert done["open"]["owner"] == "0.00"
        assert [each["reference"] for each in done["payments"]] == ["17", "18"]


MONEY = st.integers(0, 1_000_000).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
SHARES = st.integers(0, 10_000).map(lambda share: str(Decimal(share) / 10_000))


@st.composite
def lines(draw: st.DrawFn) -> list[QuoteLine]:
    words = Text(en="a", zh="b")
    return [
        QuoteLine(
            line=number,
            operation="op",
            description=words,
            labour_hours=draw(st.sampled_from(["0", "0.3", "12.5"])),
            labour_rate=draw(MONEY),
            parts=tuple(
                QuotedPart(number="P", name=words, quantity=draw(st.integers(1, 9)), price=draw(MONEY), list_price="1.00")
                for _ in range(draw(st.integers(0, 2)))
            ),
            pay_type=draw(st.sampled_from(["customer", "warranty", "goodwill", "contract", "internal"])),
            covered_share=draw(SHARES),
            adjustments=tuple(
                Adjustment(kind="coupon", offer="c", name=words, amount=draw(MONEY)) for _ in range(draw(st.integers(0, 1)))
            ),
        )
        for number in range(1, draw(st.integers(0, 4)) + 1)
    ]


@given(lines(), st.sampled_from(["0", "0.06", "0.13"]))
def test_shares_always_add_up_to_the_totals_and_a_statement_differs_from_itself_in_nothing(
    charged: list[QuoteLine], rate: str
) -> None:
    totals = sum_amounts(line_amounts(line, rate) for line in charged)
    assert sum(shares(charged, rate).values()) == totals.due + totals.covered
    assert differences(charged, charged, rate, rate, {}) == ()
    changed = differences(charged, [], rate, rate, {})
    assert {each.line for each in changed} <= {line.line for line in charged}
    assert sum(each.agreed for each in changed) == totals.due + totals.covered
