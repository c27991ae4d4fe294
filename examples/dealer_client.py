"""A dealer's program in one file: takes pushed orders, verifies them, answers offers, books, quotes and says what was found.

Copy it and begin from here; it needs Python's standard library only.

    PITCALL_KEY=… PITCALL_WEBHOOK_SECRET=whsec_… python examples/dealer_client.py --api http://127.0.0.1:8080 --dealer SH-014 --port 9000

The dealer's row names `http://HOST:9000/` as its endpoint and the secret by name; the key is one of scope `dealer:SH-014`.
It takes nothing on trust: a push without a valid Standard Webhooks signature by its own secret is refused with 401. It answers 200 at
once and decides afterwards, through the API with its own key.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGEST_PUSH = 256 * 1024
FRESH_S = 300
"""An older push may be one that somebody has recorded and sends again."""
ANSWER_WITHIN_S = 60.0
"""So long it tries to bring its answer in, while the order is changed by others or the API is away."""
RETRY_S = 0.3


class Push(StrEnum):
    """What the dealer thinks of a push."""

    VERIFIED = "verified"
    FORGED = "failed"


def judge_push(secret: str, body: bytes, headers: Mapping[str, str], now_s: float | None = None) -> tuple[Push, dict[str, Any]]:
    """Verify a push as Standard Webhooks says; its document only where the signature is right.

    Args:
        secret: `whsec_…`. body: as it came, before it is parsed. headers: in any case. now_s: None = the system's clock.
    """
    given = {name.lower(): value for name, value in headers.items()}
    identity, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    now = time.time() if now_s is None else now_s
    if not identity or not (stamp.isascii() and stamp.isdigit()) or abs(now - int(stamp[:12])) > FRESH_S:
        return Push.FORGED, {}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    signatures = given.get("webhook-signature", "").encode("utf-8", "replace").split()
    if not any(hmac.compare_digest(expected, each) for each in signatures):
        return Push.FORGED, {}
    try:
        document = json.loads(body)
    except ValueError:
        return Push.FORGED, {}
    return Push.VERIFIED, document if isinstance(document, dict) else {}


@dataclass(frozen=True)
class Step:
    """The next thing to ask of the API: an order event with a reason; `slot` names one of the proposed appointments."""

    event: str
    reason: str = ""
    slot: int | None = None


@dataclass(frozen=True)
class Seen:
    """An order as the API shows it: of no dealer where it is not shown to us (any more)."""

    dealer: str
    version: int
    allowed: frozenset[str]
    data: dict[str, Any] = field(default_factory=dict)


class Api:
    """The few requests that a dealer makes; anything that goes wrong is "not now"."""

    def __init__(self, url: str, key: str, timeout_s: float = 10.0) -> None:
        self._url, self._key, self._timeout_s = url.rstrip("/"), key, timeout_s
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # straight to the service

    def order(self, order: str) -> Seen | None:
        """The order now, None where that cannot be told."""
        status, document = self._ask("GET", f"/api/v1/orders/{order}")
        if status == 404:  # it went to another dealer
            return Seen(dealer="", version=0, allowed=frozenset())
        if status != 200:
            return None
        data = document["order"]["data"]
        return Seen(
            dealer=(data["dealer"] or {}).get("id", ""),
            version=data["version"],
            allowed=frozenset(document["allowed"]),
            data=data,
        )

    def move(self, order: str, step: Step, version: int) -> bool:
        """Ask for a transition of the version that was seen; False where it did not happen."""
        body: dict[str, Any] = {"event": step.event, "reason": step.reason}
        if step.slot is not None:
            body["slot"] = step.slot
        # sent again after an answer that got lost, the same key changes nothing the second time
        headers = {"If-Match": f'"{version}"', "Idempotency-Key": f"{order}-{version}-{step.event}"}
        return self._ask("POST", f"/api/v1/orders/{order}/transitions", body, headers)[0] == 200

    def quote(self, order: str, version: int, lines: list[dict[str, Any]] | None = None) -> bool:
        """Give a quote; without lines the order's plan at our rates."""
        body = {} if lines is None else {"lines": lines}
        return self._ask("POST", f"/api/v1/orders/{order}/quotes", body, {"If-Match": f'"{version}"'})[0] == 201

    def report(self, order: str, result: str, *, cause: str = "", note: str = "") -> bool:
        """Say what was found: "found" (with the cause's id, or the leading one), "other_cause" or "no_fault"."""
        body = {"result": result, "cause": cause, "note": note}
        return self._ask("POST", f"/api/v1/orders/{order}/outcome", body)[0] == 200

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """(status, document); (0, {}) where no answer came."""
        content = None if body is None else json.dumps(body).encode()
        sent = {"X-API-Key": self._key, "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self._url + path, content, sent, method=method)  # noqa: S310 - the URL is our own setting
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code, {}
        except (OSError, ValueError):
            return 0, {}


_ACCEPT = Step("accept", "we have a free bay")
AFTER_ACCEPTING: Mapping[str, tuple[Step, ...]] = {
    "service": (Step("schedule", "the first proposed appointment"),),
    "rescue": (Step("depart", "the recovery truck is on its way"),),
}
VISIT = (Step("check_in"), Step("diagnose"))
REPAIR = (Step("start"), Step("inspect"))
HANDING_OVER = (Step("pass"), Step("settle"), Step("close"))


class Workshop:
    """Decides on offers, one after the other, and does the work where it is asked to.

    Args:
        dealer: its id. api: its way to the service. declines: so many service offers it declines before it accepts one.
        thinks_s: before each step. over: ends everything.
    """

    def __init__(self, dealer: str, api: Api, *, declines: int = 0, thinks_s: float = 1.0, over: threading.Event) -> None:
        self._dealer, self._api, self._declines, self._thinks_s, self._over = dealer, api, declines, thinks_s, over
        self._offers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._known: set[str] = set()

    def receive(self, document: Mapping[str, Any]) -> None:
        """A verified push: an offer to us that we have not answered yet is put on the desk. A push may come twice."""
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
            self.take(order, Step("decline", "the workshop is full today"))
            return
        if self.take(order, _ACCEPT):
            for step in AFTER_ACCEPTING[kind]:
                self.take(order, step)

    def look_at(self, order: str) -> bool:
        """The vehicle is here: diagnose, and quote the plan at our rates."""
        return all(self.take(order, step) for step in VISIT) and self._until(
            order, "quote", lambda seen: self._quoted(order, seen)
        )

    def repair(self, order: str, result: str = "found", *, cause: str = "", note: str = "") -> bool:
        """Do what the owner has agreed to, say what was found, and hand the vehicle over."""
        done = all(self.take(order, step) for step in REPAIR) and self._api.report(order, result, cause=cause, note=note)
        return done and all(self.take(order, step) for step in HANDING_OVER)

    def take(self, order: str, step: Step) -> bool:
        """One step, tried again while others change the order; False where it is not ours any more or the time is up."""
        return self._until(order, step.event, lambda seen: self._api.move(order, step, seen.version))

    def _quoted(self, order: str, seen: Seen) -> bool:
        return self._api.quote(order, seen.version)

    def _until(self, order: str, event: str, act: Callable[[Seen], bool]) -> bool:
        self._over.wait(self._thinks_s)
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < deadline and not self._over.is_set():
            seen = self._api.order(order)
            if seen is not None and seen.dealer != self._dealer:
                return False
            if seen is not None and event in seen.allowed and act(seen):
                return True
            self._over.wait(RETRY_S)
        return False


def webhook_server(
    secret: str,
    receive: Callable[[Mapping[str, Any]], None],
    told: Callable[[Push], None],
    port: int = 0,
    host: str = "127.0.0.1",
) -> ThreadingHTTPServer:
    """A server that verifies what is posted to it, hands it on, and answers 200, or 401 to what is not signed right."""

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

    return ThreadingHTTPServer((host, port), Handler)


def main() -> None:
    """Take offers until interrupted."""
    parser = argparse.ArgumentParser(description="A small dealer's program: accepts offers and books the first proposed time.")
    parser.add_argument("--api", required=True, help="URL of the service")
    parser.add_argument("--dealer", required=True, help="id of the dealer")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--declines", type=int, default=0, help="decline so many offers first")
    asked = parser.parse_args()
    key, secret = os.environ.get("PITCALL_KEY", ""), os.environ.get("PITCALL_WEBHOOK_SECRET", "")
    if not key or not secret:
        sys.exit("set PITCALL_KEY and PITCALL_WEBHOOK_SECRET")
    over = threading.Event()
    workshop = Workshop(asked.dealer, Api(asked.api, key), declines=asked.declines, over=over)
    server = webhook_server(secret, workshop.receive, lambda push: print("push", push.value), asked.port, asked.host)
    threading.Thread(target=workshop.work, daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        over.set()


if __name__ == "__main__":
    main()
