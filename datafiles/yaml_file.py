"""YAML with the place of every value kept, and validation by pydantic that names that place."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from domain.errors import DataFileError, InputError

Key = tuple[str | int, ...]
M = TypeVar("M", bound=pydantic.BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed YAML file.

    Attributes:
        file: where it came from. data: plain dicts, lists and scalars.
        places: key path -> (line, column), 1-based, of the key in a mapping or of the item in a list.
    """

    file: Path
    data: Any
    places: dict[Key, tuple[int, int]]

    def line(self, *key: str | int) -> int:
        """Line of the value at this key path, or of its nearest parent."""
        return self.place(key)[0]

    def place(self, key: Key) -> tuple[int, int]:
        """(line, column) of the value at this key path, or of its nearest parent."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, (1, 1))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's loader (ten times faster) where the wheel has it
    """A safe loader that refuses a mapping with the same key twice (PyYAML would keep the last one, silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands here twice", key_node.start_mark)
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def load_yaml(file: Path, *, error: type[InputError] = DataFileError) -> Document:
    """Read a YAML file.

    Raises:
        error: the file cannot be read, is not UTF-8, or is not valid YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as problem:
        raise error(f"cannot be read ({problem.strerror})", file=file, mend="check the path and its permissions") from problem
    except UnicodeDecodeError as problem:
        raise error("is not UTF-8 text", file=file, mend="save it as UTF-8") from problem
    return parse_yaml(text, file, error=error)


def parse_yaml(text: str, file: Path, *, error: type[InputError] = DataFileError) -> Document:
    """Parse YAML text that came from `file`; raises `error` as `load_yaml` does."""
    places: dict[Key, tuple[int, int]] = {}
    data: Any = None
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                _note_places(node, (), places)
                data = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else None
        raise error(f"is not valid YAML: {problem.problem}", file=file, line=line, mend="mend the YAML there") from problem
    except yaml.YAMLError as problem:
        raise error("is not valid YAML", file=file, mend="save it as plain YAML text") from problem
    return Document(file=file, data=data, places=places)


def _note_places(node: yaml.Node, key: Key, places: dict[Key, tuple[int, int]]) -> None:
    places.setdefault(key, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            child = (*key, str(key_node.value))
            places[child] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            _note_places(value, child, places)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note_places(value, (*key, number), places)


def validate(model: type[M], document: Document, *at: str | int, data: Any = None, error: type[InputError] = DataFileError) -> M:
    """Validate the value at key path `at` (or `data`, which stands there) with a pydantic model.

    Raises:
        error: the first problem, with its line and a mend (the nearest known name for an unknown key).
    """
    value = data
    if value is None:
        value = document.data
        for part in at:
            value = value[part]
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as problem:
        found = problem.errors()
        # a misspelt key is both unknown and missing: the unknown one has a place to point at
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
        where = tuple(part for part in first["loc"] if isinstance(part, str | int))
        line, _ = document.place((*at, *where))
        name = ".".join(str(part) for part in where)
        raise error(f"{name}: {first['msg']}", file=document.file, line=line, mend=_mend(model, first, found)) from problem


def _mend(model: type[pydantic.BaseModel], problem: Any, found: Sequence[Any]) -> str:
    if problem["type"] == "extra_forbidden":
        missing = [
            str(each["loc"][-1]) for each in found if each["type"] == "missing" and each["loc"][:-1] == problem["loc"][:-1]
        ]
        near = difflib.get_close_matches(str(problem["loc"][-1]), [*missing, *model.model_fields], n=1)
        return f"did you mean {near[0]!r}?" if near else "remove it"
    if problem["type"] == "missing":
        return "add it"
    return "correct the value"
