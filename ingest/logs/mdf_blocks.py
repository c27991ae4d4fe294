"""The block tree of an ASAM MDF 4 file: data groups, channel groups, channels and their conversions.

Block layouts: ASAM MDF 4.1 and 4.2 as asammdf 8 has them (`asammdf/blocks/v4_constants.py`). Every block is a header (identifier,
length, number of links), links (addresses in the file) and data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_HEADER = struct.Struct("<4s4xQQ")
_MOST_BYTES = 1 << 20
"""A block of the tree that claims more is damaged."""
_MOST_BLOCKS = 1 << 20
_CHANNEL = struct.Struct("<4B4I")
_GROUP = struct.Struct("<2Q2H4x2I")
_HEAD_ADDRESS = 64
UNFINISHED_LAST_BLOCK = 4
"""Bit of the flags of an unfinalized file: the length of the last data block was not written."""


class BrokenBlockError(Exception):
    """A block that cannot be read; only `ingest.logs` sees it."""

    def __init__(self, address: int, what: str) -> None:
        self.address, self.what = address, what
        super().__init__(address, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block: where it is, what it is called, what it points to (0: nothing), what it holds."""

    address: int
    name: bytes
    links: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Raw -> physical: the number of its kind and its parameters; kinds that give texts have no part in frames."""

    kind: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One field of a record. `bits` is of the whole field, arrays included; `data` is the address of what a variable one points to."""

    name: str
    kind: int
    sync: int
    data_type: int
    bit_offset: int
    byte_offset: int
    bits: int
    data: int
    conversion: Conversion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelGroup:
    """Records of one kind."""

    address: int
    record_id: int
    records: int
    flags: int
    data_bytes: int
    invalidation_bytes: int
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataGroup:
    """Channel groups whose records lie in one stream, each after its record id of `id_bytes`."""

    address: int
    id_bytes: int
    data: int
    groups: tuple[ChannelGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What the file says of itself. `unfinalized`: flags of what its writer could not complete. `damaged`: what cannot be read."""

    start_ns: int
    unfinalized: int
    groups: tuple[DataGroup, ...]
    damaged: tuple[BrokenBlockError, ...]


class BlockReader:
    """Reads blocks of the tree."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.size = stream.seek(0, 2)

    def head(self, address: int) -> tuple[bytes, int, int]:
        """(name, length, number of links).

        Raises:
            BrokenBlockError: no block is here.
        """
        if not 0 < address <= self.size - _HEADER.size:
            raise BrokenBlockError(address, "a link to nowhere")
        self.stream.seek(address)
        name, length, links = _HEADER.unpack(self.stream.read(_HEADER.size))
        if not name.startswith(b"##") or links > _MOST_BYTES // 8:
            raise BrokenBlockError(address, "no block")
        return name, length, links

    def read(self, address: int, *names: bytes) -> Block:
        """The block here, which must be of one of these names.

        Raises:
            BrokenBlockError: it is not, or cannot be.
        """
        name, length, links = self.head(address)
        if name not in names or not _HEADER.size + 8 * links <= length <= _MOST_BYTES:
            raise BrokenBlockError(address, f"not a {names[0].decode()} block")
        content = self.stream.read(length - _HEADER.size)
        if len(content) < length - _HEADER.size:
            raise BrokenBlockError(address, f"a {names[0].decode()} block cut short")
        return Block(address=address, name=name, links=struct.unpack_from(f"<{links}Q", content), data=content[8 * links :])

    def chain(self, address: int, name: bytes, damaged: list[BrokenBlockError]) -> Iterator[Block]:
        """The blocks of a list, each of which points to the next by its first link; the list ends where it is damaged."""
        seen: set[int] = set()
        while address and address not in seen and len(seen) < _MOST_BLOCKS:
            seen.add(address)
            try:
                block = self.read(address, name)
            except BrokenBlockError as problem:
                damaged.append(problem)
                return
            yield block
            address = block.links[0] if block.links else 0


def read_tree(stream: BinaryIO) -> Tree:
    """The block tree.

    Raises:
        BrokenBlockError: the header cannot be read.
    """
    blocks = BlockReader(stream)
    stream.seek(60)
    unfinalized = int.from_bytes(stream.read(2), "little")
    stream.seek(0)
    finished = stream.read(8).startswith(b"MDF ")
    header = blocks.read(_HEAD_ADDRESS, b"##HD")
    damaged: list[BrokenBlockError] = []
    groups = []
    for block in blocks.chain(_link(header, 0), b"##DG", damaged):
        inner = tuple(_channel_groups(blocks, _link(block, 1), damaged))
        id_bytes = block.data[0] if block.data else 0
        groups.append(DataGroup(address=block.address, id_bytes=id_bytes, data=_link(block, 2), groups=inner))
    return Tree(
        start_ns=int.from_bytes(header.data[:8], "little"),
        unfinalized=0 if finished else unfinalized,
        groups=tuple(groups),
        damaged=tuple(damaged),
    )


def _link(block: Block, number: int) -> int:
    return block.links[number] if number < len(block.links) else 0


def _channel_groups(blocks: BlockReader, address: int, damaged: list[BrokenBlockError]) -> Iterator[ChannelGroup]:
    for block in blocks.chain(address, b"##CG", damaged):
        if len(block.data) < _GROUP.size:
            damaged.append(BrokenBlockError(block.address, "a channel group cut short"))
            continue
        record_id, records, flags, _, data_bytes, invalidation_bytes = _GROUP.unpack_from(block.data)
        channels: list[Channel] = []
        _channels(blocks, _link(block, 1), damaged, channels, depth=0)
        yield ChannelGroup(
            address=block.address,
            record_id=record_id,
            records=records,
            flags=flags,
            data_bytes=data_bytes,
            invalidation_bytes=invalidation_bytes,
            channels=tuple(channels),
        )


def _channels(blocks: BlockReader, address: int, damaged: list[BrokenBlockError], found: list[Channel], *, depth: int) -> None:
    """The channels of a list and, in front of each, none; after it, the members it is composed of."""
    for block in blocks.chain(address, b"##CN", damaged):
        if len(block.data) < _CHANNEL.size or len(found) > 4096:
            damaged.append(BrokenBlockError(block.address, "a channel cut short"))
            return
        kind, sync, data_type, bit_offset, byte_offset, bits, _, _ = _CHANNEL.unpack_from(block.data)
        elements = 1
        composed = _link(block, 1)
        try:
            if composed and blocks.head(composed)[0] == b"##CA":
                elements, composed = _array_elements(blocks.read(composed, b"##CA")), 0
            name = _text(blocks, _link(block, 2))
            conversion = _conversion(blocks, _link(block, 4))
        except BrokenBlockError as problem:
            damaged.append(problem)
            continue
        found.append(
            Channel(
                name=name,
                kind=kind,
                sync=sync,
                data_type=data_type,
                bit_offset=bit_offset,
                byte_offset=byte_offset,
                bits=bits * elements,
                data=_link(block, 5),
                conversion=conversion,
            )
        )
        if composed and depth < 4:
            _channels(blocks, composed, damaged, found, depth=depth + 1)


def _array_elements(block: Block) -> int:
    """How many elements an array has, all dimensions together."""
    dimensions = int.from_bytes(block.data[2:4], "little")
    elements = 1
    for size in struct.unpack_from(
        f"<{min(dimensions, max(0, len(block.data) - 16) // 8)}Q", block.data, min(16, len(block.data))
    ):
        elements = min(elements * size, 1 << 16)
    return elements


def _text(blocks: BlockReader, address: int) -> str:
    return blocks.read(address, b"##TX", b"##MD").data.split(b"\0", 1)[0].decode("utf-8", "replace") if address else ""


def _conversion(blocks: BlockReader, address: int) -> Conversion | None:
    if not address:
        return None
    data = blocks.read(address, b"##CC").data
    count = min(int.from_bytes(data[6:8], "little"), max(0, len(data) - 24) // 8)
    return Conversion(kind=data[0] if data else 0, values=struct.unpack_from(f"<{count}d", data, 24) if count else ())
