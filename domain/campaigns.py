"""Campaigns: invitations to owners chosen by what they have had done, within caps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.findings import Text


class Segment(StrEnum):
    """Owners by recency, frequency and money of their visits (`notifier.owners.segments`)."""

    CHAMPION = "champion"
    """Came lately, often, and spends much."""
    LOYAL = "loyal"
    NEW = "new"
    """Came once, lately."""
    REGULAR = "regular"
    AT_RISK = "at_risk"
    """Came often, but not lately."""
    LOST = "lost"
    NEVER = "never"
    """Has never had anything done."""


class CampaignState(StrEnum):
    """Whether it has gone out."""

    DRAFT = "draft"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """An invitation and whom it is for.

    Attributes:
        title, about: of the message. segments, brands, models: whom, () = all. benefit: offer that each invited vehicle is given, "" for none;
            it ends at `benefit_until_ns`. cap_days: no owner is invited twice within so many days, by whatever campaign. limit: vehicles at most.
    """

    id: str
    title: Text
    about: Text
    segments: tuple[Segment, ...]
    brands: tuple[str, ...]
    models: tuple[str, ...]
    benefit: str
    benefit_until_ns: int
    cap_days: int
    limit: int
    author: str
    created_ns: int
    state: CampaignState = CampaignState.DRAFT

    @property
    def order(self) -> str:
        """Of none."""
        return ""

    @property
    def vehicle(self) -> str:
        """Of none."""
        return ""

    @property
    def due_ns(self) -> int:
        """None."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """That the owner of a vehicle was invited by a campaign; `state`: how ("sent", "call")."""

    campaign: str
    vehicle: str
    state: str
    created_ns: int

    @property
    def id(self) -> str:
        """Once by each campaign."""
        return f"{self.campaign}:{self.vehicle}"

    @property
    def order(self) -> str:
        """Of none."""
        return ""

    @property
    def due_ns(self) -> int:
        """None."""
        return 0
