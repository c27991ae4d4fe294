"""AutoPi dongles (autopi-io/autopi-core, MQTT returner): one result or a list of them, the topic is the user's.

    {"_type": "dtc", "_stamp": "2024-05-01T08:00:00.123456", "values": [{"code": "P0420", "text": "Catalyst System Efficiency"}]}
    {"_type": "rpm", "_stamp": "…", "value": 2150.5, "unit": "rpm"}
    {"_type": "pos", "_stamp": "…", "loc": {"lat": 55.7, "lon": 12.5}, "sog_km": 61.2}

A value is named by its type, other members as TYPE.MEMBER and TYPE.MEMBER.MEMBER.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from domain.trouble_codes import CodeList
from ingest.wire.documents import epoch_ns, json_of, listing, mapping, put_codes, put_value
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_WORDS = ("unit",)


class AutoPi:
    """The format `autopi`."""

    name = "autopi"
    topic = "autopi/{device}/#"
    has_own_time = False

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Every result."""
        document = json_of(message.payload)
        for place, result in message.items(document if isinstance(document, list) else [document]):
            with rows.item(place):
                _read_result(message, mapping(result, "a result"), rows)


def _read_result(message: WireMessage, result: Mapping[str, Any], rows: Rows) -> None:
    kind = result["_type"]
    if not isinstance(kind, str):
        raise TypeError("_type is not a word")
    stamp = result.get("_stamp")
    time_ns = message.received_ns if stamp is None else epoch_ns(stamp)
    if kind == "dtc" or kind.endswith(".dtc"):
        codes = [each.get("code") if isinstance(each, dict) else each for each in listing(result["values"], "values")]
        put_codes(rows, time_ns, codes, kind=CodeList.STORED, message="03")
        return
    for name, value in _members(kind, result):
        put_value(rows, message.names, time_ns, name, value)


def _members(kind: str, result: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for member, value in result.items():
        if member.startswith("_") or member in _WORDS:
            continue
        if member == "value":
            yield kind, value
        elif isinstance(value, dict):
            yield from ((f"{kind}.{member}.{inner}", each) for inner, each in value.items())
        else:
            yield f"{kind}.{member}", value
