"""Recorded packets of GB/T 32960 and of trucks (GB 17691, HJ 1239): as bytes one after another, or as lines of hexadecimal digits.

    23 23 02 FE 4C 53 …          bytes: what a TCP port received, in which damage is stepped over to the next good packet
    2026-01-05 10:00:00 232302fe4c53…    text: one packet a line, digits with or without blanks, after anything else

A file is one vehicle's, whoever its VINs say: the caller knows whose it is. Packets of other VINs than the first are counted
("other_vin"). Packets without a time (heartbeats) have that of the packet before them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from domain.ports import Jit
from ingest.gbt32960.packet import MAX_PACKET_BYTES, Damaged, masked, split_packets, without_vin
from ingest.gbt32960.rows import BUSES, PacketRow, packet_columns, packet_rows, read_packets
from ingest.logs.log_format import Block, ByteStream, DamagedPart, MalformedLine

OTHER_VIN = "other_vin"
_HEX = re.compile(rb"(?:0x)?(?:23[ ,]?23|24[ ,]?24)(?:[ ,]?[0-9A-Fa-f]{2}){22,}")
_SNIFF_LINES = 50
_MAX_LINE = 4 * MAX_PACKET_BYTES


class PacketLog:
    """The format `ingest.logs.open_log` knows as gbt32960."""

    name = "gbt32960"

    def recognises(self, head: bytes) -> bool:
        """A good packet among the first bytes or lines; or, where the first packet is larger, what begins like one."""
        split = split_packets(head, is_final=False)
        if split.packets:
            return True
        return any(_packets_of_line(line)[0] for line in head.splitlines()[:_SNIFF_LINES])

    def blocks(self, stream: ByteStream, *, block_bytes: int, jit: Jit) -> Iterator[Block]:  # noqa: ARG002  # nothing here is worth compiling
        """Packets of about `block_bytes` at a time."""
        reader = _Reader()
        first = stream.read(block_bytes)
        as_text = not split_packets(first[:_MAX_LINE], is_final=False).packets and _HEX.search(first) is not None
        yield from (
            _text_blocks(stream, first, block_bytes, reader) if as_text else _binary_blocks(stream, first, block_bytes, reader)
        )


class _Reader:
    """Carries the last time and the first VIN from block to block."""

    def __init__(self) -> None:
        self._last_ns = 0
        self._vin = ""

    def block(
        self, rows: Sequence[PacketRow], *, damaged: Sequence[DamagedPart] = (), malformed: Sequence[MalformedLine] = ()
    ) -> Block:
        """The rows as a block."""
        times, timeless, others = [], 0, 0
        for row in rows:
            timeless += row.time_ns is None
            self._last_ns = self._last_ns if row.time_ns is None else row.time_ns
            self._vin = self._vin or row.vin
            others += row.vin not in ("", self._vin)
            times.append(self._last_ns)
        columns = packet_columns([replace(row, packet=without_vin(row.packet)) for row in rows], times)
        return Block(
            buses=BUSES,
            time_ns=columns.time_ns,
            bus=columns.bus,
            can_id=columns.can_id,
            length=columns.length,
            flags=columns.flags,
            payload=columns.payload,
            arena_offset=columns.arena_offset,
            arena=columns.arena,
            malformed=tuple(malformed),
            damaged=tuple(damaged),
            timeless=timeless,
            anomalies=Counter({OTHER_VIN: others}),
        )


def _binary_blocks(stream: ByteStream, first: bytes, block_bytes: int, reader: _Reader) -> Iterator[Block]:
    rest, offset, piece = b"", 0, first
    while piece:
        data = rest + piece
        piece = stream.read(block_bytes)
        split = split_packets(data, is_final=not piece)
        rows = [row for start, end in split.packets for row in packet_rows(data[start:end])]
        yield reader.block(rows, damaged=[_part(bad, offset) for bad in split.damaged])
        rest = data[split.rest :]
        offset += split.rest


def _part(bad: Damaged, offset: int) -> DamagedPart:
    return DamagedPart(offset=offset + bad.offset, detail=f"{bad.reason} ({bad.size} bytes)", content=bad.content)


def _text_blocks(stream: ByteStream, first: bytes, block_bytes: int, reader: _Reader) -> Iterator[Block]:
    rest, number, piece = b"", 0, first
    while piece or rest:
        cut = piece.rfind(b"\n") + 1 if piece else 0
        if piece and not cut and len(rest) < _MAX_LINE:
            rest, piece = rest + piece, stream.read(block_bytes)
            continue
        text = rest + piece[:cut] if cut else rest + piece
        rest, piece = (piece[cut:] if cut else b""), stream.read(block_bytes)
        rows: list[PacketRow] = []
        malformed: list[MalformedLine] = []
        for line in text.splitlines():
            number += 1
            found, is_whole = _packets_of_line(line)
            rows += found
            if line.strip() and not is_whole:
                malformed.append(MalformedLine(line=number, content=_masked_line(line)))
        yield reader.block(rows, malformed=malformed)


def _packets_of_line(line: bytes) -> tuple[list[PacketRow], bool]:
    """The packets of a line, and whether its digits are nothing but packets."""
    match = _HEX.search(line)
    if match is None:
        return [], False
    digits = re.sub(rb"0x|[ ,]", b"", match[0])
    rows, damaged = read_packets(bytes.fromhex(digits.decode("ascii")))
    return rows, bool(rows) and not damaged


def _masked_line(line: bytes) -> bytes:
    """Digits of a damaged packet without the VIN's serial number."""
    match = _HEX.search(line)
    if match is None:
        return masked(line)
    data = bytes.fromhex(re.sub(rb"0x|[ ,]", b"", match[0]).decode("ascii"))
    return line[: match.start()] + masked(data).hex().encode() + line[match.end() :]
