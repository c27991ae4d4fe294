"""`/api/v1/vehicles/ID/benefits`, and what they do to quotes."""

from __future__ import annotations

from domain.benefits import Grant, GrantState
from tests.web.api.test_quotes_api import LINES
from tests.web.pages.test_owner_page import ORDERS, TO_THE_END, WAY, calm, give_quote, link, move, seen
from tests.web.report_examples import SEDAN
from tests.web.serving import client, store

BENEFITS = f"/api/v1/vehicles/{SEDAN}/benefits"
UNTIL = "2030-01-01T00:00:00Z"


def test_a_coupon_makes_the_next_quote_cheaper_and_is_spent_when_the_work_is_settled() -> None:
    served = calm(store())
    with client(served) as web:
        given = web.post(BENEFITS, json={"offer": "welcome-coupon", "until": UNTIL})
        assert (given.status_code, given.json()["left"]) == (201, 1)
        move(web, *WAY)
        give_quote(web)
        line = web.get(f"{ORDERS}/quotes").json()["quotes"][0]["lines"][0]
        assert [(each["offer"], each["amount"]) for each in line["adjustments"]] == [("welcome-coupon", "100.00")]
        assert line["amounts"]["due"] == "429.40"  # (480 - 100) and 13 % of it
        assert "Welcome coupon" in seen(web, link(web, "quote"))
        assert web.post(f"{ORDERS}/quotes/1/sign-off", json={"accepted": [1, 3]}).status_code == 200
        assert web.get(BENEFITS).json()["benefits"][0]["left"] == 1
        move(web, *TO_THE_END)
        assert (web.get(BENEFITS).json()["benefits"][0]["left"], served.papers(Grant)[0].state) == (0, GrantState.SPENT)


def test_what_was_declined_spends_nothing() -> None:
    served = calm(store())
    with client(served) as web:
        web.post(BENEFITS, json={"offer": "welcome-coupon", "until": UNTIL})
        move(web, *WAY)
        give_quote(web, LINES[:2])
        web.post(f"{ORDERS}/quotes/1/sign-off", json={"accepted": [2]})
        move(web, *TO_THE_END)
    assert served.papers(Grant)[0].left == 1


def test_a_benefit_that_makes_no_sense_is_refused() -> None:
    with client(store()) as web:
        for body, status in (
            ({"offer": "none", "until": UNTIL}, 422),
            ({"offer": "points", "until": "2001-01-01T00:00:00Z"}, 422),
            ({"offer": "points", "until": UNTIL, "units": 0}, 422),
        ):
            assert web.post(BENEFITS, json=body).status_code == status
        assert web.post("/api/v1/vehicles/none/benefits", json={"offer": "points", "until": UNTIL}).status_code == 404
        assert {offer["id"] for offer in web.get(BENEFITS).json()["offers"]} >= {"points", "oil-package"}
