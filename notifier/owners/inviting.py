"""Whom a campaign invites, and why it does not invite the others: a pure decision, the same for the preview and for sending."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.campaigns import Campaign, Invitation
from domain.consents import Consent, ConsentChannel, ConsentVerdict, Purpose, consent_verdict
from domain.fleet import Vehicle
from domain.owners import Owner
from notifier.owners.segments import DAY_NS, Rfm


class Invited(StrEnum):
    """Whether a vehicle's owner is invited."""

    INVITED = "invited"
    NOT_MEANT = "not_meant"
    """Another segment, brand or model."""
    NO_CONSENT = "no_consent"
    CAPPED = "capped"
    """Invited not long ago."""
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Vehicles to invite, sorted, and how many were not, by reason. `mark`: the same for the same vehicles."""

    vehicles: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]

    @property
    def mark(self) -> str:
        """What a preview is known by."""
        return hashlib.sha256("\n".join(self.vehicles).encode()).hexdigest()[:16]


def select(
    campaign: Campaign,
    scored: Iterable[Rfm],
    vehicles: Mapping[str, Vehicle],
    owner_of: Callable[[str], Owner],
    consents_of: Callable[[str], Iterable[Consent]],
    invitations: Iterable[Invitation],
    now_ns: int,
) -> Selection:
    """Whom the campaign invites now. Where there are more than its limit, those who have spent most come first.

    Args:
        vehicles: by id. owner_of, consents_of: asked only about vehicles that are meant. invitations: by all campaigns.
    """
    recent = {each.vehicle for each in invitations if each.created_ns > now_ns - campaign.cap_days * DAY_NS}
    counts: Counter[str] = Counter()
    found: list[Rfm] = []
    for each in scored:
        verdict = _verdict(campaign, each, vehicles.get(each.vehicle), recent)
        if verdict is Invited.INVITED and not _may_be_addressed(owner_of(each.vehicle), consents_of(each.vehicle), now_ns):
            verdict = Invited.NO_CONSENT
        counts[verdict.value] += 1
        if verdict is Invited.INVITED:
            found.append(each)
    found.sort(key=lambda each: (-each.money, each.vehicle))
    if len(found) > campaign.limit:
        counts[Invited.OVER_LIMIT.value] = len(found) - campaign.limit
        counts[Invited.INVITED.value] = campaign.limit
    chosen = sorted(each.vehicle for each in found[: campaign.limit])
    return Selection(vehicles=tuple(chosen), counts=tuple(sorted(counts.items())))


def _verdict(campaign: Campaign, scored: Rfm, vehicle: Vehicle | None, recent: set[str]) -> Invited:
    meant = (
        vehicle is not None
        and (not campaign.segments or scored.segment in campaign.segments)
        and (not campaign.brands or vehicle.brand in campaign.brands)
        and (not campaign.models or vehicle.model in campaign.models)
    )
    if not meant:
        return Invited.NOT_MEANT
    return Invited.CAPPED if scored.vehicle in recent else Invited.INVITED


def _may_be_addressed(owner: Owner, consents: Iterable[Consent], now_ns: int) -> bool:
    known = list(consents)
    ways = (*owner.channels, ConsentChannel.PHONE)
    return any(consent_verdict(known, Purpose.INVITATION, way, now_ns) is ConsentVerdict.GIVEN for way in ways)
