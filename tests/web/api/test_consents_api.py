"""What an owner agrees to is stated and read over the API, and every statement is kept."""

from __future__ import annotations

import pytest

from tests.web.report_examples import SEDAN
from tests.web.serving import client

URL = f"/api/v1/vehicles/{SEDAN}/consents"


def test_a_consent_is_given_withdrawn_and_both_are_kept() -> None:
    with client() as asking:
        assert asking.get(URL).json() == {"owner": "operator", "now": [], "statements": []}
        given = {"purpose": "service", "channel": "order", "given": True, "until": "2099-01-01T00:00:00Z", "by": "agent 7"}
        stated = asking.post(URL, json=given)
        assert stated.status_code == 201
        assert stated.json()["owner"] == "private"
        assert stated.json()["now"] == [{"purpose": "service", "channel": "order", "verdict": "given"}]
        asking.post(URL, json={"purpose": "service", "channel": "sms", "given": False})
        document = asking.get(URL).json()
        assert [each["verdict"] for each in document["now"]] == ["given", "not_given"]
        assert document["statements"][0]["by"] == "agent 7"
        assert document["statements"][0]["until"] == "2099-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("url", "change", "status"),
    [
        ("/api/v1/vehicles/nobody/consents", {}, 404),
        (URL, {"until": "2001-01-01T00:00:00Z"}, 422),
        (URL, {"purpose": "everything"}, 422),
        (URL, {"surprise": 1}, 422),
    ],
)
def test_what_is_no_statement_is_refused(url: str, change: dict[str, object], status: int) -> None:
    with client() as asking:
        assert asking.post(url, json={"purpose": "service", "channel": "order", "given": True} | change).status_code == status
