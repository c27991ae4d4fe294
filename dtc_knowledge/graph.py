"""The fault knowledge as a property graph: what points to what, on whose word, and how surely."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.findings import Part, Text, Urgency
from dtc_knowledge.code_table import CodeCatalogue
from dtc_knowledge.field_notes import BulletinRow, FieldNotes
from dtc_knowledge.files import KnowledgeFiles
from dtc_knowledge.information import FINDS
from dtc_knowledge.pattern import Operation, Pattern

CODE_KINDS = frozenset({"code", "spn_fmi", "alarm_bit"})
URGENCY_WORDS = {
    Urgency.STOP: Text(en="STOP - stop safely now", zh="立即停车"),
    Urgency.TODAY: Text(en="TODAY - within 24 hours", zh="今天（24 小时内）"),
    Urgency.SOON: Text(en="SOON - within 7 days or 500 km", zh="尽快（7 天或 500 公里内）"),
    Urgency.NEXT: Text(en="NEXT - at the next visit", zh="下次保养"),
    Urgency.MONITOR: Text(en="MONITOR - keep watching", zh="持续观察"),
}
SAFETY_WORDS = {
    "none": Text(en="no safety risk", zh="无安全风险"),
    "low": Text(en="low safety risk", zh="安全风险低"),
    "medium": Text(en="medium safety risk", zh="安全风险中"),
    "high": Text(en="high safety risk", zh="安全风险高"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something the graph speaks of.

    `kind`: system, component, code, spn_fmi, alarm_bit, finding, predicate, pattern, symptom, applicability, urgency, safety, cause,
    check, operation, labour, part, bulletin, recall or software.
    """

    kind: str
    id: str
    title: Text

    @property
    def key(self) -> tuple[str, str]:
        """Its identity in the graph."""
        return self.kind, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`start` -`kind`-> `end` (node keys), as `source` says, with `confidence` 0..1 and the `version` of the files' format."""

    kind: str
    start: tuple[str, str]
    end: tuple[str, str]
    source: str
    confidence: float = 1.0
    version: str = "1"


@dataclass(frozen=True, slots=True)
class FaultGraph:
    """Nodes by key, and edges in the order of the files."""

    nodes: dict[tuple[str, str], Node]
    edges: tuple[Edge, ...]

    def leaving(self, key: tuple[str, str], kind: str | None = None) -> tuple[Edge, ...]:
        """Edges that start at a node."""
        return tuple(edge for edge in self.edges if edge.start == key and kind in (None, edge.kind))

    def arriving(self, key: tuple[str, str], kind: str | None = None) -> tuple[Edge, ...]:
        """Edges that end at a node."""
        return tuple(edge for edge in self.edges if edge.end == key and kind in (None, edge.kind))

    def unsourced(self) -> tuple[Edge, ...]:
        """Edges that nobody vouches for, not even as an estimate."""
        return tuple(edge for edge in self.edges if not edge.source)


def fault_graph(codes: CodeCatalogue, files: KnowledgeFiles) -> FaultGraph:
    """The same knowledge as nodes and edges, for checks, export and drawing."""
    nodes: dict[tuple[str, str], Node] = {}
    edges: list[Edge] = []
    for pattern in files.patterns.values():
        system = Node(kind="system", id=pattern.system, title=codes.systems[pattern.system])
        _add(nodes, [system])
        _add(nodes, [Node(kind="pattern", id=pattern.id, title=pattern.title), *_pattern_nodes(pattern, codes)])
        edges.extend(_pattern_edges(pattern))
    for node in [node for node in nodes.values() if node.kind in CODE_KINDS]:
        edges.extend(_component_edges(node, nodes, codes))
    edges.extend(_note_edges(files.notes, nodes))
    for operation in files.operations.values():
        _add(nodes, _operation_nodes(operation, files.parts))
        start = ("operation", operation.id)
        edges.extend(Edge(kind="needs", start=start, end=("part", part), source=operation.source) for part, _ in operation.parts)
        edges.append(Edge(kind="takes", start=start, end=("labour", operation.hours), source=operation.source))
    return FaultGraph(nodes, tuple(dict.fromkeys(edges)))


def _add(nodes: dict[tuple[str, str], Node], new: Iterable[Node]) -> None:
    for node in new:
        nodes.setdefault(node.key, node)


def _plain(words: str) -> Text:
    return Text(en=words, zh=words)


def _pattern_nodes(pattern: Pattern, codes: CodeCatalogue) -> Iterator[Node]:
    several = (code for group in pattern.several for code in group.codes)
    for code in (*(sign.code for sign in pattern.signs), *several, *pattern.explains):
        yield Node(kind=code_kind(code), id=code, title=_plain(code) if "*" in code else codes.lookup(code).title)
    for finding in pattern.findings:
        yield Node(kind="finding", id=finding.id, title=_plain(finding.id))
    for predicate in pattern.predicates:
        yield Node(kind="predicate", id=predicate.words, title=_plain(predicate.words))
    for cause in pattern.causes:
        yield Node(kind="cause", id=cause.id, title=cause.title)
    for check in pattern.checks:
        yield Node(kind="check", id=check.id, title=check.title)
    yield Node(kind="urgency", id=pattern.urgency.name, title=URGENCY_WORDS[pattern.urgency])
    yield Node(kind="safety", id=pattern.safety, title=SAFETY_WORDS[pattern.safety])
    for words in _applicability(pattern):
        yield Node(kind="applicability", id=words, title=_plain(words))


