"""One lossless codec between domain records and JSON, typed by the records' own annotations.

A field that is missing in the text takes the record's default, and a field that the record no longer knows is passed over: so a
new optional field needs no migration, and two versions of the program can read one database during an upgrade.
"""

from __future__ import annotations

import base64
import json
import math
import types
import typing
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from domain.errors import StorageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Codec:
    """Both ways between a value of one annotated type and what `json` can write."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def to_json(record: Any) -> str:
    """The record as one line of ASCII JSON, every field written: a default may change one day."""
    return json.dumps(_codec(type(record)).encode(record), allow_nan=False, separators=(",", ":"))


def from_json(record_type: type[T], text: str) -> T:
    """The record that `to_json` wrote.

    Raises:
        StorageError: the text does not hold such a record.
    """
    try:
        record: T = _codec(record_type).decode(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise StorageError(
            f"a stored {record_type.__name__} cannot be read ({type(problem).__name__}: {problem}); restore the database from a backup"
        ) from problem
    return record


def _codec(annotation: Any) -> _Codec:
    return _made(annotation)


@cache
def _made(annotation: Hashable) -> _Codec:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _sequence(arguments[0]) if arguments[1:] == (...,) else _fixed(arguments)
    if is_dataclass(annotation):
        return _record(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enum(annotation)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    raise TypeError(f"no JSON form for {annotation!r}")


def _record(record_type: Any) -> _Codec:
    hints = typing.get_type_hints(record_type)
    codecs = {field.name: _codec(hints[field.name]) for field in fields(record_type)}

    def encode(record: Any) -> dict[str, Any]:
        return {name: codec.encode(getattr(record, name)) for name, codec in codecs.items()}

    def decode(data: Any) -> Any:
        return record_type(**{name: codecs[name].decode(value) for name, value in data.items() if name in codecs})

    return _Codec(encode, decode)


def _optional(arguments: tuple[Any, ...]) -> _Codec:
    kinds = [argument for argument in arguments if argument is not type(None)]
    if len(kinds) != 1:
        raise TypeError(f"no JSON form for a union of {arguments!r}")
    inner = _codec(kinds[0])
    return _Codec(
        lambda value: None if value is None else inner.encode(value),
        lambda data: None if data is None else inner.decode(data),
    )


def _sequence(item: Any) -> _Codec:
    inner = _codec(item)
    return _Codec(
        lambda values: [inner.encode(value) for value in values],
        lambda data: tuple(inner.decode(value) for value in data),
    )


def _fixed(items: tuple[Any, ...]) -> _Codec:
    inner = [_codec(item) for item in items]
    return _Codec(
        lambda values: [codec.encode(value) for codec, value in zip(inner, values, strict=True)],
        lambda data: tuple(codec.decode(value) for codec, value in zip(inner, data, strict=True)),
    )


def _enum(kind: type[Enum]) -> _Codec:
    """By value where that is a word, else by name: a number says nothing to who reads the database."""
    if issubclass(kind, str):
        return _Codec(lambda member: member.value, kind)
    return _Codec(lambda member: member.name, lambda name: kind[name])


def _encode_float(value: float) -> float | str:
    """JSON has no infinities and no NaN: those go as words."""
    return float(value) if math.isfinite(value) else repr(float(value))


_SCALARS: dict[Any, _Codec] = {
    # calling the type turns a NumPy scalar into the plain value that json can write
    str: _Codec(str, str),
    int: _Codec(int, int),
    bool: _Codec(bool, bool),
    float: _Codec(_encode_float, float),
    bytes: _Codec(lambda value: base64.b64encode(value).decode("ascii"), lambda data: base64.b64decode(data, validate=True)),
}
