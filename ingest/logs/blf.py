"""Vector BLF recordings (binary logging format): objects "LOBJ" packed in zlib containers, or bare.

Some megabytes of unpacked objects are walked once by a kernel, which finds where they begin; numpy takes the fields of all
objects of a kind at once (`ingest.logs.blf_objects`). There is no public specification: the layouts are those that python-can
4.6 reads and writes (`can/io/blf.py`).

Bus names are Vector's channel numbers, from 1 (python-can counts them from 0). The start of measurement, a date without zone,
is taken as UTC, as python-can does.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from datetime import UTC, datetime

from domain.ports import Jit
from ingest.logs.blf_objects import OBJECT, ObjectReader
from ingest.logs.inflate import ZlibBlock
from ingest.logs.log_format import Block, ByteStream, DamagedPart

_MAGIC = b"LOGG"
_HEADER = struct.Struct("<4sL32x8H")
"""Signature, size of this header, …, start of measurement as year, month, weekday, day, hour, minute, second, millisecond."""
_CONTAINER = struct.Struct("<4sHHLLH14x")
"""Signature, header size, header version, object size, object kind; compression method, …"""
_LOG_CONTAINER = 10
_STORED, _DEFLATED = 0, 2
_MOST_PACKED = 1 << 26
"""A container that claims more is damaged; Vector's hold 128 kB unpacked."""
_MOST_UNPACKED = 1 << 27
_SEARCH = 1 << 16
_SHOWN = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Blf:
    """The format `ingest.logs.open_log` knows as blf."""

    name = "blf"

    def recognises(self, head: bytes) -> bool:
        """By its first four bytes."""
        return head.startswith(_MAGIC)

    def blocks(self, stream: ByteStream, *, block_bytes: int, jit: Jit) -> Iterator[Block]:
        """Frames of about `block_bytes` of unpacked objects at a time."""
        packed = _Window(stream)
        objects = ObjectReader(_start_ns(packed), jit)
        containers = _Containers(packed)
        pieces: list[tuple[int, bytes]] = []
        size = 0
        for offset, piece in containers:
            pieces.append((offset, piece))
            size += len(piece)
            if size >= block_bytes or not piece:
                # what went on into a damaged container has no end
                yield objects.read(pieces, *containers.taken(), last=not piece)
                pieces, size = [], 0
        yield objects.read(pieces, *containers.taken(), last=True)


def _start_ns(packed: _Window) -> int:
    """Pass over the file header; the start of measurement, 0 where there is none."""
    head = packed.peek(_HEADER.size)
    if len(head) < _HEADER.size:
        return 0
    _, size, year, month, _, day, hour, minute, second, milli = _HEADER.unpack(head)
    packed.skip(min(max(size, _HEADER.size), _SEARCH))
    try:
        start = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return 0
    seconds = int((start - _EPOCH).total_seconds())
    return seconds * 1_000_000_000 + min(milli, 999) * 1_000_000 if 1970 <= year <= 2250 else 0


class _Window:
    """Reads a stream forward with a look ahead; `position` is that of the next byte."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._held = b""
        self._at = 0
        self.position = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        if len(self._held) - self._at < size:
            pieces = [self._held[self._at :]]
            missing = size - len(pieces[0])
            while missing > 0 and (piece := self._stream.read(max(missing, 1 << 18))):
                pieces.append(piece)
                missing -= len(piece)
            self._held, self._at = b"".join(pieces), 0
        return self._held[self._at : self._at + size]

    def skip(self, size: int) -> None:
        """Pass over bytes, fewer at the end."""
        size = len(self.peek(size))
        self._at += size
        self.position += size


class _Containers:
    """(offset in the file, unpacked bytes) of the containers in file order; a bare object counts as a container of its own.

    No bytes: here is something that could not be unpacked.
    """

    def __init__(self, packed: _Window) -> None:
        self._packed = packed
        self._damaged: list[DamagedPart] = []
        self._truncated = False

    def taken(self) -> tuple[list[DamagedPart], bool]:
        """Damaged parts since the last call, and whether the file was found to end too early."""
        taken = self._damaged, self._truncated
        self._damaged, self._truncated = [], False
        return taken

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        packed = self._packed
        while head := packed.peek(_CONTAINER.size):
            if not head.startswith(OBJECT):
                self._find_next()
                continue
            _, _, _, size, kind, method = _CONTAINER.unpack(head.ljust(_CONTAINER.size, b"\0"))
            if len(head) < 16 or size < 16 or size > _MOST_PACKED:
                self._note(packed.position, "an object of impossible size", head)
                packed.skip(len(OBJECT))
                continue
            body = packed.peek(size)
            self._truncated |= len(body) < size
            offset = packed.position
            if kind != _LOG_CONTAINER:
                packed.skip(size)
                yield offset, body
            elif method == _DEFLATED:
                for piece in self._unpack(body, whole=len(body) == size):
                    yield offset, piece
            elif method == _STORED:
                packed.skip(size)
                yield offset, body[_CONTAINER.size :]
            else:
                self._note(offset, f"a container of unknown compression {method}", body)
                packed.skip(size)
                yield offset, b""

    def _unpack(self, body: bytes, *, whole: bool) -> Iterator[bytes]:
        packed, start = self._packed, self._packed.position
        block = ZlibBlock(body[_CONTAINER.size :])
        # in one piece, so that nothing of it is given before its check sum is known
        unpacked = list(itertools.islice(block.pieces(_MOST_UNPACKED), 2))
        sound = len(unpacked) < 2 and not (whole and block.damaged)
        if sound:
            yield from unpacked
        # where its size was damaged, the container ended before others that it seemed to hold
        inner = block.rest.find(OBJECT)
        packed.skip(len(body) if inner < 0 else len(body) - len(block.rest) + inner)
        if not sound or (whole and inner >= 0):
            self._note(start, "a damaged container", body)
            yield b""

    def _find_next(self) -> None:
        """Go to the next object, or to the end: over padding, of which no word is made, or over damaged bytes."""
        packed, start = self._packed, self._packed.position
        first = packed.peek(_SHOWN)
        while True:
            ahead = packed.peek(_SEARCH)
            found = ahead.find(OBJECT)
            if found >= 0 or len(ahead) < _SEARCH:
                packed.skip(found if found >= 0 else len(ahead))
                break
            packed.skip(_SEARCH - len(OBJECT) + 1)
        passed = packed.position - start
        if passed > 8 or first[:passed].strip(b"\0"):
            self._note(start, f"{passed} bytes that are no object", first)

    def _note(self, offset: int, detail: str, head: bytes) -> None:
        self._damaged.append(DamagedPart(offset=offset, detail=detail, content=head[:_SHOWN]))
