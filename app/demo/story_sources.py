"""What the service has kept of every order, as the stories need it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from app.demo.cars import Car
from app.demo.stories import OrderStory, OrderTold, tell_stories
from app.demo.story import NOBODY, Story
from domain.findings import Text
from domain.fleet import Dealer
from domain.live import EventKind, FeedEvent
from domain.owners import Rating
from domain.repairs import latest_outcomes
from storage.sql_store import SqlStore


def gather_stories(
    store: SqlStore, events: Iterable[FeedEvent], cars: Mapping[str, Car], dealers: Iterable[Dealer]
) -> list[OrderStory]:
    """One story of each kind that there is an order for.

    Args:
        events: the feed of the run. cars: vehicle id -> car.
    """
    known = list(dealers)
    names, story = {dealer.id: dealer.name for dealer in known}, Story(cars, known, store.order)
    alerts, outcomes = opened_alerts(events), {outcome.order: outcome for outcome in latest_outcomes(store.outcomes())}
    told = [
        OrderTold(
            order=order,
            car=story.car(order.vehicle),
            entries=store.order_audit(order=order.id),
            alerts=[alerts[name] for name in order.recommendation.alerts if name in alerts],
            rating=store.paper(Rating, order.id),
            outcome=outcomes.get(order.id),
        )
        for order in store.orders()
    ]
    return tell_stories(told, lambda dealer: names.get(dealer, NOBODY))


def opened_alerts(events: Iterable[FeedEvent]) -> dict[str, tuple[int, Text]]:
    """Alert id -> when it opened (wall time), and what it says."""
    found: dict[str, tuple[int, Text]] = {}
    for event in events:
        body = json.loads(event.body) if event.kind is EventKind.ALERT else {}
        if body.get("change") in {"opened", "reopened"}:
            found.setdefault(event.subject, (event.time_ns, Text(**body["title"])))
    return found
