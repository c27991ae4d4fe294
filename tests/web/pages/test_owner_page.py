"""The owner's page behind a link."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from domain.findings import Urgency
from domain.owners import LinkPurpose, LinkState, Owner, OwnerLink, Rating
from domain.tickets import Ticket, TicketKind
from storage.memory_store import MemoryStore
from tests.web.api.test_quotes_api import LINES
from tests.web.pages.test_pages import shown, text
from tests.web.report_examples import SEDAN
from tests.web.serving import NOW_NS, ORDER, OWNER, PHONE, VIN, client, store

ORDERS = f"/api/v1/orders/{ORDER}"
WAY = ("accept", "schedule", "check_in", "diagnose")
TO_THE_END = ("start", "inspect", "pass", "settle")


def calm(served: MemoryStore) -> MemoryStore:
    """The order is not one for a car that must stop."""
    order = served.order(ORDER)
    assert order is not None
    calmer = replace(order, recommendation=replace(order.recommendation, urgency=Urgency.SOON), version=2)
    assert served.change_order(calmer, 1)
    return served


def move(web: Any, *events: str) -> None:
    for event in events:
        version = web.get(ORDERS).headers["etag"]
        answer = web.post(f"{ORDERS}/transitions", json={"event": event}, headers={"If-Match": version})
        assert answer.status_code == 200, (event, answer.text)


def give_quote(web: Any, lines: Any = LINES) -> None:
    version = web.get(ORDERS).headers["etag"]
    assert web.post(f"{ORDERS}/quotes", json={"lines": lines}, headers={"If-Match": version}).status_code == 201


def link(web: Any, purpose: str, **more: Any) -> str:
    answer = web.post(f"{ORDERS}/links", json={"purpose": purpose, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["path"])


def post(web: Any, path: str, **fields: str) -> Any:
    return web.post(path, content=urlencode(fields), headers={"content-type": "application/x-www-form-urlencoded"})


def seen(web: Any, path: str, language: str = "en") -> str:
    answer = web.get(path)
    assert answer.status_code == 200
    shown(answer.text, language)
    return text(answer.text, language)


def test_a_quote_is_shown_line_by_line_and_answered_once() -> None:
    served = calm(store())
    with client(served) as web:
        move(web, *WAY)
        give_quote(web)
        path = link(web, "quote")
        said = seen(web, path)
        for words in ("The quote is ready.", "542.40", "56.50", "not necessary", "Total, without what is not necessary"):
            assert words in said, words
        assert "报价已出" in seen(web, path, "zh")
        left_out = post(web, f"{path}/sign", **{"line-1": "yes", "line-2": "no"})
        assert left_out.status_code == 422
        answer = post(web, f"{path}/sign", **{"line-1": "yes", "line-2": "no", "line-3": "yes"})
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        order = served.order(ORDER)
        assert order is not None
        assert order.quote is not None
        assert (order.state, order.quote.accepted, order.quote.signed_by) == ("approved", (1, 3), "owner")
        again = post(web, f"{path}/sign", **{"line-1": "no", "line-2": "no", "line-3": "no"})
        assert again.status_code == 409
        said = seen(web, path)
        assert "You agreed to" in said
        assert "/sign" not in web.get(path).text
    (used,) = served.papers(OwnerLink)
    assert used.state is LinkState.USED


def test_a_newer_quote_ends_links_to_the_one_before() -> None:
    with client(calm(store())) as web:
        move(web, *WAY)
        give_quote(web)
        path = link(web, "quote")
        give_quote(web, LINES[:1])
        assert web.get(path).status_code == 404
        assert post(web, f"{path}/sign", **{"line-1": "yes"}).status_code == 404
        assert "version 2" in seen(web, link(web, "quote"))


def test_the_owner_chooses_one_of_the_proposed_times() -> None:
    served = calm(store())
    with client(served) as web:
        move(web, "accept")
        path = link(web, "visit")
        starts = re.findall(r'name="slot" value="(\d+)"', web.get(path).text)
        assert len(starts) > 1
        assert starts == sorted(starts)
        assert post(web, f"{path}/slot", slot="77").status_code == 422
        assert post(web, f"{path}/slot", slot=starts[-1]).status_code == 303
        after = served.order(ORDER)
        assert after is not None
        assert (after.state, after.change.actor) == ("scheduled", "owner")
        assert [str(start) for start, _ in after.slots] == [starts[-1]]
        assert "The appointment is booked." in seen(web, path)
        assert post(web, f"{path}/slot", slot=starts[0]).status_code == 409


@pytest.mark.parametrize(("word", "state"), [("yes", "dispatching"), ("no", "cancelled")])
def test_the_owner_agrees_to_a_proposed_visit_or_not(word: str, state: str) -> None:
    served = calm(store())
    order = served.order(ORDER)
    assert order is not None
    proposed = replace(order, state="proposed", choice=None, slots=(), version=order.version + 1)
    assert served.change_order(proposed, order.version)
    with client(served) as web:
        path = link(web, "visit")
        assert "May we ask a workshop?" in seen(web, path)
        assert post(web, f"{path}/agree", answer="perhaps").status_code == 422
        assert post(web, f"{path}/agree", answer=word).status_code == 303
        after = served.order(ORDER)
        assert after is not None
        assert (after.state, after.change.actor, bool(after.choice)) == (state, "owner", word == "yes")
        assert post(web, f"{path}/agree", answer=word).status_code == 409


def test_a_link_does_one_thing() -> None:
    with client(calm(store())) as web:
        move(web, *WAY)
        give_quote(web)
        track = link(web, "track")
        fields = {"line-1": "yes", "line-2": "yes", "line-3": "yes", "slot": "0", "stars": "5", "nps": "9", "text": "x"}
        for deed in ("sign", "slot", "rate", "book"):
            assert post(web, f"{track}/{deed}", **fields).status_code == 409, deed


def test_a_visit_is_rated_once_when_it_is_over() -> None:
    served = calm(store())
    with client(served) as web:
        early = link(web, "rate")
        assert post(web, f"{early}/rate", stars="5", nps="9").status_code == 409
        move(web, *WAY, "quote", "approve", *TO_THE_END)
        path = link(web, "rate")
        for stars, nps in (("6", "9"), ("5", "11"), ("", "1"), ("²", "1")):
            assert post(web, f"{path}/rate", stars=stars, nps=nps).status_code == 422
        assert post(web, f"{path}/rate", stars="4", nps="9", text="schnell & 好").status_code == 303
        assert post(web, f"{early}/rate", stars="1", nps="0").status_code == 409
        assert "4 of 5 stars" in seen(web, path)
    (rating,) = served.papers(Rating)
    assert (rating.stars, rating.nps, rating.dealer, rating.comment) == (4, 9, "SH-014", "schnell & 好")


def test_questions_are_answered_on_the_page_and_complaints_kept_with_the_order() -> None:
    served = calm(store())
    with client(served) as web:
        path = link(web, "track")
        assert post(web, f"{path}/ask", text="Is it <b>safe</b>?").status_code == 303
        assert post(web, f"{path}/ask", text="Is it <b>safe</b>?").status_code == 409
        assert post(web, f"{path}/ask", text="").status_code == 422
        assert "waits for an answer" in seen(web, path)
        assert "<b>safe" not in web.get(path).text
        (question,) = served.papers(Ticket)
        answered = web.post(f"/api/v1/tickets/{question.id}/result", json={"result": "answered", "answer": "yes, gently"})
        assert answered.status_code == 200
        assert "Answer : yes, gently" in seen(web, path)
        assert post(web, f"{path}/complain", text="nobody called").status_code == 303
    (complaint,) = [each for each in served.papers(Ticket) if each.kind is TicketKind.COMPLAINT]
    assert (complaint.order, complaint.vehicle, complaint.text) == (ORDER, SEDAN, "nobody called")


def test_an_owner_asks_for_a_visit_without_any_order() -> None:
    served = store()
    with client(served) as web:
        path = web.post(f"/api/v1/vehicles/{SEDAN}/links", json={"purpose": "book"}).json()["path"]
        assert "Ask for a visit" in seen(web, path)
        assert post(web, f"{path}/book", text="winter tyres, Saturday").status_code == 303
        assert "Your wish has arrived" in seen(web, path)
        assert post(web, f"{path}/book", text="and more").status_code == 409
    (wish,) = served.papers(Ticket)
    assert (wish.kind, wish.text) == (TicketKind.BOOKING, "winter tyres, Saturday")


def test_a_driver_who_must_stop_is_told_so_and_asked_nothing() -> None:
    with client(store()) as web:
        move(web, "accept")
        path = link(web, "visit")
        said = seen(web, path)
        assert "Do not drive on" in said
        assert "<form" not in web.get(path).text.split("<main", 1)[1]
        assert post(web, f"{path}/slot", slot="0").status_code == 409
        move(web, "schedule", "check_in")
        assert "Do not drive on" not in seen(web, path)


@pytest.mark.parametrize("token", ["", "x", "x.y", "%F0%9F%98%80", "a" * 3000, "WzFd."])
def test_what_is_no_token_of_ours_opens_nothing(token: str) -> None:
    with client() as web:
        assert web.get(f"/o/{token}").status_code == 404
        assert post(web, f"/o/{token}/sign").status_code == 404


def test_a_link_ends_in_time_and_with_its_owner() -> None:
    served = calm(store())
    with client(served) as web:
        paths = [link(web, "track", hours=hours) for hours in (1, 72)]
        assert web.post(f"{ORDERS}/links", json={"purpose": "track", "hours": 73}).status_code == 422
        changed = web.post(f"/api/v1/vehicles/{SEDAN}/ownership-changes")
        assert (changed.status_code, changed.json()["links_revoked"], changed.json()["tenure"]) == (201, 2, 2)
        assert [web.get(path).status_code for path in paths] == [404, 404]
        path = link(web, "rate", hours=1)
    (later,) = [each for each in served.papers(OwnerLink) if each.purpose is LinkPurpose.RATE]
    served.save_papers([replace(later, due_ns=NOW_NS)])
    with client(served) as web:
        assert web.get(path).status_code == 404
    entry = served.vault_entry(SEDAN)
    assert entry is not None
    assert (entry.vin, entry.owner_name, entry.owner_phone) == (VIN, "", "")


def test_the_page_names_nobody_and_loads_nothing_from_elsewhere() -> None:
    served = calm(store())
    served.save_papers([Owner(vehicle=SEDAN, adviser="Li Na")])
    with client(served) as web:
        answer = web.get(link(web, "track"))
        assert "Li Na" in answer.text
        for private in (VIN, OWNER, PHONE, SEDAN):
            assert private not in answer.text
        assert all(address.startswith(("/static/", "/o/", "#")) for address in shown(answer.text).addresses)
        assert "no-store" in answer.headers["cache-control"]
        foreign = web.post(f"{link(web, 'visit')}/slot", headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
