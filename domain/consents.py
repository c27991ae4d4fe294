"""What the owner of a vehicle has agreed to: statements by purpose and channel, of which the latest counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What something is done for; each is agreed to by itself."""

    SERVICE = "service"
    """Have a fault seen to."""
    MAINTENANCE = "maintenance"
    """What a maintenance plan or a recall asks for."""
    RESCUE = "rescue"
    LOCATION = "location"
    """Tell a dealer or rescue partner where the vehicle is."""
    INVITATION = "invitation"
    """Offers that no fault and no plan asks for."""
    SURVEY = "survey"
    """Questions after a visit."""


class ConsentChannel(StrEnum):
    """How: by acting without asking first, or by which way the owner may be addressed."""

    ORDER = "order"
    """A standing consent: an order for the purpose goes to a dealer, and what the purpose needs is done, without a question before."""
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    MESSENGER = "messenger"
    APP = "app"
    CAR = "car"
    """The display of the vehicle."""


class ConsentBasis(StrEnum):
    """What a statement rests on."""

    CONSENT = "consent"
    CONTRACT = "contract"
    VITAL_INTEREST = "vital_interest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One statement; every one is kept, the latest of a (vehicle, purpose, channel) counts.

    Attributes:
        vehicle: pseudonym. given: False = not given, or withdrawn. time_ns: when it was made (wall time).
        until_ns: given until then (excluded), None for no end. by: who made it ("owner", an agent's name), no personal data.
    """

    vehicle: str
    purpose: Purpose
    channel: ConsentChannel
    given: bool
    time_ns: int
    until_ns: int | None = None
    basis: ConsentBasis = ConsentBasis.CONSENT
    by: str = "owner"


class ConsentVerdict(StrEnum):
    """Whether something may be done."""

    GIVEN = "given"
    OPERATOR = "operator"
    """Nobody ever stated anything for this vehicle: it has no owner of its own but a fleet's operator, who agreed to all by running it here."""
    NOT_GIVEN = "not_given"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def agrees(self) -> bool:
        """It may be done."""
        return self in (ConsentVerdict.GIVEN, ConsentVerdict.OPERATOR)


def consent_verdict(consents: Iterable[Consent], purpose: Purpose, channel: ConsentChannel, time_ns: int) -> ConsentVerdict:
    """Whether this may be done for this purpose.

    A statement counts from when it is known, also for what a vehicle recorded before; only its end is compared with `time_ns`.

    Args:
        consents: all statements for one vehicle.
        time_ns: of what is to be done.
    """
    known = list(consents)
    if not known:
        return ConsentVerdict.OPERATOR
    own = [each for each in known if (each.purpose, each.channel) == (purpose, channel)]
    if not own:
        return ConsentVerdict.NOT_GIVEN
    latest = max(own, key=lambda each: each.time_ns)
    if not latest.given:
        return ConsentVerdict.WITHDRAWN if any(each.given for each in own) else ConsentVerdict.NOT_GIVEN
    if latest.until_ns is not None and latest.until_ns <= time_ns:
        return ConsentVerdict.EXPIRED
    return ConsentVerdict.GIVEN
