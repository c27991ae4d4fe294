"""The feed of events told in plain sentences, in English or Chinese; cars are called by number and city, never by VIN."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from app.demo.cars import Car
from domain.findings import Text
from domain.fleet import Dealer
from domain.live import EventKind, FeedEvent
from domain.orders import Order

_KINDS = {
    "petrol": Text(en="petrol car", zh="燃油车"),
    "ev": Text(en="electric car", zh="电动车"),
    "truck": Text(en="truck", zh="卡车"),
}
NOBODY = Text(en="nobody", zh="无人")


class Story:
    """Turns feed events into sentences.

    Args:
        cars: vehicle id -> car. dealers: all that may be asked. order: looks an order up.
    """

    def __init__(self, cars: Mapping[str, Car], dealers: Iterable[Dealer], order: Callable[[str], Order | None]) -> None:
        self._cars, self._order = dict(cars), order
        self._dealers = {dealer.id: dealer.name for dealer in dealers}
        self._asked: dict[str, str] = {}

    def tell(self, event: FeedEvent) -> Iterator[Text]:
        """What is worth telling of an event."""
        body = json.loads(event.body)
        if event.kind is EventKind.ALERT and body["change"] in {"opened", "reopened"}:
            yield self._alert(event, body)
        elif event.kind is EventKind.ORDER:
            yield from self._order_told(event, body)

    def _alert(self, event: FeedEvent, body: Mapping[str, Any]) -> Text:
        car, title = self.car(event.vehicle), body["title"]
        return Text(
            en=f"{car.en}: {title['en']} ({body['severity']}, {body['urgency']}).",
            zh=f"{car.zh}：{title['zh']}（{body['severity']}，{body['urgency']}）。",
        )

    def _order_told(self, event: FeedEvent, body: Mapping[str, Any]) -> Iterator[Text]:
        car, rescue = self.car(event.vehicle), body["kind"] == "rescue"
        before, now = self._asked.get(event.subject, ""), body["dealer"] or ""
        self._asked[event.subject] = now
        what = Text(en="Rescue", zh="救援单") if rescue else Text(en="Service order", zh="维修单")
        dealer = self._dealers.get(now, NOBODY)
        if body["state"] == "requested" and body["state_before"] != "requested":
            yield Text(
                en=f"The display of {car.en} says to stop, and asks whether help is needed.",
                zh=f"{car.zh}的车机提示停车，并询问是否需要救援。",
            )
        elif rescue and body["state_before"] == "requested" and now:
            yield Text(
                en=f"The driver of {car.en} needs help: {dealer.en} is asked.",
                zh=f"{car.zh}的驾驶员请求救援：已通知{dealer.zh}。",
            )
        elif body["change"] == "created":
            yield self._created(event, what, car, dealer if now else None)
        elif before and now != before and body["state"] in {"dispatching", "manual"}:
            yield self._passed_on(what, car, self._dealers.get(before, NOBODY), dealer if now else None)
        elif body["state"] != body["state_before"]:
            yield from _moved(body["state"], car, dealer)

    def _created(self, event: FeedEvent, what: Text, car: Text, dealer: Text | None) -> Text:
        order = self._order(event.subject)
        if dealer is None or order is None or order.choice is None:
            return Text(
                en=f"{what.en} for {car.en}: no workshop is able, a person takes over.",
                zh=f"{car.zh}的{what.zh}：没有合适的门店，转人工处理。",
            )
        km = order.choice.distance_km
        return Text(
            en=f"{what.en} for {car.en} goes to {dealer.en}, about {km:.0f} km away.",
            zh=f"{car.zh}的{what.zh}派往{dealer.zh}，距离约 {km:.0f} 公里。",
        )

    def _passed_on(self, what: Text, car: Text, former: Text, dealer: Text | None) -> Text:
        if dealer is None:
            return Text(
                en=f"{former.en} declined. Nobody else is able to take {car.en}: a person takes over.",
                zh=f"{former.zh}拒绝了{car.zh}的{what.zh}，没有其他合适的门店，转人工处理。",
            )
        return Text(
            en=f"{former.en} declined. {what.en} for {car.en} goes to {dealer.en} instead.",
            zh=f"{former.zh}拒单，{car.zh}的{what.zh}改派{dealer.zh}。",
        )

    def car(self, vehicle: str) -> Text:
        """What a car is called: by kind, number and city."""
        car = self._cars.get(vehicle)
        if car is None:
            return Text(en="an unknown car", zh="未知车辆")
        kind, city = _KINDS[car.powertrain], car.city.name
        return Text(en=f"{kind.en} {car.number} in {city.en}", zh=f"{city.zh}的 {car.number} 号{kind.zh}")


def _moved(state: str, car: Text, dealer: Text) -> Iterator[Text]:
    match state:
        case "accepted":
            yield Text(en=f"{dealer.en} accepted the service order for {car.en}.", zh=f"{dealer.zh}已接受{car.zh}的维修单。")
        case "scheduled":
            yield Text(en=f"{dealer.en} has an appointment for {car.en}.", zh=f"{dealer.zh}已为{car.zh}安排预约。")
        case "assigned":
            yield Text(en=f"{dealer.en} accepted the rescue of {car.en}.", zh=f"{dealer.zh}已接受{car.zh}的救援。")
        case "en_route":
            yield Text(en=f"Rescue started: {dealer.en} is on its way to {car.en}.", zh=f"救援开始：{dealer.zh}正赶往{car.zh}。")
        case "manual":
            yield Text(en=f"No workshop for {car.en}: a person takes over.", zh=f"{car.zh}没有合适的门店，转人工处理。")
        case _:
            return
