"""Our own `signals` topic: values under VSS paths, from devices that decode by themselves.

    {"boot_session": 7, "sequence": 3, "time": "2026-01-01T00:00:00Z", "values": {"Vehicle.Speed": 50.0}}

or a list of such objects under "records". `time` is RFC 3339 or seconds since 1970, `time_ns` is exact; without either it is the arrival.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.wire.documents import epoch_ns, json_of, listing, mapping, put_value, whole
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage


class OwnSignals:
    """The format `signals`."""

    name = "signals"
    topic = "pitcall/v1/{vin}/signals"
    has_own_time = False

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Every record's values."""
        document = json_of(message.payload)
        if isinstance(document, list):
            document = {"records": document}
        number_message(mapping(document), rows)
        records = listing(document["records"], "records") if "records" in document else [document]
        for place, record in message.items(records):
            with rows.item(place):
                time_ns = record_time(mapping(record, "a record"), message.received_ns)
                for name, value in mapping(record["values"], "values").items():
                    put_value(rows, message.names, time_ns, name, value)


def number_message(document: Mapping[str, Any], rows: Rows) -> None:
    """Take over boot session and sequence; the sequence is the one of the vehicle's `can` topic and counts all its messages."""
    rows.boot_session = whole(document.get("boot_session", 0), "boot_session")
    if document.get("sequence") is not None:
        rows.sequence = whole(document["sequence"], "sequence")
    if max(rows.boot_session, rows.sequence) >= 1 << 63:
        raise ValueError("a number out of range")


def record_time(record: Mapping[str, Any], received_ns: int) -> int:
    """`time_ns`, else `time`, else arrival."""
    if record.get("time_ns") is not None:
        return epoch_ns(record["time_ns"], 1)
    return received_ns if record.get("time") is None else epoch_ns(record["time"])
