"""A dealer-management system of its own: it is sent signed ServiceOrders, and its signed answers move the order."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from domain.fleet import Vehicle
from notifier.channels.webhook import WebhookChannel
from notifier.push.outbox import order_events
from storage.memory_store import MemoryStore
from tests.web.serving import NOW_NS, ORDER, client, store

SECRET = "whsec_" + base64.b64encode(b"d" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"x" * 32).decode()
PATH = "/api/v1/callbacks/SH-014"


def served(dms: str = "", endpoint: str = "") -> MemoryStore:
    made = store()
    dealer = next(each for each in made.dealers() if each.id == "SH-014")
    made.save_dealers([replace(dealer, secret_name="DMS", dms=dms, endpoint=endpoint)])
    return made


def post(web: Any, document: Any, *, identity: str = "m1", secret: str = SECRET, late_s: int = 0, path: str = PATH) -> Any:
    body = document if isinstance(document, str) else json.dumps(document)
    seconds = NOW_NS // 10**9 + late_s
    signature = Webhook(secret).sign(identity, datetime.fromtimestamp(seconds, tz=UTC), body)
    headers = {"webhook-id": identity, "webhook-timestamp": str(seconds), "webhook-signature": signature}
    return web.post(path, content=body, headers=headers)


def plain(event: str, version: int = 1) -> dict[str, Any]:
    return {"order_id": ORDER, "version": version, "event": event, "reason": "says the DMS"}


SECRETS = {"DMS": SECRET}.__getitem__


def test_a_signed_callback_moves_the_dealers_order_once() -> None:
    made = served()
    with client(made, secret_of=SECRETS) as web:
        first, again = post(web, plain("accept")), post(web, plain("accept"))
        assert (first.status_code, first.json()["order"]["data"]["state"]) == (200, "accepted")
        assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
        assert post(web, plain("schedule", 2)).status_code == 422, "the same id with another body"
        assert post(web, plain("schedule"), identity="m2").status_code == 412, "an older version"
        assert post(web, plain("quote", 2), identity="m3").status_code == 409
        assert post(web, plain("give_up", 2), identity="m4").status_code == 403
    assert made.order(ORDER).version == 2
    (entry, *_) = [entry for entry in made.order_audit(order=ORDER) if entry.version == 2]
    assert (entry.actor, entry.reason) == ("dealer:SH-014", "says the DMS")


@pytest.mark.parametrize(
    ("how", "path"),
    [
        ({"secret": OTHER}, PATH),
        ({"late_s": -301}, PATH),
        ({"late_s": 301}, PATH),
        ({}, "/api/v1/callbacks/SH-022"),
        ({}, "/api/v1/callbacks/nobody"),
    ],
    ids=["foreign_secret", "old", "from_the_future", "dealer_without_secret", "unknown_dealer"],
)
def test_what_is_not_signed_right_changes_nothing(how: dict[str, Any], path: str) -> None:
    made = served()
    with client(made, secret_of=SECRETS) as web:
        assert post(web, plain("accept"), path=path, **how).status_code == 401
        assert web.post(path, json=plain("accept")).status_code == 401
    assert made.order(ORDER).version == 1


def test_another_dealers_order_is_not_there() -> None:
    made = served()
    order = made.order(ORDER)
    moved = replace(order, choice=replace(order.choice, dealer="SH-022"), version=2)
    assert made.change_order(moved, 1)
    with client(made, secret_of=SECRETS) as web:
        assert post(web, plain("accept", 2)).status_code == 404


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"service_order_id": 3}', "[" * 5000, '{"status": "DISPATCHED"}'])
@pytest.mark.parametrize("dms", ["", "star"])
def test_what_is_not_understood_is_told(body: str, dms: str) -> None:
    with client(served(dms), secret_of=SECRETS) as web:
        assert post(web, body).status_code == 422


class Dms:
    """A small dealer-management system: takes ServiceOrders that are signed right, and keeps them."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                system.orders.append(Webhook(SECRET).verify(body, dict(self.headers.items())))
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/service-orders"


@pytest.fixture
def dms() -> Iterator[Dms]:
    system = Dms()
    thread = threading.Thread(target=system.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield system
    system.server.shutdown()
    thread.join()
    system.server.server_close()


def test_a_system_that_speaks_star_is_sent_orders_and_answers_them(dms: Dms) -> None:
    made = served("star", dms.url)
    channel = WebhookChannel({"DMS": SECRET}.__getitem__, allow_private=True, timeout_s=5.0)
    now_ns = round(datetime.now(tz=UTC).timestamp() * 1e9)  # the library that verifies looks at its own clock

    def push() -> dict[str, Any]:
        order, dealer = made.order(ORDER), next(each for each in made.dealers() if each.id == "SH-014")
        (event,) = order_events(order, made.case(order.vehicle), Vehicle(id=order.vehicle), dealer)
        channel.deliver(event, dealer, now_ns)
        return dms.orders[-1]

    answers = [
        {"status": "DISPATCHED"},
        {"service_appointment": {"time_slots": [{"status": "CONFIRMED"}]}},
        {"status": "IN_PROGRESS"},
        {"repair_order": {"status": "OPEN"}},
    ]
    told = [push()]
    with client(made, secret_of=SECRETS) as web:
        for number, answer in enumerate(answers):
            seen = {"service_order_id": told[-1]["service_order_id"], "document_version": told[-1]["document_version"]}
            assert post(web, seen | answer, identity=f"m{number}").status_code == 200, answer
            told.append(push())
        again = {"service_order_id": ORDER, "status": "DISPATCHED"}
        assert post(web, again, identity="late").status_code == 409
    channel.close()
    assert [(each["status"], each.get("repair_order", {}).get("status")) for each in told] == [
        ("OPEN", None),
        ("DISPATCHED", None),
        ("DISPATCHED", None),
        ("IN_PROGRESS", "OPEN"),
        ("IN_PROGRESS", "OPEN"),
    ]
    assert made.order(ORDER).state == "diagnosing"
