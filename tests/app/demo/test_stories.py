"""Five orders told from beginning to end, from what the service has kept of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.demo.stories import OrderTold, StoryKind, stories_json, story_lines, tell_stories
from domain.findings import Text
from domain.orders import OrderKind
from domain.owners import Rating
from domain.repairs import RepairOutcome, RepairResult
from tests.notifier.builders import recommendation, text
from tests.notifier.kpis.histories import MONDAY_NS, Step, entries, order, repair

CAR = Text(en="petrol car 1 in Suzhou", zh="苏州的 1 号燃油车")
NAMES = {"A": Text(en="Alpha", zh="甲店"), "B": Text(en="Beta", zh="乙店"), "": Text(en="nobody", zh="无人")}


def known(
    name: str, steps: list[Step], *, group: str = "engine", kind: OrderKind = OrderKind.SERVICE, **more: object
) -> OrderTold:
    reason = str(more.pop("reason", ""))
    alerts = (f"alert-{name}",)
    plain = order(name, group=group, kind=kind)
    plain = replace(plain, recommendation=recommendation("i1", alerts=alerts), state=steps[-1][2])
    opened = [(MONDAY_NS - 1, text("Misfire"))]
    return OrderTold(order=plain, car=CAR, entries=entries(name, steps, reason), alerts=opened, **more)  # type: ignore[arg-type]


def rating(name: str) -> Rating:
    return Rating(order=name, vehicle="v1", dealer="A", stars=5, nps=9, comment="", created_ns=MONDAY_NS * 2)


def told(*orders: OrderTold) -> dict[StoryKind, list[str]]:
    stories = tell_stories(orders, NAMES.__getitem__)
    for sentence in (sentence for story in stories for _, sentence in story.steps):
        assert sentence.en.endswith(".")
        assert sentence.zh.endswith("。")
    return {story.kind: [sentence.en for _, sentence in story.steps] for story in stories}


def test_from_the_alert_to_the_rating() -> None:
    found = RepairOutcome(
        order="o",
        result=RepairResult.FOUND,
        pattern="RC01",
        cause="thermostat_open",
        author="A",
        note="",
        created_ns=MONDAY_NS * 2 - 1,
    )
    steps = told(known("o", repair(0), rating=rating("o"), outcome=found))[StoryKind.ALERT_TO_RATING]
    assert steps[0] == "petrol car 1 in Suzhou: Misfire."
    assert steps[1:4] == ["A service order is made; Alpha is asked.", "Alpha has the offer.", "Alpha accepts."]
    assert steps[-2:] == [
        "The technician confirms the cause: thermostat.",
        "The owner rates the visit: 5 of 5 stars, 9 of 10 that they recommend it.",
    ]


def test_who_declined_is_named_with_who_is_asked_instead() -> None:
    steps = [
        (0, "dispatch", "dispatching", "A"),
        (1, "decline", "dispatching", "B"),
        (2, "decline", "manual", ""),
        (3, "dispatch", "dispatching", "A"),
        (4, "accept", "accepted", "A"),
    ]
    said = told(known("o", steps, reason="full"))[StoryKind.DECLINED_TWICE]
    assert said[2:5] == ["Alpha declines (full); Beta is asked.", "Beta declines (full); a person takes over.", "Alpha is asked."]


def test_a_rescue_is_confirmed_by_who_is_there() -> None:
    steps = [
        (0, "propose", "requested", ""),
        (1, "dispatch", "dispatching", "A"),
        (2, "accept", "assigned", "A"),
        (3, "close", "closed", "A"),
    ]
    said = told(known("o", steps, kind=OrderKind.RESCUE))[StoryKind.RESCUE]
    assert said[2] == "Help is wanted, so says who is there; Alpha is asked."


@pytest.mark.parametrize(("reason", "is_told"), [("parts: PC-PUMP", True), ("warranty", False)])
def test_only_a_hold_for_parts_that_ended_is_one(reason: str, is_told: bool) -> None:
    steps = [(0, "hold", "on_hold", "A"), (1, "resume", "in_progress", "A")]
    assert (StoryKind.PARTS_HOLD in told(known("o", steps, reason=reason))) is is_told
    assert StoryKind.PARTS_HOLD not in told(known("o", steps[:1], reason=reason))


def test_what_joins_a_visit_for_care_is_told_with_the_whole_work() -> None:
    steps = [(0, "dispatch", "dispatching", "A"), (1, "update", "scheduled", "A")]
    said = told(known("o", steps, group="care"))[StoryKind.MERGED_WITH_CARE]
    assert said[1:] == [
        "Maintenance of petrol car 1 in Suzhou is due; Alpha is asked.",
        "What the alert asks for joins the visit: replace thermostat.",
    ]


def test_no_order_is_told_twice_where_another_one_fits() -> None:
    held = [*repair(0), (4, "hold", "on_hold", "A"), (5, "resume", "in_progress", "A")]
    first = known("o1", held, rating=rating("o1"), reason="parts")
    second = known("o2", repair(0), rating=rating("o2"))
    stories = {story.kind: story.order for story in tell_stories([first, second], NAMES.__getitem__)}
    assert stories == {StoryKind.PARTS_HOLD: "o1", StoryKind.ALERT_TO_RATING: "o2"}
    alone = {story.kind: story.order for story in tell_stories([first], NAMES.__getitem__)}
    assert alone == {StoryKind.PARTS_HOLD: "o1", StoryKind.ALERT_TO_RATING: "o1"}


def test_stories_are_lines_under_headings_and_documents_with_times() -> None:
    stories = tell_stories([known("o", repair(0), rating=rating("o"))], NAMES.__getitem__)
    lines = [line.en for line in story_lines(stories)]
    assert lines[0] == "\nFrom alert to rating (order o)"
    assert lines[1] == "  1. petrol car 1 in Suzhou: Misfire."
    [document] = stories_json(stories)
    assert (document["kind"], document["order"], len(document["steps"])) == ("alert_to_rating", "o", len(lines) - 1)
    assert set(document["steps"][0]) == {"time", "en", "zh"}
