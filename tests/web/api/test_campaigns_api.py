"""`/api/v1/campaigns`: drafted, previewed, sent once."""

from __future__ import annotations

from domain.benefits import Grant
from domain.campaigns import Invitation
from domain.consents import Consent, ConsentChannel, Purpose
from domain.notices import owner_recipient
from domain.tickets import Ticket
from storage.memory_store import MemoryStore
from tests.web.report_examples import SEDAN, VAN
from tests.web.serving import client, store

WINTER = {
    "title": {"en": "Winter check", "zh": "冬季检测"},
    "about": {"en": "Battery and tyres.", "zh": "电池与轮胎。"},
    "segments": ["never"],
    "benefit": "welcome-coupon",
    "benefit_until": "2030-01-01T00:00:00Z",
}


def agreed(served: MemoryStore, **ways: ConsentChannel) -> MemoryStore:
    known = {"sedan": SEDAN, "van": VAN}
    served.add_consents(
        Consent(vehicle=known[name], purpose=Purpose.INVITATION, channel=way, given=True, time_ns=1) for name, way in ways.items()
    )
    return served


def test_a_campaign_is_previewed_and_then_sent_once() -> None:
    served = agreed(store(), sedan=ConsentChannel.EMAIL, van=ConsentChannel.PHONE)
    with client(served) as web:
        assert web.get("/api/v1/segments").json()["segments"]["never"] == 2
        made = web.post("/api/v1/campaigns", json=WINTER)
        assert made.status_code == 201
        preview = made.json()["preview"]
        assert (preview["counts"], sorted(preview["vehicles"])) == ({"invited": 2}, sorted((SEDAN, VAN)))
        assert served.papers(Invitation) == ()
        path = f"/api/v1/campaigns/{made.json()['id']}"
        assert web.get(f"{path}/preview").json() == preview
        stale = web.post(f"{path}/send", json={"preview": "other"})
        assert (stale.status_code, served.papers(Invitation)) == (409, ())
        sent = web.post(f"{path}/send", json={"preview": preview["preview"]})
        assert sent.json()["counts"] == {"call": 1, "sent": 1}
        assert web.post(f"{path}/send", json={"preview": preview["preview"]}).status_code == 409
        assert web.get("/api/v1/campaigns").json()["campaigns"][0]["state"] == "sent"
        again = web.post("/api/v1/campaigns", json=WINTER).json()["preview"]
        assert again["counts"] == {"capped": 2}
    assert [event.recipient for event in served.outbox_events() if event.type == "notice.invitation"] == [owner_recipient(SEDAN)]
    assert {grant.vehicle for grant in served.papers(Grant)} == {SEDAN, VAN}
    assert [call.reason for call in served.papers(Ticket)] == ["invitation"]


def test_nobody_is_invited_who_has_not_agreed() -> None:
    with client(store()) as web:
        assert web.post("/api/v1/campaigns", json=WINTER).json()["preview"]["counts"] == {"no_consent": 2}


def test_a_campaign_that_makes_no_sense_is_refused() -> None:
    with client(store()) as web:
        for wrong in ({"benefit": "none"}, {"benefit_until": None}, {"segments": ["friends"]}, {"limit": 0}, {"cap_days": 0}):
            assert web.post("/api/v1/campaigns", json={**WINTER, **wrong}).status_code == 422, wrong
        assert web.get("/api/v1/campaigns/none/preview").status_code == 404
