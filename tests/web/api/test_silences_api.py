"""Silences and verdicts by the API."""

from __future__ import annotations

import pytest

from notifier.push.messages import rfc3339
from tests.web.serving import NOW_NS, client, store
from web.api.access import key_hash

HOUR_NS = 3600 * 1_000_000_000
WANTED = {"source": "coolant_*", "ends": rfc3339(NOW_NS + HOUR_NS), "reason": "the sensor is known to be bad"}


def test_a_silence_is_made_listed_ended_and_kept_with_who_and_why():
    with client() as web:
        made = web.post("/api/v1/silences", json=WANTED)
        assert made.status_code == 201
        silence = made.json()
        assert (silence["author"], silence["reason"], silence["source"]) == ("operator", WANTED["reason"], "coolant_*")
        assert web.get("/api/v1/silences").json()["silences"] == [silence]
        ended = web.post(f"/api/v1/silences/{silence['id']}/end").json()
        assert (ended["ended_by"], ended["ended"]) == ("operator", rfc3339(NOW_NS))
        assert web.post(f"/api/v1/silences/{silence['id']}/end").json() == ended
        assert web.get("/api/v1/silences").json()["silences"] == []
        assert web.get("/api/v1/silences?ended=true").json()["silences"] == [ended]


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": ""},
        {"source": "**"},
        {"ends": rfc3339(NOW_NS - 1)},
        {"ends": rfc3339(NOW_NS + 91 * 24 * HOUR_NS)},
        {"starts": rfc3339(NOW_NS + 2 * HOUR_NS)},
        {"reason": ""},
        {"ends": "2026-01-01T00:00:00"},
    ],
)
def test_a_silence_of_everything_for_ever_or_without_a_reason_is_refused(wrong):
    with client() as web:
        assert web.post("/api/v1/silences", json=WANTED | wrong).status_code == 422
        assert web.get("/api/v1/silences?ended=true").json()["silences"] == []


def test_who_may_only_read_silences_and_labels_nothing():
    keys = {key_hash("reader"): ["read"]}
    with client(keys=keys, headers={"X-API-Key": "reader"}) as web:
        assert web.post("/api/v1/silences", json=WANTED).status_code == 403
        assert web.post("/api/v1/silences/x/end").status_code == 403
        assert web.post("/api/v1/alerts/alert-battery/label", json={"verdict": "false_alarm"}).status_code == 403
        assert web.get("/api/v1/silences").status_code == 200


def test_an_alert_is_labelled_and_every_verdict_is_exported():
    served = store()
    with client(served) as web:
        answer = web.post("/api/v1/alerts/alert-battery/label", json={"verdict": "false_alarm", "note": "lamp left on"})
        assert answer.status_code == 200
        assert web.get("/api/v1/labels").json() == {"labels": [answer.json()]}
        assert web.get("/api/v1/labels?alert=other").json() == {"labels": []}
        assert answer.json()["verdict"] == "false_alarm"
        assert web.get("/api/v1/alerts/alert-battery").json()["state"] == "open", "a verdict resolves nothing"
        assert web.post("/api/v1/alerts/none/label", json={"verdict": "false_alarm"}).status_code == 404
        assert web.post("/api/v1/alerts/alert-battery/label", json={"verdict": "perhaps"}).status_code == 422


def test_the_evidence_of_an_alert_says_what_it_stands_on():
    served = store()
    with client(served) as web:
        web.post("/api/v1/alerts/alert-overheat/label", json={"verdict": "confirmed"})
        pack = web.get("/api/v1/alerts/alert-overheat/evidence").json()
        alert = web.get("/api/v1/alerts/alert-overheat").json()
        assert (pack["source"], pack["values"], pack["standing"]) == (alert["source"], alert["evidence"], alert["standing"])
        assert pack["window"]["start"] < alert["opened"] <= alert["updated"] < pack["window"]["end"]
        assert [label["verdict"] for label in pack["labels"]] == ["confirmed"]
        assert web.get("/api/v1/alerts/none/evidence").status_code == 404


def test_the_evidence_names_the_trouble_codes_that_were_held_when_the_alert_opened():
    served = store()
    with client(served) as web:
        codes = web.get("/api/v1/alerts/alert-p0217/evidence").json()["codes"]
        assert [each["alert"] for each in codes] == ["alert-p0217"]
