"""Signatures of the Standard Webhooks specification: HMAC-SHA256 (`v1`) and ed25519 (`v1a`), several at once while keys rotate."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from domain.errors import DeliveryError

HMAC, ED25519 = "whsec_", "whsk_"
FRESH_S = 300
"""A message older or younger than this may be one that somebody sends again."""
MOST_SIGNATURES = 10
_HMAC_BYTES = range(24, 65)
_ED25519_BYTES = (32, 64)
"""The seed alone, or with the public key behind it."""


def signatures(keys: str, name: str, identifier: str, seconds: int, body: str) -> str:
    """The value of `webhook-signature`: one signature per key, newest key first.

    Args:
        keys: `whsec_…` (24 to 64 bytes in base64) or `whsk_…` (an ed25519 private key), several with spaces between: while a
            recipient changes over from one to the other, either of them verifies.
        name: of the secret, for errors. identifier: webhook-id. seconds: webhook-timestamp. body: as sent.

    Raises:
        DeliveryError: a key is not one of these; it is not told.
    """
    signed = [_sign(key, identifier, seconds, body) for key in keys.split()]
    if not signed or None in signed:
        raise DeliveryError(
            f"{name!r} is not a valid signing secret (whsec_ and 24 to 64 bytes in base64, or whsk_ and an ed25519 key)"
        )
    return " ".join(signature for signature in signed if signature)


def is_signed(keys: str, identifier: str, timestamp: str, signature: str, body: bytes, now_ns: int) -> bool:
    """Whether a message to us bears the HMAC of one of our shared secrets (`whsec_…`) and is fresh.

    Args:
        keys: as in `signatures`; private ed25519 keys, which nobody else has, are passed over.
        identifier, timestamp, signature: the three headers, as they came. now_ns: wall time.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and identifier):
        return False
    if abs(now_ns // 1_000_000_000 - int(timestamp)) > FRESH_S:
        return False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    expected = [_sign(key, identifier, int(timestamp), text) for key in keys.split() if not key.startswith(ED25519)]
    given = [each.encode("utf-8", "replace") for each in signature.split()[:MOST_SIGNATURES]]
    return any(hmac.compare_digest(own.encode(), each) for own in expected if own for each in given)


def _sign(key: str, identifier: str, seconds: int, body: str) -> str | None:
    try:
        plain = key.removeprefix(ED25519).removeprefix(HMAC)
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return None
    if key.startswith(ED25519):
        if len(secret) not in _ED25519_BYTES:
            return None
        signature = Ed25519PrivateKey.from_private_bytes(secret[:32]).sign(f"{identifier}.{seconds}.{body}".encode())
        return f"v1a,{base64.b64encode(signature).decode()}"
    if len(secret) not in _HMAC_BYTES:
        return None
    return Webhook(secret).sign(identifier, datetime.fromtimestamp(seconds, tz=UTC), body)
