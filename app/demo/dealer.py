"""A demo dealer as its own process: a workshop's small web server that receives pushed orders, verifies and answers them.

It takes nothing on trust: a push without a valid Standard Webhooks signature by its own secret is refused with 401. It answers 200 at
once and decides afterwards, through the API with its own key, as a workshop's software would.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from app.demo.children import Parent

LARGEST_PUSH = 256 * 1024
ANSWER_WITHIN_S = 60.0
"""So long it tries to bring its answer in, while the order is changed by others or the API is away."""
RETRY_S = 0.3


class Push(StrEnum):
    """What the dealer thinks of a push."""

    VERIFIED = "verified"
    FORGED = "failed"


def judge_push(secret: str, body: bytes, headers: Mapping[str, str]) -> tuple[Push, dict[str, Any]]:
    """Verify a push; its document only where the signature is right."""
    try:
        document = Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError):
        return Push.FORGED, {}
    return Push.VERIFIED, document if isinstance(document, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next thing to ask of the API: an order event with a reason."""

    event: str
    reason: str = ""


_ACCEPT = Step(event="accept", reason="we have a free bay")
AFTER_ACCEPTING: Mapping[str, tuple[Step, ...]] = {
    "service": (Step(event="schedule", reason="the first proposed appointment"),),
    "rescue": (Step(event="depart", reason="the recovery truck is on its way"),),
}


class Workshop:
    """Decides on offers, one after the other.

    Args:
        dealer: its id. declines: so many service offers it declines before it accepts one. thinks_s: before each step.
        ask: (order id) -> (state of the order's dealer, allowed events, version) … see `Api`.
    """

    def __init__(self, dealer: str, api: Api, *, declines: int = 0, thinks_s: float = 1.0, over: threading.Event) -> None:
        self._dealer, self._api, self._declines, self._thinks_s, self._over = dealer, api, declines, thinks_s, over
        self._offers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._known: set[str] = set()

    def receive(self, document: Mapping[str, Any]) -> None:
        """A verified push: an offer to us that we have not answered yet is put on the desk."""
        data = document.get("data", {})
        order, named = data.get("order_id"), (data.get("dealer") or {}).get("id")
        if not order or named != self._dealer or data.get("state") not in {"dispatching", "offered"} or order in self._known:
            return
        self._known.add(order)
        self._offers.put((order, str(data.get("kind", "service"))))

    def work(self) -> None:
        """Answer offers until the end; run in a thread of its own."""
        while not self._over.is_set():
            try:
                order, kind = self._offers.get(timeout=0.2)
            except queue.Empty:
                continue
            self._answer(order, kind)

    def _answer(self, order: str, kind: str) -> None:
        if kind == "service" and self._declines > 0:
            self._declines -= 1
            self._take(order, Step(event="decline", reason="the workshop is full today"))
            return
        if self._take(order, _ACCEPT):
            for step in AFTER_ACCEPTING[kind]:
                self._take(order, step)

    def _take(self, order: str, step: Step) -> bool:
        """One step, tried again while others change the order; False where it is not ours any more or the time is up."""
        self._over.wait(self._thinks_s)
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < deadline and not self._over.is_set():
            seen = self._api.order(order)
            if seen is not None and seen.dealer != self._dealer:
                return False
            if seen is not None and step.event in seen.allowed and self._api.move(order, step, seen.version):
                return True
            self._over.wait(RETRY_S)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An order as the API shows it."""

    dealer: str
    version: int
    allowed: frozenset[str]


class Api:
    """The few requests that a dealer makes; anything that goes wrong is "not now"."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=10.0, trust_env=False)

    def order(self, order: str) -> Seen | None:
        """The order now; of no dealer where it is not shown to us (any more)."""
        try:
            answer = self._client.get(f"/api/v1/orders/{order}")
            if answer.status_code == httpx.codes.NOT_FOUND:  # it went to another dealer
                return Seen(dealer="", version=0, allowed=frozenset())
            if answer.status_code != httpx.codes.OK:
                return None
            document = answer.json()
            data = document["order"]["data"]
            return Seen(
                dealer=(data["dealer"] or {}).get("id", ""), version=data["version"], allowed=frozenset(document["allowed"])
            )
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    def move(self, order: str, step: Step, version: int) -> bool:
        """Ask for a transition of the version that was seen; False where it did not happen."""
        try:
            answer = self._client.post(
                f"/api/v1/orders/{order}/transitions",
                json={"event": step.event, "reason": step.reason},
                headers={"If-Match": f'"{version}"'},
            )
        except httpx.HTTPError:
            return False
        return answer.is_success


def webhook_server(
    secret: str, receive: Callable[[Mapping[str, Any]], None], told: Callable[[Push], None], port: int = 0
) -> ThreadingHTTPServer:
    """A server on 127.0.0.1 that verifies what is posted to it, hands it on, and answers 200, or 401 to what is not signed right."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0

        def do_POST(self) -> None:
            """A push."""
            length = int(self.headers.get("content-length") or 0)
            if not 0 < length <= LARGEST_PUSH:
                self._answer(413)
                return
            verdict, document = judge_push(secret, self.rfile.read(length), dict(self.headers.items()))
            told(verdict)
            if verdict is Push.FORGED:
                self._answer(401)
                return
            receive(document)
            self._answer(200)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
            """Say nothing."""

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until the parent ends us; reports the port, then every push by verdict."""
    parent = Parent()
    parent.listen(lambda _command: None)
    plan = parent.configuration
    api = Api(plan["api"], plan["key"])
    workshop = Workshop(plan["dealer"], api, declines=plan["declines"], thinks_s=plan["thinks_s"], over=parent.over)
    server = webhook_server(plan["secret"], workshop.receive, lambda verdict: parent.report(push=verdict.value), plan["port"])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    threading.Thread(target=workshop.work, daemon=True).start()
    parent.report(ready=True, port=server.server_address[1])
    parent.over.wait()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
