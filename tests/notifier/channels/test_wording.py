"""Events in words for people: both languages, no markup from data, one-line subjects."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.findings import Text
from domain.records import OutboxEvent
from notifier.channels.wording import worded
from notifier.push.notices import ALERT_EVENTS, ORDER_EVENTS
from notifier.push.outbox import order_events
from tests.web.report_examples import DEALER, VEHICLES, overheating


def order_event() -> OutboxEvent:
    case = overheating()
    return order_events(case.orders[0], case, VEHICLES[0], DEALER)[0]


def test_an_order_is_told_in_both_languages() -> None:
    english, chinese = (worded(order_event(), language) for language in ("en", "zh"))
    order = overheating().orders[0]
    assert english.subject == f"[{order.recommendation.urgency.priority}] New order: {order.recommendation.title.en}"
    assert chinese.subject == f"[{order.recommendation.urgency.priority}] 新工单：{order.recommendation.title.zh}"
    for said in (english.text, english.html):
        assert order.recommendation.advice.en in said
        assert order.id in said
    assert order.recommendation.plan[0].description.zh in chinese.text
    assert "经销商" in chinese.html


def test_a_reader_who_may_answer_is_told_where() -> None:
    words = worded(order_event(), "zh", "https://care.example.com/dealer")
    assert "请在经销商门户处理：https://care.example.com/dealer" in words.text
    assert '<a href="https://care.example.com/dealer">' in words.html
    assert "portal" not in worded(order_event(), "en").text


@pytest.mark.parametrize("event_type", [*ALERT_EVENTS, *ORDER_EVENTS])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_event_has_words(event_type: str, language: str) -> None:
    event = replace(order_event(), type=event_type, body='{"data": {"title": "T"}}')
    assert worded(event, language).subject not in ("T", event_type)


def test_what_comes_from_data_is_no_markup_and_no_second_header() -> None:
    case = overheating()
    hostile = replace(
        case.orders[0].recommendation, title=Text(en="<b>x</b>\r\nBcc: y", zh="z"), advice=Text(en="<script>", zh="z")
    )
    event = order_events(replace(case.orders[0], recommendation=hostile), case, VEHICLES[0], DEALER)[0]
    words = worded(event, "en")
    assert "\n" not in words.subject
    assert "\r" not in words.subject
    assert "<script>" not in words.html
    assert "<b>" not in words.html


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["title", "text", "vehicle", "codes"]), st.text(max_size=30), max_size=4))
def test_an_event_of_another_kind_is_told_by_its_own_title_and_text(data: dict[str, str]) -> None:
    data.pop("codes", None)
    event = replace(order_event(), type="owner.notice", body=json.dumps({"data": data}))
    words = worded(event, "zh")
    assert words.subject == (" ".join(data.get("title", "").split()) or ("owner.notice" if not data.get("title") else ""))
    assert data.get("text", "").strip().replace("\r", "\n")[:5] in words.text.replace("\r", "\n")
