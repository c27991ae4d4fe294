"""Trouble-code reports that a device has decoded itself, as the bytes of `FrameFlag.REPORT` rows.

The row has time, vehicle and wire format (its bus name); the bytes are JSON with the other fields of a `DtcReport`, those of a
default value left out.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any

from domain.trouble_codes import CodeList, DtcReport, FreezeValue, Lamps, Monitors, Protocol, TroubleCode

MALFORMED = "device_report_malformed"

_CODE_FIELDS = {f.name: f.default for f in fields(TroubleCode) if f.name not in ("code", "raw")}
_LAMP_FIELDS = tuple(f.name for f in fields(Lamps))
_MONITOR_NUMBERS = tuple(f.name for f in fields(Monitors) if f.name not in ("complete", "incomplete"))
_MAX_CODES = 1024
_MAX_SOURCE = 0xFFFF_FFFF
_MAX_NAME = (1 << 64) - 1


def encode_report(report: DtcReport) -> bytes:
    """The bytes of a report with codes, lamps, freeze values and monitors; its time, vehicle, bus and row are the row's."""
    document: dict[str, Any] = {
        "protocol": int(report.protocol),
        "kind": int(report.kind),
        "source": report.source,
        "complete": report.complete,
        "codes": [_encode_code(code) for code in report.codes],
    }
    if report.name >= 0:
        document["name"] = report.name
    if report.message:
        document["message"] = report.message
    if report.lamps is not None:
        document["lamps"] = [getattr(report.lamps, name) for name in _LAMP_FIELDS]
    if report.freeze:
        document["freeze"] = [[v.signal, v.value, v.unit] for v in report.freeze]
    if report.monitors is not None:
        numbers = [getattr(report.monitors, name) for name in _MONITOR_NUMBERS]
        document["monitors"] = [numbers, report.monitors.complete, report.monitors.incomplete]
    return json.dumps(document, separators=(",", ":")).encode()


def decode_report(data: bytes, *, time_ns: int, vehicle: int, bus: str, frame: int) -> DtcReport | None:
    """The report of these bytes; None where they are none (any bytes are allowed)."""
    try:
        document = json.loads(data)
        codes = document["codes"]
        source, name = int(document["source"]), int(document.get("name", -1))
        if len(codes) > _MAX_CODES or not 0 <= source <= _MAX_SOURCE or not -1 <= name <= _MAX_NAME:
            return None
        lamps, monitors = document.get("lamps"), document.get("monitors")
        return DtcReport(
            time_ns=time_ns,
            vehicle=vehicle,
            bus=bus,
            source=source,
            protocol=Protocol(document["protocol"]),
            kind=CodeList(document["kind"]),
            complete=bool(document["complete"]),
            codes=tuple(_decode_code(code) for code in codes),
            lamps=None if lamps is None else Lamps(**{n: int(v) & 3 for n, v in zip(_LAMP_FIELDS, lamps, strict=True)}),
            freeze=tuple(FreezeValue(signal=str(s), value=_finite(v), unit=str(u)) for s, v, u in document.get("freeze", ())),
            frame=frame,
            name=name,
            message=str(document.get("message", "")),
            monitors=None if monitors is None else _decode_monitors(monitors),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def _encode_code(code: TroubleCode) -> dict[str, Any]:
    told = {name: getattr(code, name) for name, default in _CODE_FIELDS.items() if getattr(code, name) != default}
    return {"code": code.code, **told, **({"raw": code.raw.hex()} if code.raw else {})}


def _decode_code(document: dict[str, Any]) -> TroubleCode:
    numbers: dict[str, Any] = {
        name: bool(document[name]) if isinstance(default, bool) else int(document[name])
        for name, default in _CODE_FIELDS.items()
        if name in document
    }
    return TroubleCode(code=str(document["code"]), raw=bytes.fromhex(document.get("raw", "")), **numbers)


def _decode_monitors(row: list[Any]) -> Monitors:
    numbers, complete, incomplete = row
    return Monitors(
        complete=tuple(str(name) for name in complete),
        incomplete=tuple(str(name) for name in incomplete),
        **dict(zip(_MONITOR_NUMBERS, (int(number) for number in numbers), strict=True)),
    )


def _finite(value: Any) -> float:
    if not math.isfinite(number := float(value)):
        raise ValueError("a freeze value that is no number")
    return number
