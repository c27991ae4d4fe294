"""`/api/v1/vehicles/ID/owner`, a change of owner, and `/api/v1/tickets`."""

from __future__ import annotations

from typing import Any

import pytest

from domain.consents import Consent, ConsentChannel, ConsentVerdict, Purpose, consent_verdict
from domain.notices import owner_recipient
from domain.owners import Owner
from domain.records import OutboxEvent
from domain.tickets import Ticket, TicketKind, TicketState
from tests.web.report_examples import SEDAN, VAN
from tests.web.serving import NOW_NS, ORDER, client, store
from web.api.access import key_hash

OWNER = f"/api/v1/vehicles/{SEDAN}/owner"
KEYS = {key_hash("dealer"): ("dealer:SH-014",), key_hash("other"): ("dealer:SH-022",), key_hash("reader"): ("read",)}
CALL = {"kind": "call", "vehicle": SEDAN, "order": ORDER, "reason": "no_answer", "text": "ring"}


def test_an_owner_says_how_to_be_addressed() -> None:
    served = store()
    with client(served) as web:
        assert web.get(OWNER).json()["language"] == "zh"
        body = {
            "language": "en",
            "quiet_from_hour": 20,
            "quiet_to_hour": 9,
            "channels": ["email", "sms", "email"],
            "adviser": "Li",
        }
        answer = web.put(OWNER, json=body).json()
        assert (answer["channels"], answer["adviser"]) == (["email", "sms"], "Li")
        assert web.get(OWNER).json() == answer
        assert web.put(OWNER, json={"language": "fr"}).status_code == 422
        assert web.put("/api/v1/vehicles/none/owner", json={}).status_code == 404
    assert served.paper(Owner, SEDAN) is not None


def test_a_change_of_owner_ends_consents_links_messages_and_what_the_vault_knows() -> None:
    served = store()
    served.add_consents(
        [Consent(vehicle=SEDAN, purpose=Purpose.SERVICE, channel=ConsentChannel.EMAIL, given=True, time_ns=NOW_NS)]
    )
    message = OutboxEvent(id="evt_n", type="notice.x", subject=ORDER, recipient=owner_recipient(SEDAN), channel="sms", body="{}")
    asked = Ticket(
        id="t",
        kind=TicketKind.QUESTION,
        vehicle=SEDAN,
        order=ORDER,
        reason="owner",
        text="?",
        author="owner",
        created_ns=1,
        due_ns=2,
    )
    assert served.change_paper(None, asked, outbox=[message])
    with client(served) as web:
        assert web.post(f"/api/v1/vehicles/{SEDAN}/ownership-changes").json()["consents_withdrawn"] == 2
    for channel in (ConsentChannel.EMAIL, ConsentChannel.ORDER):
        verdict = consent_verdict(served.consents(SEDAN), Purpose.SERVICE, channel, NOW_NS + 2)
        assert verdict in (ConsentVerdict.WITHDRAWN, ConsentVerdict.NOT_GIVEN)
    assert [event.state for event in served.outbox_events() if event.id == "evt_n"] == ["cancelled"]
    closed = served.paper(Ticket, "t")
    assert closed is not None
    assert (closed.state, closed.result) == (TicketState.CANCELLED, "owner_changed")


def test_a_vehicle_that_nobody_spoke_for_is_a_private_owners_after_a_change() -> None:
    served = store()
    with client(served) as web:
        web.post(f"/api/v1/vehicles/{SEDAN}/ownership-changes")
    verdict = consent_verdict(served.consents(SEDAN), Purpose.RESCUE, ConsentChannel.ORDER, NOW_NS)
    assert verdict is ConsentVerdict.NOT_GIVEN


def test_a_task_is_opened_once_and_closed_once_with_its_result() -> None:
    with client(store()) as web:
        first = web.post("/api/v1/tickets", json=CALL)
        assert first.status_code == 201
        assert web.post("/api/v1/tickets", json=CALL).json() == first.json()
        listed = web.get("/api/v1/tickets?kind=call&state=open").json()["tickets"]
        assert [each["id"] for each in listed] == [first.json()["id"]]
        path = f"/api/v1/tickets/{first.json()['id']}/result"
        done = web.post(path, json={"result": "reached", "answer": "Friday"})
        assert (done.json()["state"], done.json()["answer"]) == ("done", "Friday")
        assert web.post(path, json={"result": "reached"}).status_code == 409
        assert web.get("/api/v1/tickets?state=open").json()["tickets"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**CALL, "vehicle": "none"}, 404),
        ({**CALL, "vehicle": VAN}, 422),
        ({**CALL, "order": "none"}, 404),
        ({**CALL, "reason": "No Answer"}, 422),
    ],
)
def test_a_task_about_nothing_is_refused(body: dict[str, Any], status: int) -> None:
    with client(store()) as web:
        assert web.post("/api/v1/tickets", json=body).status_code == status


def test_a_dealer_answers_the_questions_on_its_own_orders_and_sees_no_others() -> None:
    served = store()
    with client(served) as web:
        call = web.post("/api/v1/tickets", json=CALL).json()["id"]
        question = web.post("/api/v1/tickets", json={**CALL, "kind": "question"}).json()["id"]
    with client(served, keys=KEYS, headers={"X-API-Key": "dealer"}) as web:
        listed = web.get(f"/api/v1/tickets?order={ORDER}").json()["tickets"]
        assert [each["id"] for each in listed] == [question]
        assert web.get("/api/v1/tickets").status_code == 404
        assert web.post(f"/api/v1/tickets/{call}/result", json={"result": "reached"}).status_code == 403
        other = {"X-API-Key": "other"}
        assert web.get(f"/api/v1/tickets?order={ORDER}", headers=other).status_code == 404
        path = f"/api/v1/tickets/{question}/result"
        assert web.post(path, json={"result": "answered"}, headers=other).status_code == 404
        assert web.post(path, json={"result": "answered"}, headers={"X-API-Key": "reader"}).status_code == 403
        assert web.post(path, json={"result": "answered", "answer": "yes"}).status_code == 200
