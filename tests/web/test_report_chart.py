"""Charts over a number, and the share curves that they draw."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Text
from web.report.chart import HEIGHT, WIDTH, Chart, Line, draw_chart, share_beyond, share_within

NAME = Text(en="a <name>", zh="名称 & 单位")
numbers = st.floats(-1e6, 1e6, allow_nan=False)
points = st.lists(st.tuples(numbers, st.one_of(st.none(), st.floats(0, 1e6), st.just(float("nan")))), max_size=12).map(
    lambda pairs: tuple(sorted(pairs, key=lambda pair: pair[0]))
)


@given(
    st.lists(st.builds(Line, name=st.just(NAME), points=points, stepped=st.booleans()), max_size=4),
    st.one_of(st.none(), numbers),
    st.one_of(st.none(), st.floats(0, 10)),
    st.booleans(),
)
def test_whatever_the_numbers_the_drawing_is_well_formed_and_stays_in_its_frame(lines, marked, top, percent):
    svg = draw_chart(
        Chart(title=NAME, across=NAME, lines=tuple(lines), marked=marked, marked_name=NAME, top=top, percent=percent)
    )
    root = ET.fromstring(svg)
    assert "nan" not in svg.replace(NAME.en, "")
    for dot in root.iter("circle"):
        assert 0 <= float(dot.get("cx")) <= WIDTH
        assert 0 <= float(dot.get("cy")) <= HEIGHT
    drawn = sum(y is not None and y == y for line in lines for _, y in line.points)
    assert len(list(root.iter("circle"))) == drawn


def test_a_gap_is_not_drawn_over():
    line = Line(name=NAME, points=((0.0, 1.0), (1.0, 1.0), (2.0, None), (3.0, 1.0), (4.0, 1.0)))
    svg = draw_chart(Chart(title=NAME, across=NAME, lines=(line,)))
    (path,) = re.findall(r'class="line line-0" d="([^"]+)"', svg)
    assert (path.count("M"), path.count("L")) == (2, 2)


def at(steps, x):
    """Value of a step line: y holds until the next point."""
    return next(y for place, y in reversed(steps) if place <= x)


values = st.lists(st.floats(0, 100), max_size=10)


@given(values, st.integers(0, 5), st.floats(0, 100))
def test_the_share_found_within_a_time_is_that_of_a_count(found, missed, x):
    of = len(found) + missed
    steps = share_within(found, of, until=120.0)
    assert steps[-1][0] == 120.0
    assert at(steps, x) == (sum(value <= x for value in found) / of if of else 0.0)


@given(values.filter(bool), st.integers(0, 5), st.floats(0, 100))
def test_the_share_found_long_before_the_end_is_that_of_a_count(found, missed, x):
    of = len(found) + missed
    steps = share_beyond(found, of)
    # at a value itself the line falls, so look just before it
    assert at(steps, x) in {sum(value > x for value in found) / of, sum(value >= x for value in found) / of}
