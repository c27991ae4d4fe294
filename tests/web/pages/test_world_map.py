"""The map of cars and dealers."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.findings import Urgency
from domain.live import VehicleSummary
from tests.web.report_examples import DEALER
from web.pages.world_map import NARROW, WIDE, clip, draw_map

BOX = (-10.0, -5.0, 12.0, 8.0)


def car(name, place, urgency=None):
    return VehicleSummary(
        vehicle=name, registered=True, event_ns=None, received_ns=None, location=place, open_alerts=0, urgency=urgency
    )


places = st.tuples(st.floats(-60, 70), st.floats(-170, 170))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(places, st.sampled_from([None, *Urgency])), min_size=1, max_size=40), st.sampled_from([WIDE, NARROW]))
def test_every_car_is_counted_once_within_the_drawing_and_no_dot_hides_another(cars, size):
    drawn = draw_map([car(str(n), place, urgency) for n, (place, urgency) in enumerate(cars)], {}, [DEALER], size)
    assert sum(dot.cars for dot in drawn.cars) == len(cars)
    for mark in (*drawn.cars, *drawn.dealers):
        assert 0 <= mark.x <= size[0]
        assert 0 <= mark.y <= size[1]
    for one, other in itertools.combinations(drawn.cars, 2):
        assert math.hypot(one.x - other.x, one.y - other.y) >= one.radius + other.radius
    assert max((d.urgency for d in drawn.cars if d.urgency is not None), default=None) == max(
        (urgency for _, urgency in cars if urgency is not None), default=None
    )


def signed_area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(0.5, 30), min_size=3, max_size=12), st.floats(-8, 8), st.floats(-8, 8))
def test_a_clipped_ring_has_the_area_that_a_fine_grid_finds(radii, x, y):
    """Against counting cells of a star-shaped ring: an oracle that knows nothing of clipping."""
    turns = [2 * math.pi * n / len(radii) for n in range(len(radii))]
    ring = [(x + r * math.cos(t), y + r * math.sin(t)) for r, t in zip(radii, turns, strict=True)]
    clipped = clip(ring, BOX)
    assert all(BOX[0] - 1e-9 <= px <= BOX[2] + 1e-9 and BOX[1] - 1e-9 <= py <= BOX[3] + 1e-9 for px, py in clipped)
    steps = 60
    dx, dy = (BOX[2] - BOX[0]) / steps, (BOX[3] - BOX[1]) / steps
    inside = sum(_contains(ring, BOX[0] + (i + 0.5) * dx, BOX[1] + (j + 0.5) * dy) for i in range(steps) for j in range(steps))
    whole = (BOX[2] - BOX[0]) * (BOX[3] - BOX[1])
    assert abs(abs(signed_area(clipped)) - inside * dx * dy) <= 0.04 * whole


def _contains(ring, x, y):
    odd = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def test_a_ring_within_the_view_stays_as_it_is():
    ring = [(0.0, 0.0), (4.0, 1.0), (2.0, 5.0)]
    assert clip(ring, BOX) == ring
    assert clip([(20.0, 20.0), (25.0, 20.0), (22.0, 30.0)], BOX) == []


def test_a_car_without_a_position_is_shown_at_home_or_counted():
    drawn = draw_map([car("a", None), car("b", None)], {"a": (31.0, 121.0)}, [])
    assert [dot.cars for dot in drawn.cars] == [1]
    assert drawn.unplaced == 1


def test_nothing_to_place_gives_no_map():
    assert draw_map([car("a", None)], {}, []) is None


def test_the_land_around_shanghai_lies_west_of_it():
    drawn = draw_map([], {}, [replace(DEALER, latitude=31.23, longitude=121.47), replace(DEALER, latitude=31.0, longitude=117.0)])
    xs = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", drawn.land)]
    assert len(xs) > 50
    assert min(xs) < WIDE[0] * 0.2
    assert {"120°E", "30°N"} <= {label for _, label in (*drawn.meridians, *drawn.parallels)}


def test_cars_near_each_other_are_one_dot():
    near = [car(str(n), (31.2 + n / 1000, 121.4), Urgency.STOP if n == 3 else None) for n in range(20)]
    drawn = draw_map([*near, car("far", (40.0, 116.0))], {}, [])
    assert sorted(dot.cars for dot in drawn.cars) == [1, 20]
    assert next(dot for dot in drawn.cars if dot.cars == 20).urgency is Urgency.STOP
