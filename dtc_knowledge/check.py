"""Figures of `pitcall knowledge check`. References, shares and sources are already checked while the files are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from domain.findings import Text
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.graph import fault_graph

ESTIMATE = "estimate"
"""The source that says: nobody but we."""


def check(knowledge: FaultKnowledge) -> dict[str, Any]:
    """How much the knowledge holds and what it lacks.

    `codes` counts by family: "P0", "P2", "U0" …; the electric-drive codes P0A-P0E count as "P0A". `pattern_codes` counts
    distinct codes that patterns speak of. `estimated_share` is the share of edges that rest on an estimate of ours;
    `unnamed_codes` are codes of patterns that no table names yet. `missing_translations` counts texts whose Chinese is missing or equals the English, and `untranslated` names them.
    """
    codes, patterns = knowledge.codes, knowledge.files.patterns.values()
    spoken_of = {sign.code for pattern in patterns for sign in pattern.signs}
    graph = fault_graph(codes, knowledge.files)
    untranslated = sorted(set(_untranslated(knowledge)))
    estimated = [edge for edge in graph.edges if edge.source == ESTIMATE]
    return {
        "codes": dict(sorted(Counter(_family(code) for code in codes.codes).items())),
        "spns": len(codes.parameters),
        "fmis": len(codes.failure_modes),
        "failure_types": len(codes.failure_types),
        "gb_bits": len(codes.alarm_bits),
        "patterns": len(knowledge.files.patterns),
        "pattern_codes": len(spoken_of),
        "causes": sum(kind == "cause" for kind, _ in graph.nodes),
        "operations": len(knowledge.files.operations),
        "parts": len(knowledge.files.parts),
        "nodes": len(graph.nodes),
        "edges": len(graph.edges),
        "estimated_edges": len(estimated),
        "estimated_share": round(len(estimated) / max(1, len(graph.edges)), 4),
        "estimated_patterns": sum(ESTIMATE in pattern.sources for pattern in patterns),
        "unnamed_codes": sorted(code for code in spoken_of if "*" not in code and not codes.lookup(code).known),
        "missing_translations": len(untranslated),
        "untranslated": untranslated,
        "unsourced_edges": len(graph.unsourced()),
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
