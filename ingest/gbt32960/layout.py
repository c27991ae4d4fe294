"""The layouts of all data units, compiled from `fields.csv`: what a unit consists of, in the order of its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Literal

from domain.errors import DataFileError
from ingest.gbt32960.fields import FIELDS, NEGATIVE, WHEN, Row, load_rows, paths_of

PREFIXES = {"2016": "GBT32960_2016", "2025": "GBT32960_2025", "hj1239": "HJ1239"}
"""Dialect -> what its message names begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Valid where the raw number of `field` (a row of the part), masked, equals `value`; or, with `below`, is less than that."""

    field: str
    mask: int = 0xFFFF_FFFF
    value: int = 0
    below: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One number of a part, sent or derived.

    Attributes:
        of: name of the sent field that it is read from (its own for a sent one). offset_bytes, width: of that field in the part.
        physical = (raw * numerator + shift) / denominator. sentinel: raw numbers from this on are no value.
        mapping: raw -> physical instead (others have none). mask: bits of a derived field, 0 where it takes the physical value.
        path: VSS path, "" where it has none. emqx: its key in EMQX's JSON.
    """

    name: str
    of: str
    offset_bytes: int
    width: int
    numerator: float
    shift: float
    denominator: float
    sentinel: int
    mask: int
    mapping: tuple[tuple[int, float], ...]
    when: Condition | None
    negative: Condition | None
    unit: str
    path: str
    emqx: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Fields of fixed places: `size` bytes, of which `sent` are read and `shown` become signals.

    `opens_item`: the part begins an item, whose number its first byte is (where it has a field "Number").
    """

    index: int
    message: str
    size: int
    sent: tuple[Field, ...]
    shown: tuple[Field, ...]
    is_numbered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberList:
    """A number of `count_bytes`, then so many numbers of `width` bytes; `first`: which sent field tells the first one's number."""

    index: int
    message: str
    name: str
    count_bytes: int
    width: int
    numerator: float
    shift: float
    denominator: float
    unit: str
    paths: tuple[tuple[str, str], ...]
    part: int
    """The part before it in the item, which tells the pack, and (2016) the number of the first cell."""
    emqx: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSection:
    """A number, then so many codes of `width` bytes: fault codes (4) or pairs of alarm bit and level (2); opaque bytes (1)."""

    kind: Literal["codes", "levels", "opaque"]
    name: str
    count_bytes: int
    width: int
    emqx: str


