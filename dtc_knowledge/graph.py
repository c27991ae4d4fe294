"""The fault knowledge as a property graph: what points to what, on whose word, and how surely."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from datafiles import read_csv
from domain.errors import DataFileError, InputError
from domain.findings import Part, Text
from dtc_knowledge.code_files import load_codes
from dtc_knowledge.code_table import CodeCatalogue
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.files import KnowledgeFiles, read_knowledge
from dtc_knowledge.information import FINDS
from dtc_knowledge.pattern import Operation, Pattern
from dtc_knowledge.schema import SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something the graph speaks of; `kind` is system, code, finding, predicate, pattern, cause, check, operation or part."""

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


def load_knowledge(folder: Path | None = None, extra: Path | None = None, region: str = "") -> FaultKnowledge:
    """The fault knowledge of `folder` (the shipped one by default) and of a maker's folder `extra`, for a region's prices.

    Raises:
        DataFileError: a file is not valid; it names file, line and mend.
        InputError: `extra` is not a folder.
    """
    root = folder or Path(__file__).parent
    if extra is None:
        codes = load_codes(root)
        return FaultKnowledge(codes, read_knowledge(root, codes))
    if not extra.is_dir():
        raise InputError(f"{extra} is not a folder", mend="name the folder that holds the maker's knowledge")
    makers = extra / "codes" / "makers"
    codes = load_codes(root, makers if makers.is_dir() else None)
    codes = replace(codes, sources=codes.sources | _own_sources(extra / "sources.csv", codes.sources))
    return FaultKnowledge(codes, read_knowledge(root, codes, extra, region))


def _own_sources(file: Path, shipped: dict[str, SourceRow]) -> dict[str, SourceRow]:
    own: dict[str, SourceRow] = {}
    for line, row in read_csv(file, SourceRow) if file.exists() else ():
        if row.id in shipped or row.id in own:
            raise DataFileError(f"source {row.id!r} stands twice", file=file, line=line, mend="give it an id of its own")
        own[row.id] = row
    return own


def fault_graph(codes: CodeCatalogue, files: KnowledgeFiles) -> FaultGraph:
    """The same knowledge as nodes and edges, for checks, export and drawing."""
    nodes: dict[tuple[str, str], Node] = {}
    edges: list[Edge] = []
    for pattern in files.patterns.values():
        system = Node(kind="system", id=pattern.system, title=codes.systems[pattern.system])
        _add(nodes, [system])
        _add(nodes, [Node(kind="pattern", id=pattern.id, title=pattern.title), *_pattern_nodes(pattern, codes)])
        edges.extend(_pattern_edges(pattern))
    for operation in files.operations.values():
        _add(nodes, _operation_nodes(operation, files.parts))
        start = ("operation", operation.id)
        edges.extend(Edge(kind="needs", start=start, end=("part", part), source=operation.source) for part, _ in operation.parts)
    return FaultGraph(nodes, tuple(dict.fromkeys(edges)))


def _add(nodes: dict[tuple[str, str], Node], new: Iterable[Node]) -> None:
    for node in new:
        nodes.setdefault(node.key, node)


def _plain(words: str) -> Text:
    return Text(en=words, zh=words)


def _pattern_nodes(pattern: Pattern, codes: CodeCatalogue) -> Iterator[Node]:
    several = (code for group in pattern.several for code in group.codes)
    for code in (*(sign.code for sign in pattern.signs), *several, *pattern.explains):
        yield Node(kind="code", id=code, title=_plain(code) if "*" in code else codes.lookup(code).title)
    for finding in pattern.findings:
        yield Node(kind="finding", id=finding.id, title=_plain(finding.id))
    for predicate in pattern.predicates:
        yield Node(kind="predicate", id=predicate.words, title=_plain(predicate.words))
    for cause in pattern.causes:
        yield Node(kind="cause", id=cause.id, title=cause.title)
    for check in pattern.checks:
        yield Node(kind="check", id=check.id, title=check.title)


def _pattern_edges(pattern: Pattern) -> Iterator[Edge]:
    key, source = ("pattern", pattern.id), pattern.sources[0]
    yield Edge(kind="part_of", start=key, end=("system", pattern.system), source=source)
    for sign in pattern.signs:
        yield Edge(kind=sign.role, start=("code", sign.code), end=key, source=sign.source)
    for several in pattern.several:
        for code in several.codes:
            yield Edge(kind=f"several_{several.role}", start=("code", code), end=key, source=source)
    for finding in pattern.findings:
        yield Edge(kind=finding.role, start=("finding", finding.id), end=key, source=source)
    for predicate in pattern.predicates:
        yield Edge(kind=predicate.role, start=("predicate", predicate.words), end=key, source=source)
    for code in pattern.explains:
        yield Edge(kind="explains", start=key, end=("code", code), source=source)
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
    for number, _ in operation.parts:
        yield Node(kind="part", id=number, title=parts[number].name)
