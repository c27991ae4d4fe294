"""Five orders from beginning to end, in plain sentences, from what the service itself has kept of them: audit, feed, rating and result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.findings import Text
from domain.order_audit import AuditEntry
from domain.orders import Order, OrderKind
from domain.owners import Rating
from domain.repairs import RepairOutcome
from notifier.orders.consent_gate import CARE_GROUP
from notifier.orders.order_states import OrderEvent, OrderState
from notifier.parts.holds import FOR_PARTS
from notifier.push.messages import rfc3339, text_json


class StoryKind(StrEnum):
    """What a story is about."""

    ALERT_TO_RATING = "alert_to_rating"
    DECLINED_TWICE = "declined_twice"
    RESCUE = "rescue"
    PARTS_HOLD = "parts_hold"
    MERGED_WITH_CARE = "merged_with_care"


HEADINGS = {
    StoryKind.ALERT_TO_RATING: Text(en="From alert to rating", zh="从告警到评价"),
    StoryKind.DECLINED_TWICE: Text(en="Declined twice", zh="两次被拒单"),
    StoryKind.RESCUE: Text(en="A rescue", zh="一次道路救援"),
    StoryKind.PARTS_HOLD: Text(en="On hold for parts", zh="等待配件"),
    StoryKind.MERGED_WITH_CARE: Text(en="Merged with due maintenance", zh="与到期保养合并"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTold:
    """All that is known of one order.

    Attributes:
        entries: its audit. alerts: feed events of its alerts that opened. rating, outcome: None while there is none.
    """

    order: Order
    car: Text
    entries: Sequence[AuditEntry]
    alerts: Sequence[tuple[int, Text]]
    rating: Rating | None = None
    outcome: RepairOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStory:
    """One story: (wall time, sentence) in order of time."""

    kind: StoryKind
    order: str
    steps: tuple[tuple[int, Text], ...]


def tell_stories(known: Sequence[OrderTold], dealer_name: Callable[[str], Text]) -> list[OrderStory]:
    """One story of each kind, where there is an order for it: the one that came farthest, and none twice if that can be."""
    told: list[OrderStory] = []
    for kind in (*_RARE, StoryKind.ALERT_TO_RATING):
        fitting = [each for each in known if _fits(kind, each)]
        used = {story.order for story in told}
        best = max(fitting, key=lambda each: (each.order.id not in used, len(each.entries), each.order.id), default=None)
        if best is not None:
            told.append(OrderStory(kind=kind, order=best.order.id, steps=tuple(_steps(best, dealer_name))))
    return sorted(told, key=lambda story: list(StoryKind).index(story.kind))


_RARE = (StoryKind.MERGED_WITH_CARE, StoryKind.PARTS_HOLD, StoryKind.DECLINED_TWICE, StoryKind.RESCUE)


def stories_json(stories: Iterable[OrderStory]) -> list[dict[str, Any]]:
    """As `demo --json` has them."""
    return [
        {
            "kind": story.kind.value,
            "order": story.order,
            "steps": [{"time": rfc3339(time_ns), **text_json(sentence)} for time_ns, sentence in story.steps],
        }
        for story in stories
    ]


def story_lines(stories: Iterable[OrderStory]) -> Iterator[Text]:
    """The stories for a terminal, each under its heading."""
    for story in stories:
        heading = HEADINGS[story.kind]
        yield Text(en=f"\n{heading.en} (order {story.order[:12]})", zh=f"\n{heading.zh}（工单 {story.order[:12]}）")
        for number, (_, sentence) in enumerate(story.steps, 1):
            yield Text(en=f"  {number}. {sentence.en}", zh=f"  {number}. {sentence.zh}")


def _fits(kind: StoryKind, told: OrderTold) -> bool:
    order, events = told.order, [entry.event for entry in told.entries]
    match kind:
        case StoryKind.RESCUE:
            return order.kind is OrderKind.RESCUE and order.state in (OrderState.DELIVERED, OrderState.CLOSED)
        case StoryKind.DECLINED_TWICE:
            return events.count(OrderEvent.DECLINE) >= 2 and OrderEvent.ACCEPT in events
        case StoryKind.PARTS_HOLD:
            held = any(entry.event == OrderEvent.HOLD and entry.reason.startswith(FOR_PARTS) for entry in told.entries)
            return held and OrderEvent.RESUME in events
        case StoryKind.MERGED_WITH_CARE:
            return _first_is_care(told) and bool(order.recommendation.alerts)
        case StoryKind.ALERT_TO_RATING:
            return order.kind is OrderKind.SERVICE and bool(order.recommendation.alerts) and told.rating is not None


def _first_is_care(told: OrderTold) -> bool:
    return told.order.group_key == CARE_GROUP


def _steps(told: OrderTold, dealer_name: Callable[[str], Text]) -> Iterator[tuple[int, Text]]:
    """Alerts, changes of the order, result and rating, by time."""
    steps = [(when, Text(en=f"{told.car.en}: {title.en}.", zh=f"{told.car.zh}：{title.zh}。")) for when, title in told.alerts]
    before: AuditEntry | None = None
    for entry in told.entries:
        sentence = _sentence(told, entry, before, dealer_name)
        if sentence is not None:
            steps.append((entry.time_ns, sentence))
        before = entry
    if told.outcome is not None:
        steps.append((told.outcome.created_ns, _result(told)))
    if told.rating is not None:
        rating = told.rating
        words = Text(
            en=f"The owner rates the visit: {rating.stars} of 5 stars, {rating.nps} of 10 that they recommend it.",
            zh=f"车主评价：{rating.stars} 星（满分 5 星），推荐意愿 {rating.nps} 分（满分 10 分）。",
        )
        steps.append((rating.created_ns, words))
    steps.sort(key=lambda step: step[0])
    yield from steps


def _result(told: OrderTold) -> Text:
    cause = next(
        (each.title for each in told.order.recommendation.causes if told.outcome and each.id == told.outcome.cause), None
    )
    if cause is None:
        return Text(en="The technician reports the result.", zh="技师已上报维修结果。")
    return Text(en=f"The technician confirms the cause: {cause.en}.", zh=f"技师确认故障原因：{cause.zh}。")


def _sentence(told: OrderTold, entry: AuditEntry, before: AuditEntry | None, dealer_name: Callable[[str], Text]) -> Text | None:
    now, former = dealer_name(entry.dealer), dealer_name(before.dealer if before else "")
    if before is None:
        return _created(told, now)
    if entry.event == "update":
        if _first_is_care(told) and told.alerts and not entry.reason.startswith("placed"):
            return Text(
                en=f"What the alert asks for joins the visit: {_work(told, 'en')}.",
                zh=f"告警所需的维修并入本次到店：{_work(told, 'zh')}。",
            )
        return None
    if entry.event in (OrderEvent.DECLINE, OrderEvent.EXPIRE):
        why = f" ({entry.reason})" if entry.reason else ""
        then = (
            Text(en="a person takes over", zh="转人工处理")
            if not entry.dealer
            else Text(en=f"{now.en} is asked", zh=f"改询{now.zh}")
        )
        verb = Text(en="declines", zh="拒单") if entry.event == OrderEvent.DECLINE else Text(en="does not answer", zh="未答复")
        return Text(en=f"{former.en} {verb.en}{why}; {then.en}.", zh=f"{former.zh}{verb.zh}，{then.zh}。")
    words = _CONFIRMED if entry.came_from == OrderState.REQUESTED else _WORDS.get(entry.event)
    if words is None or (entry.event == OrderEvent.DISPATCH and entry.dealer == before.dealer):
        return None
    # which parts: the same in every language; other reasons are in the words of whoever gave them
    parts = entry.reason.removeprefix("parts: ") if entry.event == OrderEvent.HOLD else ""
    return Text(
        en=words.en.format(now.en) + (f" ({parts})" if parts else "") + ".",
        zh=words.zh.format(now.zh) + (f"（{parts}）" if parts else "") + "。",
    )


def _created(told: OrderTold, dealer: Text) -> Text:
    order = told.order
    if order.kind is OrderKind.RESCUE:
        return Text(en=f"A rescue is made for {told.car.en}.", zh=f"为{told.car.zh}生成救援单。")
    km = f", about {order.choice.distance_km:.0f} km away" if order.choice and not _moved_on(told) else ""
    if _first_is_care(told):
        return Text(
            en=f"Maintenance of {told.car.en} is due; {dealer.en} is asked.", zh=f"{told.car.zh}的保养到期，询问{dealer.zh}。"
        )
    return Text(en=f"A service order is made; {dealer.en} is asked{km}.", zh=f"生成维修单，询问{dealer.zh}。")


def _moved_on(told: OrderTold) -> bool:
    """Another dealer has it by now: the distance is that one's."""
    return len({entry.dealer for entry in told.entries if entry.dealer}) > 1


