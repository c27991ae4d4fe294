"""Figures of `pitcall knowledge check`. References, shares and sources are already checked while the files are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.findings import Text
from dtc_knowledge.code_table import CodeCatalogue
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.graph import fault_graph
from dtc_knowledge.pattern import Pattern, Role

ESTIMATE = "estimate"
"""The source that says: nobody but we."""


def check(knowledge: FaultKnowledge) -> dict[str, Any]:
    """How much the knowledge holds and what it lacks.

    `codes` counts by family: "P0", "P2", "U0" …; the electric-drive codes P0A-P0E count as "P0A". `languages` says of how many
    entries of each family the words are there in each language, and `makers` how many codes each maker names. `pattern_codes`
    counts distinct codes that patterns speak of. `estimated_share` is the share of edges that rest on an estimate of ours;
    `unnamed_codes` are codes of patterns that no table names yet. `missing_translations` counts texts whose Chinese is missing or
    equals the English, and `untranslated` names them. `cycles` are patterns that explain each other in a ring.
    """
    codes, patterns = knowledge.codes, knowledge.files.patterns.values()
    spoken_of = {sign.code for pattern in patterns for sign in pattern.signs}
    graph = fault_graph(codes, knowledge.files)
    untranslated = sorted(set(_untranslated(knowledge)))
    estimated = [edge for edge in graph.edges if edge.source == ESTIMATE]
    return {
        "codes": dict(sorted(Counter(_family(code) for code in codes.codes).items())),
        "languages": _languages(codes),
        "makers": {maker: len(own) for maker, own in sorted(codes.makers.items())},
        "spns": len(codes.parameters),
        "fmis": len(codes.failure_modes),
        "failure_types": len(codes.failure_types),
        "gb_bits": len(codes.alarm_bits),
        "patterns": len(knowledge.files.patterns),
        "pattern_codes": len(spoken_of),
        "causes": sum(kind == "cause" for kind, _ in graph.nodes),
        "operations": len(knowledge.files.operations),
        "parts": len(knowledge.files.parts),
        "symptoms": len(knowledge.files.notes.symptoms),
        "bulletins": len(knowledge.files.notes.bulletins),
        "nodes": len(graph.nodes),
        "edges": len(graph.edges),
        "estimated_edges": len(estimated),
        "estimated_share": round(len(estimated) / max(1, len(graph.edges)), 4),
        "estimated_patterns": sum(ESTIMATE in pattern.sources for pattern in patterns),
        "unnamed_codes": sorted(code for code in spoken_of if "*" not in code and not codes.lookup(code).known),
        "missing_translations": len(untranslated),
        "untranslated": untranslated,
        "unsourced_edges": len(graph.unsourced()),
        "cycles": explaining_rings(list(patterns)),
    }


def explaining_rings(patterns: Sequence[Pattern]) -> list[list[str]]:
    """Patterns of which each explains a code that the next one rests on, round to the first: neither could ever be the root."""
    triggers = {
        p.id: [s.code for s in p.signs if s.role in (Role.TRIGGER, Role.REQUIRED) and "*" not in s.code] for p in patterns
    }
    after = {
        parent.id: {id_ for id_, codes in triggers.items() if id_ != parent.id and any(map(parent.explains_code, codes))}
        for parent in patterns
        if parent.explains
    }
    reached = {id_: _reached(id_, after) for id_ in after}
    rings = {frozenset(other for other in reached[id_] if id_ in reached.get(other, ())) for id_ in after if id_ in reached[id_]}
    return sorted(sorted(ring) for ring in rings)


def _reached(start: str, after: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = after.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def _languages(codes: CodeCatalogue) -> dict[str, dict[str, int]]:
    """Family -> language -> entries that have words in it."""
    words: dict[str, list[Text]] = {}
    for code, info in codes.codes.items():
        words.setdefault(_family(code), []).append(info.title)
    words |= {
        "SPN": [row.text for row in codes.parameters.values()],
        "FMI": [row.text for row in codes.failure_modes.values()],
        "FTB": [row.text for row in codes.failure_types.values()],
        "GB": [info.title for info in codes.alarm_bits.values()],
    }
    return {
        family: {"en": sum(bool(t.en.strip()) for t in texts), "zh": sum(not t.zh.isascii() for t in texts)}
        for family, texts in sorted(words.items())
    }


def _family(code: str) -> str:
    return "P0A" if code.startswith("P0") and code[2] in "ABCDE" else code[:2]


def _untranslated(knowledge: FaultKnowledge) -> Iterator[str]:
    for name, text in _texts(knowledge):
        if not text.en.strip() or not text.zh.strip() or text.en == text.zh or text.zh.isascii():
            yield name


def _texts(knowledge: FaultKnowledge) -> Iterator[tuple[str, Text]]:
    codes = knowledge.codes
    for info in (*codes.codes.values(), *codes.alarm_bits.values()):
        yield info.code, info.title
    for number, parameter in codes.parameters.items():
        yield f"SPN{number}", parameter.text
    for number, mode in codes.failure_modes.items():
        yield f"FMI{number}", mode.text
    for type_, row in codes.failure_types.items():
        yield f"failure type {type_}", row.text
    yield from codes.systems.items()
    yield from ((f"component {id_}", text) for id_, text in codes.components.items())
    yield from ((f"symptom {row.id}", row.text) for row, _ in knowledge.files.notes.symptoms)
    yield from ((row.bulletin, row.text) for row in knowledge.files.notes.bulletins)
    for maker, own in codes.makers.items():
        yield from ((f"{maker} {info.code}", info.title) for info in own.values())
    for operation in knowledge.files.operations.values():
        yield operation.id, operation.title
    for part in knowledge.files.parts.values():
        yield part.number, part.name
    for pattern in knowledge.files.patterns.values():
        yield pattern.id, pattern.title
        yield f"{pattern.id}.reason", pattern.reason
        yield f"{pattern.id}.advice", pattern.advice
        yield from ((cause.id, cause.title) for cause in pattern.causes)
        yield from ((step.id, step.title) for step in pattern.checks)
