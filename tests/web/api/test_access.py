"""Keys, scopes, sessions, and what other sites may not do."""

from __future__ import annotations

import pytest

from domain.fleet import DEVELOPMENT_KEY
from domain.live import ApiKey
from storage.database import open_store
from tests.web.serving import client
from web.api.access import SESSION_COOKIE, key_hash

KEYS = {key_hash("reader"): ("read",), key_hash("mover"): ("orders",), key_hash("chief"): ("admin",)}
ACKNOWLEDGE = "/api/v1/alerts/alert-overheat/acknowledge"


def key(name):
    return {"X-API-Key": name}


def test_nothing_of_the_fleet_is_told_without_a_key():
    with client(keys=KEYS) as web:
        for path in ("alerts", "orders", "vehicles", "dealers", "rules", "stream", "alerts/alert-overheat"):
            for headers in ({}, key("wrong"), key("")):
                answer = web.get(f"/api/v1/{path}", headers=headers)
                assert answer.status_code == 401, path
                assert answer.json()["type"] == "urn:pitcall:problem:unauthorised"
        assert web.get("/healthz").status_code == web.get("/metrics").status_code == 200


def test_a_scope_allows_what_it_says():
    with client(keys=KEYS) as web:
        for name in ("reader", "mover", "chief"):
            assert web.get("/api/v1/alerts", headers=key(name)).status_code == 200
        refused = web.post(ACKNOWLEDGE, headers=key("reader"))
        assert (refused.status_code, refused.json()["needed"]) == (403, "orders")
        for name in ("mover", "chief"):
            assert web.post(ACKNOWLEDGE, headers=key(name)).status_code == 200


def test_a_key_in_the_database_works_until_it_is_revoked(tmp_path):
    served = open_store(f"sqlite:///{tmp_path / 'keys.sqlite3'}", key=DEVELOPMENT_KEY)
    served.save_api_key(ApiKey(hash=key_hash("kept"), name="wall", scopes=("read",), created_ns=0))
    with client(served, keys={}) as web:
        assert web.get("/api/v1/alerts", headers=key("kept")).status_code == 200
        served.revoke(key_hash("kept"))
        assert web.get("/api/v1/alerts", headers=key("kept")).status_code == 401


def test_a_page_asks_to_sign_in_and_the_session_ends_when_signed_out():
    with client(keys=KEYS) as web:
        assert web.get("/").headers["location"] == "/sign-in"
        assert web.post("/sign-in", content="key=wrong").status_code == 401
        answer = web.post("/sign-in", content="key=reader")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert web.get("/").status_code == web.get("/api/v1/alerts").status_code == 200
        assert web.post("/alerts/alert-overheat/acknowledge").status_code == 403  # the key may only read
        kept = web.cookies[SESSION_COOKIE]
        assert web.post("/sign-out").status_code == 303
        assert web.get("/", headers={"cookie": f"{SESSION_COOKIE}={kept}"}).status_code == 303


def test_an_open_service_answers_this_machine_only():
    for host, status in (
        ("localhost", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("evil.example", 403),
        ("10.0.0.7", 403),
    ):
        with client(host=host) as web:
            assert web.get("/api/v1/alerts").status_code == status, host
            assert web.get("/").status_code == status, host


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
def test_changes_that_another_site_makes_a_browser_send_are_refused(origin):
    with client() as web:
        for path in (ACKNOWLEDGE, "/alerts/alert-overheat/acknowledge", "/sign-in", "/sign-out"):
            assert web.post(path, headers={"origin": origin}).status_code == 403, path
        assert web.get("/api/v1/alerts/alert-overheat").json()["state"] == "open"
        assert web.post(ACKNOWLEDGE, headers={"origin": "http://127.0.0.1"}).status_code == 200
