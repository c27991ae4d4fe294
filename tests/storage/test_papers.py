"""Every store keeps papers alike, and changes them only as they were seen."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from domain.benefits import Grant
from domain.campaigns import Campaign, Invitation, Segment
from domain.findings import Text
from domain.live import EventKind, FeedEvent
from domain.media import Attachment
from domain.notices import DueNotice, FeedMark, NoticeKind
from domain.order_clocks import OrderClock
from domain.owners import LinkPurpose, LinkState, Owner, OwnerLink, Rating
from domain.papers import PAPER_KINDS, Paper
from domain.quotes import Quote, QuoteLine
from domain.records import OutboxEvent
from domain.statements import Payment, Statement
from domain.tickets import Ticket, TicketKind, closed, ticket_id
from storage.database import open_store
from storage.memory_store import MemoryStore
from tests.storage.databases import fresh_url
from tests.storage.examples import KEY

LINE = QuoteLine(line=1, operation="op", description=Text(en="a", zh="b"), labour_hours="1.5", labour_rate="200.00")
QUOTE = Quote(
    order="o1", version=1, vehicle="v1", currency="CNY", tax_rate="0.13", lines=(LINE,), author="d1", created_ns=1, note="n"
)
LINK = OwnerLink(id="j1", purpose=LinkPurpose.QUOTE, vehicle="v1", order="o1", version=1, created_ns=2, due_ns=72)
RATING = Rating(order="o1", vehicle="v1", dealer="d1", stars=5, nps=9, comment="好", created_ns=3)
TICKET = Ticket(
    id=ticket_id(TicketKind.CALL, "o1"),
    kind=TicketKind.CALL,
    vehicle="v1",
    order="o1",
    reason="no_answer",
    text="ring",
    author="system",
    created_ns=4,
    due_ns=9,
)
CLOCK = OrderClock(order="o1", vehicle="v1", since_ns=5, due_ns=9, late_ns=12, step=1)
DUE = DueNotice(id="d", kind=NoticeKind.REMINDER, vehicle="v1", order="o1", about=7, created_ns=5, due_ns=6)
CAMPAIGN = Campaign(
    id="c",
    title=Text(en="a", zh="b"),
    about=Text(en="a", zh="b"),
    segments=(Segment.LOST,),
    brands=(),
    models=(),
    benefit="",
    benefit_until_ns=0,
    cap_days=90,
    limit=9,
    author="a",
    created_ns=1,
)
INVITED = Invitation(campaign="c", vehicle="v1", state="sent", created_ns=1)
PHOTO = Attachment(
    order="o1",
    vehicle="v1",
    line=1,
    media_type="image/png",
    size=3,
    content="ab" * 32,
    author="d1",
    caption="好",
    created_ns=1,
)
GRANT = Grant(id="g", vehicle="v1", offer="coupon", left=1, author="a", created_ns=1, due_ns=9)
STATEMENT = Statement(
    order="o1",
    version=1,
    vehicle="v1",
    quote_version=1,
    currency="CNY",
    tax_rate="0.13",
    lines=(LINE,),
    author="d1",
    created_ns=6,
    reasons=((1, "less time"),),
    payments=(Payment(payer="owner", amount="1.00", provider="till", reference="7", time_ns=7),),
)
MARK = FeedMark(id="reader", read=9)
ALL: tuple[Paper, ...] = (
    CLOCK,
    Owner(vehicle="v1", adviser="Li"),
    LINK,
    QUOTE,
    RATING,
    TICKET,
    DUE,
    MARK,
    GRANT,
    CAMPAIGN,
    INVITED,
    PHOTO,
    STATEMENT,
)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
def test_papers_are_kept_found_and_changed_as_they_were_seen(kind: str, tmp_path: Path) -> None:
    with MemoryStore() if kind == "memory" else open_store(fresh_url(kind, tmp_path), key=KEY) as store:
        store.save_papers(ALL)
        assert {type(paper) for paper in ALL} == set(PAPER_KINDS)
        for paper in ALL:
            assert store.paper(type(paper), paper.id) == paper
            assert store.papers(type(paper)) == (paper,)
        later = replace(TICKET, id="t2", order="o2", created_ns=5, due_ns=99)
        assert store.change_paper(None, later)
        assert not store.change_paper(None, replace(later, text="other"))
        assert store.papers(Ticket) == (TICKET, later)
        assert store.papers(Ticket, newest_first=True, limit=1) == (later,)
        assert store.papers(Ticket, limit=1, offset=1) == (later,)
        assert store.papers(Ticket, order="o2") == store.papers(Ticket, vehicle="v1", order="o2") == (later,)
        assert store.papers(Ticket, state="open", due_by_ns=9) == (TICKET,)
        event = OutboxEvent(id="evt_1", type="notice.x", subject="o1", recipient="owner:v1", channel="log", body="{}")
        used = replace(LINK, state=LinkState.USED)
        done = closed(TICKET, result="reached", answer="comes on Friday", by="agent", time_ns=8)
        told = FeedEvent(kind=EventKind.ORDER, subject="o1", vehicle="v1", body='{"change":"escalated"}')
        assert store.change_paper(TICKET, done, beside=[used], outbox=[event], events=[told])
        assert [each.body for each in store.events_of("o1")] == [told.body]
        assert not store.change_paper(TICKET, replace(done, result="not_reached"), beside=[LINK])
        assert (store.paper(Ticket, TICKET.id), store.paper(OwnerLink, "j1")) == (done, used)
        assert store.papers(Ticket, state=("open", "done")) == (done, later)
        assert [each.id for each in store.outbox_events()] == ["evt_1"]
        assert store.paper(Rating, "none") is None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_several_who_add_the_same_paper_at_once_one_does(kind: str, tmp_path: Path) -> None:
    with open_store(fresh_url(kind, tmp_path), key=KEY) as store:
        added: list[bool] = []
        start = threading.Barrier(4)

        def add(stars: int) -> None:
            start.wait()
            added.append(store.change_paper(None, replace(RATING, stars=stars)))

        threads = [threading.Thread(target=add, args=(stars,)) for stars in (1, 2, 3, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(added) == [False, False, False, True]
        assert len(store.papers(Rating)) == 1
