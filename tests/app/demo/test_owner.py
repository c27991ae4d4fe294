"""The demonstration's owners answer behind links, each quote and each ended visit once."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs

import httpx

from app.demo.owner import Owners

PAGE = '<input name="line-1" value="yes"><input name="line-1" value="no"><input name="line-4" value="yes">'


class Parent:
    """Whose end never comes, and who lets nobody wait."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.over.wait = lambda timeout=None: False  # type: ignore[method-assign,assignment]


def test_an_owner_accepts_every_line_and_rates_the_visit_once() -> None:
    posted: list[tuple[str, dict[str, list[str]]]] = []
    state = {"o1": "quoted"}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/api/v1/orders":
            found = [{"data": {"order_id": name}} for name, now in state.items() if now == request.url.params["state"]]
            return httpx.Response(200, json={"orders": found})
        if path.startswith("/api/v1/"):
            return httpx.Response(201, json={"path": "/o/token"})
        if request.method == "GET":
            return httpx.Response(200, text=PAGE)
        posted.append((path, parse_qs(request.content.decode())))
        return httpx.Response(303)

    with httpx.Client(base_url="http://service", transport=httpx.MockTransport(answer)) as client:
        owners = Owners(client, Parent())  # type: ignore[arg-type]
        owners.look()
        owners.look()
        state["o1"] = "settled"
        owners.look()
        state["o1"] = "closed"
        owners.look()
    assert posted == [
        ("/o/token/sign", {"line-1": ["yes"], "line-4": ["yes"]}),
        ("/o/token/rate", {"stars": ["5"], "nps": ["9"]}),
    ]
