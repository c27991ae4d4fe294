"""Whole lines from a stream of bytes, in pieces of bounded size, however long a line is; where lines end."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ingest.logs.log_format import ByteStream

MAX_LINE_BYTES = 1 << 16
"""Nothing that any logger writes on one line is as long (a CAN FD frame takes some 400 bytes): a longer line is malformed."""
KEPT_BYTES = 4096
"""So much of a malformed line is kept."""
MOST_KEPT = 10_000
"""Of a block's malformed lines so many are kept, and the rest counted: a file of rubbish must not fill the memory."""
HEAD_BYTES = 1 << 16
"""So much of the beginning decides what a file is and how it is read."""
_LINE_END = re.compile(rb"\n|\r(?![\r\n]|\Z)")
UTF8_MARK = b"\xef\xbb\xbf"


def whole_lines(stream: ByteStream, *, block_bytes: int, lone_return: bool = True) -> Iterator[bytes]:
    """The stream in pieces of about `block_bytes` that end at line ends (the last one may not).

    A line ends with LF, CR LF, or (`lone_return`) a CR that neither follows (old Macintosh and CAR BUS files). Of a line over
    `MAX_LINE_BYTES` only so much is passed on that it still is too long. A UTF-8 byte order mark is left out.
    """
    rest = _after_mark(stream)
    while piece := stream.read(block_bytes):
        if cut := piece.rfind(b"\n") + 1:
            yield b"".join((rest, memoryview(piece)[:cut]))
            rest = piece[cut:]
        else:
            rest += piece
            if lone_return and (cut := _after_lone_return(rest)):
                yield rest[:cut]
                rest = rest[cut:]
        if len(rest) > MAX_LINE_BYTES + 1:
            rest = rest[: MAX_LINE_BYTES + 1] + (b"\r" if rest.endswith(b"\r") else b"")
    if rest:
        yield rest


def _after_mark(stream: ByteStream) -> bytes:
    """The first few bytes, without a byte order mark."""
    first = b""
    while len(first) < len(UTF8_MARK) and (piece := stream.read(len(UTF8_MARK) - len(first))):
        first += piece
    return first.removeprefix(UTF8_MARK)


def _after_lone_return(text: bytes) -> int:
    """The place after the last CR that ends a line by itself, 0 where there is none (the last byte cannot be told yet)."""
    place = text.rfind(b"\r", 0, len(text) - 1)
    while place >= 0 and text[place + 1] in b"\r\n":
        place = text.rfind(b"\r", 0, place)
    return place + 1


def split_lines(text: bytes) -> list[bytes]:
    """The lines of a piece, as `scan_lines` counts them; without line ends."""
    lines = _LINE_END.split(text)
    if not lines[-1]:
        lines.pop()
    return lines


def read_head(stream: ByteStream) -> bytes:
    """The first bytes of a stream; `Rejoined` puts them back."""
    head = b""
    while len(head) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(head))):
        head += piece
    return head


class Rejoined:
    """A stream with its head put back."""

    def __init__(self, head: bytes, stream: ByteStream) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int, /) -> bytes:
        """As the stream alone would."""
        if not self._head:
            return self._stream.read(size)
        piece, self._head = self._head[:size], self._head[size:]
        return piece if len(piece) == size else piece + self._stream.read(size - len(piece))


def line_ends(text: bytes) -> NDArray[np.int64]:
    """Where the lines of a text end: at LF, at a CR that neither LF nor CR follows, and where the text ends."""
    buffer = np.frombuffer(text, np.uint8)
    places = np.flatnonzero(buffer == 10)
    if b"\r" in text and np.count_nonzero(buffer == 13) > np.count_nonzero(buffer[places[places > 0] - 1] == 13):
        returns = np.flatnonzero(buffer[:-1] == 13)
        after = buffer[returns + 1]
        alone = returns[(after != 10) & (after != 13)]
        if len(alone):
            places = np.sort(np.concatenate((places, alone)))
    return places if len(places) and places[-1] == len(text) - 1 else np.append(places, len(text))
