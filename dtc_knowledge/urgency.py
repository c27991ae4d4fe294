"""How soon an incident must be looked at: every item of evidence counts up to its own cap, and the greatest one decides.

Caps follow what an item can prove: a code alone proves no more than its table entry says; a pending code asks for
watching, a stored one for the next visit; a code that another fault explains asks for nothing by itself; a lamp speaks for
its control unit, so it raises the incident that best explains it and not every code beside it. A measured finding counts as
its rule or model says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.findings import Alert, SourceKind, Text, Urgency
from domain.ports import CodeTable
from dtc_knowledge.evidence import Standing, alert_codes, lamp, standing
from dtc_knowledge.matching import FIRM, Match
from dtc_knowledge.pattern import matches

_LATCHED_SYSTEMS = frozenset({"ev.isolation", "ev.battery"})
"""Stored codes of these stay dangerous after the condition is gone."""
_LAMP_LEVELS = {
    "red_stop": (Urgency.STOP, Text(en="the red stop lamp is on", zh="红色停车灯点亮")),
    "protect": (Urgency.TODAY, Text(en="the protect lamp is on", zh="保护灯点亮")),
    "amber_warning": (Urgency.SOON, Text(en="the amber warning lamp is on", zh="琥珀色警告灯点亮")),
}
_SEVERITIES = (
    (0x80, Urgency.STOP, Text(en="the control unit asks for an immediate check", zh="控制单元要求立即检查")),
    (0x40, Urgency.TODAY, Text(en="the control unit asks for a check at the next stop", zh="控制单元要求下次停车时检查")),
    (0x20, Urgency.NEXT, Text(en="the control unit asks for maintenance only", zh="控制单元仅要求保养")),
)
"""Severity byte of ISO 14229-1, the gravest bit first."""
_FLASHING = (Urgency.TODAY, Text(en="the malfunction lamp is flashing", zh="故障指示灯闪烁"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of evidence: how soon it asks for help, and why in words."""

    urgency: Urgency
    reason: Text


def fuse(
    own: Sequence[Alert], others: Sequence[Alert], matched: Sequence[Match], codes: CodeTable, explained: frozenset[str]
) -> Item:
    """The deciding item of an incident.

    Args:
        own: the incident's open alerts. others: the vehicle's other open alerts. matched: patterns, strongest first.
        explained: codes of the incident that another open fault of the vehicle explains.
    """
    items = [
        *_measured_items(own),
        *_pattern_items(own, matched),
        *_graded_items(own, others, matched, codes),
        *_lamp_items(own, others, codes),
        *_code_items(own, codes, explained),
    ]
    nothing = Item(urgency=Urgency.MONITOR, reason=Text(en="nothing is active", zh="当前没有活动故障"))
    return max(items, key=lambda item: item.urgency, default=nothing)


def _measured_items(own: Sequence[Alert]) -> Iterator[Item]:
    for alert in own:
        if alert.source.kind is not SourceKind.DTC:
            yield Item(
                urgency=alert.urgency,
                reason=Text(en=f"measured: {alert.title.en}", zh=f"实测：{alert.title.zh}"),
            )


def _pattern_items(own: Sequence[Alert], matched: Sequence[Match]) -> Iterator[Item]:
    """What believed patterns ask for where one of their decisive codes is active.

    The leading one asks also where a code and a measurement agree.
    """
    active = {code for alert in own if standing(alert) is Standing.ACTIVE for code in alert_codes(alert)}
    measured = {a.source.id for a in own if a.source.kind is not SourceKind.DTC}
    for rank, match in enumerate(matched):
        if max(match.belief, match.alone) < FIRM:
            continue
        pattern, codes = match.pattern, active & set(match.touched)
        decisive = any(matches(sign, code) for sign in pattern.decisive for code in codes)
        if decisive or (rank == 0 and codes and measured & set(match.touched)):
            yield Item(urgency=pattern.urgency, reason=pattern.reason)
        yield from (Item(urgency=worse.urgency, reason=worse.reason) for worse in pattern.worse if worse.holds(active))


