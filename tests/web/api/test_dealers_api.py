"""`/api/v1/dealers`: the network is read with any key, and changed by administrators."""

from __future__ import annotations

import pytest

from tests.web.serving import client, store
from web.api.access import key_hash

WANTED = {
    "id": "SH-099",
    "name_en": "Lakeside",
    "latitude": 31.2,
    "longitude": 121.4,
    "region": "cn/shanghai",
    "tier": "centre",
    "bays": 3,
    "capabilities": ["hv", "engine"],
    "technicians": {"hv": 2},
    "holidays": ["2026-10-01..2026-10-03"],
    "capacity_on": "2026-11-02=3",
    "labour_rates": {"hv": "420.00"},
    "stock": {"PC-PUMP": 1},
    "hours": "6=9-13",
    "acceptance": 0.9,
}


def test_a_dealer_is_added_shown_and_chosen_from_then_on():
    served = store()
    with client(served) as web:
        made = web.put("/api/v1/dealers/SH-099", json=WANTED)
        assert made.status_code == 200
        shown = web.get("/api/v1/dealers/SH-099").json()
        assert made.json() == shown
        assert (shown["tier"], shown["region"], shown["technicians"], shown["stock"]) == (
            "centre",
            "cn/shanghai",
            {"hv": 2},
            {"PC-PUMP": 1},
        )
        assert (shown["holidays"][-1], shown["capacity_on"], shown["hours"]) == (
            "2026-10-03",
            {"2026-11-02": 3},
            {"6": [9, 13]},
        )
    assert "SH-099" in {dealer.id for dealer in served.dealers()}


def test_replacing_a_dealer_keeps_how_it_is_reached_and_does_not_tell_it():
    served = store()
    before = served.dealers()[0]
    with client(served) as web:
        answer = web.put(f"/api/v1/dealers/{before.id}", json=WANTED | {"id": before.id}).json()
    after = served.dealers()[0]
    assert (after.endpoint, after.secret_name, after.name.en) == (before.endpoint, before.secret_name, "Lakeside")
    assert not {"endpoint", "secret_name"} & answer.keys()


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "other"},
        {"latitude": 91},
        {"tier": "palace"},
        {"holidays": [1]},
        {"holidays": 7},
        {"technicians": [["hv", 2]]},
        {"technicians": {"body": 1}},
        {"stock": {"PC-PUMP": -1}},
        {"capacity_on": None},
        {"hours": {"6": "9-13"}},
        {"days_open": [8]},
        {"unknown": 1},
        {"endpoint": "https://x.example/"},
    ],
)
def test_a_dealer_that_is_not_valid_is_refused_and_nothing_is_stored(wrong):
    served = store()
    before = served.dealers()
    with client(served) as web:
        assert web.put("/api/v1/dealers/SH-099", json=WANTED | wrong).status_code == 422
    assert served.dealers() == before


def test_who_is_no_administrator_changes_no_dealer_and_an_unknown_one_is_not_found():
    keys = {key_hash("reader"): ["read", "orders"]}
    with client(keys=keys, headers={"X-API-Key": "reader"}) as web:
        assert web.put("/api/v1/dealers/SH-099", json=WANTED).status_code == 403
        assert web.get("/api/v1/dealers/SH-099").status_code == 404
        assert web.get("/api/v1/dealers/SH-014").json()["id"] == "SH-014"
