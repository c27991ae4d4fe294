"""The dispatch benchmark on a small country: its peer against a plain loop, and its figures."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from benchmarks import dispatch_greedy
from benchmarks.dispatch import run
from benchmarks.dispatch_demand import DETOUR, draw_demand
from benchmarks.dispatch_greedy import place_greedily
from benchmarks.dispatch_map import dispatch_map
from notifier.dealers.geography import chord_km
from notifier.dispatch import NOWHERE


def test_the_optimum_is_proven_nearer_and_places_no_fewer() -> None:
    figures = run(orders=4_000, dealers=2_000, decisions=100)
    assert figures["proven_optimal"] is True
    assert figures["mean_km_gain"] >= 0.15
    assert figures["unplaced"]["optimal"] <= figures["unplaced"]["greedy"]
    assert figures["over_capacity"] == 0


def test_the_peer_takes_the_nearest_able_workshop_with_room() -> None:
    demand = draw_demand(300, 120, load=0.95, seed=3)
    problem = demand.problem()
    left = demand.room.copy()
    expected = []
    for place, electric in zip(problem.orders, demand.electric, strict=True):
        km = DETOUR * chord_km(np.linalg.norm(problem.dealers - place, axis=1))
        km[(left <= 0) | (electric & ~demand.equipped) | (km > 400)] = np.inf
        nearest = int(np.argmin(km))
        expected.append(nearest if km[nearest] < np.inf else NOWHERE)
        left[nearest] -= km[nearest] < np.inf
    assert place_greedily(problem).tolist() == expected
    assert NOWHERE in expected
    assert dispatch_greedy.NEAR < 120, "otherwise the search beyond the first neighbours is not met"


def test_the_drawn_country_is_the_same_every_time_and_as_loaded_as_asked() -> None:
    one, two = (draw_demand(900, 200, load=0.9, seed=7) for _ in range(2))
    assert np.array_equal(one.orders, two.orders)
    assert np.array_equal(one.room, two.room)
    assert one.room.sum() == 1000


def test_the_map_is_svg_with_both_placements() -> None:
    root = ET.fromstring(dispatch_map())
    words = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert sum("km mean" in word for word in words) == 2
