"""Trouble-code reports as the lines of `pitcall dtc read --json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.code_state import code_state
from domain.trouble_codes import NOT_AVAILABLE, CodeList, DtcBatch, DtcReport, Lamps, StatusBit, TroubleCode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OCCURRENCE_NOT_AVAILABLE = 127
_LAMP_STATES = ("off", "on", "error", "not_available")
_FLASH_STATES = ("slow", "fast", "error", "none")


_NO_CODE = TroubleCode(code="")


def report_lines(batch: DtcBatch, *, every_message: bool = False) -> Iterator[dict[str, Any]]:
    """One JSON object per code; a report without codes gives none. What is absent is null.

    `time` is RFC 3339 UTC, `source` the answering CAN id (bit 31 set for 29-bit identifiers) or the J1939 source address,
    `name` the NAME that the address was claimed with (16 hexadecimal digits).

    Args:
        batch: reports.
        every_message: a report without codes (empty list, readiness, test results, clear …) gives a line with code null.
    """
    for report in batch:
        for code in report.codes:
            yield _line(report, code)
        if every_message and not report.codes:
            yield _line(report, _NO_CODE)


def _line(report: DtcReport, code: TroubleCode) -> dict[str, Any]:
    state = code_state(report, code) if code.code else None
    line: dict[str, Any] = {
        "time": _rfc3339(report.time_ns),
        "protocol": report.protocol.name.lower(),
        "bus": report.bus,
        "source": report.source,
        "list": report.kind.name.lower(),
        "code": code.code or None,
        "state": None if state is None else state.value,
        "status": [str(bit.name).lower() for bit in StatusBit(code.status)],
        "spn": _number(code.spn),
        "fmi": _number(code.fmi),
        "occurrence": None if code.occurrence == _OCCURRENCE_NOT_AVAILABLE else _number(code.occurrence),
        "lamps": None if report.lamps is None else _lamps(report.lamps),
        "ftb": None if code.failure_type == NOT_AVAILABLE else f"{code.failure_type:02X}",
        "level": _number(code.level),
        "raw": code.raw.hex().upper(),
        "message": report.message or None,
        "name": None if report.name == NOT_AVAILABLE else f"{report.name:016X}",
    }
    return line | _details(report, code)


def _details(report: DtcReport, code: TroubleCode) -> dict[str, Any]:
    """What only some reports have; the keys are absent in others."""
    details: dict[str, Any] = {}
    if report.kind == CodeList.FREEZE_FRAME or report.freeze:
        details["freeze"] = [{"signal": v.signal, "value": v.value, "unit": v.unit} for v in report.freeze]
    if report.records:
        details["records"] = [
            {
                "number": r.number,
                "identifier": None if r.identifier == NOT_AVAILABLE else f"{r.identifier:04X}",
                "data": r.data.hex().upper(),
            }
            for r in report.records
        ]
    if report.monitors is not None:
        numbers = asdict(report.monitors)
        details["monitors"] = {name: _number(v) if isinstance(v, int) else list(v) for name, v in numbers.items()}
    if report.tests:
        details["tests"] = [{**asdict(test), "passed": test.passed} for test in report.tests]
    if report.identity:
        details["identity"] = report.identity
    if code.severity != NOT_AVAILABLE:
        details["severity"] = code.severity
    if code.conversion > 0:
        details |= {"conversion": code.conversion, "spn_assumed": code.is_spn_assumed}
    return details


def _rfc3339(time_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _number(value: int) -> int | None:
    return None if value == NOT_AVAILABLE else value


def _lamps(lamps: Lamps) -> dict[str, str]:
    names = ("malfunction", "red_stop", "amber_warning", "protect")
    states = {name: _LAMP_STATES[getattr(lamps, name)] for name in names}
    flashes = {f"{name}_flash": _FLASH_STATES[getattr(lamps, f"{name}_flash")] for name in names}
    return states | flashes
