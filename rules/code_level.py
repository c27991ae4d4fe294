"""How bad a reported trouble code is: by itself, by its failure mode, and by the lamps of its ECU.

A GB/T 32960 terminal grades its alarms: 1 does not affect driving, 2 limits it, 3 is the worst of the 2016 edition, 4 a thermal event. A
grade 3 is told per packet, so it asks for a stop only where a second severe alarm stands beside it. Where a terminal tells but one grade for all
alarms, that is the highest, and belongs to the severe ones as a red lamp does.

Lamps belong to an ECU, not to each of its codes (SAE J1939-73): the red stop lamp raises the codes of the severe class, and
all codes of the ECU only where none is of it. A code that is neither active nor confirmed is worth watching, no more, and so
is one whose SPN is not certain never a reason to stop by its failure mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.code_state import CodeState
from domain.codes import CodeInfo
from domain.findings import Severity, Text, Urgency
from domain.trouble_codes import DtcReport, Lamps, Protocol, TroubleCode

ON = 1
"""Lamp state: 0 off, 1 on, 2 error, 3 not available."""

_SEVERITIES = tuple(Severity)
_MOST_SEVERE, _MODERATE, _LEAST_SEVERE = (0, 1), (16, 18), (15, 17)
"""J1939 failure mode identifiers by how far the value is out of range."""


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
TODAY_LEVEL = Level(severity=Severity.HIGH, urgency=Urgency.TODAY)
WATCH_LEVEL = Level(severity=Severity.LOW, urgency=Urgency.MONITOR)

RED_STOP_LAMP = CodeInfo(
    code="lamp.red_stop",
    title=Text(en="Red stop lamp without a trouble code", zh="红色停车灯点亮但无故障码"),
    system="",
    component="",
    group_key="lamp/red_stop",
    severity=Severity.CRITICAL,
    urgency=Urgency.STOP,
    source="SAE J1939-73",
)
"""Stands for the code that an ECU does not name while it lights the red stop lamp."""

_FLASHING, _FLASHING_FAST = (0, 1), (1,)
"""Flash states slow and fast (SAE J1939-73); they mean nothing while the lamp is off."""
_CHECK_AT_ONCE, _CHECK_AT_NEXT_HALT, _MAINTENANCE_ONLY = 0x80, 0x40, 0x20
"""Bits of the UDS severity byte (ISO 14229-1)."""


def levels(report: DtcReport, codes: Sequence[tuple[TroubleCode, CodeState]], lookup: Callable[[str], CodeInfo]) -> list[Level]:
    """The level of each of these codes of a report, held in these states."""
    infos = [lookup(code.code) for code, _ in codes]
    own = [_own_level(code, state, info) for (code, state), info in zip(codes, infos, strict=True)]
    if report.protocol is Protocol.GBT32960:
        return _graded([code for code, _ in codes], infos, own)
    if report.lamps is None:
        return own
    severe = [info.severe_fmi or info.urgency is Urgency.STOP for info in infos]
    return [
        _lamp_level(level, report.lamps, red_concerns_it=is_severe or not any(severe)) if state.firm else level
        for level, (_, state), is_severe in zip(own, codes, severe, strict=True)
    ]


_HARMLESS, _LIMITS_DRIVING, _WORST_OF_2016, _THERMAL_EVENT = 1, 2, 3, 4
"""Grades of GB/T 32960.3."""


def _graded(codes: Sequence[TroubleCode], infos: Sequence[CodeInfo], own: Sequence[Level]) -> list[Level]:
    """Levels by the sender's grades; one grade for several codes concerns the severe ones, or all where none is."""
    severe = [info.urgency >= Urgency.TODAY and code.level >= 0 for code, info in zip(codes, infos, strict=True)]
    is_common = any(severe) and len({code.level for code in codes if code.level >= 0}) == 1
    stop_at = _WORST_OF_2016 if sum(severe) > 1 else _THERMAL_EVENT
    return [
        _grade_level(level, code.level, stop_at, concerned=is_severe or not is_common)
        for code, level, is_severe in zip(codes, own, severe, strict=True)
    ]


def _grade_level(level: Level, grade: int, stop_at: int, *, concerned: bool) -> Level:
    if grade == _HARMLESS and level.urgency is not Urgency.STOP:
        return Level(severity=_milder(level.severity, Severity.MEDIUM), urgency=min(level.urgency, Urgency.SOON))
    if not concerned or grade < _LIMITS_DRIVING:
        return level
    return STOP_LEVEL if grade >= stop_at else level.at_least(Severity.HIGH, Urgency.TODAY)


def _milder(severity: Severity, most: Severity) -> Severity:
    return max(severity, most, key=_SEVERITIES.index)


def _own_level(code: TroubleCode, state: CodeState, info: CodeInfo) -> Level:
    if not state.firm:
        return watch_level(info)
    level = Level(severity=info.severity, urgency=info.urgency)
    if code.severity > 0:
        level = _severity_level(level, code.severity)
    if code.fmi in _MOST_SEVERE and info.severe_fmi:
        return level.joined(TODAY_LEVEL) if code.is_spn_assumed else STOP_LEVEL
    if code.fmi in _MODERATE:
        return level.joined(TODAY_LEVEL)
    return level.at_least(Severity.LOW, Urgency.SOON) if code.fmi in _LEAST_SEVERE else level


def _severity_level(level: Level, byte: int) -> Level:
    if byte & _CHECK_AT_ONCE:
        return STOP_LEVEL
    if byte & _CHECK_AT_NEXT_HALT:
        return level.joined(TODAY_LEVEL)
    return level.at_least(Severity.LOW, Urgency.NEXT) if byte & _MAINTENANCE_ONLY else level


def watch_level(info: CodeInfo) -> Level:
    """The level of a code that is neither active nor confirmed."""
    return Level(severity=Severity.INFO, urgency=Urgency.MONITOR) if info.severity is Severity.INFO else WATCH_LEVEL


def is_flashing(lamps: Lamps, lamp: str) -> bool:
    """The lamp is on and flashes."""
    return getattr(lamps, lamp) == ON and getattr(lamps, f"{lamp}_flash") in _FLASHING


def _lamp_level(level: Level, lamps: Lamps, *, red_concerns_it: bool) -> Level:
    if lamps.red_stop == ON and red_concerns_it:
        return STOP_LEVEL
    fast = lamps.malfunction == ON and lamps.malfunction_flash in _FLASHING_FAST
    if lamps.protect == ON or fast or is_flashing(lamps, "amber_warning"):
        return level.joined(TODAY_LEVEL)
    return level.at_least(Severity.MEDIUM, Urgency.SOON) if lamps.amber_warning == ON else level
