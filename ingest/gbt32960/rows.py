"""Packets -> rows of a batch: one row for each event time, the packet's bytes in the arena."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameFlag
from ingest.gbt32960.packet import (
    HEADER_BYTES,
    PLAIN,
    TIME_BYTES,
    Command,
    Damaged,
    is_truck,
    split_packets,
    time_of,
    utc_ns,
    vin_of,
    with_check,
)
from ingest.gbt32960.walk import truck_units

BUS = "gbt32960"
TRUCK_BUS = "hj1239"
BUSES = (BUS, TRUCK_BUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRow:
    """One row: `time_ns` is None where the packet tells none (a heartbeat): it happened when it came.

    `vin` is in clear text, for the caller's pseudonym and nothing else. `bus` names the protocol: "gbt32960" or "hj1239".
    """

    time_ns: int | None
    bus: str
    vin: str
    packet: bytes


def read_packets(data: bytes, *, is_truck_profile: bool = False) -> tuple[list[PacketRow], tuple[Damaged, ...]]:
    """The rows of all packets in these bytes, and what is no packet, located.

    Args:
        data: any bytes: one packet, or several one after another.
        is_truck_profile: the device is registered as a truck under HJ 1239, though its packets have the header of GB/T 32960
            (with the header of GB 17691 this is seen without being told).
    """
    split = split_packets(data)
    rows = [row for start, end in split.packets for row in packet_rows(data[start:end], is_truck_profile=is_truck_profile)]
    return rows, split.damaged


def packet_rows(packet: bytes, *, is_truck_profile: bool = False) -> Iterator[PacketRow]:
    """One row, or of a truck's packet with several collection times one for each, its units packed anew."""
    vin = vin_of(packet).decode("ascii", "replace")
    if not is_truck_profile and not is_truck(packet):
        yield PacketRow(time_ns=time_of(packet), bus=BUS, vin=vin, packet=packet)
        return
    for time_ns, part in _by_collection_time(packet):
        yield PacketRow(time_ns=time_ns, bus=TRUCK_BUS, vin=vin, packet=part)


def _by_collection_time(packet: bytes) -> Iterator[tuple[int | None, bytes]]:
    """HJ 1239 gives each unit a time of its own, so that ten seconds travel in one packet; a row has one time.

    What follows the last unit that can be told (a signature, an unknown unit) stays with the last row.
    """
    sent_ns = time_of(packet)
    if packet[21] != PLAIN or packet[2] not in (Command.REALTIME, Command.REISSUE):
        yield sent_ns, packet
        return
    units, is_timed = truck_units(packet)
    times = [utc_ns(packet, start + 1) if is_timed else sent_ns for start, _ in units]
    if len(set(times)) < 2:
        yield (times[0] if times else sent_ns), packet
        return
    head = packet[:22]
    serial = packet[HEADER_BYTES : HEADER_BYTES + TIME_BYTES + 2]
    ordered = list(dict.fromkeys(times))
    for number, time_ns in enumerate(ordered):
        body = b"".join(packet[start:end] for (start, end), other in zip(units, times, strict=True) if other == time_ns)
        tail = packet[units[-1][1] : -1] if number == len(ordered) - 1 else b""
        data = serial + body + tail
        yield (sent_ns if time_ns is None else time_ns), with_check(head + len(data).to_bytes(2, "big") + data)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketColumns:
    """Rows as columns of `domain.frames.FrameBatch` (equal lengths; `bus` points into `BUSES`)."""

    time_ns: NDArray[np.int64]
    bus: NDArray[np.uint8]
    can_id: NDArray[np.uint32]
    length: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    payload: NDArray[np.uint64]
    arena_offset: NDArray[np.int64]
    arena: NDArray[np.uint8]


def packet_columns(rows: Sequence[PacketRow], time_ns: Sequence[int]) -> PacketColumns:
    """The columns of these rows, with these times."""
    sizes = np.array([len(row.packet) for row in rows], np.int64)
    count = len(rows)
    return PacketColumns(
        time_ns=np.array(time_ns, np.int64),
        bus=np.array([BUSES.index(row.bus) for row in rows], np.uint8),
        can_id=np.zeros(count, np.uint32),
        length=np.minimum(sizes, 255).astype(np.uint8),
        flags=np.full(count, FrameFlag.PACKET, np.uint8),
        payload=sizes.astype(np.uint64),
        arena_offset=np.cumsum(sizes) - sizes,
        arena=np.frombuffer(b"".join(row.packet for row in rows), np.uint8),
    )