def _graded_items(own: Sequence[Alert], others: Sequence[Alert], matched: Sequence[Match], codes: CodeTable) -> Iterator[Item]:
    """Grades that a vehicle gives itself: the severity byte of a UDS code, the alarm level of a GB/T 32960 packet.

    A level is told of the packet: where the gravest alarm with it stands in another incident, it raises that one.
    """
    signs = len({key for match in matched[:1] for key in match.touched})
    for alert in own:
        if standing(alert) is not Standing.ACTIVE:
            continue
        for item in alert.evidence:
            if item.value is None:
                continue
            if item.kind == "severity" and (grade := _severity(int(item.value))):
                yield grade
            elif item.kind == "alarm_level" and not _outranked(alert, item.value, others, codes):
                yield _alarm_level(int(item.value), signs)


def _outranked(alert: Alert, level: float, others: Sequence[Alert], codes: CodeTable) -> bool:
    return any(
        _rank(other, codes) > _rank(alert, codes)
        for other in others
        if any(item.kind == "alarm_level" and item.value == level for item in other.evidence)
    )


def _severity(byte: int) -> Item | None:
    for mask, urgency, words in _SEVERITIES:
        if byte & mask:
            return Item(urgency=urgency, reason=words)
    return None


def _alarm_level(level: int, signs: int) -> Item:
    """Level 4 exists in the 2025 edition only; level 3 asks for a stop only with a second sign of the same fault."""
    stop = level >= 4 or (level == 3 and signs > 1)
    urgency = Urgency.STOP if stop else {3: Urgency.TODAY, 2: Urgency.TODAY, 1: Urgency.SOON}.get(level, Urgency.MONITOR)
    return Item(urgency=urgency, reason=Text(en=f"the vehicle reports alarm level {level}", zh=f"车辆上报 {level} 级报警"))


def _lamp_items(own: Sequence[Alert], others: Sequence[Alert], codes: CodeTable) -> Iterator[Item]:
    for name in ("red_stop", "protect", "amber_warning", "malfunction"):
        lit = [alert for alert in own if _lit(alert, name)]
        rank = max((_rank(alert, codes) for alert in lit), default=None)
        units = {_unit(alert) for alert in lit}
        if rank is None or any(_lit(a, name) and _unit(a) in units and _rank(a, codes) > rank for a in others):
            continue
        if name == "malfunction":
            ignition = any(a.group_key.startswith("engine.ignition") for a in lit)
            if ignition and any(flashing for a in lit for lamp_name, flashing in _lamps(a) if lamp_name == name):
                yield Item(urgency=_FLASHING[0], reason=_FLASHING[1])
        else:
            level, words = _LAMP_LEVELS[name]
            yield Item(urgency=level, reason=words)


def _unit(alert: Alert) -> str:
    """The reporting control unit, as the source id of a J1939 code names it ("SPN100/FMI1/SA0" -> "SA0")."""
    return alert.source.id.rpartition("/SA")[2]


def _lamps(alert: Alert) -> list[tuple[str, bool]]:
    return [found for item in alert.evidence if (found := lamp(item))]


def _lit(alert: Alert, name: str) -> bool:
    return standing(alert) is Standing.ACTIVE and any(found == name for found, _ in _lamps(alert))


def _rank(alert: Alert, codes: CodeTable) -> Urgency:
    return max((codes.lookup(code).urgency for code in alert_codes(alert)), default=Urgency.MONITOR)


def _code_items(own: Sequence[Alert], codes: CodeTable, explained: frozenset[str]) -> Iterator[Item]:
    for alert in own:
        if alert.source.kind is not SourceKind.DTC:
            continue
        how = standing(alert)
        for code in alert_codes(alert):
            info = codes.lookup(code)
            if code in explained:
                words = Text(en=f"{code} is a consequence of another fault", zh=f"{code} 由另一故障引起")
                yield Item(urgency=Urgency.MONITOR, reason=words)
            elif how is Standing.PENDING:
                words = Text(en=f"{code} is pending, not confirmed", zh=f"{code} 为待定故障码，尚未确认")
                yield Item(urgency=Urgency.MONITOR, reason=words)
            elif how is Standing.HISTORY:
                cap = Urgency.STOP if info.system in _LATCHED_SYSTEMS else Urgency.NEXT
                words = Text(en=f"{code} is history, not active now", zh=f"{code} 为历史故障码，当前未激活")
                yield Item(urgency=min(info.urgency, cap), reason=words)
            else:
                words = Text(en=f"{code} is active: {info.title.en}", zh=f"{code} 当前激活：{info.title.zh}")
                yield Item(urgency=info.urgency, reason=words)
