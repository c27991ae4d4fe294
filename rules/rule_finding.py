"""From an event of the kernel to a finding: evidence, explanation and texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.findings import Evidence, Finding, Source, SourceKind, Text, Transition
from rules.expression import COMPARISONS, Call, Dtc, Node, Signal, render, walk
from rules.meaning import column_name, evaluate
from rules.rule import Rule

SECOND_NS = 1_000_000_000

MatchingCodes = Callable[[Dtc], tuple[str, ...]]
"""dtc() or new_dtc() -> codes for which it held then."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEvent:
    """A rule changed its mind.

    Attributes:
        time_ns: when. began_ns: when the condition first held. counted_from_ns: the same, later by the gaps that do not count.
        inputs: value of each input then, NaN where unknown.
    """

    vehicle: str
    raised: bool
    time_ns: int
    began_ns: int
    counted_from_ns: int
    inputs: Mapping[str, float]

    @property
    def duration_s(self) -> float:
        """How long the condition was known to hold."""
        return (self.time_ns - self.counted_from_ns) / SECOND_NS


def rule_finding(rule: Rule, event: RuleEvent, matching: MatchingCodes) -> Finding:
    """The finding of an event."""
    condition = rule.when if event.raised else rule.clearing
    asked = [node for node in walk(condition) if isinstance(node, Dtc) and "dtc" in node.asks]
    return Finding(
        vehicle=event.vehicle,
        source=Source(kind=SourceKind.RULE, id=rule.id, version=rule.full_version),
        transition=Transition.RAISED if event.raised else Transition.CLEARED,
        time_ns=event.time_ns,
        group_key=rule.group_key,
        severity=rule.severity,
        urgency=rule.urgency,
        title=rule.title,
        explanation=_explanation(rule, event),
        evidence=_evidence(rule, event, condition, matching),
        codes=tuple(dict.fromkeys(code for node in asked for code in matching(node))),
    )


def _explanation(rule: Rule, event: RuleEvent) -> Text:
    if not event.raised:
        return Text(en=f"No longer the case: {rule.title.en}.", zh=f"已恢复正常：{rule.title.zh}。")
    english, chinese = (
        template.fill(event.inputs, rule.parameters, event.duration_s) for template in (rule.explanation_en, rule.explanation_zh)
    )
    return Text(en=english, zh=chinese)


def _evidence(rule: Rule, event: RuleEvent, condition: Node, matching: MatchingCodes) -> tuple[Evidence, ...]:
    """One entry per signal or code predicate of the condition, with its threshold where it is compared by itself."""
    found: dict[str, Evidence] = {}
    for node in walk(condition):
        if isinstance(node, Call) and node.name in COMPARISONS:
            for item in _compared(node, rule, event):
                found.setdefault(item.signal, item)
    for node in walk(condition):
        if isinstance(node, Dtc):
            found.setdefault(render(node), _reported(node, event, matching))
        elif isinstance(node, Signal):
            found.setdefault(node.path, _entry(event, "signal", node.path, value=_value(node, event), unit=str(node.unit)))
    return tuple(found.values())


def _reported(node: Dtc, event: RuleEvent, matching: MatchingCodes) -> Evidence:
    """What an ECU told: the codes that match, the state of a lamp or monitor, or a frozen value."""
    value = _finite(event.inputs.get(column_name(node), math.nan))
    if node.asks == "freeze_frame" and isinstance(node.signal, Signal):
        note = f"frozen by {node.pattern}"
        return _entry(event, "freeze_frame", node.signal.path, value=value, unit=str(node.signal.unit), note=note)
    if node.asks == "lamp":
        return _entry(event, "lamp", node.pattern, value=value, note="" if value is None else "on" if value else "off")
    if node.asks == "ready":
        return _entry(
            event, "monitor", node.pattern, value=value, note="" if value is None else "complete" if value else "incomplete"
        )
    return _entry(event, "dtc", node.pattern, note=", ".join(matching(node)))


def _compared(node: Call, rule: Rule, event: RuleEvent) -> list[Evidence]:
    """Evidence of one comparison: `signal op expression` has a threshold, a sum of signals is told in the note."""
    left, right = node.args
    name = node.name
    if isinstance(right, Signal) and not isinstance(left, Signal):
        left, right, name = right, left, _MIRRORED[name]
    signals = [item for item in walk(node) if isinstance(item, Signal)]
    if isinstance(left, Signal):
        threshold = _finite(evaluate(right, event.inputs, rule.parameters))
        others = [item for item in signals if item.path != left.path]
        first = _entry(
            event,
            "signal",
            left.path,
            value=_value(left, event),
            unit=str(left.unit),
            threshold=threshold,
            comparison=name,
        )
        return [first, *(_entry(event, "signal", s.path, value=_value(s, event), unit=str(s.unit)) for s in others)]
    total, limit = (evaluate(arg, event.inputs, rule.parameters) for arg in (left, right))
    note = f"{render(left)} = {total:.6g} {name} {limit:.6g}"
    return [_entry(event, "signal", s.path, value=_value(s, event), unit=str(s.unit), note=note) for s in signals]


def _entry(
    event: RuleEvent,
    kind: str,
    signal: str,
    *,
    value: float | None = None,
    unit: str = "",
    threshold: float | None = None,
    comparison: str = "",
    note: str = "",
) -> Evidence:
    return Evidence(
        kind=kind,
        signal=signal,
        value=value,
        unit=unit,
        threshold=threshold,
        comparison=comparison,
        duration_s=event.duration_s,
        window_start_ns=event.began_ns,
        window_end_ns=event.time_ns,
        note=note,
    )


def _value(node: Signal, event: RuleEvent) -> float | None:
    return _finite(event.inputs.get(column_name(node), math.nan))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
