"""`pitcall rules new`: a draft of a rule, from nothing or from the measured values that a root-cause pattern names."""

from __future__ import annotations

from collections.abc import Mapping

from app.fault_knowledge import fault_knowledge
from domain.errors import InputError
from domain.findings import Text
from domain.vss import catalogue
from dtc_knowledge.pattern import Pattern, Predicate, Role
from rules.scaffold import new_rule

EXAMPLE = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"


def draft(rule_id: str, pattern_id: str | None, patterns: Mapping[str, Pattern] | None = None) -> str:
    """The YAML of a shadow rule; `patterns` by id, None = those in use.

    Raises:
        InputError: there is no such pattern, or it names no measured value.
    """
    if pattern_id is None:
        title = Text(en="What is wrong", zh="故障名称")
        return new_rule(
            rule_id, when=f"{EXAMPLE} > 115 celsius", title=title, system="engine", shown=EXAMPLE, sources=["to be named"]
        )
    pattern = (fault_knowledge().files.patterns if patterns is None else patterns).get(pattern_id)
    if pattern is None:
        raise InputError(f"no pattern {pattern_id!r}", mend="ids stand in dtc_knowledge/patterns")
    if not pattern.predicates:
        raise InputError(
            f"pattern {pattern_id!r} names no measured value", mend="add `signals` to it, or leave --from-pattern out"
        )
    decisive = [p for p in pattern.predicates if p.role in (Role.REQUIRED, Role.TRIGGER)]
    main = decisive or [p for p in pattern.predicates if p.role is Role.SUPPORT]
    if not main:
        raise InputError(f"pattern {pattern_id!r} has only values that speak against it", mend="leave --from-pattern out")
    return new_rule(
        rule_id,
        when=" and ".join(_condition(predicate) for predicate in main),
        title=pattern.title,
        system=pattern.system,
        shown=main[0].signal,
        sources=[f"root-cause pattern {pattern.id}", *pattern.sources],
    )


def _condition(predicate: Predicate) -> str:
    if catalogue()[predicate.signal].datatype == "boolean":
        return predicate.signal if predicate.holds({predicate.signal: 1.0}) else f"not {predicate.signal}"
    other = ""
    if predicate.other is not None:
        sign = "+" if predicate.factor > 0 else "-"
        factor = "" if abs(predicate.factor) == 1.0 else f"{abs(predicate.factor):g} * "
        other = f" {sign} {factor}{predicate.other}"
    return f"{predicate.signal}{other} {predicate.comparison} {predicate.value:g}"
