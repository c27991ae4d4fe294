"""The alerts of two sides held against each other."""

from hypothesis import given
from hypothesis import strategies as st

from app.backtest.episodes import changes
from tests.app.test_scoring import alert


def told(old, new):
    return [
        (each.alert.opened_ns // 10**9, "new" if each.old is None else "gone" if each.new is None else each.moved_s)
        for each in changes(old, new)
    ]


def test_an_alert_that_only_one_side_raises_appears_or_disappears():
    assert told([alert(opened_s=5, closed_s=8)], [alert(opened_s=20, closed_s=30)]) == [(5, "gone"), (20, "new")]


def test_an_episode_that_both_sides_see_moves_by_so_much():
    assert told([alert(opened_s=20, closed_s=90)], [alert(opened_s=12, closed_s=95)]) == [(12, -8.0)]
    assert told([alert(opened_s=12)], [alert(opened_s=20, closed_s=95)]) == [(20, 8.0)]


def test_alerts_of_other_vehicles_and_rules_are_other_episodes():
    assert told([alert("a", opened_s=5)], [alert("b", opened_s=5)]) == [(5, "gone"), (5, "new")]
    assert told([alert(source="r", opened_s=5)], [alert(source="s", opened_s=5)]) == [(5, "gone"), (5, "new")]


def test_a_blip_before_an_episode_is_not_taken_for_it():
    old = [alert(opened_s=12, closed_s=50)]
    new = [alert(opened_s=0, closed_s=3), alert(opened_s=10, closed_s=50)]
    assert told(old, new) == [(0, "new"), (10, -2.0)]


@st.composite
def sides(draw):
    """Episodes of one vehicle and rule, one after the other."""
    edges = sorted(draw(st.sets(st.integers(0, 60), max_size=12)))
    return [alert(opened_s=a, closed_s=b) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@given(sides(), sides())
def test_every_alert_of_either_side_is_told_once(old, new):
    found = changes(old, new)
    assert sorted(each.old.id for each in found if each.old) == sorted(a.id for a in old)
    assert sorted(each.new.id for each in found if each.new) == sorted(a.id for a in new)
    for each in found:
        if each.old and each.new:
            assert each.old.opened_ns <= each.new.updated_ns
            assert each.new.opened_ns <= each.old.updated_ns


@given(sides())
def test_equal_sides_change_nothing(side):
    assert all(each.old == each.new for each in changes(side, side))
