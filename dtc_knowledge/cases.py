"""Cases made from the patterns themselves: does the true pattern lead, and which other one leads where it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.fleet import Vehicle
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.evidence import Observation
from dtc_knowledge.pattern import Pattern, Role, hits


class Kind(StrEnum):
    """What makes a case hard."""

    FULL = "full"
    """Trigger and supporting codes together."""
    ONE_MISSING = "one_missing"
    """The same without one of the supporting codes, or a trigger alone."""
    CONFOUNDED = "confounded"
    """A trigger of another pattern of the same system stands beside them as a pending code."""
    SECONDARY = "secondary"
    """Codes that the pattern explains stand beside its trigger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Codes with their weights, made for a pattern on a powertrain."""

    pattern: str
    kind: Kind
    codes: dict[str, float]
    powertrain: str


PENDING = 0.5
MOST_SUPPORTS = 2


def cases(knowledge: FaultKnowledge) -> Iterator[Case]:
    """Up to four cases for every worked pattern that a code can trigger, in order of the pattern's id."""
    patterns = sorted(knowledge.files.patterns.values(), key=lambda pattern: pattern.id)
    for pattern in patterns:
        triggers = _codes(pattern, Role.REQUIRED, Role.TRIGGER)
        if pattern.fallback or not triggers:
            continue
        powertrain = pattern.powertrains[0] if pattern.powertrains else ""
        own = [code for code in triggers if not _shared(code, pattern, patterns)] or triggers
        supports = [c for c in _codes(pattern, Role.SUPPORT) if not _shared(c, pattern, patterns)][:MOST_SUPPORTS]
        full = [own[0], *supports]
        yield Case(pattern=pattern.id, kind=Kind.FULL, codes=dict.fromkeys(full, 1.0), powertrain=powertrain)
        fewer = full[:-1] or full
        yield Case(pattern=pattern.id, kind=Kind.ONE_MISSING, codes=dict.fromkeys(fewer, 1.0), powertrain=powertrain)
        for other in _confounders(pattern, patterns):
            codes = dict.fromkeys(full, 1.0) | {other: PENDING}
            yield Case(pattern=pattern.id, kind=Kind.CONFOUNDED, codes=codes, powertrain=powertrain)
            break
        if pattern.explains:
            consequences = [sign.replace("*", "21") if sign.startswith("U") else sign.split("*")[0] for sign in pattern.explains]
            codes = {own[0]: 1.0} | dict.fromkeys((c for c in consequences[:2] if not c.endswith("/")), 1.0)
            yield Case(pattern=pattern.id, kind=Kind.SECONDARY, codes=codes, powertrain=powertrain)


def leading(knowledge: FaultKnowledge, case: Case) -> str:
    """The pattern that leads the answer to a case, "" where none applies."""
    found = knowledge.assess(Observation(codes=case.codes), Vehicle(id="", powertrain=case.powertrain))
    return found.matched[0].pattern.id if found.matched else ""


def confusion(knowledge: FaultKnowledge) -> dict[str, dict[str, Any]]:
    """By kind of case: how many, how often the true pattern leads, and (true, leading) pairs where another one does."""
    right: Counter[Kind] = Counter()
    total: Counter[Kind] = Counter()
    wrong: dict[Kind, Counter[tuple[str, str]]] = {kind: Counter() for kind in Kind}
    for case in cases(knowledge):
        first = leading(knowledge, case)
        total[case.kind] += 1
        right[case.kind] += first == case.pattern
        if first != case.pattern:
            wrong[case.kind][case.pattern, first] += 1
    return {
        kind.value: {
            "cases": total[kind],
            "right": right[kind],
            "share": round(right[kind] / max(1, total[kind]), 4),
            "confused": [{"true": true, "leading": first, "cases": n} for (true, first), n in sorted(wrong[kind].items())],
        }
        for kind in Kind
    }


def _codes(pattern: Pattern, *roles: Role) -> list[str]:
    return [sign.code for sign in pattern.signs if sign.role in roles and "*" not in sign.code]


def _shared(code: str, pattern: Pattern, patterns: list[Pattern]) -> bool:
    """Whether the code triggers another worked pattern too, so that alone it cannot tell the two apart."""
    return any(other.id != pattern.id and not other.fallback and other.triggered_by(code) for other in patterns)


def _confounders(pattern: Pattern, patterns: list[Pattern]) -> Iterator[str]:
    known = [sign.code for sign in pattern.signs]
    for other in patterns:
        if other.id == pattern.id or other.fallback or other.system != pattern.system or other.powertrains != pattern.powertrains:
            continue
        for code in _codes(other, Role.TRIGGER):
            if not any(hits(sign, [code]) for sign in known) and not other.explains:
                yield code
