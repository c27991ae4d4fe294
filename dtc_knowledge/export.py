"""The fault graph for others: JSON-LD, Turtle (RDF) and Graphviz DOT."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from dtc_knowledge.graph import Edge, FaultGraph, Node

BASE = "https://pitcall.example/knowledge/"
"""Names of nodes and relations start with it; it need not lead anywhere."""
VERSION = "1"
_SHAPES = {
    "code": "box",
    "spn_fmi": "box",
    "alarm_bit": "box",
    "symptom": "oval",
    "finding": "box",
    "predicate": "box",
    "pattern": "hexagon",
    "cause": "ellipse",
    "check": "note",
}


def to_jsonld(graph: FaultGraph) -> str:
    """A JSON-LD document: nodes with names in both languages, edges as nodes of their own with source, confidence, version."""
    context = {
        "@vocab": BASE,
        "name": {"@id": "http://www.w3.org/2000/01/rdf-schema#label", "@container": "@language"},
        "from": {"@type": "@id"},
        "to": {"@type": "@id"},
    }
    nodes = [
        {"@id": _iri(node.key), "@type": node.kind, "name": {"en": node.title.en, "zh": node.title.zh}}
        for node in graph.nodes.values()
    ]
    edges = [
        {
            "@type": "Edge",
            "relation": edge.kind,
            "from": _iri(edge.start),
            "to": _iri(edge.end),
            "source": edge.source,
            "confidence": edge.confidence,
            "version": edge.version,
        }
        for edge in graph.edges
    ]
    return json.dumps({"@context": context, "@graph": nodes + edges}, ensure_ascii=False, indent=1) + "\n"


def to_turtle(graph: FaultGraph) -> str:
    """Turtle: each edge as a plain triple, and once more as a node that carries source, confidence and version."""
    head = [f"@prefix : <{BASE}> .", "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .", ""]
    return "\n".join([*head, *map(_turtle_node, graph.nodes.values()), *_turtle_edges(graph.edges)]) + "\n"


def _turtle_node(node: Node) -> str:
    return f"<{_iri(node.key)}> a :{node.kind} ; rdfs:label {_literal(node.title.en)}@en, {_literal(node.title.zh)}@zh ."


def _turtle_edges(edges: tuple[Edge, ...]) -> Iterator[str]:
    for edge in edges:
        start, end = f"<{_iri(edge.start)}>", f"<{_iri(edge.end)}>"
        yield f"{start} :{edge.kind} {end} ."
        facts = f":source {_literal(edge.source)} ; :confidence {edge.confidence} ; :version {_literal(edge.version)}"
        yield f"[] a :Edge ; :relation :{edge.kind} ; :from {start} ; :to {end} ; {facts} ."


def to_dot(graph: FaultGraph, pattern: str = "") -> str:
    """A picture for Graphviz: of everything, or of one pattern and what it touches."""
    edges = [edge for edge in graph.edges if not pattern or _near(graph, edge, pattern)]
    keys = dict.fromkeys(key for edge in edges for key in (edge.start, edge.end))
    lines = ["digraph knowledge {", "  rankdir=LR;"]
    for key in keys:
        node = graph.nodes[key]
        shape = _SHAPES.get(node.kind, "component")
        lines.append(f"  {_literal(_iri(key))} [label={_literal(f'{node.id}: {node.title.en}')}, shape={shape}];")
    lines += [f"  {_literal(_iri(edge.start))} -> {_literal(_iri(edge.end))} [label={_literal(edge.kind)}];" for edge in edges]
    return "\n".join([*lines, "}"]) + "\n"


def _near(graph: FaultGraph, edge: Edge, pattern: str) -> bool:
    key = ("pattern", pattern)
    causes = {suggested.end for suggested in graph.leaving(key, "suggests")}
    return key in (edge.start, edge.end) or edge.start in causes


def _iri(key: tuple[str, str]) -> str:
    return f"{BASE}{key[0]}/{quote(key[1], safe='')}"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
