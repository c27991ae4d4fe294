"""Compressed recordings, told by their first bytes and read as far as they go: a logger that lost power leaves half a file, and
what came before is good.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol, cast

from isal import igzip_lib, isal_zlib

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_READ_BYTES = 1 << 16
_PIECE_BYTES = 1 << 13
_BROKEN = cast("type[Exception]", igzip_lib.IsalError)
"""What isal raises; its stubs call it an instance."""
_GZIP_WINDOW = 31
"""zlib's number for "a gzip header, and the largest window"."""
_UNPACKED_IN_MEMORY = 1 << 24


class Inflated(Protocol):
    """A decompressed stream; `truncated` tells that it ended too early or was damaged."""

    truncated: bool

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, fewer only at the end."""


def inflated(stored: BinaryIO) -> Inflated | None:
    """The content of a gzip or zstd file that begins here; None, with nothing read, where it is not compressed."""
    head = stored.read(4)
    stored.seek(-len(head), 1)
    if head.startswith(GZIP_MAGIC):
        return GzipStream(stored)
    return ZstdStream(stored) if head == ZSTD_MAGIC else None


def unpacked(stream: Inflated) -> BinaryIO:
    """All of a stream as a temporary file (in memory while it is small), for formats that must seek."""
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_UNPACKED_IN_MEMORY))  # noqa: SIM115 -- the caller closes it
    while piece := stream.read(1 << 20):
        file.write(piece)
    file.seek(0)
    return file


class ZlibBlock:
    """One zlib stream that is wholly at hand.

    Where it ends too early, what came before is given; where it is damaged, which its check sum tells, nothing of the last piece
    is: past the damage it would be wrong without a sign.

    Attributes:
        damaged: it broke off or is damaged; known when the pieces are through.
        rest: the bytes after its end; empty where it has no end.
    """

    def __init__(self, content: bytes) -> None:
        self.damaged = False
        self.rest = b""
        self._content = content

    def pieces(self, piece_bytes: int) -> Iterator[bytes]:
        """The unpacked bytes, at most so many at a time."""
        inflate = isal_zlib.decompressobj()
        packed = self._content
        try:
            while not inflate.eof and (piece := inflate.decompress(packed, piece_bytes)):
                yield piece
                packed = inflate.unconsumed_tail
        except _BROKEN:
            self.damaged = True
        else:
            self.damaged = not inflate.eof
            self.rest = inflate.unused_data


class GzipStream:
    """Decompresses a gzip stream of one or more members."""

    def __init__(self, stored: BinaryIO) -> None:
        self.truncated = False
        self._stored = stored
        self._inflate = isal_zlib.decompressobj(_GZIP_WINDOW)
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
            self._inflate = isal_zlib.decompressobj(_GZIP_WINDOW)
        packed = self._packed or self._stored.read(_READ_BYTES)
        try:
            piece = self._inflate.decompress(packed, size)
        except _BROKEN:
            self._ended = self.truncated = True
            return b""
        self._packed = self._inflate.unused_data or self._inflate.unconsumed_tail
        if not packed and not piece and not self._inflate.eof:
            self._ended = self.truncated = True
        return piece


class ZstdStream:
    """Decompresses a zstd stream of one or more frames."""

    def __init__(self, stored: BinaryIO) -> None:
        import pyarrow as pa

        self.truncated = False
        # the file is ours to close, not Arrow's
        self._stream: Any = pa.CompressedInputStream(pa.PythonFile(_Unclosing(stored), mode="r"), "zstd")
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        pieces: list[bytes] = []
        wanted = size
        while wanted > 0 and not self._ended:
            try:
                # what Arrow has unpacked of a piece in which the stream breaks off is lost: small pieces lose little
                piece: bytes = self._stream.read(min(wanted, _PIECE_BYTES))
            except OSError:
                self.truncated, piece = True, b""
            self._ended = not piece
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)


class _Unclosing:
    """A file that is only read through this."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell = file.read, file.tell

    def close(self) -> None:
        """Leave the file open: it is not ours."""
