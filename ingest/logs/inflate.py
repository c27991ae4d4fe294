"""Gzip streams read as far as they go: a logger that lost power leaves half a file, and what came before is good."""

from __future__ import annotations

import zlib
from typing import BinaryIO

GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 18
_GZIP_WINDOW = 31
"""zlib's number for "a gzip header, and the largest window"."""


class InflatedStream:
    """Decompresses a gzip stream of one or more members; `truncated` tells that it ended too early or was damaged."""

    def __init__(self, stored: BinaryIO) -> None:
        self.truncated = False
        self._stored = stored
        self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        self._packed = b""
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        pieces: list[bytes] = []
        wanted = size
        while wanted > 0 and not self._ended:
            piece = self._next(wanted)
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def _next(self, size: int) -> bytes:
        if self._inflate.eof:
            # another member may follow; zero bytes are padding
            self._packed = self._packed.lstrip(b"\0") or self._stored.read(_READ_BYTES).lstrip(b"\0")
            if not self._packed.startswith(GZIP_MAGIC):
                self._ended = True
                return b""
            self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        packed = self._packed or self._stored.read(_READ_BYTES)
        try:
            piece = self._inflate.decompress(packed, size)
        except zlib.error:
            self._ended = self.truncated = True
            return b""
        self._packed = self._inflate.unused_data or self._inflate.unconsumed_tail
        if not packed and not piece and not self._inflate.eof:
            self._ended = self.truncated = True
        return piece
