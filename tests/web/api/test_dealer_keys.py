"""A key of one dealer: its own orders, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from domain.records import Commit
from tests.web.report_examples import overheating
from tests.web.serving import ORDER, client, store
from web.api.access import key_hash

KEYS = {
    key_hash("own"): ("dealer:SH-014",),
    key_hash("other"): ("dealer:SH-022",),
    key_hash("mixed"): ("dealer:SH-022", "admin"),
    key_hash("odd"): ("everything",),
}
PATH = f"/api/v1/orders/{ORDER}"


def key(name):
    return {"X-API-Key": name}


def move(web, event, version, name):
    return web.post(f"{PATH}/transitions", json={"event": event}, headers={"If-Match": str(version), **key(name)})


def test_a_dealer_sees_its_orders_only():
    with client(keys=KEYS) as web:
        assert web.get(PATH, headers=key("own")).json()["order"]["data"]["order_id"] == ORDER
        assert len(web.get("/api/v1/orders", headers=key("own")).json()["orders"]) == 1
        assert web.get("/api/v1/orders?dealer=SH-014", headers=key("other")).status_code == 403
        for name in ("other", "mixed"):
            assert web.get(PATH, headers=key(name)).status_code == 404, name
            assert web.get("/api/v1/orders", headers=key(name)).json()["orders"] == []
            assert move(web, "accept", 1, name).status_code == 404


def test_an_order_without_a_dealer_is_nobodys():
    served = store(orders=False)
    case = overheating()
    served.commit(Commit(cases=(replace(case, orders=(replace(case.orders[0], choice=None, state="manual"),)),)))
    with client(served, keys=KEYS) as web:
        assert web.get(PATH, headers=key("own")).status_code == 404


@pytest.mark.parametrize("path", ["alerts", "alerts/alert-overheat", "vehicles", "dealers", "rules", "stream"])
def test_nothing_else_is_told_to_a_dealer(path):
    with client(keys=KEYS) as web:
        for name in ("own", "mixed", "odd"):
            assert web.get(f"/api/v1/{path}", headers=key(name)).status_code in (401, 403), name
        assert web.post("/api/v1/alerts/alert-overheat/acknowledge", headers=key("own")).status_code == 403
        assert web.post("/sign-in", content="key=own").status_code in (303, 401)
        assert web.get("/").headers["location"] == "/sign-in"


def test_a_dealer_accepts_and_stands_in_the_history():
    served = store()
    with client(served, keys=KEYS) as web:
        answer = move(web, "accept", 1, "own")
        assert (answer.status_code, answer.json()["order"]["data"]["state"]) == (200, "accepted")


def test_a_dealer_that_declines_is_not_told_who_is_asked_next():
    served = store()
    with client(served, keys=KEYS) as web:
        answer = move(web, "decline", 1, "own")
        assert (answer.status_code, answer.json()) == (200, {"order": None, "allowed": []})
        assert web.get(PATH, headers=key("own")).status_code == 404
        assert web.get(PATH, headers=key("other")).status_code == 200
    assert "SH-022" not in json.dumps(answer.json())
    assert served.order(ORDER).choice.dealer == "SH-022"


@pytest.mark.parametrize("event", ["expire", "give_up", "dispatch", "offer", "propose"])
def test_what_happens_on_our_side_is_not_a_dealers_to_say(event):
    served = store()
    with client(served, keys=KEYS) as web:
        assert move(web, event, 1, "own").status_code == 403
    assert served.order(ORDER).version == 1


def test_a_dealer_reads_the_history_of_its_own_time_only():
    served = store()
    with client(served, keys=KEYS) as web:
        assert move(web, "decline", 1, "own").status_code == 200
        assert move(web, "accept", 2, "other").status_code in (200, 409)
        seen = web.get(f"{PATH}/history", headers=key("other"))
        assert seen.status_code == 200
        assert {entry["version"] for entry in seen.json()["history"]}.isdisjoint({1})
        assert web.get(f"{PATH}/history", headers=key("own")).status_code == 404
