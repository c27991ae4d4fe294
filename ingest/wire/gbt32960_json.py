"""The JSON of EMQX's GB/T 32960 gateway (`gbt32960/VIN/upstream/info` …), packed again as the packet that it was made of."""

from __future__ import annotations

from ingest.gbt32960.emqx import packet_of_emqx
from ingest.gbt32960.rows import packet_rows
from ingest.wire.documents import json_of
from ingest.wire.gbt32960_raw import put_packet
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage


class EmqxGateway:
    """The format `gbt32960-emqx`."""

    name = "gbt32960-emqx"
    topic = "gbt32960/{vin}/upstream/{kind}"
    has_own_time = True

    def read(self, message: WireMessage, rows: Rows) -> None:
        """One message of a vehicle; what the gateway answers for itself (`response`) says nothing of it."""
        if message.fields.get("kind") == "response":
            return
        for place, packet in message.items(packet_rows(packet_of_emqx(json_of(message.payload)))):
            with rows.item(place):
                put_packet(packet, message.received_ns, rows)
