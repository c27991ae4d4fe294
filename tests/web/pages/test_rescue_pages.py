"""The page of rescues and the printable statement: what agents see and send, in both languages."""

from __future__ import annotations

import pytest

from storage.memory_store import MemoryStore
from tests.notifier.rescue.making import rescue_of, stopped
from tests.web.api.test_quotes_api import LINES, PATH, diagnosing, quote
from tests.web.pages.test_pages import shown, text
from tests.web.serving import ORDER, client, store
from web.api.access import key_hash


def page(served: MemoryStore, path: str, language: str = "en") -> str:
    with client(served) as web:
        answer = web.get(path)
    assert answer.status_code == 200
    shown(answer.text, language)
    return text(answer.text, language)


@pytest.mark.parametrize(("language", "words"), [("en", "This is no eCall"), ("zh", "本服务不是紧急呼叫")])
def test_the_page_says_that_it_is_no_emergency_call_even_where_nobody_waits(language: str, words: str) -> None:
    assert words in page(store(), "/rescues", language)
    assert words in page(stopped(), "/rescues", language)


def test_an_agent_sends_help_from_the_page_and_sees_on_what_it_rests() -> None:
    served = stopped(sighted=False)
    url = f"/rescues/{rescue_of(served).id}"
    assert "Ring the driver" in page(served, "/rescues")
    with client(served) as web:
        assert web.post(f"{url}/confirm", data={"lat": "north", "lon": ""}).status_code == 422
        assert web.post(f"{url}/confirm", data={"basis": ""}).status_code == 409
        sent = web.post(f"{url}/confirm", data={"lat": "31.25", "lon": "121.47", "basis": "vital_interest", "car": "yes"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/rescues")
        assert web.post(f"{url}/end").status_code == 409
    told = page(served, "/rescues")
    assert "vital_interest" in told
    assert "31.2500, 121.4700" in told
    assert "within 500 m" in told
    assert "Send help" not in told


def test_a_call_that_is_not_needed_ends_on_the_page_and_readers_only_look() -> None:
    served = stopped()
    url = f"/rescues/{rescue_of(served).id}/end"
    keys = {key_hash("look"): ["read"]}
    with client(served, keys=keys) as web:
        web.post("/sign-in", data={"key": "look"})
        seen = web.get("/rescues")
        assert "Send help" not in seen.text
        assert web.post(url).status_code == 403
    with client(served) as web:
        assert web.post(url).status_code == 303
    assert "No vehicle waits for help" in page(served, "/rescues")


def test_a_statement_is_a_page_with_every_amount() -> None:
    served = store()
    with diagnosing(served) as web:
        quote(web, lines=LINES)
        web.post(f"{PATH}/quotes/1/sign-off", json={"accepted": [1, 3]})
        assert web.get(f"/orders/{ORDER}/statement").status_code == 404
        for event in ("start", "inspect", "pass"):
            web.post(f"{PATH}/transitions", json={"event": event}, headers={"If-Match": web.get(PATH).headers["etag"]})
        changed = {**LINES[0], "labour": {"hours": "1.0", "rate": "200.00"}}
        reasons = [{"line": 1, "reason": "less time"}]
        assert web.put(f"{PATH}/statement", json={"lines": [changed, LINES[2]], "reasons": reasons}).status_code == 200
    told = page(served, f"/orders/{ORDER}/statement")
    for words in ("429.40", "542.40", "400.00", "less time", "Maker (warranty, goodwill)", "version 1"):
        assert words in told
    assert "结算单" in page(served, f"/orders/{ORDER}/statement", "zh")
