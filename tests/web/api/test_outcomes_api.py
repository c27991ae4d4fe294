"""What a repair found comes back by the API and moves the knowledge."""

from __future__ import annotations

from domain.repairs import cause_counts
from tests.web.serving import NOW_NS, ORDER, client, store
from web.api.access import key_hash

PATH = f"/api/v1/orders/{ORDER}/outcome"


def test_the_leading_cause_is_meant_where_none_is_named():
    served = store()
    leading = served.order(ORDER).recommendation.causes[0]
    with client(served) as web:
        said = web.post(PATH, json={"result": "found", "note": "seal"}).json()
        assert (said["pattern"], said["cause"], said["note"]) == (leading.pattern, leading.id, "seal")
    (kept,) = served.outcomes()
    assert (kept.order, kept.created_ns) == (ORDER, NOW_NS)
    assert cause_counts(served.outcomes()) == {(leading.pattern, leading.id): 1}


def test_another_cause_or_none_counts_for_no_cause_of_ours():
    served = store()
    with client(served) as web:
        assert web.post(PATH, json={"result": "other_cause"}).json()["cause"] == ""
        assert web.post(PATH, json={"result": "nothing"}).status_code == 422
        wrong = web.post(PATH, json={"result": "found", "cause": "gremlins"})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:pitcall:problem:cause_unknown")
    assert cause_counts(served.outcomes()) == {}


def test_who_may_only_read_reports_nothing_and_an_unknown_order_is_unknown():
    with client(keys={key_hash("reader"): ["read"]}, headers={"X-API-Key": "reader"}) as web:
        assert web.post(PATH, json={"result": "found"}).status_code == 403
    with client() as web:
        assert web.post("/api/v1/orders/none/outcome", json={"result": "found"}).status_code == 404
