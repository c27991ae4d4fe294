"""Notes to people who look after models and quality: pushes to the channel that a person sees to, kept like every other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from domain.records import OutboxEvent

BY_HAND = "log"
"""Name of the channel (`notifier.channels.log_file`)."""


def note_event(kind: str, subject: str, recipient: str, body: Mapping[str, Any], now_ns: int) -> OutboxEvent:
    """A note; the same kind about the same subject at the same time is one note."""
    identity = hashlib.sha256(f"{kind}|{subject}|{now_ns}".encode()).hexdigest()[:32]
    text = json.dumps({"id": identity, "type": kind, "subject": subject, "data": body}, ensure_ascii=False, allow_nan=False)
    return OutboxEvent(id=identity, type=kind, subject=subject, recipient=recipient, channel=BY_HAND, body=text, due_ns=now_ns)
