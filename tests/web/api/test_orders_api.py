"""`/api/v1/orders` and their transitions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.findings import Urgency
from domain.orders import OrderKind
from domain.records import Commit, VehicleCase
from notifier.orders.order_states import SERVICE, OrderState
from tests.web.serving import ORDER, client, store

PATH = f"/api/v1/orders/{ORDER}"


def move(web, event, version, **body):
    headers = {} if version is None else {"If-Match": str(version)}
    return web.post(f"{PATH}/transitions", json={"event": event, **body}, headers=headers)


def test_an_order_is_the_document_that_a_dealer_gets_with_its_version_as_etag():
    with client() as web:
        answer = web.get(PATH)
        assert answer.headers["etag"] == '"1"'
        document = answer.json()
        assert document["order"]["specversion"] == "1.0"
        assert document["order"]["data"]["order_id"] == ORDER
        assert set(document["allowed"]) == {event.value for event in SERVICE[OrderState.OFFERED]}


def test_orders_are_filtered_by_state_kind_and_dealer():
    with client() as web:
        for query, found in (("", 1), ("?state=offered", 1), ("?state=closed", 0), ("?kind=rescue", 0), ("?dealer=SH-014", 1)):
            assert len(web.get(f"/api/v1/orders{query}").json()["orders"]) == found, query


def test_a_repair_that_passes_its_inspection_ends_the_alerts_and_one_that_was_refused_does_not():
    way = ["accept", "schedule", "check_in", "diagnose", "quote"]
    for rest, mended in ((["approve", "start", "inspect", "pass"], True), (["reject", "settle", "close"], False)):
        served = store()
        with client(served) as web:
            for version, event in enumerate([*way, *rest], start=1):
                assert move(web, event, version).status_code == 200, event
        own = [alert for alert in served.alerts() if alert.incident_id in served.order(ORDER).incidents]
        assert any(alert.standing.resolution == "repaired" for alert in own) == mended
        assert any(alert.state == "open" for alert in own) != mended


def test_accepting_takes_the_version_that_was_seen_and_tells_the_dealer():
    served = store()
    with client(served) as web:
        answer = move(web, "accept", '"1"')
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"2"'
        assert answer.json()["order"]["data"]["state"] == "accepted"
        assert move(web, "schedule", 2).json()["order"]["data"]["state"] == "scheduled"
    assert [state for _, state in served.order_states(ORDER)] == ["offered", "accepted", "scheduled"]
    assert {event.recipient for event in served.outbox_events()} == {"SH-014"}


def test_a_change_made_meanwhile_is_a_conflict_and_changes_nothing():
    served = store()
    with client(served) as web:
        assert move(web, "accept", 1).status_code == 200
        late = move(web, "decline", 1)
        assert (late.status_code, late.json()["version"]) == (412, 2)
        assert late.json()["type"] == "urn:pitcall:problem:version_conflict"
    assert served.order(ORDER).state == "accepted"


def test_an_illegal_transition_names_those_allowed():
    with client() as web:
        answer = move(web, "settle", 1)
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["state"] == "offered"
        assert set(answer.json()["allowed"]) == {"accept", "decline", "expire", "give_up", "cancel"}


def test_after_a_refusal_another_dealer_is_asked_in_the_same_step():
    served = store()
    with client(served) as web:
        answer = move(web, "decline", 1, reason="no lift free")
        assert answer.status_code == 200
        assert answer.json()["order"]["data"]["dealer"]["id"] == "SH-022"
    order = served.order(ORDER)
    assert order.refused_by == ("SH-014",)
    assert order.version == 2
    assert "SH-022" in {event.recipient for event in served.outbox_events()}


def test_a_person_dispatches_an_order_by_hand_to_the_dealer_that_is_named():
    served = store()
    with client(served) as web:
        assert move(web, "give_up", 1).json()["order"]["data"]["desk"] == {"name": "dispatch", "reason": "given_up"}
        unknown = move(web, "dispatch", 2, dealer="nobody")
        assert (unknown.status_code, unknown.json()["type"]) == (409, "urn:pitcall:problem:dealer_not_able")
        found = move(web, "dispatch", 2, dealer="SH-022")
        assert found.json()["order"]["data"]["dealer"]["id"] == "SH-022"
        assert found.json()["order"]["data"]["desk"] is None
        assert move(web, "accept", 3, dealer="SH-014").status_code == 422


def test_appointments_are_shown_moved_and_suggested_and_a_stale_or_full_one_is_refused():
    served = store()
    with client(served) as web:
        assert move(web, "accept", 1).json()["order"]["data"]["slots"][0]["status"] == "RESERVED"
        free = web.get(f"{PATH}/slots?limit=4").json()["slots"]
        assert len(free) == 4
        scheduled = move(web, "schedule", 2, slots=[free[0]["start"]]).json()["order"]["data"]
        assert scheduled["slots"] == [free[0] | {"status": "CONFIRMED"}]
        suggested = move(web, "suggest", 3, slots=[free[1]["start"], free[2]["start"]], reason="the lift is broken").json()[
            "order"
        ]
        assert (suggested["data"]["state"], suggested["data"]["suggested_slots"]) == ("scheduled", free[1:3])
        assert move(web, "schedule", 3, slots=[free[2]["start"]]).status_code == 412
        assert move(web, "schedule", 4, slots=[free[2]["start"]]).json()["order"]["data"]["slots"][0]["start"] == free[2]["start"]
        past = move(web, "schedule", 5, slots=["2001-01-01T00:00:00Z"])
        assert (past.status_code, past.json()["type"]) == (409, "urn:pitcall:problem:slot_past")
        assert past.json()["free"]
        move(web, "miss", 5)
        assert move(web, "schedule", 6).json()["type"] == "urn:pitcall:problem:slot_missing"
        assert move(web, "schedule", 6, slots=[free[1]["start"]]).status_code == 200
        assert move(web, "check_in", 7, slots=[free[1]["start"]]).status_code == 422


@pytest.mark.parametrize(("version", "status"), [(None, 428), ("latest", 400), ("*", 400), ("1, 2", 400)])
def test_a_transition_without_a_version_is_refused(version, status):
    with client() as web:
        assert move(web, "accept", version).status_code == status
        assert web.get(PATH).headers["etag"] == '"1"'


@pytest.mark.parametrize(
    "body", [{"event": "explode"}, {}, {"event": "accept", "actor": "somebody"}, {"event": "accept", "reason": "x" * 501}]
)
def test_a_body_that_makes_no_sense_is_refused(body):
    with client() as web:
        answer = web.post(f"{PATH}/transitions", json=body, headers={"If-Match": "1"})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:pitcall:problem:invalid_request")


def test_an_unknown_order_is_not_found():
    with client() as web:
        assert web.get("/api/v1/orders/none").status_code == 404
        assert web.post("/api/v1/orders/none/transitions", json={"event": "accept"}, headers={"If-Match": "1"}).status_code == 404


def test_both_kinds_of_orders_can_be_asked_for():
    with client() as web:
        for kind in OrderKind:
            assert web.get("/api/v1/orders", params={"kind": kind.value}).status_code == 200


def test_a_request_sent_again_is_answered_without_changing_anything():
    served = store()
    key = {"If-Match": "1", "Idempotency-Key": "dealer-7-accept"}
    with client(served) as web:
        first = web.post(f"{PATH}/transitions", json={"event": "accept"}, headers=key)
        again = web.post(f"{PATH}/transitions", json={"event": "accept"}, headers=key)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json()
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        other = web.post(f"{PATH}/transitions", json={"event": "decline"}, headers=key)
        assert (other.status_code, other.json()["type"]) == (422, "urn:pitcall:problem:idempotency_key_reused")
    assert [state for _, state in served.order_states(ORDER)] == ["offered", "accepted"]


def test_the_history_says_who_did_what_and_why():
    served = store()
    with client(served) as web:
        move(web, "accept", 1, reason="free on Friday")
        history = web.get(f"{PATH}/history").json()["history"]
        assert web.get("/api/v1/orders/none/history").status_code == 404
    assert [(entry["event"], entry["state_before"], entry["state"], entry["reason"]) for entry in history[1:]] == [
        ("accept", "offered", "accepted", "free on Friday")
    ]
    assert history[1]["actor"]


def test_of_two_offers_that_the_pipeline_has_made_for_one_place_one_gets_it_and_the_other_its_next_appointment():
    """The pipeline looks at the bookings of others every half minute: until then it may offer a place that is no longer free."""
    served = store()
    order = served.order(ORDER)
    served.save_dealers([replace(dealer, bays=1) for dealer in served.dealers()])
    twin = replace(order, id="twin", incidents=("another",))
    served.commit(Commit(cases=(VehicleCase(vehicle=order.vehicle, orders=(twin,)),)))
    with client(served) as web:
        first, second = (
            web.post(f"/api/v1/orders/{name}/transitions", json={"event": "accept"}, headers={"If-Match": "1"}).json()["order"][
                "data"
            ]
            for name in ("twin", ORDER)
        )
    assert (first["slots"][0]["status"], second["slots"][0]["status"]) == ("RESERVED", "RESERVED")
    assert [slot["start"] for slot in second["slots"]] == [slot["start"] for slot in first["slots"][1:]]


def test_a_wish_for_transport_is_a_hard_condition_and_stays_with_the_order():
    served = store()
    order = served.order(ORDER)
    drivable = replace(order.recommendation, drive="yes", urgency=Urgency.SOON)
    served.change_order(replace(order, version=2, state="manual", recommendation=drivable), 1)
    with client(served) as web:
        refused = move(web, "dispatch", 2, dealer="SH-022", transport="LOANER")
        assert (refused.status_code, refused.json()["rejected"]) == (409, {"no_loaner": 1})
        served.save_dealers([replace(dealer, loaners=1) for dealer in served.dealers()])
        sent = move(web, "dispatch", 2, dealer="SH-022", transport="LOANER").json()["order"]["data"]
        assert (sent["dealer"]["id"], sent["transport"]) == ("SH-022", "LOANER")
        assert move(web, "accept", 3, transport="PICK_UP").status_code == 422
        move(web, "offer", 3)
        declined = move(web, "decline", 4).json()["order"]["data"]
        assert (declined["dealer"]["id"], declined["transport"]) == ("SH-014", "LOANER")
