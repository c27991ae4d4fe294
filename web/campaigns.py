"""Campaigns over a store: segments, preview, sending. The API and the command line do the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from domain.benefits import Benefits, Grant
from domain.campaigns import Campaign, CampaignState, Invitation
from domain.consents import Purpose
from domain.errors import PitcallError
from domain.notices import NoticeKind
from domain.owners import LinkPurpose, Owner
from domain.papers import Paper
from domain.quotes import Quote
from notifier.owners.inviting import Selection, select
from notifier.owners.links import new_link
from notifier.owners.notices import Owners, Reader, car_name, same_text, told
from notifier.owners.segments import VISITED, Rfm, rfm, visits_of

if TYPE_CHECKING:  # the API imports this module
    from web.api.ports import WebStore


class CampaignError(PitcallError):
    """The campaign cannot be sent like this; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a campaign went: owners by outcome ("sent", "call", "no_consent" …)."""

    counts: tuple[tuple[str, int], ...]


def scored(store: WebStore, now_ns: int) -> tuple[Rfm, ...]:
    """Every vehicle's scores and segment."""
    quotes = {quote.id: quote for quote in store.papers(Quote)}
    orders = store.orders(kind="service", state=VISITED)
    return rfm(visits_of((vehicle.id for vehicle in store.vehicles()), orders, quotes, now_ns), now_ns)


def previewed(store: WebStore, campaign: Campaign, now_ns: int) -> Selection:
    """Whom the campaign would invite now; whom it has invited already counts towards its limit."""
    invitations = store.papers(Invitation)
    begun = sum(each.campaign == campaign.id for each in invitations)
    return select(
        replace(campaign, limit=max(0, campaign.limit - begun)),
        scored(store, now_ns),
        {vehicle.id: vehicle for vehicle in store.vehicles()},
        lambda vehicle: store.paper(Owner, vehicle) or Owner(vehicle=vehicle),
        store.consents,
        invitations,
        now_ns,
    )


def send(store: WebStore, campaign: Campaign, mark: str, owners: Owners, benefits: Benefits) -> Sent:
    """Invite those whom the preview of this mark showed; an invitation, its message and its benefit are one transaction.

    Sent again after it broke off, it goes on with those who are still to be invited, whatever the mark.

    Raises:
        CampaignError: it was sent, or the preview is not that of now.
    """
    begun = any(each.campaign == campaign.id for each in store.papers(Invitation))
    selection = previewed(store, campaign, owners.clock())
    if campaign.state is not CampaignState.DRAFT:
        raise CampaignError("The campaign has been sent.")
    if selection.mark != mark and not begun:
        raise CampaignError("Others would be invited by now: look at the preview again.")
    counts = Counter(_invite(store, campaign, vehicle, owners, benefits) for vehicle in selection.vehicles)
    store.change_paper(campaign, replace(campaign, state=CampaignState.SENT))
    return Sent(counts=tuple(sorted(counts.items())))


def campaign_id(title: str, author: str, now_ns: int) -> str:
    """Id of a new campaign."""
    return hashlib.sha256(f"campaign/{title}/{author}/{now_ns}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _invite(store: WebStore, campaign: Campaign, vehicle_id: str, owners: Owners, benefits: Benefits) -> str:
    vehicle, now_ns = store.vehicle(vehicle_id), owners.clock()
    assert vehicle is not None
    reader = Reader(
        vehicle=vehicle,
        owner=store.paper(Owner, vehicle_id) or Owner(vehicle=vehicle_id),
        consents=store.consents(vehicle_id),
        ways=owners.ways,
    )
    link = new_link(LinkPurpose.BOOK, vehicle=vehicle_id, order="", version=0, now_ns=now_ns)
    words = {
        "car": car_name(vehicle),
        "offer": campaign.title,
        "about": campaign.about,
        "link": same_text(owners.address_of(link)),
    }
    filled = owners.words[NoticeKind.INVITATION].filled(words)
    notice = told(
        NoticeKind.INVITATION, filled, Purpose.INVITATION, reader, about=campaign.id, number=0, link=link, now_ns=now_ns
    )
    if not notice.outbox and notice.call is None:
        return notice.outcome.value
    beside: list[Paper] = [paper for paper in (notice.link, notice.call, _grant(campaign, vehicle_id, benefits, now_ns)) if paper]
    invitation = Invitation(campaign=campaign.id, vehicle=vehicle_id, state=notice.outcome.value, created_ns=now_ns)
    made = store.change_paper(None, invitation, beside=beside, outbox=notice.outbox)
    return notice.outcome.value if made else "invited_before"


def _grant(campaign: Campaign, vehicle: str, benefits: Benefits, now_ns: int) -> Grant | None:
    offer = next((each for each in benefits.offers() if each.id == campaign.benefit), None)
    if offer is None:
        return None
    return Grant(
        id=f"{campaign.id}:{vehicle}",
        vehicle=vehicle,
        offer=offer.id,
        left=offer.units,
        author=campaign.author,
        created_ns=now_ns,
        due_ns=campaign.benefit_until_ns,
    )
