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
    """The leading pattern's own urgency, where a decisive code is active or a code and a measurement agree."""
    if not matched or matched[0].belief < FIRM:
        return
    match = matched[0]
    active = {code for alert in own if standing(alert) is Standing.ACTIVE for code in alert_codes(alert)} & set(match.touched)
    measured = {a.source.id for a in own if a.source.kind is not SourceKind.DTC} & set(match.touched)
    decisive = any(matches(sign, code) for sign in match.pattern.decisive for code in active)
    if decisive or (active and measured):
        yield Item(urgency=match.pattern.urgency, reason=match.pattern.reason)


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
