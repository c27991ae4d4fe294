"""Whether an order may go to a dealer by itself, or waits for its owner's word."""

from __future__ import annotations

from collections.abc import Iterable

from domain.consents import Consent, ConsentChannel, ConsentVerdict, Purpose, consent_verdict
from domain.orders import OrderKind

CARE_GROUP = "care"
"""Group of care visits: of what a maintenance plan or a campaign asks for."""


def purpose_of(kind: OrderKind, group_key: str) -> Purpose:
    """What the owner agrees to by agreeing to an order of this kind for this group."""
    if kind is OrderKind.RESCUE:
        return Purpose.RESCUE
    return Purpose.MAINTENANCE if group_key == CARE_GROUP else Purpose.SERVICE


def standing_consent(kind: OrderKind, group_key: str, consents: Iterable[Consent], time_ns: int) -> ConsentVerdict:
    """Whether such an order goes to a dealer without asking the owner.

    Args:
        consents: all statements for the vehicle. time_ns: of the decision.
    """
    return consent_verdict(consents, purpose_of(kind, group_key), ConsentChannel.ORDER, time_ns)