Segment = Part | NumberList | CodeSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One data unit: the bytes of its item count (0 where it has no items), then its segments, once or for every item."""

    id: int
    message: str
    count_bytes: int
    segments: tuple[Segment, ...]
    emqx: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """All data units of one protocol; `parts` and `lists` by the index that segments carry."""

    name: str
    prefix: str
    units: dict[int, Unit]
    parts: tuple[Part, ...]
    lists: tuple[NumberList, ...]


@cache
def dialects(file: Path = FIELDS) -> dict[str, Dialect]:
    """Every dialect by name: "2016", "2025", "hj1239" (an immutable resource of the package, read once).

    Raises:
        DataFileError: the table is not valid; names line and mend.
    """
    rows = load_rows(file)
    return {
        name: _Compiler(name, file).dialect([item for item in rows if item[1].dialect == name])
        for name in dict.fromkeys(row.dialect for _, row in rows)
    }


class _Compiler:
    """Puts the rows of one dialect together."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self.prefix, self.file = name, PREFIXES[name], file
        self.parts: list[Part] = []
        self.lists: list[NumberList] = []

    def dialect(self, rows: Sequence[tuple[int, Row]]) -> Dialect:
        units = {number: self._unit(list(group)) for number, group in groupby(rows, key=lambda item: item[1].unit)}
        return Dialect(name=self.name, prefix=self.prefix, units=units, parts=tuple(self.parts), lists=tuple(self.lists))

    def _unit(self, rows: list[tuple[int, Row]]) -> Unit:
        first = rows[0][1]
        has_items = first.kind == "items"
        segments: list[Segment] = []
        latest = -1
        for is_fixed, group in groupby(rows[has_items:], key=lambda item: item[1].kind in ("value", "derived", "text")):
            if is_fixed:
                part = self._part(list(group))
                segments.append(part)
                latest = part.index
                continue
            for _, row in group:
                segments.append(self._list(row, latest) if row.kind == "list" else _section(row))
        return Unit(
            id=first.unit,
            message=f"{self.prefix}.{first.message}",
            count_bytes=first.bytes if has_items else 0,
            segments=tuple(segments),
            emqx=first.emqx if has_items else "",
        )

    def _part(self, rows: list[tuple[int, Row]]) -> Part:
        size, at = 0, {}
        for _, row in rows:
            if row.kind != "derived":
                at[row.field] = (size, row)
                size += row.bytes
        fields = [self._field(line, row, at) for line, row in rows if row.kind != "text"]
        sent = tuple(field for field in fields if field.of == field.name)
        part = Part(
            index=len(self.parts),
            message=f"{self.prefix}.{rows[0][1].message}",
            size=size,
            sent=sent,
            shown=tuple(fields),
            is_numbered=bool(sent) and sent[0].name == "Number",
        )
        self.parts.append(part)
        return part

    def _field(self, line: int, row: Row, at: dict[str, tuple[int, Row]]) -> Field:
        source = row.of or row.field
        for name in (source, *re.findall(r"^\w+", row.when), *re.findall(r"^\w+", row.negative)):
            if name not in at:
                raise DataFileError(
                    f"no field {name!r} beside it", file=self.file, line=line, mend="name a field of the same part"
                )
        offset_bytes, sent = at[source]
        # a derived field scales the physical value, or its own bits where it has a mask or a map
        of_bits = row.mask is not None or bool(row.map)
        plain = row.kind == "value" or of_bits
        scale, offset = (row.scale, row.offset) if plain else (row.scale * sent.scale, row.scale * sent.offset + row.offset)
        numerator, shift, denominator = _over_one_denominator(scale, offset)
        return Field(
            name=row.field,
            of=source,
            offset_bytes=offset_bytes,
            width=sent.bytes,
            numerator=numerator,
            shift=shift,
            denominator=denominator,
            sentinel=(1 << 8 * sent.bytes) - 2 if sent.sentinel else 1 << 8 * sent.bytes,
            mask=(row.mask or 0) if row.kind == "derived" else 0,
            mapping=tuple(_pairs(row.map)),
            when=_when(row.when),
            negative=_negative(row.negative or (sent.negative if not of_bits else "")),
            unit=row.measure,
            path=row.path,
            emqx=row.emqx,
        )

    def _list(self, row: Row, part: int) -> NumberList:
        numerator, shift, denominator = _over_one_denominator(row.scale, row.offset)
        numbers = NumberList(
            index=len(self.lists),
            message=f"{self.prefix}.{row.field}",
            name=row.field,
            count_bytes=row.count_bytes,
            width=row.bytes,
            numerator=numerator,
            shift=shift,
            denominator=denominator,
            unit=row.measure,
            paths=tuple(pair for pair in paths_of(row) if pair[1]),
            part=part,
            emqx=row.emqx,
        )
        self.lists.append(numbers)
        return numbers


def _section(row: Row) -> CodeSection:
    if row.kind not in ("codes", "levels", "opaque"):
        raise AssertionError(row.kind)
    return CodeSection(kind=row.kind, name=row.field, count_bytes=row.count_bytes, width=row.bytes, emqx=row.emqx)


def _over_one_denominator(scale: Fraction, offset: Fraction) -> tuple[float, float, float]:
    """Whole numbers with raw * scale + offset = (raw * numerator + shift) / denominator: one rounding, so 16.2 and not 16.20…04."""
    denominator = scale.denominator * offset.denominator
    return float(scale * denominator), float(offset * denominator), float(denominator)


def _pairs(text: str) -> Iterable[tuple[int, float]]:
    for word in text.split("|") if text else ():
        raw, _, value = word.partition(":")
        yield int(raw), float(value)


def _when(text: str) -> Condition | None:
    match = WHEN.fullmatch(text)
    if match is None:
        return None
    if match[4]:
        return Condition(field=match[1], below=int(match[4]))
    return Condition(field=match[1], mask=int(match[2]), value=int(match[3]))


def _negative(text: str) -> Condition | None:
    match = NEGATIVE.fullmatch(text)
    return None if match is None else Condition(field=match[1], mask=int(match[2]), value=int(match[2]))
