"""Senquip telemetry units (HE8EV and others) on trucks: J1939 frames between the unit's own measurements.

    {"deviceid": "HE8EV12LF", "vsys": 4.17, "can1": [{"id": 218040064, "data": "000000000000FFFF"}], "ts": 1770701635.7}

Identifiers are decimal and have 29 bits; frames have no stamps of their own. Some units cut the last hexadecimal digit off.
"""

from __future__ import annotations

import re
from typing import Any

from ingest.wire.documents import epoch_ns, json_of, listing, mapping, put_value, whole
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_BUS = re.compile(r"can\d")
_ABOUT = ("deviceid", "ts", "time")


class Senquip:
    """The format `senquip`."""

    name = "senquip"
    topic = "senquip/{device}/json"
    has_own_time = True

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Frames and named values, all at `ts`."""
        document = mapping(json_of(message.payload))
        if isinstance(document.get("deviceid"), str):
            rows.device = document["deviceid"]
        time_ns = epoch_ns(document["ts"]) if document.get("ts") is not None else message.received_ns
        frames = [(bus, frame) for bus, held in document.items() if _BUS.fullmatch(bus) for frame in listing(held, bus)]
        for place, (bus, frame) in message.items(frames):
            with rows.item(place):
                _read_frame(bus, mapping(frame, "a frame"), time_ns, rows)
        values = [(name, value) for name, value in document.items() if not _BUS.fullmatch(name) and name not in _ABOUT]
        for place, (name, value) in message.items(values, start=len(frames)):
            with rows.item(place):
                put_value(rows, message.names, time_ns, name, value)


def _read_frame(bus: str, frame: Any, time_ns: int, rows: Rows) -> None:
    text = frame["data"]
    if not isinstance(text, str):
        raise TypeError("data is not text")
    if len(text) % 2:
        text = text[:-1]
        rows.odd("odd_number_of_digits")
    can_id = whole(frame["id"], "id")
    rows.frame(time_ns, bus, can_id, bytes.fromhex(text), extended=True)
