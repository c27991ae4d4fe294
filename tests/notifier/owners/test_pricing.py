"""Amounts of quotes: exact, rounded per line, totals the sums of what is shown."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Text
from domain.quotes import Adjustment, Quote, QuotedPart, QuoteLine
from notifier.owners.pricing import Amounts, line_amounts, total_amounts

NAME = Text(en="a", zh="b")
MONEY = st.integers(0, 10**7).map(lambda cent: f"{cent // 100}.{cent % 100:02d}")
SHARE = st.integers(0, 100).map(lambda percent: f"{Decimal(percent) / 100}")


def _line(number: int = 1, **more: object) -> QuoteLine:
    base = QuoteLine(line=number, operation="op", description=NAME, labour_hours="1.5", labour_rate="200.00")
    return replace(base, **more)  # type: ignore[arg-type]


def _part(price: str, quantity: int = 1, list_price: str = "0.00") -> QuotedPart:
    return QuotedPart(number="P", name=NAME, quantity=quantity, price=price, list_price=list_price)


def _discount(amount: str) -> Adjustment:
    return Adjustment(kind="coupon", offer="c", name=NAME, amount=amount)


LINES = st.builds(
    lambda hours, rate, parts, share, off, optional: _line(
        labour_hours=hours,
        labour_rate=rate,
        parts=tuple(_part(price, quantity, price) for price, quantity in parts),
        covered_share=share,
        adjustments=(_discount(off),),
        optional=optional,
    ),
    st.integers(0, 200).map(lambda tenth: f"{tenth // 10}.{tenth % 10}"),
    MONEY,
    st.lists(st.tuples(MONEY, st.integers(1, 9)), max_size=3),
    SHARE,
    MONEY,
    st.booleans(),
)


def test_a_line_is_priced_as_a_hand_would() -> None:
    line = _line(parts=(_part("180.00", 2, "190.00"),), covered_share="0.5", adjustments=(_discount("60.00"),))
    assert line_amounts(line, "0.13") == Amounts(
        labour=Decimal("300.00"),
        parts=Decimal("360.00"),
        list_parts=Decimal("380.00"),
        adjusted=Decimal("60.00"),
        covered=Decimal("300.00"),
        tax=Decimal("39.00"),
        due=Decimal("339.00"),
    )


def test_half_a_hundredth_is_rounded_up() -> None:
    assert line_amounts(_line(labour_hours="0.1", labour_rate="0.05"), "0").labour == Decimal("0.01")


def test_work_under_warranty_costs_the_owner_nothing_and_no_discount_pays_anything_out() -> None:
    assert line_amounts(_line(covered_share="1"), "0.13").due == 0
    off = line_amounts(_line(adjustments=(_discount("9999.00"),)), "0.13")
    assert (off.adjusted, off.due) == (Decimal("300.00"), 0)


@given(line=LINES, tax=SHARE)
def test_a_lines_amounts_are_the_exact_ones_within_the_rounding(line: QuoteLine, tax: str) -> None:
    got = line_amounts(line, tax)
    exact = Fraction(line.labour_hours) * Fraction(line.labour_rate)
    exact += sum(Fraction(part.price) * part.quantity for part in line.parts)
    exact = max(exact - Fraction(line.adjustments[0].amount), Fraction(0)) * (1 - Fraction(line.covered_share))
    assert abs(Fraction(got.due) - exact * (1 + Fraction(tax))) <= Fraction(3, 100)
    assert got.due == got.labour + got.parts - got.adjusted - got.covered + got.tax
    assert all(getattr(got, field.name) >= 0 for field in fields(Amounts))
    assert all(getattr(got, field.name).as_tuple().exponent == -2 for field in fields(Amounts))


@given(lines=st.lists(LINES, min_size=1, max_size=5), tax=SHARE, data=st.data())
def test_totals_are_the_sums_of_the_lines_that_are_shown(lines: list[QuoteLine], tax: str, data: st.DataObject) -> None:
    numbered = tuple(replace(line, line=number) for number, line in enumerate(lines, start=1))
    quote = Quote(order="o", version=1, vehicle="v", currency="CNY", tax_rate=tax, lines=numbered, author="d", created_ns=0)
    chosen = data.draw(st.sets(st.sampled_from([line.line for line in numbered])))
    shown = [line_amounts(line, tax).due for line in numbered if line.line in chosen]
    assert total_amounts(quote, chosen).due == sum(shown)
    assert total_amounts(quote) == total_amounts(quote, {line.line for line in numbered if not line.optional})
