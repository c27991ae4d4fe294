"""What a demonstration's dealer does beside the reference client: whole orders, refusals by car, waiting for parts."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from app.demo.dealer import DemoApi, DemoWorkshop, Pace
from examples.dealer_client import Seen, Step

NO_TIME = Pace(thinks_s=0.0, comes_s=0.0, comes_for_care_s=0.0, parts_s=0.0)
NEXT = {
    "accept": "accepted",
    "schedule": "scheduled",
    "check_in": "checked_in",
    "diagnose": "diagnosing",
    "hold": "on_hold",
    "start": "in_progress",
}


class FakeApi(DemoApi):
    """An order on which everything is allowed, and whose quote is signed at once; it notes what is asked."""

    def __init__(self, lots: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__("http://nowhere", "key")
        self.asked, self._lots, self._state = list[str](), lots, "offered"

    def order(self, order: str) -> Seen | None:
        events = {*NEXT, "decline", "quote", "inspect", "pass", "settle", "close", "depart", "arrive", "tow", "deliver"}
        return Seen(dealer="d1", version=len(self.asked), allowed=frozenset(events), data={"state": self._state})

    def move(self, order: str, step: Step, version: int) -> bool:
        self._note(step.event, NEXT.get(step.event, self._state))
        return True

    def quote(self, order: str, version: int, lines: list[dict[str, Any]] | None = None) -> bool:
        self._note("quote", "approved")
        return True

    def report(self, order: str, result: str, *, cause: str = "", note: str = "") -> bool:
        self._note(result, self._state)
        return True

    def awaited_lots(self, order: str) -> list[tuple[str, str]]:
        return list(self._lots)

    def receive(self, lot: str) -> bool:
        self._note(f"receive {lot}", "in_progress")
        return True

    def _note(self, what: str, state: str) -> None:
        self.asked.append(what)
        self._state = state


def answered(api: FakeApi, *, kind: str = "service", refuses: tuple[str, ...] = (), until: str) -> list[str]:
    """What the workshop asks for until it asks for that."""
    over = threading.Event()
    workshop = DemoWorkshop("d1", api, refuses=refuses, pace=NO_TIME, over=over)
    desk = threading.Thread(target=workshop.work)
    desk.start()
    data = {
        "order_id": "o1",
        "state": "dispatching",
        "kind": kind,
        "dealer": {"id": "d1"},
        "vehicle": {"id": "v1"},
        "alerts": [{}],
    }
    workshop.receive({"data": data})
    workshop.receive({"data": data})
    deadline = time.monotonic() + 10.0
    while until not in api.asked and time.monotonic() < deadline:
        time.sleep(0.01)
    over.set()
    desk.join()
    return api.asked


def test_an_order_is_worked_to_its_end_and_what_was_found_is_reported() -> None:
    visit = ["accept", "schedule", "check_in", "diagnose", "quote", "start", "inspect", "found", "pass", "settle", "close"]
    assert answered(FakeApi(), until="close") == visit


def test_an_order_whose_parts_are_on_their_way_is_held_until_they_have_come() -> None:
    asked = answered(FakeApi(lots=(("lot-1", "PC-CELL-MODULE"),)), until="close")
    assert asked[asked.index("quote") :][:4] == ["quote", "hold", "receive lot-1", "inspect"]


@pytest.mark.parametrize(("refuses", "first"), [(("v1",), "decline"), (("v2",), "accept")])
def test_the_orders_of_some_cars_are_declined_and_others_taken(refuses: tuple[str, ...], first: str) -> None:
    assert answered(FakeApi(), refuses=refuses, until=first)[0] == first


def test_a_rescue_partner_helps_to_the_end() -> None:
    assert answered(FakeApi(), kind="rescue", until="close") == ["accept", "depart", "arrive", "tow", "deliver", "close"]
