"""Finds the patterns that a set of signs can concern, without looking at all the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dtc_knowledge.evidence import Observation
from dtc_knowledge.pattern import Pattern, Predicate


@dataclass(frozen=True, slots=True)
class PatternIndex:
    """Code, finding id or signal -> patterns that speak of it.

    Attributes:
        codes: codes in full. wild: (begin, end, patterns) of signs with a star. findings: rule and model ids. signals: VSS paths.
    """

    codes: Mapping[str, tuple[Pattern, ...]]
    wild: tuple[tuple[str, str, tuple[Pattern, ...]], ...]
    findings: Mapping[str, tuple[Pattern, ...]]
    signals: Mapping[str, tuple[Pattern, ...]]

    @staticmethod
    def of(patterns: Iterable[Pattern]) -> PatternIndex:
        """The index of these patterns."""
        codes: dict[str, dict[str, Pattern]] = defaultdict(dict)
        findings: dict[str, dict[str, Pattern]] = defaultdict(dict)
        signals: dict[str, dict[str, Pattern]] = defaultdict(dict)
        for pattern in patterns:
            several = (code for group in pattern.several for code in group.codes)
            for code in (*(sign.code for sign in pattern.signs), *several, *pattern.explains):
                codes[code][pattern.id] = pattern
            for finding in pattern.findings:
                findings[finding.id][pattern.id] = pattern
            for predicate in pattern.predicates:
                for path in _signals(predicate):
                    signals[path][pattern.id] = pattern
        return PatternIndex(
            codes={code: tuple(found.values()) for code, found in codes.items() if "*" not in code},
            wild=tuple((*_ends(code), tuple(found.values())) for code, found in codes.items() if "*" in code),
            findings={id_: tuple(found.values()) for id_, found in findings.items()},
            signals={path: tuple(found.values()) for path, found in signals.items()},
        )

    def concerned(self, seen: Observation) -> list[Pattern]:
        """Every pattern that speaks of one of the signs, in order of its id."""
        groups = [self.codes.get(code, ()) for code in seen.codes]
        names = tuple(seen.codes)
        groups += [found for begin, end, found in self.wild for code in names if code.startswith(begin) and code.endswith(end)]
        groups += [self.findings.get(id_, ()) for id_ in seen.findings]
        groups += [self.signals.get(path, ()) for path in seen.values]
        found = {pattern.id: pattern for group in groups for pattern in group}
        return [found[id_] for id_ in sorted(found)]


def _ends(sign: str) -> tuple[str, str]:
    begin, _, end = sign.partition("*")
    return begin, end


def _signals(predicate: Predicate) -> tuple[str, ...]:
    return (predicate.signal,) if predicate.other is None else (predicate.signal, predicate.other)
