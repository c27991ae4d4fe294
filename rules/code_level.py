"""How bad a reported trouble code is: by itself, by its failure mode, and by the lamps of its ECU.

A GB/T 32960 terminal grades its alarms: 1 does not affect driving, 2 limits it, 3 stop now, 4 thermal event. Where it tells but one
grade for all of them, that is the highest, and belongs to the severe ones as a red lamp does.

Lamps belong to an ECU, not to each of its codes (SAE J1939-73): the red stop lamp raises the codes of the severe class, and
all codes of the ECU only where none is of it. Codes that are only pending or permanent are worth watching, no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.codes import CodeInfo
from domain.findings import Severity, Urgency
from domain.trouble_codes import CodeList, DtcReport, Lamps, Protocol, StatusBit, TroubleCode

ON = 1
"""Lamp state: 0 off, 1 on, 2 error, 3 not available."""

_SEVERITIES = tuple(Severity)
_MOST_SEVERE, _MODERATE, _LEAST_SEVERE = (0, 1), (16, 18), (15, 17)
"""J1939 failure mode identifiers by how far the value is out of range."""


class Standing(StrEnum):
    """How firmly an ECU holds a code; the word is shown to users."""

    ACTIVE = "active"
    STORED = "stored"
    PENDING = "pending"
    PERMANENT = "permanent"
    HISTORY = "history"

    @property
    def firm(self) -> bool:
        """It counts in full."""
        return self in (Standing.ACTIVE, Standing.STORED)


_BY_LIST = {
    CodeList.STORED: Standing.STORED,
    CodeList.FREEZE_FRAME: Standing.STORED,
    CodeList.PENDING: Standing.PENDING,
    CodeList.PERMANENT: Standing.PERMANENT,
    CodeList.ACTIVE: Standing.ACTIVE,
}


def standing(report: DtcReport, code: TroubleCode) -> Standing | None:
    """How the report holds the code; None where its status says that it is no fault (test never completed, or passed)."""
    if report.kind is not CodeList.UDS_BY_STATUS:
        return _BY_LIST[report.kind]
    if code.status & (StatusBit.TEST_FAILED | StatusBit.WARNING_INDICATOR):
        return Standing.ACTIVE
    if code.status & StatusBit.CONFIRMED:
        return Standing.HISTORY
    return Standing.PENDING if code.status & StatusBit.PENDING else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How bad and how soon."""

    severity: Severity
    urgency: Urgency

    def at_least(self, severity: Severity, urgency: Urgency) -> Level:
        """The worse of both, part by part."""
        worst = min(self.severity, severity, key=_SEVERITIES.index)
        return Level(severity=worst, urgency=max(self.urgency, urgency))

    def joined(self, other: Level) -> Level:
        """The worse of both, part by part."""
        return self.at_least(other.severity, other.urgency)


STOP_LEVEL = Level(severity=Severity.CRITICAL, urgency=Urgency.STOP)


def levels(report: DtcReport, codes: Sequence[TroubleCode], lookup: Callable[[str], CodeInfo]) -> list[Level]:
    """The level of each of these codes of a report."""
    infos = [lookup(code.code) for code in codes]
    own = [_own_level(report, code, info) for code, info in zip(codes, infos, strict=True)]
    if report.protocol is Protocol.GBT32960:
        return _graded(codes, infos, own)
    if report.lamps is None:
        return own
    severe = [info.severe_fmi or info.urgency is Urgency.STOP for info in infos]
    return [
        _lamp_level(level, report.lamps, red_concerns_it=is_severe or not any(severe))
        for level, is_severe in zip(own, severe, strict=True)
    ]


_LIMITS_DRIVING, _STOP_NOW = 2, 3
_HARMLESS = 1
"""Grades of GB/T 32960.3."""


def _graded(codes: Sequence[TroubleCode], infos: Sequence[CodeInfo], own: Sequence[Level]) -> list[Level]:
    """Levels by the sender's grades; one grade for several codes concerns the severe ones, or all where none is."""
    severe = [info.urgency >= Urgency.TODAY and code.level >= 0 for code, info in zip(codes, infos, strict=True)]
    is_common = any(severe) and len({code.level for code in codes if code.level >= 0}) == 1
    return [
        _grade_level(level, code.level, concerned=is_severe or not is_common)
        for code, level, is_severe in zip(codes, own, severe, strict=True)
    ]


def _grade_level(level: Level, grade: int, *, concerned: bool) -> Level:
    if grade == _HARMLESS and level.urgency is not Urgency.STOP:
        return Level(severity=_milder(level.severity, Severity.MEDIUM), urgency=min(level.urgency, Urgency.SOON))
    if not concerned or grade < _LIMITS_DRIVING:
        return level
    return STOP_LEVEL if grade >= _STOP_NOW else level.at_least(Severity.HIGH, Urgency.TODAY)


def _milder(severity: Severity, most: Severity) -> Severity:
    return max(severity, most, key=_SEVERITIES.index)


def _own_level(report: DtcReport, code: TroubleCode, info: CodeInfo) -> Level:
    held = standing(report, code)
    if held is None or not held.firm:
        severity = info.severity if info.severity is Severity.INFO else Severity.LOW
        return Level(severity=severity, urgency=Urgency.MONITOR)
    level = Level(severity=info.severity, urgency=info.urgency)
    if code.fmi in _MOST_SEVERE and info.severe_fmi:
        return STOP_LEVEL
    if code.fmi in _MODERATE:
        return level.at_least(Severity.HIGH, Urgency.TODAY)
    return level.at_least(Severity.LOW, Urgency.SOON) if code.fmi in _LEAST_SEVERE else level


def _lamp_level(level: Level, lamps: Lamps, *, red_concerns_it: bool) -> Level:
    if lamps.red_stop == ON and red_concerns_it:
        return STOP_LEVEL
    if lamps.protect == ON:
        return level.at_least(Severity.HIGH, Urgency.TODAY)
    return level.at_least(Severity.MEDIUM, Urgency.SOON) if lamps.amber_warning == ON else level
