"""The data of an MDF 4 file as one stream of bytes, however it is cut into blocks and packed."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ingest.logs.inflate import ZlibBlock
from ingest.logs.mdf_blocks import BlockReader, BrokenBlockError

_PLAIN = (b"##DT", b"##DV", b"##SD", b"##RD")
_LISTS = (b"##DL", b"##LD")
_ZIP = struct.Struct("<2sBxIQQ")
"""Name of the block packed, kind of packing, columns of the transposition, size unpacked, size packed."""
_DEFLATED, _TRANSPOSED = 0, 1
_HEAD_BYTES = 24
_MOST_UNPACKED = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A piece of the stream: `start` in the stream, `place` in the file; `stored` bytes there give `size` bytes."""

    start: int
    place: int
    stored: int
    size: int
    packing: int | None = None
    columns: int = 0


class DataStream:
    """Random access to the bytes behind a data link. What is damaged is left out and told in `damaged`.

    Attributes:
        values_only: the records carry no invalidation bytes (they lie apart). truncated: the file ends before the data does.
    """

    def __init__(self, blocks: BlockReader, address: int, *, open_ended: bool = False) -> None:
        self.damaged: list[BrokenBlockError] = []
        self.truncated = False
        self.values_only = False
        self._blocks = blocks
        self._parts: list[_Part] = []
        self.size = 0
        self._held: tuple[int, bytes] = (-1, b"")
        try:
            self._index(address, open_ended)
        except BrokenBlockError as problem:
            self.damaged.append(problem)
        self._starts = [part.start for part in self._parts]

    def _index(self, address: int, open_ended: bool) -> None:
        if not address:
            return
        name, _, _ = self._blocks.head(address)
        if name == b"##HL":
            links = self._blocks.read(address, b"##HL").links
            address = links[0] if links else 0
            name = self._blocks.head(address)[0] if address else b""
        if name in _LISTS:
            for block in self._blocks.chain(address, name, self.damaged):
                count = min(int.from_bytes(block.data[4:8], "little"), len(block.links) - 1)
                for link in block.links[1 : 1 + count]:
                    if link:
                        self._add(link, open_ended=False)
        elif name:
            self._add(address, open_ended=open_ended)

    def _add(self, address: int, *, open_ended: bool) -> None:
        try:
            name, length, links = self._blocks.head(address)
        except BrokenBlockError as problem:
            self.damaged.append(problem)
            return
        place = address + _HEAD_BYTES + 8 * links
        there = self._blocks.size - place
        if name == b"##DZ":
            self._add_packed(address, place, there)
        elif name in _PLAIN:
            size = length - (place - address)
            if open_ended and (size <= 0 or size > there):
                size = there
            self.truncated |= size > there
            self.values_only |= name == b"##DV"
            size = max(0, min(size, there))
            self._parts.append(_Part(start=self.size, place=place, stored=size, size=size))
            self.size += size
        else:
            self.damaged.append(BrokenBlockError(address, "not a data block"))

    def _add_packed(self, address: int, place: int, there: int) -> None:
        head = self._blocks.stream.read(_ZIP.size)
        if len(head) < _ZIP.size:
            self.truncated = True
            return
        name, packing, columns, size, stored = _ZIP.unpack(head)
        there -= _ZIP.size
        self.truncated |= stored > there
        self.values_only |= name == b"DV"
        if size > _MOST_UNPACKED:
            self.damaged.append(BrokenBlockError(address, "a packed block of impossible size"))
            return
        self._parts.append(
            _Part(
                start=self.size,
                place=place + _ZIP.size,
                stored=max(0, min(stored, there)),
                size=size,
                packing=packing,
                columns=columns,
            )
        )
        self.size += size

    def pieces(self, piece_bytes: int) -> Iterator[tuple[int, bytes]]:
        """(position, bytes) from the front in pieces of about this size; a position that is not where the last piece ended is a gap."""
        held: list[bytes] = []
        begin = end = 0
        for number, part in enumerate(self._parts):
            for at in range(0, part.size, piece_bytes) if part.packing is None else (0,):
                content = self._content(number, at, min(part.size - at, piece_bytes) if part.packing is None else part.size)
                if held and (part.start + at != end or end - begin >= piece_bytes):
                    yield begin, b"".join(held)
                    held = []
                if not held:
                    begin = part.start + at
                if content:
                    held.append(content)
                end = part.start + at + len(content)
        if held:
            yield begin, b"".join(held)

    def read(self, start: int, size: int) -> bytes:
        """These bytes, as far as they are there without a gap."""
        found: list[bytes] = []
        end = min(start + size, self.size)
        number = bisect_right(self._starts, start) - 1
        while start < end and 0 <= number < len(self._parts):
            part = self._parts[number]
            content = self._content(number, start - part.start, min(end, part.start + part.size) - start)
            found.append(content)
            start += len(content)
            if start < part.start + part.size:
                break
            number += 1
        return b"".join(found)

    def _content(self, number: int, at: int, size: int) -> bytes:
        part = self._parts[number]
        if part.packing is None:
            self._blocks.stream.seek(part.place + at)
            return self._blocks.stream.read(size)
        if self._held[0] != number:
            self._held = number, self._unpack(part)
        return self._held[1][at : at + size]

    def _unpack(self, part: _Part) -> bytes:
        if part.packing not in (_DEFLATED, _TRANSPOSED):
            self.damaged.append(BrokenBlockError(part.place, f"a block of unknown packing {part.packing}"))
            return b""
        self._blocks.stream.seek(part.place)
        block = ZlibBlock(self._blocks.stream.read(part.stored))
        content = b""
        # one byte more than is wanted, so that the check sum behind the last byte is read too
        for piece in block.pieces(part.size + 1):
            content += piece
            if len(content) > part.size:
                content = b""
                break
        missing = part.size - len(content)
        if missing:
            self.damaged.append(BrokenBlockError(part.place, "a packed block that is damaged"))
            if part.place + part.stored < self._blocks.size:
                return b""  # the file goes on behind it, so that it is not merely cut short: what it gave may be wrong
        if part.packing == _TRANSPOSED and part.columns > 1:
            if missing:
                return b""  # columns that are not complete make no records
            whole = len(content) // part.columns * part.columns
            table = np.frombuffer(content[:whole], np.uint8).reshape(part.columns, -1)
            content = table.T.tobytes() + content[whole:]
        return content
