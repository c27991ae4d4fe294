"""Teltonika trackers that publish JSON (codec "JSON" of FMB/FMC/FMM firmware, also through AWS IoT shadows).

    {"state": {"reported": {"ts": 1698922776030, "pr": 1, "latlng": "54.72,25.21", "sp": 61, "sat": 9, "32": 88, "281": "P0301,P0420"}}}

Keys of digits are AVL ids (the name table has their meaning and multiplier): 281 is the list of fault codes, 30 their number, 256 and
325 the VIN.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.trouble_codes import CodeList
from ingest.wire.documents import epoch_ns, json_of, mapping, number_of, put_codes, put_value, unusable
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_CODES, _CODE_COUNT = "281", "30"
_VINS = ("256", "325")
_MS_NS = 1_000_000
_ABOUT = ("ts", "pr", "alt", "ang", "sat", "evt")
_LATITUDE, _LONGITUDE = "Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude"


class Teltonika:
    """The format `teltonika`."""

    name = "teltonika"
    topic = "teltonika/{device}/data"
    has_own_time = True

    def read(self, message: WireMessage, rows: Rows) -> None:
        """One AVL record, or a list of them."""
        document = mapping(json_of(message.payload))
        state = document.get("state", document)
        reported = mapping(state, "state").get("reported", state)
        records = reported if isinstance(reported, list) else [reported]
        if not any(isinstance(record, dict) and "ts" in record for record in records):
            raise unusable("no record with ts")
        for place, record in message.items(records):
            with rows.item(place):
                _read_record(message, mapping(record, "a record"), rows)


def _read_record(message: WireMessage, record: Mapping[str, Any], rows: Rows) -> None:
    time_ns = epoch_ns(record["ts"], _MS_NS)
    for name, value in record.items():
        if name == "latlng":
            _read_position(value, record, time_ns, rows)
        elif name in _VINS:
            rows.vin = value.strip() if isinstance(value, str) else ""
        elif name == _CODES:
            _read_codes(value, record, time_ns, rows)
        elif name not in _ABOUT:
            put_value(rows, message.names, time_ns, name, value)


def _read_position(text: Any, record: Mapping[str, Any], time_ns: int, rows: Rows) -> None:
    """Without satellites the last or no position is repeated: counted, not used."""
    latitude, _, longitude = str(text).partition(",")
    north, east = Decimal(latitude.strip()), Decimal(longitude.strip())
    if not (abs(north) <= 90 and abs(east) <= 180):
        raise ValueError("latlng out of range")
    if not record.get("sat", 1) or (not north and not east):
        rows.odd("no_fix")
        return
    rows.sample(time_ns, _LATITUDE, float(north))
    rows.sample(time_ns, _LONGITUDE, float(east))


def _read_codes(text: Any, record: Mapping[str, Any], time_ns: int, rows: Rows) -> None:
    """The list is whole where it has as many codes as AVL id 30 tells; the element is cut at its size."""
    codes: list[Any] = [word.strip() for word in str(text).split(",") if word.strip()]
    complete = number_of(record.get(_CODE_COUNT)) == len(codes)
    put_codes(rows, time_ns, codes, kind=CodeList.STORED, complete=complete, message="AVL 281")
