"""Events told in plain sentences: by number and city, in both languages, never by VIN."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.demo.cars import plan_cars
from app.demo.setting import demo_dealers
from app.demo.story import Story
from domain.live import EventKind, FeedEvent

CARS = plan_cars(6)


def event(about: EventKind = EventKind.ORDER, /, *, car: int = 0, **body: Any) -> FeedEvent:
    return FeedEvent(kind=about, subject="o1", vehicle=f"v{car}", body=json.dumps(body))


def moved(state: str, before: str, dealer: str | None, *, rescue: bool = False) -> FeedEvent:
    kind = "rescue" if rescue else "service"
    return event(change="state", kind=kind, state=state, state_before=before, dealer=dealer)


def told(*events: FeedEvent) -> list[str]:
    """What the last of these events says, in English."""
    story = Story({f"v{car.number}": car for car in CARS}, [demo.dealer for demo in demo_dealers()], lambda _order: None)
    said = [list(story.tell(each)) for each in events]
    for sentence in (sentence for each in said for sentence in each):
        assert sentence.en
        assert sentence.zh
        assert not any(car.vin in sentence.en + sentence.zh for car in CARS)
    return [sentence.en for sentence in said[-1]]


CREATED = event(change="created", kind="service", state="dispatching", state_before=None, dealer="DEMO-SUZ")


def test_an_opened_alert_names_car_city_and_finding() -> None:
    title = {"en": "Engine overheating", "zh": "发动机过热"}
    opened = event(EventKind.ALERT, car=2, change="opened", title=title, severity="critical", urgency="STOP")
    assert told(opened) == ["petrol car 2 in Hangzhou: Engine overheating (critical, STOP)."]


def test_a_repeated_alert_is_not_told_again() -> None:
    repeated = event(EventKind.ALERT, change="repeated", title={"en": "x", "zh": "x"}, severity="low", urgency="NEXT")
    assert told(repeated) == []


def test_a_declined_order_names_who_declined_and_who_gets_it() -> None:
    declined = moved("dispatching", "offered", "DEMO-SHA")
    expected = "Garden Garage, Suzhou declined. Service order for petrol car 0 in Shanghai goes to Bund Motors, Shanghai instead."
    assert told(CREATED, declined) == [expected]


def test_an_order_nobody_takes_goes_to_a_person() -> None:
    [sentence] = told(CREATED, moved("manual", "offered", None))
    assert sentence.endswith("a person takes over.")


@pytest.mark.parametrize(
    ("state", "before", "rescue", "words"),
    [
        ("accepted", "offered", False, "Garden Garage, Suzhou accepted the service order for petrol car 0 in Shanghai."),
        ("en_route", "assigned", True, "Rescue started: Garden Garage, Suzhou is on its way to petrol car 0 in Shanghai."),
    ],
)
def test_what_a_dealer_does_is_told(state: str, before: str, rescue: bool, words: str) -> None:
    assert told(CREATED, moved(state, before, "DEMO-SUZ", rescue=rescue)) == [words]


def test_a_rescue_asks_the_driver_first_and_then_the_partner() -> None:
    asked = event(change="created", kind="rescue", state="requested", state_before=None, dealer=None)
    assert told(asked) == ["The display of petrol car 0 in Shanghai says to stop, and asks whether help is needed."]
    sent = moved("dispatching", "requested", "DEMO-SUZ", rescue=True)
    assert told(asked, sent) == ["The driver of petrol car 0 in Shanghai needs help: Garden Garage, Suzhou is asked."]


def test_an_offer_on_its_way_is_no_news() -> None:
    assert told(CREATED, moved("offered", "dispatching", "DEMO-SUZ")) == []
