"""Owners are told of their orders from the feed, once each, and of what is due."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.owner_notices import FOLLOW_UP_NS, relay_owner_notices, send_due_notices
from domain.consents import Consent, ConsentChannel, Purpose
from domain.notices import DueNotice, DueState, NoticeKind
from domain.owners import LinkPurpose, OwnerLink
from domain.tickets import Ticket, TicketKind
from notifier.owners.links import LinkSigner
from notifier.owners.notice_words import shipped_notice_words
from notifier.owners.notices import HOUR_NS, Owners
from storage.memory_store import MemoryStore
from tests.web.pages.test_owner_page import TO_THE_END, WAY, calm, give_quote, move, post
from tests.web.report_examples import SEDAN
from tests.web.serving import NOW_NS, ORDER, OWNER, PHONE, VIN, client, store

SIGNER = LinkSigner(b"pitcall-development-key")


def owners(now_ns: int = NOW_NS) -> Owners:
    return Owners(
        words=shipped_notice_words(),
        ways={ConsentChannel.EMAIL: "email"},
        address_of=lambda link: f"/o/{SIGNER.token(link)}",
        clock=lambda: now_ns,
    )


def agreed(served: MemoryStore, channel: ConsentChannel = ConsentChannel.EMAIL) -> MemoryStore:
    purposes = (Purpose.SERVICE, Purpose.MAINTENANCE, Purpose.SURVEY)
    served.add_consents([Consent(vehicle=SEDAN, purpose=purpose, channel=channel, given=True, time_ns=1) for purpose in purposes])
    relay_owner_notices(served, owners())  # from here on
    return served


def told(served: MemoryStore) -> list[str]:
    return [event.type.partition(".")[2] for event in served.outbox_events() if event.type.startswith("notice.")]


def test_an_owner_is_told_from_acceptance_to_rating_once_each() -> None:
    served = agreed(calm(store()))
    with client(served) as web:
        for event in WAY:
            move(web, event)
            relay_owner_notices(served, owners())
        give_quote(web)
        assert relay_owner_notices(served, owners()) == 1
        assert relay_owner_notices(served, owners()) == 0
        (notice,) = [event for event in served.outbox_events() if event.type == "notice.quote_ready"]
        text = json.loads(notice.body)["data"]["text"]["en"]
        path = text[text.index("/o/") :]
        assert web.get(path).status_code == 200
        post(web, f"{path}/sign", **{"line-1": "yes", "line-2": "no", "line-3": "yes"})
        for event in TO_THE_END:
            move(web, event)
            relay_owner_notices(served, owners())
    assert sorted(told(served)) == ["accepted", "booked", "quote_ready", "rating", "ready"]
    everything = "".join(event.body for event in served.outbox_events() if event.type.startswith("notice."))
    assert all(private not in everything for private in (VIN, OWNER, PHONE))


def test_a_message_that_came_too_late_is_not_sent() -> None:
    served = agreed(calm(store()))
    with client(served) as web:
        move(web, *WAY)
    relay_owner_notices(served, owners())
    assert told(served) == []


def test_nobody_is_told_of_history() -> None:
    served = calm(store())
    with client(served) as web:
        move(web, "accept")
    agreed(served)
    assert told(served) == []


def test_without_a_way_but_the_telephone_the_call_centre_gets_a_task() -> None:
    served = agreed(calm(store()), ConsentChannel.PHONE)
    with client(served) as web:
        move(web, "accept")
    relay_owner_notices(served, owners())
    assert told(served) == []
    (call,) = served.papers(Ticket)
    assert (call.kind, call.reason, call.order) == (TicketKind.CALL, "accepted", ORDER)


def test_an_operators_fleet_and_a_car_that_must_stop_get_nothing() -> None:
    operated = calm(store())
    relay_owner_notices(operated, owners())
    stopping = agreed(store())
    for served in (operated, stopping):
        with client(served) as web:
            move(web, "accept")
        relay_owner_notices(served, owners())
        assert told(served) == []
        assert served.papers(OwnerLink) == ()


@pytest.mark.parametrize("moved", [False, True])
def test_the_day_before_an_appointment_that_still_stands_is_told(moved: bool) -> None:
    served = calm(store())
    order = served.order(ORDER)
    assert order is not None
    start_ns = NOW_NS + 48 * HOUR_NS
    later = replace(order, slots=((start_ns, start_ns + HOUR_NS),), version=order.version + 1)
    assert served.change_order(later, order.version)
    agreed(served)
    with client(served) as web:
        move(web, "accept", "schedule")
        relay_owner_notices(served, owners())
        (due,) = served.papers(DueNotice)
        assert (due.kind, due.due_ns) == (NoticeKind.REMINDER, start_ns - 24 * HOUR_NS)
        assert send_due_notices(served, owners()) == 0
        if moved:
            move(web, "miss")
    assert send_due_notices(served, owners(due.due_ns)) == (0 if moved else 1)
    assert send_due_notices(served, owners(due.due_ns)) == 0
    assert [each.state for each in served.papers(DueNotice)] == [DueState.DONE]
    assert ("reminder" in told(served)) == (not moved)


@pytest.mark.parametrize("repaired", [False, True])
def test_work_that_was_declined_and_is_still_needed_is_asked_again(repaired: bool) -> None:
    served = agreed(calm(store()))
    with client(served) as web:
        move(web, *WAY)
        give_quote(web)
        web.post(f"/api/v1/orders/{ORDER}/quotes/1/sign-off", json={"accepted": [3]})
        relay_owner_notices(served, owners())
        (due,) = served.papers(DueNotice)
        assert (due.kind, due.about, due.due_ns) == (NoticeKind.FOLLOW_UP, 1, NOW_NS + FOLLOW_UP_NS)
        if repaired:
            move(web, "start", "inspect", "pass")
    assert send_due_notices(served, owners(due.due_ns)) == (0 if repaired else 1)
    links = [link.purpose for link in served.papers(OwnerLink)]
    assert (LinkPurpose.BOOK in links) == (not repaired)
