"""WiCAN OBD dongles (meatpiHQ/wican-fw): CAN frames, filtered signals and AutoPID objects, all on `wican/ID/can/rx`.

    {"bus": 0, "type": "rx", "ts": 34610, "frame": [{"id": 123, "dlc": 8, "rtr": false, "extd": false, "data": [1,2,3,4,5,6,7,8]}]}
    {"SPEED": 0, "ENGINE_RPM": 4147, "CHARGING": "off"}      also as {"autopid_data": {…}}

`ts` counts milliseconds within a minute, one for the whole message. The firmware prints `bus` as text, the manual as a number. `data`
always has eight numbers; those past `dlc` are stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.frames import FrameFlag
from ingest.wire.documents import json_of, listing, mapping, put_value, unusable, whole
from ingest.wire.rows import Rows
from ingest.wire.wire_format import SECOND_NS, WireMessage

_MINUTE_NS = 60 * SECOND_NS
_ABOUT_THE_DEVICE = ("config", "status")


class WiCan:
    """The format `wican`."""

    name = "wican"
    topic = "wican/{device}/can/rx"
    has_own_time = False

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Frames, or named values."""
        document = mapping(json_of(message.payload))
        if "frame" in document:
            _read_frames(message, document, rows)
            return
        values = mapping(document.get("autopid_data", document), "autopid_data")
        if values is document and not values:
            raise unusable("neither frames nor values")
        for place, (name, value) in message.items(values.items()):
            if isinstance(value, dict) and name in _ABOUT_THE_DEVICE:
                continue
            with rows.item(place):
                put_value(rows, message.names, message.received_ns, name, value)


def _read_frames(message: WireMessage, document: Mapping[str, Any], rows: Rows) -> None:
    frames = listing(document["frame"], "frame")
    bus = document.get("bus", "0")
    if isinstance(bus, bool) or not isinstance(bus, str | int):
        raise TypeError("bus is neither a number nor a name")
    if "ts" in document:
        stamp_ns = whole(document["ts"], "ts") % 60_000 * (SECOND_NS // 1000)
        time_ns = message.clock.unwrap(stamp_ns, _MINUTE_NS, message.received_ns)
    else:
        time_ns = message.received_ns
        rows.odd("no_stamp")
    sent = FrameFlag.TRANSMITTED if document.get("type") == "tx" else FrameFlag(0)
    for place, frame in message.items(frames):
        with rows.item(place):
            _read_frame(mapping(frame, "a frame"), time_ns, str(bus), sent, rows)


def _read_frame(frame: Mapping[str, Any], time_ns: int, bus: str, sent: FrameFlag, rows: Rows) -> None:
    remote, extended = _switch(frame, "rtr"), _switch(frame, "extd")
    numbers = [] if remote else listing(frame["data"], "data")
    length = whole(frame["dlc"], "dlc") if "dlc" in frame else len(numbers)
    if not remote and length > len(numbers):
        raise ValueError("fewer data than dlc says")
    data = bytes(whole(number, "data") for number in numbers[:length])
    flags = sent | (FrameFlag.REMOTE if remote else FrameFlag(0))
    can_id = whole(frame["id"], "id")
    if can_id > 0x7FF and not extended:
        extended = True
        rows.odd("extended_without_mark")
    rows.frame(time_ns, bus, can_id, data, extended=extended, flags=flags, length=length)


def _switch(frame: Mapping[str, Any], name: str) -> bool:
    value = frame.get(name, False)
    if value not in (True, False, 0, 1):
        raise TypeError(f"{name} is neither true nor false")
    return bool(value)
