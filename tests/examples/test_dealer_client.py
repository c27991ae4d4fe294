"""The reference client believes signed pushes only, answers offers through the API, and does a whole visit."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from examples.dealer_client import Api, Push, Seen, Step, Workshop, judge_push, webhook_server
from notifier.channels.webhook import WebhookChannel
from notifier.push.outbox import order_events
from tests.web.api.test_stream import server as service
from tests.web.report_examples import VEHICLES
from tests.web.serving import ORDER, store
from web.api.access import key_hash

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = json.dumps({"type": "order.created", "data": {"order_id": "o1", "state": "dispatching", "dealer": {"id": "d1"}}})


def signed(body: str = BODY, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(tz=UTC)
    signature = Webhook(secret).sign("evt_1", at, body)
    return {"webhook-id": "evt_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_a_push_signed_with_the_dealers_secret_is_believed() -> None:
    assert judge_push(SECRET, BODY.encode(), signed()) == (Push.VERIFIED, json.loads(BODY))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, signed(secret=OTHER_SECRET)),
        (BODY.replace("o1", "o2"), signed()),
        (BODY, signed() | {"webhook-id": "evt_2"}),
        (BODY, signed() | {"webhook-signature": "v1,AAAA"}),
        (BODY, signed() | {"webhook-signature": "nonsense"}),
        (BODY, signed(at=datetime.now(tz=UTC) - timedelta(minutes=10))),
        ("no JSON", signed("no JSON")),
        ("\udcff", signed()),
    ],
    ids=["unsigned", "foreign_secret", "changed_body", "changed_id", "wrong", "malformed", "old", "no_json", "no_text"],
)
def test_anything_else_is_refused(body: str, headers: dict[str, str]) -> None:
    assert judge_push(SECRET, body.encode("utf-8", "surrogateescape"), headers) == (Push.FORGED, {})


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any], list[Push]]]:
    received: list[Any] = []
    told: list[Push] = []
    running = webhook_server(SECRET, received.append, told.append)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}/orders", received, told
    running.shutdown()
    thread.join()
    running.server_close()


def test_the_server_answers_401_to_a_forged_push_and_hands_on_only_the_true_one(
    server: tuple[str, list[Any], list[Push]],
) -> None:
    url, received, told = server
    with httpx.Client(trust_env=False) as client:
        assert client.post(url, content=BODY, headers=signed(secret=OTHER_SECRET)).status_code == 401
        assert client.post(url, content=BODY, headers=signed()).status_code == 200
        assert client.post(url, content=b"").status_code == 413
    assert received == [json.loads(BODY)]
    assert told == [Push.FORGED, Push.VERIFIED]


class FakeApi:
    """An order that is offered from its second look on, and whose version moves on under the dealer's first try."""

    def __init__(self, dealer: str = "d1") -> None:
        self.dealer, self.looks, self.moves = dealer, 0, list[tuple[str, int]]()

    def order(self, order: str) -> Seen:
        self.looks += 1
        allowed = {"accept", "decline", "schedule", "depart"} if self.looks > 1 else {"offer"}
        return Seen(dealer=self.dealer, version=self.looks, allowed=frozenset(allowed))

    def move(self, order: str, step: Step, version: int) -> bool:
        self.moves.append((step.event, version))
        return len(self.moves) > 1


def answered(api: FakeApi, documents: list[dict[str, Any]], *, declines: int = 0, moves: int = 0) -> list[str]:
    """The events that a workshop asks for."""
    over = threading.Event()
    workshop = Workshop("d1", api, declines=declines, thinks_s=0.0, over=over)
    desk = threading.Thread(target=workshop.work)
    desk.start()
    for document in documents:
        workshop.receive(document)
    deadline = time.monotonic() + 5.0
    while len(api.moves) < moves and time.monotonic() < deadline:
        time.sleep(0.01)
    over.set()
    desk.join()
    return [event for event, _ in api.moves]


def offer(**more: Any) -> dict[str, Any]:
    return {"data": {"order_id": "o1", "state": "dispatching", "kind": "service", "dealer": {"id": "d1"}} | more}


