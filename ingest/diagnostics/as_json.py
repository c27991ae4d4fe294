"""Trouble-code reports as the lines of `pitcall dtc read --json`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.trouble_codes import NOT_AVAILABLE, CodeList, DtcBatch, DtcReport, Lamps, StatusBit, TroubleCode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OCCURRENCE_NOT_AVAILABLE = 127
_LAMP_STATES = ("off", "on", "error", "not_available")
_FLASH_STATES = ("slow", "fast", "error", "none")


def report_lines(batch: DtcBatch) -> Iterator[dict[str, Any]]:
    """One JSON object per code; a complete list without codes gives none. What is absent is null.

    `time` is RFC 3339 UTC, `source` the answering CAN id (bit 31 set for 29-bit identifiers) or the J1939 source address.
    """
    for report in batch:
        for code in report.codes:
            yield _line(report, code)


def _line(report: DtcReport, code: TroubleCode) -> dict[str, Any]:
    line: dict[str, Any] = {
        "time": _rfc3339(report.time_ns),
        "protocol": report.protocol.name.lower(),
        "bus": report.bus,
        "source": report.source,
        "list": report.kind.name.lower(),
        "code": code.code,
        "status": [str(bit.name).lower() for bit in StatusBit(code.status)],
        "spn": _number(code.spn),
        "fmi": _number(code.fmi),
        "occurrence": None if code.occurrence == _OCCURRENCE_NOT_AVAILABLE else _number(code.occurrence),
        "lamps": None if report.lamps is None else _lamps(report.lamps),
        "ftb": None if code.failure_type == NOT_AVAILABLE else f"{code.failure_type:02X}",
        "raw": code.raw.hex().upper(),
    }
    if report.kind == CodeList.FREEZE_FRAME:
        line["freeze"] = [{"signal": v.signal, "value": v.value, "unit": v.unit} for v in report.freeze]
    return line


def _rfc3339(time_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _number(value: int) -> int | None:
    return None if value == NOT_AVAILABLE else value


def _lamps(lamps: Lamps) -> dict[str, str]:
    names = ("malfunction", "red_stop", "amber_warning", "protect")
    states = {name: _LAMP_STATES[getattr(lamps, name)] for name in names}
    flashes = {f"{name}_flash": _FLASH_STATES[getattr(lamps, f"{name}_flash")] for name in names}
    return states | flashes
