"""Packets for tests: units of any dialect from raw numbers, packed as the layout says, and batches of packets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from domain.frames import FrameBatch, MessageTable
from domain.signals import SignalGroup
from ingest.gbt32960.decode import packet_groups
from ingest.gbt32960.layout import CodeSection, NumberList, Part, Unit, dialects
from ingest.gbt32960.packet import build_packet
from ingest.gbt32960.rows import BUSES, PacketRow, packet_columns, read_packets

VIN = b"LPCTEST0000000001"
TIME = bytes((25, 6, 1, 12, 30, 0))
TIME_S = 1_748_752_200


def packet(*units: bytes, edition: int = 2016, time: bytes = TIME, command: int = 2, vin: bytes = VIN) -> bytes:
    return build_packet(start=b"##" if edition == 2016 else b"$$", command=command, vin=vin, data=time + b"".join(units))


def truck_packet(*units: bytes, time: bytes = TIME, serial: int = 7, command: int = 2) -> bytes:
    data = time + serial.to_bytes(2, "big") + b"".join(units)
    return build_packet(start=b"##", command=command, vin=VIN, data=data, answer=1, is_truck=True)


def batch(packets: Sequence[bytes | PacketRow]) -> FrameBatch:
    """One vehicle's packets in one batch."""
    rows = [row for one in packets for row in (read_packets(one)[0] if isinstance(one, bytes) else [one])]
    columns = packet_columns(rows, [row.time_ns or 0 for row in rows])
    count = len(rows)
    return FrameBatch(
        vehicles=("v",),
        buses=BUSES,
        messages=MessageTable.single(),
        vehicle=np.zeros(count, np.int32),
        message=np.zeros(count, np.int32),
        index=np.arange(count, dtype=np.int64),
        **{name: getattr(columns, name) for name in type(columns).__slots__},
    )


def decoded(*packets: bytes | PacketRow) -> dict[str, SignalGroup]:
    """Message -> group."""
    return {group.message: group for group in packet_groups(batch(packets), Counter())}


def values(group: SignalGroup, row: int = 0) -> dict[str, float | None]:
    """Signal -> value in one packet, None where it is not valid."""
    return {name: float(group.values[n, row]) if group.valid[n, row] else None for n, name in enumerate(group.names)}


def sliced(frames: FrameBatch, *cuts: int) -> list[FrameBatch]:
    bounds = [0, *cuts, len(frames)]
    return [frames.take(slice(a, b)) for a, b in pairwise(bounds)]


def unit_bytes(unit: Unit, draw: st.DataObject, *, items: int = 2) -> bytes:
    """A unit with drawn raw bytes and consistent counts, without its collection time."""
    out = bytearray([unit.id])
    times = 1
    if unit.count_bytes:
        times = draw.draw(st.integers(0, items), label="items")
        out.append(times)
    for item in range(times):
        for segment in unit.segments:
            out += _segment(segment, draw, item)
    return bytes(out)


def _segment(segment: Part | NumberList | CodeSection, draw: st.DataObject, item: int) -> bytes:
    if isinstance(segment, Part):
        content = bytearray(draw.draw(st.binary(min_size=segment.size, max_size=segment.size), label=segment.message))
        if segment.is_numbered:
            content[0] = item + 1
        return bytes(content)
    count = draw.draw(st.integers(0, 5), label=segment.name)
    return count.to_bytes(segment.count_bytes, "big") + draw.draw(
        st.binary(min_size=count * segment.width, max_size=count * segment.width)
    )


def drawn_units(dialect: str, draw: st.DataObject) -> list[tuple[Unit, bytes]]:
    known = [unit for unit in dialects()[dialect].units.values() if unit.id != 0xFF]
    chosen = draw.draw(st.lists(st.sampled_from(known), max_size=6, unique_by=lambda unit: unit.id), label="units")
    return [(unit, unit_bytes(unit, draw)) for unit in chosen]
