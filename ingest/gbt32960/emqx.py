"""The JSON of EMQX's GB/T 32960 gateway -> the packet that it was made of, so that there is one decoder.

Topics are `gbt32960/<vin>/upstream/{vlogin,vlogout,info,reinfo,response}`; numbers are as on the wire (a speed of 500 is 50 km/h):

    {"Cmd": 2, "Encrypt": 1, "Vin": "1G1BL52P7TR115520", "Data": {"Time": {"Year": 16, "Month": 1, "Day": 1, "Hour": 2, "Minute": 59,
     "Second": 0}, "Infos": [{"Type": "Vehicle", "Speed": 500, "SOC": 50, …}, {"Type": "Alarm", "MaxAlarmLevel": 1, …}]}}

What EMQX's document leaves out is packed as invalid. The keys of each field stand in `fields.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingest.gbt32960.layout import CodeSection, NumberList, Part, Unit, dialects
from ingest.gbt32960.packet import ENCRYPTIONS, PLAIN, Command, build_packet

UNITS = {
    "Vehicle": 1,
    "DriveMotor": 2,
    "FuelCell": 3,
    "Engine": 4,
    "Location": 5,
    "Extreme": 6,
    "Alarm": 7,
    "ChargeableVoltage": 8,
    "ChargeableTemp": 9,
}
"""EMQX's `Type` -> data unit of the 2016 edition, the only one that it knows."""
_TIME = ("Year", "Month", "Day", "Hour", "Minute", "Second")
_VIN = re.compile(r"[0-9A-Za-z_-]{0,17}")
_ICCID_BYTES = 20


def packet_of_emqx(document: Any) -> bytes:
    """The packet of one message of the gateway.

    Raises:
        ValueError: it is none; says where and why in one line.
    """
    outer = _object(document, "the message")
    data = _object(outer.get("Data", {}), "Data")
    vin, encryption = outer.get("Vin"), _number(outer.get("Encrypt", PLAIN), 1, "Encrypt")
    if not isinstance(vin, str) or not _VIN.fullmatch(vin):
        raise ValueError("Vin is no text of up to 17 letters and digits")
    if encryption not in ENCRYPTIONS:
        raise ValueError(f"Encrypt is none of {', '.join(map(str, sorted(ENCRYPTIONS)))}")
    command = _number(outer.get("Cmd"), 1, "Cmd")
    content = _time(data) + (_login(data) if command == Command.LOGIN else _serial(data) if command == Command.LOGOUT else b"")
    infos = _items(data, "Infos", "Data")
    content += b"".join(_info(info, f"Data.Infos[{number}]") for number, info in enumerate(infos))
    return build_packet(
        start=b"##",
        command=command,
        vin=vin.encode(),
        data=content,
        encryption=_number(outer.get("Encrypt", PLAIN), 1, "Encrypt"),
    )


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"{where} is no object")


def _items(content: Mapping[str, Any], key: str, where: str) -> list[Any]:
    items = content.get(key, [])
    if isinstance(items, list):
        return items
    raise ValueError(f"{where}.{key} is no list")


def _number(value: Any, width: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 8 * width:
        raise ValueError(f"{where} is no whole number from 0 to {(1 << 8 * width) - 1}")
    return value


def _packed(content: Mapping[str, Any], key: str, width: int, where: str) -> bytes:
    """A number, all ones (invalid) where it is left out."""
    return _number(content.get(key, (1 << 8 * width) - 1), width, f"{where}.{key}").to_bytes(width, "big")


def _time(data: Mapping[str, Any]) -> bytes:
    if "Time" not in data:
        return b""
    told = _object(data["Time"], "Data.Time")
    return bytes(_number(told.get(name), 1, f"Data.Time.{name}") for name in _TIME)


def _serial(data: Mapping[str, Any]) -> bytes:
    return _packed(data, "Seq", 2, "Data")


def _login(data: Mapping[str, Any]) -> bytes:
    iccid, codes = (str(data.get(key, "")).encode("latin-1", "replace") for key in ("ICCID", "Id"))
    counts = bytes((_number(data.get("Num", 0), 1, "Data.Num"), _number(data.get("Length", 0), 1, "Data.Length")))
    return _serial(data) + iccid[:_ICCID_BYTES].ljust(_ICCID_BYTES, b"\0") + counts + codes


def _info(info: Any, where: str) -> bytes:
    content = _object(info, where)
    kind = content.get("Type")
    if not isinstance(kind, str) or kind not in UNITS:
        raise ValueError(f"{where}.Type is none of {', '.join(UNITS)}")
    unit = dialects()["2016"].units[UNITS[kind]]
    head = bytes([unit.id])
    if not unit.count_bytes:
        return head + _segments(unit, content, where)
    count, items = _list(content, unit.emqx, unit.count_bytes, where)
    key = unit.emqx.partition("|")[0]
    return head + count + b"".join(_item(unit, item, f"{where}.{key}[{number}]") for number, item in enumerate(items))


def _item(unit: Unit, item: Any, where: str) -> bytes:
    return _segments(unit, _object(item, where), where)


def _segments(unit: Unit, content: Mapping[str, Any], where: str) -> bytes:
    return b"".join(_segment(segment, content, where) for segment in unit.segments)


def _segment(segment: Part | NumberList | CodeSection, content: Mapping[str, Any], where: str) -> bytes:
    if isinstance(segment, Part):
        return b"".join(_packed(content, field.emqx, field.width, where) for field in segment.sent)
    count, items = _list(content, segment.emqx, segment.count_bytes, where)
    if isinstance(segment, NumberList):
        return count + b"".join(
            _number(item, segment.width, f"{where}.{segment.emqx}").to_bytes(segment.width, "big") for item in items
        )
    return count + b"".join(_code(item, segment.width, f"{where}.{segment.emqx}") for item in items)


def _list(content: Mapping[str, Any], keys: str, count_bytes: int, where: str) -> tuple[bytes, list[Any]]:
    """(count, items): the count is the list's own, or (of an empty one) what is told, which may be "abnormal" or "invalid"."""
    key, _, count_key = keys.partition("|")
    items = _items(content, key, where)
    greatest = (1 << 8 * count_bytes) - 1
    if len(items) >= greatest - 1:
        raise ValueError(f"{where}.{key} has more than {greatest - 2} items")
    told = _number(content.get(count_key, 0), count_bytes, f"{where}.{count_key}")
    count = len(items) if items or told < greatest - 1 else told
    return count.to_bytes(count_bytes, "big"), items


def _code(item: Any, width: int, where: str) -> bytes:
    """A fault code, told as hexadecimal digits ("00C8")."""
    try:
        number = int(item, 16)
    except (ValueError, TypeError):
        raise ValueError(f"{where} holds a code that is no hexadecimal number") from None
    return _number(number, width, where).to_bytes(width, "big")
