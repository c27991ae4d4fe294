"""Reads `parts.yaml` and `operations.yaml`: what a repair takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from datafiles import load_yaml, validate
from domain.errors import DataFileError
from domain.findings import Part
from dtc_knowledge.pattern import Operation
from dtc_knowledge.schema import OperationsFile, PartsFile, SourceRow

CAPABILITIES = frozenset({"engine", "electric", "hv", "truck", "chassis", "body"})


def read_parts(file: Path, sources: Mapping[str, SourceRow], shipped: Collection[str], *, required: bool) -> dict[str, Part]:
    """The parts of a file by id; nothing where a file that is not `required` is missing. Ids in `shipped` are taken.

    Raises:
        DataFileError: an entry is not valid, stands twice, or names an unknown source.
    """
    parts: dict[str, Part] = {}
    if not required and not file.exists():
        return parts
    document = load_yaml(file)
    for place, entry in enumerate(validate(PartsFile, document).parts):
        line = document.line("parts", place)
        _new(entry.id, parts, shipped, file, line)
        _known(entry.source, sources, "source", file, line)
        parts[entry.id] = Part(number=entry.id, name=entry.text, price=entry.price)
    return parts


def read_operations(
    file: Path, sources: Mapping[str, SourceRow], shipped: Collection[str], parts: Collection[str], *, required: bool
) -> dict[str, Operation]:
    """The operations of a file by id, as `read_parts` does.

    Raises:
        DataFileError: as `read_parts`, or a part or capability is not known.
    """
    operations: dict[str, Operation] = {}
    if not required and not file.exists():
        return operations
    document = load_yaml(file)
    for place, entry in enumerate(validate(OperationsFile, document).operations):
        line = document.line("operations", place)
        _new(entry.id, operations, shipped, file, line)
        _known(entry.source, sources, "source", file, line)
        for number in entry.parts:
            _known(number, parts, "part", file, line)
        for need in entry.needs:
            _known(need, CAPABILITIES, "capability", file, line)
        operations[entry.id] = Operation(
            id=entry.id,
            title=entry.text,
            hours=entry.hours,
            parts=tuple(entry.parts.items()),
            needs=tuple(entry.needs),
            source=entry.source,
        )
    return operations


def _new(id_: str, seen: Collection[str], shipped: Collection[str], file: Path, line: int) -> None:
    if id_ in seen:
        raise DataFileError(f"{id_} stands here twice", file=file, line=line, mend="keep one of them")
    if id_ in shipped:
        raise DataFileError(f"{id_} is shipped already", file=file, line=line, mend="give it an id of your own")


def _known(id_: str, known: Collection[str], kind: str, file: Path, line: int) -> None:
    if id_ not in known:
        raise DataFileError(f"unknown {kind} {id_!r}", file=file, line=line, mend=f"correct it, or add the {kind}")
