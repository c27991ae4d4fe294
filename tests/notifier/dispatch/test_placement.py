"""Placements against SciPy's assignment solver, and what must hold of every placement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from notifier.dealers.geography import unit_vectors
from notifier.dispatch import NEVER, NOWHERE, Kind, Placement, PlacementProblem, flow, place

PAST = 10**12


def problem(seed: int, orders: int, dealers: int, days: int, kinds: int, *, reach_km: float = 400.0) -> PlacementProblem:
    rng = np.random.default_rng(seed)
    return PlacementProblem(
        dealers=unit_vectors(rng.normal((31.0, 121.0), 1.5, (dealers, 2))),
        room=rng.integers(0, 3, (dealers, days)),
        orders=unit_vectors(rng.normal((31.0, 121.0), 1.5, (orders, 2))),
        kinds=tuple(
            Kind(
                able=rng.random(dealers) < 0.6,
                favour_m=rng.integers(0, 30_000, dealers),
                wait_m=np.where(rng.random(days) < 0.2, NEVER, np.arange(days) * rng.integers(0, 40_000)),
                reach_m=int(reach_km * 1000),
            )
            for _ in range(kinds)
        ),
        kind=rng.integers(0, kinds, orders),
        favourite=np.where(rng.random(orders) < 0.3, rng.integers(0, dealers, orders), NOWHERE),
        favourite_m=np.full(orders, 25_000),
        excluded=frozenset(
            (int(a), int(b)) for a, b in zip(rng.integers(0, orders, 9), rng.integers(0, dealers, 9), strict=True)
        ),
    )


def cost_m(asked: PlacementProblem, order: int, dealer: int, day: int) -> int | None:
    """What this place costs the order, None where it may not go there."""
    kind = asked.kinds[asked.kind[order]]
    chord = float(np.linalg.norm(asked.orders[order] - asked.dealers[dealer]))
    road_m = round(1.3 * 1000 * 2 * 6371.0088 * float(np.arcsin(chord / 2)))
    if not kind.able[dealer] or road_m > kind.reach_m or kind.wait_m[day] == NEVER or (order, dealer) in asked.excluded:
        return None
    favour_m = int(kind.favour_m[dealer]) + (int(asked.favourite_m[order]) if asked.favourite[order] == dealer else 0)
    return road_m - favour_m + int(kind.wait_m[day])


def best(asked: PlacementProblem) -> tuple[int, int]:
    """(orders placed, cost) of the optimum, by SciPy's solver: each appointment one column, one column of its own to go nowhere."""
    places = [
        (dealer, day)
        for dealer in range(len(asked.dealers))
        for day in range(asked.room.shape[1])
        for _ in range(int(asked.room[dealer, day]))
    ]
    count = len(asked.orders)
    costs = np.full((count, len(places) + count), float(PAST))
    for order in range(count):
        for column, (dealer, day) in enumerate(places):
            metres = cost_m(asked, order, dealer, day)
            costs[order, column] = 10.0 * PAST if metres is None else metres
    rows, columns = linear_sum_assignment(costs)
    taken = [costs[row, column] for row, column in zip(rows, columns, strict=True) if column < len(places)]
    return len(taken), round(sum(taken))


def check(asked: PlacementProblem, found: Placement) -> None:
    """Every order at a place it may go to, within the room there; the cost is that of the places."""
    taken = np.zeros_like(asked.room)
    total = 0
    for order, (dealer, day) in enumerate(zip(found.dealer.tolist(), found.day.tolist(), strict=True)):
        if dealer == NOWHERE:
            assert day == NOWHERE
            continue
        metres = cost_m(asked, order, dealer, day)
        assert metres is not None
        total += metres
        taken[dealer, day] += 1
    assert (taken <= asked.room).all()
    assert abs(found.cost_m - total) <= len(asked.orders)  # a metre of rounding each


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 30),
    st.integers(1, 40),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([60.0, 400.0, 2000.0]),
)
def test_a_placement_places_as_many_and_costs_as_little_as_an_assignment_solver_finds(
    seed: int, orders: int, dealers: int, days: int, kinds: int, reach_km: float
) -> None:
    asked = problem(seed, orders, dealers, days, kinds, reach_km=reach_km)
    found = place(asked)
    check(asked, found)
    placed, total = best(asked)
    assert int((found.dealer != NOWHERE).sum()) == placed
    assert abs(found.cost_m - total) <= orders
    assert found.proven


def test_looking_at_one_dealer_first_leads_to_the_same_cost_as_looking_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = problem(5, 120, 90, 1, 2)
    whole = place(asked)
    monkeypatch.setattr(flow, "FIRST_NEAR", 1)
    monkeypatch.setattr(flow, "SLACK_M", 0)
    narrow = place(asked)
    assert narrow.rounds > 1
    assert (narrow.cost_m, narrow.proven, (narrow.dealer == NOWHERE).sum()) == (
        whole.cost_m,
        True,
        (whole.dealer == NOWHERE).sum(),
    )


def test_orders_that_share_the_last_appointments_all_get_one_though_it_is_farther() -> None:
    """Two cars in town, one appointment in town and one beyond reach of the second: the first gives way."""
    places = np.array([(31.0, 121.0), (31.5, 121.0)])
    asked = PlacementProblem(
        dealers=unit_vectors(places),
        room=np.array([[1], [1]]),
        orders=unit_vectors(np.array([(31.01, 121.0), (30.9, 121.0)])),
        kinds=(Kind(able=np.ones(2, dtype=bool), favour_m=np.zeros(2, dtype=np.int64), wait_m=np.zeros(1, dtype=np.int64), reach_m=80_000),),
        kind=np.zeros(2, dtype=np.int64),
        favourite=np.full(2, NOWHERE),
        favourite_m=np.zeros(2, dtype=np.int64),
    )  # fmt: skip
    assert place(asked).dealer.tolist() == [1, 0]


def test_nothing_to_place_and_nowhere_to_place_it_are_placements_too() -> None:
    nobody = problem(1, 3, 4, 2, 1)
    full = PlacementProblem(
        dealers=nobody.dealers,
        room=np.zeros_like(nobody.room),
        orders=nobody.orders,
        kinds=nobody.kinds,
        kind=nobody.kind,
        favourite=nobody.favourite,
        favourite_m=nobody.favourite_m,
    )
    found = place(full)
    assert (found.dealer.tolist(), found.cost_m, found.proven) == ([NOWHERE] * 3, 0, True)
    empty = place(_without_orders(nobody))
    assert (len(empty.dealer), empty.proven) == (0, True)


def _without_orders(asked: PlacementProblem) -> PlacementProblem:
    return PlacementProblem(
        dealers=asked.dealers,
        room=asked.room,
        orders=asked.orders[:0],
        kinds=asked.kinds,
        kind=asked.kind[:0],
        favourite=asked.favourite[:0],
        favourite_m=asked.favourite_m[:0],
    )
