"""Papers: what is written around an order and its owner, and kept in one table by kind and id."""

# ruff: noqa: D102 - the names are the contract, described together

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from domain.benefits import Grant
from domain.campaigns import Campaign, Invitation
from domain.media import Attachment
from domain.notices import DueNotice, FeedMark
from domain.order_clocks import OrderClock
from domain.owners import Owner, OwnerLink, Rating
from domain.quotes import Quote
from domain.statements import Statement
from domain.tickets import Ticket


class Paper(Protocol):
    """What every paper can be asked by.

    `id` is its own among papers of its kind; `order` and `vehicle` "" where it has none; `state` a stable word or ""; `due_ns` wall time
    of what comes next (the end of a link, the time of a task), 0 for none.
    """

    @property
    def id(self) -> str: ...
    @property
    def order(self) -> str: ...
    @property
    def vehicle(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def due_ns(self) -> int: ...
    @property
    def created_ns(self) -> int: ...


PAPER_KINDS: Mapping[type[Paper], str] = MappingProxyType(
    {
        Attachment: "attachment",
        Campaign: "campaign",
        DueNotice: "due_notice",
        FeedMark: "feed_mark",
        Grant: "grant",
        Invitation: "invitation",
        OrderClock: "clock",
        Owner: "owner",
        OwnerLink: "link",
        Quote: "quote",
        Rating: "rating",
        Statement: "statement",
        Ticket: "ticket",
    }
)
"""Under which word each kind is stored."""
