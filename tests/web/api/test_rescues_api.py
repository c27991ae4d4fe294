"""`/api/v1/rescues`: agents confirm, partners tell their progress, and nobody goes past the driver's word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from notifier.orders.order_states import OrderEvent, transition
from tests.notifier.rescue.making import NOW_NS, location_consent, rescue_of, stopped
from tests.web.serving import NOW_NS as CLOCK_NS
from tests.web.serving import client
from web.api.access import key_hash

KEYS = {
    key_hash("tow"): ["dealer:tow"],
    key_hash("slow"): ["dealer:slow"],
    key_hash("agent"): ["orders"],
    key_hash("look"): ["read"],
}
PLACE = {"lat": 31.25, "lon": 121.47, "precision_m": 50}


def by(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


def test_an_agent_confirms_and_the_partner_alone_sees_the_rescue() -> None:
    store = stopped()
    url = f"/api/v1/rescues/{rescue_of(store).id}/confirm"
    with client(store, keys=KEYS) as web:
        (waiting,) = web.get("/api/v1/rescues", headers=by("look")).json()["rescues"]
        assert (waiting["data"]["state"], waiting["data"]["rescue"]["confirmed"]) == ("requested", None)
        assert web.get("/api/v1/rescues", headers=by("tow")).json()["rescues"] == []
        assert web.post(url, json={}, headers=by("look")).status_code == 403
        assert web.post(url, json={}, headers=by("tow")).status_code == 403
        done = web.post(url, json={"location": PLACE, "replacement_car": "wanted"}, headers=by("agent"))
        data = done.json()["order"]["data"]
        assert (data["state"], data["dealer"]["id"], data["rescue"]["confirmed"]["by"]) == ("dispatching", "tow", "agent")
        assert data["rescue"]["replacement_car"] == "wanted"
        again = web.post(url, json={"location": PLACE}, headers=by("agent"))
        assert (again.status_code, again.json()["type"]) == (409, "urn:pitcall:problem:rescue_not_waiting")
        assert len(web.get("/api/v1/rescues", headers=by("tow")).json()["rescues"]) == 1
        assert web.get("/api/v1/rescues", headers=by("slow")).json()["rescues"] == []


def test_a_rescue_is_not_dispatched_past_its_confirmation() -> None:
    store = stopped()
    order = rescue_of(store)
    with client(store, keys=KEYS) as web:
        asked = web.post(
            f"/api/v1/orders/{order.id}/transitions",
            json={"event": "dispatch"},
            headers=by("agent") | {"If-Match": f'"{order.version}"'},
        )
        assert (asked.status_code, asked.json()["type"]) == (409, "urn:pitcall:problem:rescue_unconfirmed")
        service = next(each for each in store.orders() if each.kind == "service")
        assert web.post(f"/api/v1/rescues/{service.id}/confirm", json={}, headers=by("agent")).status_code == 404


def test_what_is_missing_for_a_confirmation_is_named() -> None:
    store = stopped(sighted=False)
    url = f"/api/v1/rescues/{rescue_of(store).id}/confirm"
    with client(store, keys=KEYS, headers=by("agent")) as web:
        assert web.post(url, json={}).json()["type"] == "urn:pitcall:problem:position_unknown"
        store.add_consents([location_consent(given=False)])
        assert web.post(url, json={"location": PLACE}).json()["type"] == "urn:pitcall:problem:basis_missing"
        assert web.post(url, json={"location": PLACE, "basis": "vital_interest"}).status_code == 200


def test_the_partner_says_when_it_will_be_there() -> None:
    store = stopped()
    order = rescue_of(store)
    url = f"/api/v1/rescues/{order.id}/progress"
    when = datetime.fromtimestamp(CLOCK_NS / 1e9, UTC) + timedelta(minutes=25)
    with client(store, keys=KEYS, headers=by("tow")) as web:
        web.post(f"/api/v1/rescues/{order.id}/confirm", json={"location": PLACE}, headers=by("agent"))
        sent = rescue_of(store)
        taken = transition(sent, OrderEvent.ACCEPT, time_ns=NOW_NS, actor="tow").order
        assert store.change_order(taken, sent.version)
        seen = {"If-Match": str(taken.version)}
        assert web.post(url, json={"expected": when.isoformat()}).status_code == 428
        assert web.post(url, json={}, headers=seen).status_code == 422
        assert web.post(url, json={"expected": "2001-01-01T00:00:00Z"}, headers=seen).status_code == 422
        told = web.post(url, json={"expected": when.isoformat()}, headers=seen)
        rescue = told.json()["order"]["data"]["rescue"]
        assert (rescue["expected"][:16], rescue["expected_by"]) == (when.isoformat()[:16], "partner")
        assert web.post(url, json={"replacement_car": "arranged"}, headers=seen).status_code == 412
        assert web.post(url, json={"expected": when.isoformat()}, headers=by("slow") | seen).status_code == 404
