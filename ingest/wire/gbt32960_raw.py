"""GB/T 32960 packets as a gateway takes them from the wire, whole, one or several in a message: as bytes or as hexadecimal digits.

The vehicle is the topic's, or the VIN of the packets where the source believes it. A source's option `buses = { gbt32960 = "hj1239" }`
says that its devices are trucks under HJ 1239 with the header of GB/T 32960.
"""

from __future__ import annotations

import re

from ingest.gbt32960.packet import without_vin
from ingest.gbt32960.rows import TRUCK_BUS, PacketRow, read_packets
from ingest.wire.documents import unusable
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_HEX = re.compile(rb"\s*(?:0x)?((?:[0-9A-Fa-f]{2}[ ,]?)+)\s*")


class GbPackets:
    """The format `gbt32960`."""

    name = "gbt32960"
    topic = "gbt32960/{vin}/raw"
    has_own_time = True

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Every packet; bytes between them are refused as items."""
        digits = _HEX.fullmatch(message.payload)
        data = message.payload if digits is None else bytes.fromhex(re.sub(rb"[ ,]", b"", digits[1]).decode())
        packets, damaged = read_packets(data, is_truck_profile=rows.bus_named(self.name) == TRUCK_BUS)
        if not packets:
            raise unusable(damaged[0].reason if damaged else "no packet")
        for place, packet in message.items(packets):
            with rows.item(place):
                put_packet(packet, message.received_ns, rows)
        for place, bad in message.items(damaged, start=len(packets)):
            rows.refused[place] = f"{bad.reason} at byte {bad.offset} ({bad.size} bytes)"


def put_packet(packet: PacketRow, received_ns: int, rows: Rows) -> None:
    """A packet as a row, its VIN made unreadable: rows are carried in state and letters, where none may stand.

    Raises:
        ValueError: it is another vehicle's than those before it.
    """
    if packet.vin:
        if rows.vin and rows.vin != packet.vin:
            raise ValueError("a packet of another vehicle in one message")
        rows.vin = packet.vin
    if packet.time_ns is None:
        rows.odd("no_stamp")
    rows.packet(received_ns if packet.time_ns is None else packet.time_ns, packet.bus, without_vin(packet.packet))
