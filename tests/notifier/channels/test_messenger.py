"""Messengers by Apprise, against a small HTTP server that takes what Apprise's JSON service sends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from domain.errors import DeliveryError
from notifier.channels.addresses import Address
from notifier.channels.messenger import AppriseChannel
from tests.notifier.channels.test_wording import order_event


@pytest.fixture
def messenger() -> Iterator[tuple[int, list[dict[str, Any]], list[int]]]:
    """(port, what came, statuses to answer)."""
    came: list[dict[str, Any]] = []
    statuses = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(statuses[-1])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], came, statuses
    server.shutdown()
    thread.join()
    server.server_close()


def channel(url: str) -> AppriseChannel:
    return AppriseChannel(lambda _event, _dealer: Address(to=url, language="zh"), timeout_s=5.0)


def test_a_message_comes_in_the_readers_language(messenger: tuple[int, list[dict[str, Any]], list[int]]) -> None:
    port, came, _ = messenger
    channel(f"json://127.0.0.1:{port}/").deliver(order_event(), None, 0)
    ((message),) = came
    assert "新工单" in message["title"]
    assert "计划作业" in message["message"]


def test_a_messenger_that_refuses_is_a_delivery_error(messenger: tuple[int, list[dict[str, Any]], list[int]]) -> None:
    port, came, statuses = messenger
    statuses.append(500)
    with pytest.raises(DeliveryError, match="did not take it"):
        channel(f"json://127.0.0.1:{port}/").deliver(order_event(), None, 0)
    assert came


@pytest.mark.parametrize("url", ["", "nonsense", "pigeon://loft/", "json://127.0.0.1:1/"])
def test_a_url_that_leads_nowhere_is_a_delivery_error(url: str) -> None:
    with pytest.raises(DeliveryError):
        channel(url).deliver(order_event(), None, 0)
