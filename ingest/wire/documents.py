"""Reading what devices write into JSON: numbers, switches, times and trouble codes in the spellings that occur."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.trouble_codes import CodeList, DtcReport, Protocol, StatusBit, TroubleCode
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.mqtt.json_frames import read_json
from ingest.wire.names import NameTable
from ingest.wire.rows import Rows

UNMAPPED = "unmapped_name"
NOT_A_NUMBER = "not_a_number"
NO_VALUE = "no_value"
NOT_A_CODE = "not_a_trouble_code"
_SWITCHES = {"on": 1.0, "true": 1.0, "yes": 1.0, "off": 0.0, "false": 0.0, "no": 0.0}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?\s*(Z|z|[+-]\d\d:?\d\d)?")
_CODE = re.compile(r"([PCBU])([0-3])([0-9A-F]{3})(?:[-: ]?([0-9A-F]{2}))?")
_HEX_CODE = re.compile(r"(?:0X)?([0-9A-F]{6}|[0-9A-F]{4})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000


def json_of(payload: bytes) -> Any:
    """The document of a payload; what some firmware prints after it (`;`, NUL, line ends) is no harm.

    Raises:
        RefusedMessageError: not JSON.
    """
    return read_json(payload.rstrip(b"\0 \r\n\t;"))


def mapping(value: Any, what: str = "the document") -> Mapping[str, Any]:
    """The value as an object.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, dict):
        raise TypeError(f"{what} is not an object")
    return value


def listing(value: Any, what: str) -> list[Any]:
    """The value as a list.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, list):
        raise TypeError(f"{what} is not a list")
    return value


def unusable(detail: str) -> RefusedMessageError:
    """A message in which nothing is as the format says."""
    return RefusedMessageError(Reason.UNKNOWN_PAYLOAD, detail)


def number_of(value: Any) -> float | None:
    """A number, also as text, or a switch ("on", true) as 1 or 0; None where it is neither or not finite."""
    if isinstance(value, str):
        word = value.strip()
        if word.lower() in _SWITCHES:
            return _SWITCHES[word.lower()]
        try:
            number = float(word)
        except ValueError:
            return None
    elif isinstance(value, bool | int | float | Decimal):
        try:
            number = float(value)
        except ArithmeticError:
            return None
    else:
        return None
    return number if math.isfinite(number) else None


def whole(value: Any, what: str) -> int:
    """A whole number from 0 up, also as text in decimal digits.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 24:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{what} is not a whole number from 0 up")
    return value


def epoch_ns(value: Any, unit_ns: int = _SECOND_NS) -> int:
    """Event time in ns from RFC 3339 (UTC where no offset is given) or a number of units since 1970.

    Raises:
        ValueError: neither, or far out of range.
    """
    if isinstance(value, str):
        found = _TIME.fullmatch(value.strip())
        if found is not None:
            zone = (found[3] or "Z").upper().replace("Z", "+00:00")
            moment = datetime.fromisoformat(found[1] + zone) - _EPOCH
            return (moment.days * 86_400 + moment.seconds) * _SECOND_NS + int((found[2] or "0").ljust(9, "0"))
        value = Decimal(value.strip()) if len(value) < 32 and re.fullmatch(r"\s*\d+(\.\d+)?\s*", value) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value * unit_ns < 1 << 62:
        raise ValueError("no time")
    return round(value * unit_ns)


def put_value(rows: Rows, names: NameTable, time_ns: int, name: str, value: Any) -> None:
    """A named value as samples of the paths it stands for; what has no path or is no number is counted by its name."""
    meanings = names.find(name)
    number = number_of(value)
    if not meanings:
        rows.odd(UNMAPPED, name)
    elif number is None:
        rows.odd(NO_VALUE if value is None or value == "" else NOT_A_NUMBER, name)
    else:
        for meaning in meanings:
            rows.sample(time_ns, meaning.path, meaning.convert(number))


def trouble_code(text: Any, status: StatusBit = StatusBit.CONFIRMED) -> TroubleCode | None:
    """A code written as P0301, P0301-11 or P030111, or as its two or three bytes in hex (ISO 15031-6, ISO 14229-1); else None."""
    if not isinstance(text, str):
        return None
    word = text.strip().upper()
    found = _CODE.fullmatch(word)
    if found is None:
        digits = _HEX_CODE.fullmatch(word)
        if digits is None:
            return None
        raw = bytes.fromhex(digits[1])
    else:
        high = "PCBU".index(found[1]) << 6 | int(found[2]) << 4 | int(found[3][0], 16)
        raw = bytes([high]) + bytes.fromhex(found[3][1:] + (found[4] or ""))
    code = f"{'PCBU'[raw[0] >> 6]}{raw[0] >> 4 & 3}{raw[0] & 15:X}{raw[1]:02X}"
    failure_type = raw[2] if len(raw) == 3 else -1
    return TroubleCode(code=code, failure_type=failure_type, status=int(status), raw=raw) if any(raw) else None


def put_codes(
    rows: Rows,
    time_ns: int,
    texts: list[Any],
    *,
    kind: CodeList = CodeList.STORED,
    complete: bool = True,
    source: int = 0,
    message: str = "",
) -> None:
    """A list of OBD codes as one report; what is no code is counted by its text, and then the list is not complete."""
    codes = [trouble_code(text) for text in texts]
    bad = [text for text, code in zip(texts, codes, strict=True) if code is None]
    for text in bad:
        rows.odd(NOT_A_CODE, str(text))
    rows.report(
        time_ns,
        DtcReport(
            time_ns=time_ns,
            vehicle=0,
            bus=rows.bus,
            source=source,
            protocol=Protocol.OBD,
            kind=kind,
            complete=complete and not bad,
            codes=tuple(code for code in codes if code is not None),
            message=message,
        ),
    )
