"""Links for owners: one purpose each, signed, short-lived, and revocable.

A token is `PAYLOAD.SIGNATURE`, both base64url without padding: the payload a JSON array [id, purpose, order, version, end in Unix
seconds], the signature HMAC-SHA256 over the payload's text. The key is derived from the service's pseudonym key, so that no further
secret is to be kept. A token alone opens nothing: the row of its id (`domain.owners.OwnerLink`) must be there and still hold.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from enum import StrEnum

from domain.owners import LinkPurpose, LinkState, OwnerLink

LONGEST_NS = 72 * 3600 * 1_000_000_000
"""No link lasts longer."""
_LONGEST_TOKEN = 512
_SECOND_NS = 1_000_000_000


def new_link(
    purpose: LinkPurpose, *, vehicle: str, order: str, version: int, now_ns: int, lasts_ns: int = LONGEST_NS
) -> OwnerLink:
    """A link from now on; the same for the same purpose, order, version and times, so that making it again makes no second one.

    Args:
        order: "" for a link about the vehicle alone. version: of the quote it is for, else 0.
        now_ns: wall time. lasts_ns: at most `LONGEST_NS`.
    """
    ends_ns = now_ns + min(lasts_ns, LONGEST_NS)
    text = "\x1f".join(("link", purpose, vehicle, order, str(version), str(now_ns), str(ends_ns)))
    return OwnerLink(
        id=hashlib.sha256(text.encode()).hexdigest()[:24],
        purpose=purpose,
        vehicle=vehicle,
        order=order,
        version=version,
        created_ns=now_ns,
        due_ns=ends_ns - ends_ns % _SECOND_NS,
    )


class LinkVerdict(StrEnum):
    """What a token opens."""

    GOOD = "good"
    USED = "used"
    """It shows the order, and changes nothing any more."""
    INVALID = "invalid"
    """Not ours, or altered."""
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def shows(self) -> bool:
        """The page may be seen."""
        return self in (LinkVerdict.GOOD, LinkVerdict.USED)


@dataclass(frozen=True, slots=True)
class LinkClaim:
    """What a token with a right signature says."""

    id: str
    purpose: str
    order: str
    version: int
    ends_s: int


class LinkSigner:
    """Makes and reads tokens.

    Args:
        key: secret of the service.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.new(key, b"pitcall owner links 1", hashlib.sha256).digest()

    def token(self, link: OwnerLink) -> str:
        """The token of a link."""
        payload = _encoded(json.dumps(list(_said(link)), separators=(",", ":")).encode())
        return f"{payload}.{self._signature(payload)}"

    def claim(self, token: str) -> LinkClaim | None:
        """What a token says; None where its signature is not ours. Never raises, whatever the text."""
        payload, _, signature = token.partition(".")
        if len(token) > _LONGEST_TOKEN or not token.isascii() or not hmac.compare_digest(self._signature(payload), signature):
            return None
        try:
            return LinkClaim(*json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
        except (binascii.Error, ValueError, TypeError):
            return None

    def _signature(self, payload: str) -> str:
        return _encoded(hmac.new(self._key, payload.encode("ascii", "replace"), hashlib.sha256).digest())


def judge_link(claim: LinkClaim | None, link: OwnerLink | None, now_ns: int) -> LinkVerdict:
    """What may be done with a token now.

    Args:
        claim: of the token. link: the row of the claim's id. now_ns: wall time.
    """
    if claim is None or link is None or (claim.id, claim.purpose, claim.order, claim.version, claim.ends_s) != _said(link):
        return LinkVerdict.INVALID
    if link.state is LinkState.REVOKED:
        return LinkVerdict.REVOKED
    if now_ns >= link.due_ns:
        return LinkVerdict.EXPIRED
    return LinkVerdict.USED if link.state is LinkState.USED else LinkVerdict.GOOD


def _said(link: OwnerLink) -> tuple[str, str, str, int, int]:
    return link.id, link.purpose.value, link.order, link.version, link.due_ns // _SECOND_NS


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
