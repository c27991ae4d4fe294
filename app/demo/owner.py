"""The owners of the demonstration as one process: whoever has a quote or an ended visit is sent a link, and answers behind it.

The link is asked for as a call centre does; all else is done on the owner's page, with nothing but the link.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from app.demo.children import Parent

LOOK_S = 0.5
READS_S = 1.5
"""So long an owner reads before answering."""
_LINES = re.compile(r'name="(line-\d+)"')
STARS, RECOMMENDS = "5", "9"


class Owners:
    """Answers quotes and rates visits, each once."""

    def __init__(self, client: httpx.Client, parent: Parent) -> None:
        self._client, self._parent = client, parent
        self._seen: set[tuple[str, str]] = set()

    def look(self) -> None:
        """Answer what waits for an owner; what goes wrong is tried again at the next look."""
        for state, purpose in (("quoted", "quote"), ("settled", "rate"), ("closed", "rate")):
            for order in self._orders(state):
                if (order, purpose) not in self._seen and self._answer(order, purpose):
                    self._seen.add((order, purpose))

    def _orders(self, state: str) -> list[str]:
        answer = self._client.get("/api/v1/orders", params={"state": state, "kind": "service"}).raise_for_status()
        return [each["data"]["order_id"] for each in answer.json()["orders"]]

    def _answer(self, order: str, purpose: str) -> bool:
        made = self._client.post(f"/api/v1/orders/{order}/links", json={"purpose": purpose})
        if not made.is_success:
            return False
        path = made.json()["path"]
        page = self._client.get(path)
        self._parent.over.wait(READS_S)
        form: Mapping[str, Any] = (
            dict.fromkeys(_LINES.findall(page.text), "yes")
            if purpose == "quote"
            else {"stars": STARS, "nps": RECOMMENDS, "text": ""}
        )
        done = self._client.post(f"{path}/{'sign' if purpose == 'quote' else 'rate'}", data=form)
        return done.status_code == httpx.codes.SEE_OTHER


def main() -> None:
    """Look until the parent ends us."""
    parent = Parent()
    parent.listen(lambda _command: None)
    with httpx.Client(base_url=parent.configuration["api"], timeout=10.0, trust_env=False) as client:
        owners = Owners(client, parent)
        while not parent.over.wait(LOOK_S):
            try:
                owners.look()
            except (httpx.HTTPError, ValueError, KeyError):
                continue  # the service is not there yet, or not any more


if __name__ == "__main__":
    main()
