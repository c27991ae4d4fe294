"""A message that could not be used, wrapped so that it can be read again later: in the content of its dead letter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.records import DeadLetter
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.wire.joining import MessageRows

KEPT_BYTES = 64 * 1024
"""Of a message that cannot be used: whoever sends garbage must not fill the disk with it."""
LETTER_HEAD = b"pitcall message "


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message with what is needed to read it again. Device and vehicle are pseudonyms."""

    origin: str
    fields: Mapping[str, str]
    device: str
    vehicle: str
    payload: bytes
    received_ns: int

    def closed(self, reason: str, detail: str, items: Iterable[int] | None = None, vehicle: str = "") -> DeadLetter:
        """The dead letter; the same message gives the same id."""
        head: dict[str, Any] = {"received_ns": self.received_ns, "fields": self.fields}
        if self.device:
            head["device"] = self.device
        if items is not None:
            head["items"] = sorted(items)
        cut = len(self.payload) > KEPT_BYTES
        if cut:
            head["cut"] = True
            detail += f"; the first {KEPT_BYTES} bytes of {len(self.payload)} are kept"
        known = vehicle or self.vehicle
        key = f"{self.origin}\0{self.device}\0{known}\0{json.dumps(dict(self.fields), sort_keys=True)}\0{head.get('items')}\0"
        return DeadLetter(
            id=hashlib.sha256(key.encode("utf-8", "replace") + self.payload).hexdigest()[:32],
            origin=self.origin,
            position=min(items) if items is not None else 0,
            reason=reason,
            detail=detail,
            content=LETTER_HEAD + json.dumps(head).encode() + b"\n" + self.payload[:KEPT_BYTES],
            vehicle=known,
            time_ns=self.received_ns,
        )

    def of_items(self, refused: Mapping[int, str], vehicle: str) -> DeadLetter:
        """The letter of a message of which some items could not be used; a replay reads these alone."""
        first = min(refused)
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        return self.closed(Reason.BAD_ITEM, f"item {first}: {refused[first]}{more}", refused, vehicle)

    @staticmethod
    def open(letter: DeadLetter) -> tuple[Envelope, frozenset[int] | None] | None:
        """The message of a dead letter and the items to read; None where it holds none, or not all of it was kept."""
        line, _, payload = letter.content.partition(b"\n")
        if not line.startswith(LETTER_HEAD):
            return None
        try:
            head = json.loads(line.removeprefix(LETTER_HEAD))
            if head.get("cut"):
                return None
            items = None if head.get("items") is None else frozenset(int(each) for each in head["items"])
            envelope = Envelope(
                origin=letter.origin,
                fields={str(name): str(value) for name, value in head["fields"].items()},
                device=str(head.get("device", "")),
                vehicle=letter.vehicle,
                payload=payload,
                received_ns=int(head["received_ns"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return envelope, items


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage:
    """What a message said: rows, a letter for what could not be used, both, or neither."""

    envelope: Envelope
    rows: MessageRows | None = None
    letter: DeadLetter | None = None

    @property
    def is_nothing(self) -> bool:
        """It can be acknowledged at once."""
        return self.rows is None and self.letter is None

    def refused(self, error: RefusedMessageError) -> DeadLetter:
        """The letter of a message that was read and cannot be used all the same."""
        return self.envelope.closed(error.reason, error.detail)