def test_an_offer_is_accepted_once_it_is_offered_and_tried_again_when_the_order_changed_meanwhile() -> None:
    api = FakeApi()
    assert answered(api, [offer(), offer()], moves=3) == ["accept", "accept", "schedule"]
    assert api.moves[0][1] == 2


def test_a_dealer_that_is_full_declines_its_first_offers() -> None:
    assert answered(FakeApi(), [offer(), offer(order_id="o2")], declines=1, moves=4)[:3] == ["decline", "decline", "accept"]


def test_a_rescue_partner_accepts_and_departs() -> None:
    assert answered(FakeApi(), [offer(kind="rescue")], moves=3) == ["accept", "accept", "depart"]


@pytest.mark.parametrize("document", [offer(dealer={"id": "d2"}), offer(dealer=None), offer(state="accepted"), {}])
def test_what_is_no_offer_to_the_dealer_is_left_alone(document: dict[str, Any]) -> None:
    assert answered(FakeApi(), [document, offer(order_id="last")], moves=3) == ["accept", "accept", "schedule"]


def test_an_order_that_another_dealer_has_by_now_is_not_answered() -> None:
    assert answered(FakeApi(dealer="d2"), [offer()]) == []


def test_a_whole_visit_by_real_pushes_and_the_real_api() -> None:
    """Push, offer, booking, quote, the owner's answer, repair, outcome, handing over."""
    served, over = store(), threading.Event()
    dealer = next(each for each in served.dealers() if each.id == "SH-014")
    keys = {key_hash("own"): ("dealer:SH-014",), key_hash("chief"): ("operations",)}
    with service(served, open_access=False, api_keys=keys) as url:
        workshop = Workshop("SH-014", Api(url, "own"), thinks_s=0.0, over=over)
        hook = webhook_server(SECRET, workshop.receive, lambda _push: None)
        threads = [
            threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.01}),
            threading.Thread(target=workshop.work),
        ]
        for thread in threads:
            thread.start()
        try:
            endpoint = f"http://127.0.0.1:{hook.server_address[1]}/"
            channel = WebhookChannel({"S": SECRET}.__getitem__, allow_private=True)
            pushed = replace(dealer, endpoint=endpoint, secret_name="S")
            order = served.order(ORDER)
            (event,) = order_events(order, served.case(order.vehicle), VEHICLES[0], pushed)
            for _ in range(2):  # a push may come twice
                channel.deliver(event, pushed, time.time_ns())
            channel.close()
            deadline = time.monotonic() + 10
            while served.order(ORDER).state != "scheduled" and time.monotonic() < deadline:
                time.sleep(0.02)
            assert workshop.look_at(ORDER)
            with httpx.Client(base_url=url, trust_env=False, headers={"X-API-Key": "chief"}) as owner:
                (quote,) = owner.get(f"/api/v1/orders/{ORDER}/quotes").json()["quotes"]
                lines = [line["line"] for line in quote["lines"]]
                signed_off = owner.post(f"/api/v1/orders/{ORDER}/quotes/1/sign-off", json={"accepted": lines})
                assert signed_off.status_code == 200
            assert workshop.repair(ORDER, note="thermostat did not open")
        finally:
            over.set()
            hook.shutdown()
            for thread in threads:
                thread.join()
            hook.server_close()
    assert served.order(ORDER).state == "closed"
    assert [each.note for each in served.outcomes()] == ["thermostat did not open"]
    words = ["accept", "schedule", "check_in", "diagnose", "quote"]
    told = [entry.event for entry in served.order_audit(order=ORDER) if entry.actor == "dealer:SH-014"]
    assert told[:5] == words


def test_an_api_that_is_away_is_not_now() -> None:
    api = Api("http://127.0.0.1:1", "own", timeout_s=1.0)
    assert api.order("o") is None
    assert not api.move("o", Step("accept"), 1)
    assert not api.quote("o", 1)
    assert not api.report("o", "found")
