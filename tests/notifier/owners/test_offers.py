"""Benefits make lines cheaper, never by more than they cost, and no unit twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.benefits import Grant, GrantState, spent
from domain.errors import DataFileError
from domain.quotes import QuoteLine
from notifier.owners.offers import SHIPPED, load_offers
from notifier.owners.pricing import line_amounts
from tests.notifier.owners.test_pricing import LINES, _line

BOOK = load_offers(SHIPPED)
UNTIL = 1000


def grant(offer: str, left: int = 1, name: str = "", **more: object) -> Grant:
    made = Grant(id=name or offer, vehicle="v", offer=offer, left=left, author="a", created_ns=0, due_ns=UNTIL)
    return replace(made, **more)  # type: ignore[arg-type]


def off(lines: list[QuoteLine], *grants: Grant, now_ns: int = 0) -> list[list[tuple[str, str, int]]]:
    return [[(each.offer, each.amount, each.units) for each in line.adjustments] for line in BOOK.apply(lines, grants, now_ns)]


def test_a_package_pays_its_work_and_points_a_part_of_other_work() -> None:
    lines = [_line(1, operation="change-oil"), _line(2, operation="replace-pump")]
    held = (grant("points", 100_000), grant("oil-package", 3))
    assert off(lines, *held) == [[("oil-package", "300.00", 1)], [("points", "90.00", 9000)]]
    assert off(lines, grant("points", 50)) == [[("points", "0.50", 50)], []]


def test_a_coupon_is_for_one_line_and_needed_work_comes_first() -> None:
    lines = [_line(1, operation="polish", optional=True), _line(2, operation="replace-pump")]
    assert off(lines, grant("welcome-coupon")) == [[], [("welcome-coupon", "100.00", 1)]]


def test_what_has_ended_is_spent_or_borne_by_others_takes_nothing_off() -> None:
    line = _line(operation="replace-pump")
    assert off([line], grant("welcome-coupon"), now_ns=UNTIL) == [[]]
    assert off([line], grant("welcome-coupon", state=GrantState.SPENT)) == [[]]
    assert off([line], grant("none-such")) == [[]]
    assert off([replace(line, covered_share="1")], grant("welcome-coupon")) == [[]]


def test_what_is_taken_is_spent_and_no_more() -> None:
    held = [grant("points", 100), grant("welcome-coupon")]
    lines = BOOK.apply([_line(operation="replace-pump")], held, 0)
    after = {each.offer: (each.left, each.state) for each in spent(held, lines)}
    assert after == {"points": (0, GrantState.SPENT), "welcome-coupon": (0, GrantState.SPENT)}
    assert spent(held, []) == ()


@given(
    lines=st.lists(LINES, min_size=1, max_size=4),
    operations=st.lists(st.sampled_from(("change-oil", "replace-engine-mount", "wash")), min_size=4, max_size=4),
    points=st.integers(0, 10**6),
    coupons=st.integers(0, 3),
    packages=st.integers(0, 2),
)
def test_no_line_costs_less_than_nothing_and_no_unit_is_taken_twice(
    lines: list[QuoteLine], operations: list[str], points: int, coupons: int, packages: int
) -> None:
    numbered = [
        replace(line, line=number, operation=operation)
        for number, (line, operation) in enumerate(zip(lines, operations, strict=False), start=1)
    ]
    held = [grant("points", points), grant("welcome-coupon", coupons), grant("oil-package", packages)]
    adjusted = BOOK.apply(numbered, held, 0)
    assert [line.line for line in adjusted] == [line.line for line in numbered]
    taken: Counter[str] = Counter()
    for line in adjusted:
        bare = line_amounts(replace(line, adjustments=()), "0")
        off = sum((Decimal(each.amount) for each in line.adjustments), Decimal(0))
        assert off <= bare.labour + bare.parts
        assert line_amounts(line, "0.13").due >= 0
        taken.update({each.grant: each.units for each in line.adjustments})
    assert all(taken[each.id] <= each.left for each in held)
    assert BOOK.apply(adjusted, held, 0) == adjusted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("id: points", "id: oil-package"),
        ('amount: "0.01", ', ""),
        ('share: "0.3"', 'share: "1.3"'),
        ("kind: coupon", "kind: gift"),
    ],
)
def test_wrong_offers_are_refused(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "benefits.yaml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(DataFileError, match=r"benefits\.yaml"):
        load_offers(file)
