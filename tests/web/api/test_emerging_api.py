"""Emerging issues over the API and on their page."""

from __future__ import annotations

from dataclasses import replace

from tests.storage.test_predictions import CASE
from tests.web.report_examples import SEDAN, VAN
from tests.web.serving import client, store
from web.api.access import key_hash

URL = "/api/v1/emerging"
OPEN = replace(CASE, vehicles=(SEDAN, VAN), ratio=(2.0, 20.0, float("inf")))


def served():
    made = store()
    assert made.change_emerging((), (OPEN, replace(CASE, id="old", opened_ns=1)))
    return made


def test_cases_are_listed_the_latest_first_and_without_infinities():
    with client(served()) as browser:
        cases = browser.get(URL).json()["cases"]
        assert [case["id"] for case in cases] == ["c1", "old"]
        assert cases[0]["ratio"] == {"low": 2.0, "likely": 20.0, "high": None}
        assert cases[0]["group"] == {"lot.water_pump": "L7"}
        assert browser.get(f"{URL}/c1").json() == cases[0]
        assert browser.get(f"{URL}/none").status_code == 404
        assert browser.get(URL, params={"state": "closed"}).json()["cases"] == []


def test_a_case_is_closed_with_a_note_and_only_by_who_may():
    keys = {key_hash("reader"): ["read"], key_hash("desk"): ["read", "orders"]}
    made = served()
    with client(made, keys=keys) as browser:
        reader, desk = ({"X-API-Key": key} for key in ("reader", "desk"))
        assert browser.post(f"{URL}/c1/close", json={"note": "recall"}, headers=reader).status_code == 403
        assert browser.post(f"{URL}/c1/close", json={"note": ""}, headers=desk).status_code == 422
        closed = browser.post(f"{URL}/c1/close", json={"note": "recall"}, headers=desk).json()
        assert (closed["state"], closed["note"]) == ("closed", "recall")
        assert browser.post(f"{URL}/c1/close", json={"note": "again"}, headers=desk).json() == closed
    assert made.emerging_case("c1").note == "recall"


def test_the_page_shows_cause_group_rate_and_vehicles_in_both_languages():
    with client(served()) as browser:
        page = browser.get("/emerging").text
    for part in (
        "Emerging issues",
        "群发隐患",
        "Worn pump",
        "水泵磨损",
        "water pump lot L7",
        "2 / 20",
        "20× (2 to ∞)",
        f"/vehicles/{SEDAN}",
    ):
        assert part in page


def test_a_fleet_without_cases_is_told_what_is_looked_for():
    with client() as browser:
        assert "No group of vehicles stands out." in browser.get("/emerging").text
