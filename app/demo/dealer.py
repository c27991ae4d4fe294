"""A demo dealer as its own process: the reference client of `examples`, told by the demonstration what to be.

What it does beside the reference: it declines the orders of some cars, works on several orders at a time, each to its end, and waits for
parts that are on their way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.demo.children import Parent
from examples.dealer_client import ANSWER_WITHIN_S, HANDING_OVER, RETRY_S, Api, Step, Workshop, webhook_server

HELP = (
    Step("depart", "the recovery truck is on its way"),
    Step("arrive"),
    Step("tow", "it cannot be mended at the roadside"),
    Step("deliver"),
    Step("close"),
)
AGREED = frozenset({"approved", "partially_approved", "on_hold", "in_progress"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds of our time: before each step, until a car comes (later where nothing is wrong with it), and until parts come."""

    thinks_s: float = 1.0
    comes_s: float = 12.0
    comes_for_care_s: float = 45.0
    parts_s: float = 5.0


class DemoApi(Api):
    """The reference client's requests, and those about parts."""

    def awaited_lots(self, order: str) -> list[tuple[str, str]]:
        """(lot, part) of what is on its way for an order."""
        status, document = self._ask("GET", f"/api/v1/parts/lots?order={order}&state=on_order&state=in_transfer")
        return [(lot["id"], lot["part"]) for lot in document["lots"]] if status == 200 else []

    def receive(self, lot: str) -> bool:
        """A lot has come."""
        return self._ask("POST", f"/api/v1/parts/lots/{lot}/receive")[0] == 200


class DemoWorkshop(Workshop):
    """Works each order to its end.

    Args:
        refuses: vehicles whose service offers it declines. pace: how long everything takes.
    """

    def __init__(
        self, dealer: str, api: DemoApi, *, refuses: Collection[str] = (), pace: Pace | None = None, over: threading.Event
    ) -> None:
        self._pace = pace or Pace()
        super().__init__(dealer, api, thinks_s=self._pace.thinks_s, over=over)
        self._parts, self._refuses = api, frozenset(refuses)
        self._vehicle_of: dict[str, str] = {}
        self._care: set[str] = set()

    def receive(self, document: Mapping[str, Any]) -> None:
        """Note whose order it is, and whether it tells of no alert; then as ever."""
        data = document.get("data", {})
        order = str(data.get("order_id", ""))
        self._vehicle_of[order] = str((data.get("vehicle") or {}).get("id", ""))
        if order not in self._known and not data.get("alerts"):
            self._care.add(order)
        super().receive(document)

    def _answer(self, order: str, kind: str) -> None:
        """Each order in a thread of its own: what waits for its owner holds up no other."""
        work = self._help if kind == "rescue" else self._serve
        threading.Thread(target=work, args=[order], name=order, daemon=True).start()

    def _help(self, order: str) -> None:
        if self.take(order, Step("accept", "the recovery truck is free")):
            self._take_all(order, HELP)

    def _serve(self, order: str) -> None:
        if self._vehicle_of.get(order) in self._refuses:
            self.take(order, Step("decline", "the workshop is full today"))
            return
        booked = (Step("accept", "we have a free bay"), Step("schedule", "the first proposed appointment"))
        if not self._take_all(order, booked):
            return
        self._over.wait(self._pace.comes_for_care_s if order in self._care else self._pace.comes_s)
        if not self.look_at(order) or self._state_in(order, AGREED) is None:
            return
        self._begin(order)
        if self.take(order, Step("inspect")) and self._api.report(order, "found"):
            self._take_all(order, HANDING_OVER)

    def _begin(self, order: str) -> None:
        """With the parts that it takes: the order is held while some are on their way, and goes on when they have come."""
        lots = self._parts.awaited_lots(order)
        if lots:
            if self._state_in(order, AGREED) != "on_hold":  # the service has not held it by itself
                self._try(order, Step("hold", f"parts: {', '.join(part for _, part in lots)}"))
            self._over.wait(self._pace.parts_s)
            for lot, _ in lots:
                self._parts.receive(lot)
        if self._state_in(order, AGREED) != "in_progress":
            self.take(order, Step("start"))

    def _try(self, order: str, step: Step) -> None:
        """Once."""
        seen = self._api.order(order)
        if seen is not None and step.event in seen.allowed:
            self._api.move(order, step, seen.version)

    def _take_all(self, order: str, steps: Collection[Step]) -> bool:
        return all(self.take(order, step) for step in steps)

    def _state_in(self, order: str, states: Collection[str]) -> str | None:
        """The order's state as soon as it is one of these; None where it is not ours any more or the time is up."""
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < deadline and not self._over.is_set():
            seen = self._api.order(order)
            if seen is not None and seen.dealer != self._dealer:
                return None
            if seen is not None and seen.data["state"] in states:
                return str(seen.data["state"])
            self._over.wait(RETRY_S)
        return None


def main() -> None:
    """Serve until the parent ends us; reports the port, then every push by verdict."""
    parent = Parent()
    parent.listen(lambda _command: None)
    plan = parent.configuration
    workshop = DemoWorkshop(plan["dealer"], DemoApi(plan["api"], plan["key"]), refuses=plan["refuses"], over=parent.over)
    server = webhook_server(plan["secret"], workshop.receive, lambda verdict: parent.report(push=verdict.value), plan["port"])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    threading.Thread(target=workshop.work, daemon=True).start()
    parent.report(ready=True, port=server.server_address[1])
    parent.over.wait()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