def _work(told: OrderTold, language: str) -> str:
    lines = [getattr(line.description, language) for line in told.order.recommendation.plan]
    return "; ".join(lines) if language == "en" else "；".join(lines)


_CONFIRMED = Text(en="Help is wanted, so says who is there; {} is asked", zh="现场已确认需要救援，询问{}")
_WORDS: Mapping[str, Text] = {
    OrderEvent.DISPATCH: Text(en="{} is asked", zh="询问{}"),
    OrderEvent.OFFER: Text(en="{} has the offer", zh="{}已收到派单"),
    OrderEvent.ACCEPT: Text(en="{} accepts", zh="{}接单"),
    OrderEvent.SCHEDULE: Text(en="{} books the appointment", zh="{}已安排预约"),
    OrderEvent.CHECK_IN: Text(en="The car stands in the workshop", zh="车辆已到店"),
    OrderEvent.QUOTE: Text(en="{} gives a quote", zh="{}给出报价"),
    OrderEvent.APPROVE: Text(en="The owner signs the quote behind a link", zh="车主通过链接确认报价"),
    OrderEvent.APPROVE_PARTLY: Text(en="The owner signs a part of the quote", zh="车主确认部分报价"),
    OrderEvent.REJECT: Text(en="The owner wants none of it", zh="车主未同意报价"),
    OrderEvent.START: Text(en="The repair begins", zh="开始维修"),
    OrderEvent.HOLD: Text(en="The order waits for parts", zh="工单等待配件"),
    OrderEvent.RESUME: Text(en="The parts have come, the repair goes on", zh="配件到货，继续维修"),
    OrderEvent.PASS: Text(en="The repair passes its inspection", zh="维修通过质检"),
    OrderEvent.SETTLE: Text(en="The bill is settled", zh="费用结清"),
    OrderEvent.CLOSE: Text(en="The order is closed", zh="工单关闭"),
    OrderEvent.DEPART: Text(en="{} sets off", zh="{}出发"),
    OrderEvent.ARRIVE: Text(en="{} is with the car", zh="{}到达现场"),
    OrderEvent.TOW: Text(en="The car is towed", zh="开始拖车"),
    OrderEvent.DELIVER: Text(en="The car is delivered to a workshop", zh="车辆已送达维修店"),
}
