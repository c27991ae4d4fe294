"""The page of tickets, and wishes for a visit that become orders."""

from __future__ import annotations

import pytest

from domain.findings import Urgency
from domain.tickets import Ticket, TicketKind, TicketState
from storage.memory_store import MemoryStore
from tests.web.pages.test_owner_page import post, seen
from tests.web.report_examples import SEDAN
from tests.web.serving import NOW_NS, client, store
from web.api.access import key_hash


def with_tickets() -> MemoryStore:
    served = store(orders=False)
    served.save_papers(
        Ticket(
            id=kind.value,
            kind=kind,
            vehicle=SEDAN,
            order="",
            reason="owner",
            text=f"<b>{kind.value}</b> please",
            author="owner",
            created_ns=number,
            due_ns=NOW_NS + (number - 2) * 3600 * 10**9,
        )
        for number, kind in enumerate((TicketKind.CALL, TicketKind.QUESTION, TicketKind.BOOKING))
    )
    return served


def test_open_tickets_are_listed_by_their_due_time_and_closed_with_a_result() -> None:
    served = with_tickets()
    with client(served) as web:
        said = seen(web, "/tickets")
        assert said.index("Call") < said.index("Question") < said.index("Wish for a visit")
        assert said.count("late") == 2
        assert "待办事项" in seen(web, "/tickets", "zh")
        assert "<b>call" not in web.get("/tickets").text
        assert post(web, "/tickets/call/result", result="", answer="x").status_code == 422
        assert post(web, "/tickets/call/result", result="reached", answer="Friday").status_code == 303
        assert "reached Friday" in seen(web, "/tickets?state=done")
        assert post(web, "/tickets/call/result", result="reached").status_code == 409
        assert web.get("/tickets?state=strange").status_code == 422
    closed = served.paper(Ticket, "call")
    assert closed is not None
    assert (closed.state, closed.answer) == (TicketState.DONE, "Friday")


def test_an_owners_wish_becomes_an_order_once() -> None:
    served = with_tickets()
    with client(served) as web:
        assert post(web, "/tickets/call/visit").status_code == 409
        assert post(web, "/tickets/booking/visit").status_code == 303
        assert post(web, "/tickets/booking/visit").status_code == 409
    (order,) = served.orders()
    assert (order.vehicle, order.recommendation.urgency, order.group_key) == (SEDAN, Urgency.NEXT, "care")
    assert order.state in ("dispatching", "manual", "draft")
    assert all("please" not in event.body for event in served.outbox_events())
    wish = served.paper(Ticket, "booking")
    assert wish is not None
    assert (wish.result, wish.answer) == ("ordered", order.id[:12])


@pytest.mark.parametrize("path", ["/tickets/call/result", "/tickets/booking/visit"])
def test_who_may_only_read_closes_nothing(path: str) -> None:
    with client(with_tickets(), keys={key_hash("reader"): ("read",)}) as web:
        web.post("/sign-in", content="key=reader")
        assert "<form class=" not in web.get("/tickets").text
        assert post(web, path, result="reached").status_code == 403
