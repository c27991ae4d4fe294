"""What ECUs report, worked out anew from all reports of a vehicle each time, after docs/guides/rules.md."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from domain.trouble_codes import DtcReport, TroubleCode
from rules.expression import Dtc

ISO_BITS = {
    "test_failed": 0x01,
    "test_failed_this_cycle": 0x02,
    "pending": 0x04,
    "confirmed": 0x08,
    "not_completed_since_clear": 0x10,
    "failed_since_clear": 0x20,
    "not_completed_this_cycle": 0x40,
    "warning_indicator": 0x80,
}
UDS_KINDS = {"UDS_BY_STATUS", "UDS_SUPPORTED"}
FIRM_KINDS = {"STORED", "ACTIVE", "EMISSION", *UDS_KINDS}
KINDS = {
    "": FIRM_KINDS,
    "active": {"ACTIVE", "EMISSION", *UDS_KINDS},
    "confirmed": {"STORED", "EMISSION", *UDS_KINDS},
    "pending": {"PENDING", *UDS_KINDS},
    "permanent": {"PERMANENT"},
    "history": {"PREVIOUSLY_ACTIVE", *UDS_KINDS},
}

DRIVE_ENDS = None
Event = DtcReport | None
"""A report, or the end of a drive."""


def holds(report: DtcReport, code: TroubleCode, status: str) -> bool:
    """Whether the report says so of its code."""
    if report.kind.name not in UDS_KINDS:
        return True  # its list is one of those that tell the status
    failed, pending, confirmed, lamp = (code.status & bit for bit in (0x01, 0x04, 0x08, 0x80))
    history = confirmed and not (failed or pending or lamp)
    if status == "":
        return bool(failed or (confirmed and not history) or (lamp and not pending))
    if status == "history":
        return bool(history)
    return bool(code.status & {"active": 0x01, **ISO_BITS}[status])


def tells(node: Dtc, event: Event, before: Sequence[Event]) -> bool:
    """Whether the event is a sample of the predicate."""
    kinds = KINDS.get(node.status, UDS_KINDS)
    if event is DRIVE_ENDS:
        return node.asks == "new_dtc" and any(each is not None and each.kind.name in FIRM_KINDS for each in before)
    if event.kind.name == "CLEARED":
        return any(each is not None and _clears(event, each) and _is_sample(node, each, kinds, before) for each in before)
    return _is_sample(node, event, kinds, before)


def _is_sample(node: Dtc, report: DtcReport, kinds: set[str], before: Sequence[Event]) -> bool:
    if report.kind.name == "CLEARED":
        return False
    match node.asks:
        case "dtc" | "new_dtc":
            return report.kind.name in kinds
        case "lamp":
            return False if not _lamps(report) else node.pattern in _lamps(report)
        case "ready":
            return report.monitors is not None and bool(report.monitors.complete or report.monitors.incomplete)
    return any(value.signal == node.signal.path for value in report.freeze) and any(  # type: ignore[union-attr]
        fnmatchcase(code.code, node.pattern) for code in report.codes
    )


def _clears(clear: DtcReport, other: DtcReport) -> bool:
    if clear.bus != other.bus or other.kind.name in ("PERMANENT", "CLEARED"):
        return False
    if (clear.protocol.name == "J1939") != (other.protocol.name == "J1939"):
        return False
    if clear.protocol.name != "J1939":
        return clear.source == other.source
    return clear.source in (other.source, 255) and (clear.message == "DM3") == (other.kind.name == "PREVIOUSLY_ACTIVE")


def value(node: Dtc, past: Sequence[Event]) -> float:
    """The value of the predicate after these events."""
    match node.asks:
        case "lamp":
            return _lamp_value(node.pattern, past)
        case "ready":
            return _ready_value(node.pattern, past)
        case "freeze_frame":
            return _frozen_value(node, past)
    lists: dict[tuple[object, ...], tuple[bool, set[str], set[str]]] = {}
    new = node.asks == "new_dtc"
    for event in past:
        if event is DRIVE_ENDS:
            lists = {key: (whole, codes, set()) for key, (whole, codes, _) in lists.items()}
        elif event.kind.name == "CLEARED":
            gone = None if event.complete else {code.code for code in event.codes}
            for key, (whole, codes, fresh) in list(lists.items()):
                if _clears(event, key[-1]):  # type: ignore[arg-type]  # the latest report of the list
                    left = set() if gone is None else codes - gone
                    lists[key] = (whole, left, fresh & left)
        elif event.kind.name in KINDS.get(node.status, UDS_KINDS):
            _take(lists, event, node.status)
    if not any(whole or not new for whole, _, _ in lists.values()):
        return math.nan
    return float(any(fnmatchcase(code, node.pattern) for _, codes, fresh in lists.values() for code in (fresh if new else codes)))


def _take(lists: dict[tuple[object, ...], tuple[bool, set[str], set[str]]], report: DtcReport, status: str) -> None:
    kind = "UDS" if report.kind.name in UDS_KINDS else report.kind.name
    own = (report.bus, report.source, report.protocol, kind)
    key = next((each for each in lists if each[:-1] == own), None)
    whole, before, fresh = lists.pop(key) if key is not None else (False, set(), set())
    told = {code.code for code in report.codes}
    now = {code.code for code in report.codes if holds(report, code, status)}
    now |= set() if report.complete else before - told
    fresh = (fresh | (now - before if whole else set())) & now
    lists[(*own, report)] = (whole or report.complete, now, fresh)


def _lamps(report: DtcReport) -> dict[str, int]:
    if report.kind.name == "ACTIVE" and report.lamps is not None:
        return {name: getattr(report.lamps, name) for name in ("malfunction", "red_stop", "amber_warning", "protect")}
    if report.monitors is not None and report.monitors.lamp_on >= 0:
        return {"malfunction": report.monitors.lamp_on}
    return {}


def _reports(past: Sequence[Event]) -> Iterator[DtcReport]:
    return (event for event in past if event is not None)


def _lamp_value(name: str, past: Sequence[Event]) -> float:
    latest = {(r.bus, r.source, r.protocol): _lamps(r)[name] for r in _reports(past) if name in _lamps(r)}
    known = [state for state in latest.values() if state in (0, 1)]
    return float(max(known)) if known else math.nan


def _ready_value(pattern: str, past: Sequence[Event]) -> float:
    latest: dict[object, DtcReport] = {}
    for report in _reports(past):
        if report.kind.name == "CLEARED" and report.complete:
            latest = {ecu: each for ecu, each in latest.items() if not _clears(report, each)}
        elif report.monitors is not None and (report.monitors.complete or report.monitors.incomplete):
            latest[report.bus, report.source, report.protocol] = report
    told = [each.monitors for each in latest.values() if each.monitors is not None]
    if any(fnmatchcase(name, pattern) for each in told for name in each.incomplete):
        return 0.0
    return 1.0 if any(fnmatchcase(name, pattern) for each in told for name in each.complete) else math.nan


def _frozen_value(node: Dtc, past: Sequence[Event]) -> float:
    path = node.signal.path  # type: ignore[union-attr]  # it is bound
    told: list[tuple[DtcReport, str, float]] = []
    for report in _reports(past):
        if report.kind.name == "CLEARED":
            gone = None if report.complete else {code.code for code in report.codes}
            told = [each for each in told if not (_clears(report, each[0]) and (gone is None or each[1] in gone))]
        for frozen in report.freeze:
            if frozen.signal == path:
                told += [(report, code.code, frozen.value) for code in report.codes if fnmatchcase(code.code, node.pattern)]
    return told[-1][2] if told else math.nan