def _pattern_edges(pattern: Pattern) -> Iterator[Edge]:
    key, source = ("pattern", pattern.id), pattern.sources[0]
    yield Edge(kind="part_of", start=key, end=("system", pattern.system), source=source)
    yield Edge(kind="asks_for", start=key, end=("urgency", pattern.urgency.name), source=source)
    yield Edge(kind="endangers", start=key, end=("safety", pattern.safety), source=source)
    yield from (
        Edge(kind="applies_to", start=key, end=("applicability", words), source=source) for words in _applicability(pattern)
    )
    for sign in pattern.signs:
        yield Edge(kind=sign.role, start=(code_kind(sign.code), sign.code), end=key, source=sign.source)
    for several in pattern.several:
        for code in several.codes:
            yield Edge(kind=f"several_{several.role}", start=(code_kind(code), code), end=key, source=source)
    for finding in pattern.findings:
        yield Edge(kind=finding.role, start=("finding", finding.id), end=key, source=source)
    for predicate in pattern.predicates:
        yield Edge(kind=predicate.role, start=("predicate", predicate.words), end=key, source=source)
    for code in pattern.explains:
        yield Edge(kind="explains", start=key, end=(code_kind(code), code), source=source)
    for cause in pattern.causes:
        yield Edge(kind="suggests", start=key, end=("cause", cause.id), source=cause.source, confidence=cause.share)
        for operation in cause.repair:
            yield Edge(kind="fixed_by", start=("cause", cause.id), end=("operation", operation), source=source)
    for check_id, causes in pattern.tells:
        for cause_id in causes:
            yield Edge(kind="confirms", start=("check", check_id), end=("cause", cause_id), source="estimate", confidence=FINDS)
    for check in pattern.checks:
        yield Edge(kind="verified_by", start=key, end=("check", check.id), source=source)


def _operation_nodes(operation: Operation, parts: dict[str, Part]) -> Iterator[Node]:
    yield Node(kind="operation", id=operation.id, title=operation.title)
    yield Node(kind="labour", id=operation.hours, title=Text(en=f"{operation.hours} h", zh=f"{operation.hours} 小时"))
    for number, _ in operation.parts:
        yield Node(kind="part", id=number, title=parts[number].name)


def code_kind(code: str) -> str:
    """The kind of node that a code is."""
    return "spn_fmi" if code.startswith("SPN") else "alarm_bit" if code.startswith("GB") else "code"


def _applicability(pattern: Pattern) -> Iterator[str]:
    for kind, names in (("powertrain", pattern.powertrains), ("maker", pattern.makers), ("model", pattern.models)):
        yield from (f"{kind} {name}" for name in names)


def _component_edges(node: Node, nodes: dict[tuple[str, str], Node], codes: CodeCatalogue) -> Iterator[Edge]:
    """From a code to the component that it speaks of, and from that to its system."""
    info = codes.lookup(node.id)
    if "*" in node.id or not info.component or info.system not in codes.systems:
        return
    component = Node(kind="component", id=info.component, title=codes.components.get(info.component, _plain(info.component)))
    _add(nodes, [component, Node(kind="system", id=info.system, title=codes.systems[info.system])])
    yield Edge(kind="concerns", start=node.key, end=component.key, source=info.source)
    yield Edge(kind="part_of", start=component.key, end=("system", info.system), source=info.source)


def _note_edges(notes: FieldNotes, nodes: dict[tuple[str, str], Node]) -> Iterator[Edge]:
    for symptom, patterns in notes.symptoms:
        _add(nodes, [Node(kind="symptom", id=symptom.id, title=symptom.text)])
        for pattern in patterns:
            yield Edge(kind="shows_as", start=("pattern", pattern), end=("symptom", symptom.id), source=symptom.source)
    for bulletin in notes.bulletins:
        yield from _bulletin_edges(bulletin, nodes)


def _bulletin_edges(row: BulletinRow, nodes: dict[tuple[str, str], Node]) -> Iterator[Edge]:
    key = (row.kind, row.bulletin)
    _add(nodes, [Node(kind=row.kind, id=row.bulletin, title=row.text)])
    yield Edge(kind="addresses", start=key, end=("cause", row.cause), source=row.source)
    if row.applies_to:
        _add(nodes, [Node(kind="applicability", id=row.applies_to, title=_plain(row.applies_to))])
        yield Edge(kind="applies_to", start=key, end=("applicability", row.applies_to), source=row.source)
    if row.operation:
        yield Edge(kind="fixed_by", start=key, end=("operation", row.operation), source=row.source)
