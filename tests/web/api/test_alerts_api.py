"""`/api/v1/alerts`, vehicles, dealers and rules."""

from __future__ import annotations

import pytest

from domain.live import EventKind
from notifier.push.messages import alert_json
from rules.pack import load_rules
from tests.web.report_examples import SEDAN, VAN, overheating
from tests.web.serving import OWNER, PHONE, VIN, client, store


def ids(answer):
    assert answer.status_code == 200
    return [alert["id"] for alert in answer.json()["alerts"]]


def test_alerts_come_newest_first_and_as_the_contract_says():
    with client() as web:
        answer = web.get("/api/v1/alerts")
        assert ids(answer) == ["alert-battery", "alert-p0217", "alert-overheat"]
        assert answer.json()["alerts"][2] == alert_json(overheating().alerts[0])


def test_alerts_are_filtered_by_state_severity_and_vehicle():
    with client() as web:
        assert ids(web.get("/api/v1/alerts?state=open")) == ["alert-battery", "alert-overheat"]
        assert ids(web.get("/api/v1/alerts?severity=critical&severity=high")) == ["alert-p0217", "alert-overheat"]
        assert ids(web.get("/api/v1/alerts", params={"vehicle": VAN})) == ["alert-battery"]
        assert ids(web.get("/api/v1/alerts?state=acknowledged")) == []


def test_pages_of_a_list_join_to_the_whole():
    with client() as web:
        joined, offset = [], 0
        while offset is not None:
            answer = web.get("/api/v1/alerts", params={"limit": 1, "offset": offset})
            joined += ids(answer)
            offset = answer.json()["next_offset"]
        assert joined == ids(web.get("/api/v1/alerts"))


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "offset=-1", "state=ajar"])
def test_a_query_that_makes_no_sense_is_named(query):
    with client() as web:
        answer = web.get(f"/api/v1/alerts?{query}")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"][0]["where"].startswith(f"query.{query.split('=')[0]}")


def test_acknowledging_is_done_once_and_told_in_the_feed():
    served = store()
    with client(served) as web:
        before = served.last_event_id()
        assert web.post("/api/v1/alerts/alert-overheat/acknowledge").json()["state"] == "acknowledged"
        assert web.post("/api/v1/alerts/alert-overheat/acknowledge").json()["state"] == "acknowledged"
        assert web.get("/api/v1/alerts/alert-overheat").json()["state"] == "acknowledged"
    (event,) = served.events(before, 10)
    assert (event.kind, event.subject) == (EventKind.ALERT, "alert-overheat")


def test_a_resolved_alert_cannot_be_acknowledged_and_an_unknown_one_not_found():
    with client() as web:
        resolved = web.post("/api/v1/alerts/alert-p0217/acknowledge")
        assert (resolved.status_code, resolved.json()["type"]) == (409, "urn:pitcall:problem:alert_resolved")
        for method, path in (("GET", "/api/v1/alerts/none"), ("POST", "/api/v1/alerts/none/acknowledge")):
            assert web.request(method, path).json()["status"] == 404


def test_a_vehicle_shows_what_is_open_on_it():
    with client() as web:
        listed = {each["id"]: each for each in web.get("/api/v1/vehicles").json()["vehicles"]}
        assert listed[SEDAN]["urgency"] == "STOP"
        assert listed[SEDAN]["open_alerts"] == 1
        shown = web.get(f"/api/v1/vehicles/{SEDAN}").json()
        assert [alert["id"] for alert in shown["alerts"]] == ["alert-overheat", "alert-p0217"]
        assert shown["orders"] == ["order-5d20c1f9ab37"]
        assert web.get("/api/v1/vehicles/nobody").status_code == 404


def test_dealers_are_listed_without_how_they_are_reached():
    with client() as web:
        dealers = web.get("/api/v1/dealers").json()["dealers"]
        assert [dealer["id"] for dealer in dealers] == ["SH-014", "SH-022"]
        assert not {"endpoint", "secret_name"} & dealers[0].keys()


def test_every_rule_in_use_is_listed():
    rules = load_rules(None)
    with client(rules=lambda: rules) as web:
        listed = web.get("/api/v1/rules").json()["rules"]
        assert [rule["id"] for rule in listed] == [rule.id for rule in rules]
        assert all(rule["title"]["en"] and rule["title"]["zh"] and rule["signals"] is not None for rule in listed)


def test_no_answer_carries_a_vin_or_an_owner():
    with client() as web:
        asked = [
            "/",
            "/alerts",
            "/alerts/alert-overheat",
            "/api/v1/openapi.json",
            "/metrics",
            "/readyz",
            f"/api/v1/vehicles/{SEDAN}",
        ]
        asked += [f"/api/v1/{name}" for name in ("alerts", "orders", "vehicles", "dealers", "rules", "alerts/alert-overheat")]
        for path in asked:
            answer = web.get(path)
            assert answer.status_code == 200, path
            for secret in (VIN, OWNER, PHONE):
                assert secret not in answer.text, path
