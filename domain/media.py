"""Photos and videos of a visit: what is kept of each, and the contract of where their bytes lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A photo or video of an order's work.

    Attributes:
        line: of the plan or quote that it shows, 0 for none. media_type: as its bytes say. size: bytes. content: SHA-256, 64 hex digits,
            by which the bytes are found. author: who sent it. caption: in their words.
    """

    order: str
    vehicle: str
    line: int
    media_type: str
    size: int
    content: str
    author: str
    caption: str
    created_ns: int

    @property
    def id(self) -> str:
        """The same bytes for the same line of an order are one attachment."""
        return f"{self.order}:{self.line}:{self.content[:24]}"

    @property
    def state(self) -> str:
        """None."""
        return ""

    @property
    def due_ns(self) -> int:
        """None."""
        return 0


class MediaStore(Protocol):
    """Keeps bytes by their SHA-256; raises `domain.errors.StorageError` where it fails."""

    def put(self, data: bytes) -> str:
        """Keep these bytes; gives their SHA-256. Doing it again changes nothing."""

    def get(self, content: str) -> bytes | None:
        """The bytes of this SHA-256, None where there are none or they are not what they were."""


SIGNATURES = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftyp", "video/mp4"),
)
"""(offset, bytes, media type): what is taken; anything that may carry a script (SVG, HTML) is not."""


def media_type_of(data: bytes) -> str:
    """The media type by the first bytes, "" where it is none that is taken; the sender's word does not count."""
    for offset, mark, media_type in SIGNATURES:
        if data[offset : offset + len(mark)] == mark and (media_type != "image/webp" or data.startswith(b"RIFF")):
            return media_type
    return ""
