"""VSS paths as JSON: Azure's connected-fleet reference, COVESA VISS answers, and plain objects of paths.

{"values": [{"path": "Vehicle.Speed", "dp": [{"value": "50", "ts": "2020-04-15T13:37:00Z"}]}]}       Azure reference
{"action": "subscription", "data": {"path": "Vehicle.Speed", "dp": {"value": "50", "ts": "…"}}}      VISS
{"timestamp": "2020-04-15T13:37:00Z", "Vehicle.Speed": 50, "Vehicle/Chassis/…": 1}                   plain
{"type": …, "timestamp": …, "extendedProperties": [{"name": "obd2ErrorCodes", "value": "P0101"}]}    Azure event
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from domain.trouble_codes import CodeList
from ingest.wire.documents import epoch_ns, json_of, listing, mapping, put_codes, put_value, unusable
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_CODE_PROPERTY = "obd2errorcodes"
_TIMES = ("time", "timestamp", "ts")


class VssJson:
    """The format `vss`."""

    name = "vss"
    topic = "vss/{device}/#"
    has_own_time = False

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Every data point, and the trouble codes of an event."""
        document = json_of(message.payload)
        document = {"values": document} if isinstance(document, list) else mapping(document)
        time_ns = _time(document, message.received_ns)
        if "extendedProperties" in document:
            _read_event(message, document, time_ns, rows)
            return
        entries = list(_entries(document))
        if not entries:
            raise unusable("no values and no VSS paths")
        for place, entry in message.items(entries):
            with rows.item(place):
                _read_entry(message, mapping(entry, "a value"), time_ns, rows)


def _entries(document: Mapping[str, Any]) -> Iterator[Any]:
    """The objects that name a path, whatever they are wrapped in."""
    for key in ("values", "data"):
        if key in document:
            inside = document[key]
            yield from inside if isinstance(inside, list) else [inside]
            return
    if "path" in document:
        yield document
        return
    for name, value in document.items():
        if re.match(r"Vehicle[./]", name):
            yield {"path": name, **(value if isinstance(value, dict) else {"value": value})}


def _read_entry(message: WireMessage, entry: Mapping[str, Any], time_ns: int, rows: Rows) -> None:
    path = entry["path"]
    if not isinstance(path, str):
        raise TypeError("path is not text")
    points = entry.get("dp", entry)
    for point in points if isinstance(points, list) else [points]:
        value = mapping(point, "a data point")["value"]
        put_value(rows, message.names, _time(point, time_ns), path, value)


def _read_event(message: WireMessage, document: Mapping[str, Any], time_ns: int, rows: Rows) -> None:
    codes: list[Any] = []
    for place, each in message.items(listing(document["extendedProperties"], "extendedProperties")):
        with rows.item(place):
            name, value = mapping(each, "a property")["name"], each["value"]
            if isinstance(name, str) and name.lower() == _CODE_PROPERTY and isinstance(value, str):
                codes += [word for word in re.split(r"[,; ]+", value) if word]
            else:
                rows.odd("event_property", str(name))
    if codes:
        put_codes(rows, time_ns, codes, kind=CodeList.STORED, complete=False, message="event")
    else:
        rows.odd("event_without_codes", str(document.get("type", "")))


def _time(document: Mapping[str, Any], otherwise_ns: int) -> int:
    given = next((document[key] for key in _TIMES if document.get(key) is not None), None)
    return otherwise_ns if given is None else epoch_ns(given)
