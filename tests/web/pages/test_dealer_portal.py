"""The dealer's portal: a dealer's key opens it, and every answer goes the way that the API's go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from domain.quotes import Quote
from storage.memory_store import MemoryStore
from tests.web.serving import NOW_NS, ORDER, OWNER, PHONE, VIN, client, store
from web.api.access import key_hash
from web.pages.dealer_words import STEPS

KEYS = {key_hash("own"): ("dealer:SH-014",), key_hash("other"): ("dealer:SH-022",), key_hash("chief"): ("admin",)}
PATH = f"/dealer/orders/{ORDER}"
HOUR = 3600 * 10**9


@contextmanager
def portal(served: MemoryStore, key: str = "own") -> Iterator[Any]:
    with client(served, keys=KEYS) as web:
        assert web.post("/sign-in", content=f"key={key}").headers["location"] == ("/" if key == "chief" else "/dealer")
        yield web


def with_times() -> MemoryStore:
    served = store()
    order = served.order(ORDER)
    times = tuple((NOW_NS + n * HOUR, NOW_NS + (n + 1) * HOUR) for n in range(1, 4))
    assert served.change_order(replace(order, slots=times, version=2), 1)
    return served


def step(web: Any, served: MemoryStore, event: str, **more: str) -> int:
    return web.post(f"{PATH}/step", data={"event": event, "version": str(served.order(ORDER).version), **more}).status_code


def test_a_dealer_sees_its_offer_without_vin_or_owner() -> None:
    with portal(with_times()) as web:
        page = web.get("/dealer").text
    order = store().order(ORDER)
    assert order.recommendation.title.en in page
    assert order.recommendation.title.zh in page
    for personal in (VIN, OWNER, PHONE, order.vehicle):
        assert personal not in page


@pytest.mark.parametrize("key", ["other", "chief"])
def test_nobody_else_sees_it(key: str) -> None:
    with portal(with_times(), key) as web:
        answer = web.get("/dealer")
        assert ORDER not in answer.text
        assert (answer.status_code, answer.headers.get("location")) in ((200, None), (303, "/sign-in"))
        assert step(web, served := with_times(), "accept") in (303, 404)
        assert served.order(ORDER).state == "offered"


def test_without_a_session_it_asks_to_sign_in() -> None:
    with client(store(), keys=KEYS) as web:
        assert web.get("/dealer").headers["location"] == "/sign-in"
        assert web.post(f"{PATH}/step", data={"event": "accept", "version": "1"}).headers["location"] == "/sign-in"


def test_an_offer_is_accepted_booked_quoted_and_reported() -> None:
    served = with_times()
    second = served.order(ORDER).slots[1]
    with portal(served) as web:
        assert step(web, served, "accept") == 303
        assert step(web, served, "schedule", slot="1") == 303
        assert served.order(ORDER).slots == (second,)
        for event in ("check_in", "diagnose"):
            assert step(web, served, event) == 303
        order = served.order(ORDER)
        form = {"version": str(order.version), "tax_rate": "0.13", "note": "hose too"}
        for line in order.recommendation.plan:
            form |= {f"hours-{line.line}": "2.5", f"rate-{line.line}": "300.00"}
            form |= {f"price-{line.line}-{number}": "99.50" for number in range(len(line.parts))}
        assert web.post(f"{PATH}/quote", data=form).status_code == 303
        (quote,) = served.papers(Quote, order=ORDER)
        assert {line.labour_hours for line in quote.lines} == {"2.5"}
        assert {part.price for line in quote.lines for part in line.parts} == {"99.50"}
        assert "2.5" in web.get("/dealer").text
        assert web.post(f"{PATH}/outcome", data={"result": "other_cause", "note": "loose clamp"}).status_code == 303
    assert [each.note for each in served.outcomes()] == ["loose clamp"]
    assert {entry.actor for entry in served.order_audit(order=ORDER) if entry.version > 2} == {"dealer:SH-014"}


def test_a_declined_offer_is_gone() -> None:
    served = with_times()
    with portal(served) as web:
        assert step(web, served, "decline", reason="full") == 303
        assert ORDER not in web.get("/dealer").text
    assert served.order(ORDER).refused_by == ("SH-014",)


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("step", {"event": "accept", "version": "1"}, 412),
        ("step", {"event": "pass", "version": "2"}, 409),
        ("step", {"event": "expire", "version": "2"}, 403),
        ("step", {"event": "nonsense", "version": "2"}, 422),
        ("step", {"event": "accept", "version": "2", "slot": "x"}, 422),
        ("step", {"event": "accept"}, 428),
        ("quote", {"version": "2"}, 422),
        ("outcome", {}, 422),
    ],
)
def test_what_is_not_possible_is_told_on_a_page(path: str, form: dict[str, str], status: int) -> None:
    served = with_times()
    with portal(served) as web:
        answer = web.post(f"{PATH}/{path}", data=form)
    assert (answer.status_code, 'href="/dealer"' in answer.text) == (status, True)
    assert served.order(ORDER).version == 2


def test_another_site_cannot_make_a_browser_answer() -> None:
    served = with_times()
    with portal(served) as web:
        form = {"event": "accept", "version": "2"}
        assert web.post(f"{PATH}/step", data=form, headers={"origin": "https://evil.example"}).status_code == 403
    assert served.order(ORDER).state == "offered"


def test_every_step_of_a_dealer_has_a_word() -> None:
    from notifier.orders.order_states import TABLES
    from web.api.orders import NOT_A_DEALERS

    possible = {event for table in TABLES.values() for events in table.values() for event in events}
    assert possible - NOT_A_DEALERS - {"quote", "cancel", "suggest"} == set(STEPS)
