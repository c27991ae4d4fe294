"""`/api/v1/orders/ID/quotes` and their sign-off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from storage.memory_store import MemoryStore
from tests.web.serving import ORDER, client, store
from web.api.access import key_hash

PATH = f"/api/v1/orders/{ORDER}"
DEALER_KEY = {key_hash("dealer"): ("dealer:SH-014",), key_hash("desk"): ("orders",), key_hash("reader"): ("read",)}
LINES = [
    {"line": 1, "operation": "fan", "labour": {"hours": "1.5", "rate": "200.00"}, "parts": [{"number": "P", "price": "180.00"}]},
    {"line": 2, "operation": "wash", "labour": {"hours": "0.5", "rate": "100.00"}, "optional": True},
    {"line": 3, "operation": "recall", "labour": {"hours": "2", "rate": "200.00"}, "pay_type": "warranty"},
]


@contextmanager
def diagnosing(served: MemoryStore, **options: Any) -> Iterator[Any]:
    """A client of a service whose order is being diagnosed."""
    with client(served) as web:
        for version, event in enumerate(("accept", "schedule", "check_in", "diagnose"), start=1):
            moved = web.post(f"{PATH}/transitions", json={"event": event}, headers={"If-Match": str(version)})
            assert moved.status_code == 200
    with client(served, **options) as web:
        yield web


def quote(web: Any, version: int = 5, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return web.post(f"{PATH}/quotes", json=body, headers={"If-Match": str(version), **(headers or {})})


def test_a_dealer_quotes_line_by_line_and_the_owner_sees_what_every_line_costs() -> None:
    served = store()
    with diagnosing(served, keys=DEALER_KEY, headers={"X-API-Key": "dealer"}) as web:
        answer = quote(web, lines=LINES, note="the fan is loose")
        assert answer.status_code == 201
        made = answer.json()["quote"]
        assert (made["version"], made["author"], made["signed"], made["is_latest"]) == (1, "dealer:SH-014", None, True)
        assert [line["amounts"]["due"] for line in made["lines"]] == ["542.40", "56.50", "0.00"]
        assert made["totals"]["due"] == "542.40"
        assert made["totals"]["covered"] == "400.00"
        assert answer.json()["order"]["data"]["quote"] == {
            "version": 1,
            "content": served.order(ORDER).quote.content,
            "accepted": [],
            "declined": [],
            "signed": None,
        }
        assert answer.headers["etag"] == '"6"'
        assert web.get(f"{PATH}/quotes").json() == {"quotes": [made]}
    assert (served.order(ORDER).state, served.order(ORDER).change.reason) == ("quoted", "quote 1: the fan is loose")


def test_without_lines_the_plan_is_quoted_at_the_dealers_rate() -> None:
    served = store()
    with diagnosing(served) as web:
        lines = quote(web).json()["quote"]["lines"]
        planned = served.order(ORDER).recommendation.plan
        assert [line["operation"] for line in lines] == [line.operation for line in planned]
        rate = next(each.labour_rate for each in served.dealers() if each.id == "SH-014")
        assert {line["labour"]["rate"] for line in lines} == {rate}


def test_the_answer_is_recorded_with_quote_lines_and_time_in_the_audit() -> None:
    served = store()
    with diagnosing(served) as web:
        quote(web, lines=LINES)
        answer = web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": [1]})
        assert answer.json()["order"]["data"]["state"] == "partially_approved"
        signed = web.get(f"{PATH}/quotes").json()["quotes"][0]
        assert (signed["accepted"], signed["declined"], signed["accepted_totals"]["due"]) == ([1], [2, 3], "542.40")
        last = web.get(f"{PATH}/history").json()["history"][-1]
        mark = served.order(ORDER).quote
        assert last["reason"] == f"quote 1 ({mark.content[:16]}): accepted 1; declined 2, 3"
        again = web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": [1, 2]})
        assert (again.status_code, again.json()["type"]) == (409, "urn:pitcall:problem:already_signed")
        unknown = web.post(f"{PATH}/quotes/9/sign-off", json={"accepted": []})
        assert unknown.status_code == 404


def test_a_changed_quote_asks_anew() -> None:
    served = store()
    with diagnosing(served) as web:
        quote(web, lines=LINES)
        web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": [1, 3]})
        assert served.order(ORDER).state == "approved"
        assert quote(web, 7, lines=LINES[:1]).status_code == 201
        assert served.order(ORDER).state == "quoted"
        old = web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": [1]})
        assert (old.status_code, old.json()["type"]) == (409, "urn:pitcall:problem:no_quote")
        wrong = web.post(f"{PATH}/quotes/2/sign-off", json={"accepted": [3]})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:pitcall:problem:unknown_line")


def test_an_answer_takes_the_sign_off_and_a_dealer_does_not_answer_for_the_owner() -> None:
    served = store()
    with diagnosing(served, keys=DEALER_KEY, headers={"X-API-Key": "dealer"}) as web:
        quote(web, lines=LINES)
        approve = web.post(f"{PATH}/transitions", json={"event": "approve"}, headers={"If-Match": "6"})
        assert (approve.status_code, approve.json()["type"]) == (403, "urn:pitcall:problem:not_a_dealers")
        assert web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": [1]}).status_code == 403
        desk = web.post(f"{PATH}/transitions", json={"event": "approve"}, headers={"If-Match": "6", "X-API-Key": "desk"})
        assert (desk.status_code, desk.json()["type"]) == (409, "urn:pitcall:problem:sign_off_needed")
        signed = web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": [1, 3]}, headers={"X-API-Key": "desk"})
        assert signed.json()["order"]["data"]["state"] == "approved"
        assert web.get(f"{PATH}/quotes", headers={"X-API-Key": "reader"}).status_code == 200


@pytest.mark.parametrize(
    ("version", "body", "status", "code"),
    [
        (4, {"lines": LINES}, 412, "version_conflict"),
        (5, {"lines": []}, 422, "invalid_request"),
        (5, {"lines": [LINES[0], LINES[0]]}, 422, "line_doubled"),
        (5, {"lines": LINES, "tax_rate": "1.5"}, 422, "invalid_request"),
        (5, {"lines": [{**LINES[0], "labour": {"hours": "1e3", "rate": "1"}}]}, 422, "invalid_request"),
        (5, {"lines": [{**LINES[0], "labour": {"hours": "NaN", "rate": "1"}}]}, 422, "invalid_request"),
    ],
)
def test_a_quote_that_makes_no_sense_is_refused(version: int, body: dict[str, Any], status: int, code: str) -> None:
    served = store()
    with diagnosing(served) as web:
        answer = quote(web, version, **body)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:pitcall:problem:{code}")
    assert served.order(ORDER).state == "diagnosing"


def test_an_order_that_nobody_has_looked_at_takes_no_quote() -> None:
    with client() as web:
        answer = quote(web, 1, lines=LINES)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:pitcall:problem:transition_not_allowed")
