"""Where a message for people goes, and in which language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.fleet import Dealer
from domain.records import OutboxEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An e-mail address, or the URL of a messenger; `language` is "en" or "zh", `answer_at` the page on which its reader answers, "" for none."""

    to: str
    language: str = "zh"
    answer_at: str = ""


AddressOf = Callable[[OutboxEvent, Dealer | None], Address | None]
"""Looked up when a message is sent, so that no address stands in the outbox; None where the recipient has none."""
