"""Key figures by the API."""

from __future__ import annotations

from domain.repairs import RepairOutcome, RepairResult
from storage.memory_store import MemoryStore
from tests.web.serving import NOW_NS, ORDER, client, store
from web.api.access import key_hash

PATH = "/api/v1/kpis"


def worked() -> MemoryStore:
    """The order has been accepted, and the repair found its leading cause."""
    served = store()
    with client(served) as web:
        seen = web.get(f"/api/v1/orders/{ORDER}")
        move = web.post(f"{seen.url.path}/transitions", json={"event": "accept"}, headers={"If-Match": seen.headers["etag"]})
        assert move.is_success
    cause = served.order(ORDER).recommendation.causes[0]
    served.save_outcome(
        RepairOutcome(
            order=ORDER,
            result=RepairResult.FOUND,
            pattern=cause.pattern,
            cause=cause.id,
            author="A",
            note="",
            created_ns=NOW_NS,
        )
    )
    return served


def test_figures_come_with_counts_and_intervals_by_week_region_and_dealer():
    with client(worked()) as web:
        document = web.get(PATH, params={"weeks": 2}).json()
    assert set(document) == {"from", "until", "total", "weeks", "regions", "dealers", "sources"}
    assert document["total"]["acceptance_time"]["count"] == 1
    assert document["total"]["no_fault_found"]["value"] == 0
    low, high = document["total"]["no_fault_found"]["interval"]
    assert low == 0 < high < 1
    assert {each["dealer"] for each in document["dealers"]} >= {"SH-014"}
    assert [each["confirmed"] for each in document["sources"]] == [1] * len(document["sources"]) != []


def test_a_dealer_sees_its_own_figures_only():
    keys = {key_hash("mine"): ["dealer:SH-014"], key_hash("other"): ["dealer:SH-022"], key_hash("none"): ["nothing"]}
    with client(worked(), keys=keys) as web:
        mine = web.get(PATH, headers={"X-API-Key": "mine"}).json()
        assert {each["dealer"] for each in mine["dealers"]} == {"SH-014"}
        assert mine["sources"] == []
        assert web.get(PATH, headers={"X-API-Key": "other"}).json()["dealers"] == []
        assert web.get(PATH, params={"dealer": "SH-022"}, headers={"X-API-Key": "mine"}).status_code == 403
        assert web.get(PATH, headers={"X-API-Key": "none"}).status_code == 403


def test_a_span_that_is_none_is_refused():
    with client() as web:
        assert web.get(PATH, params={"weeks": 0}).status_code == 422
