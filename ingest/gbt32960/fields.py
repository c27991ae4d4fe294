"""The table `fields.csv`, read and checked.

A row of the table is one field:

    value    an unsigned big-endian number; the two greatest are "abnormal" and "invalid" unless `sentinel` is "no"
    derived  no bytes of its own: the field `of`, its bits `mask`, its values by `map` ("1:1|2:0", others have none), scaled
    items    the number of items that follow; all further rows of the unit are one item
    list     a number (of `count_bytes`), then so many numbers: cell voltages, temperatures
    codes    a number, then so many 4-byte fault codes          levels  a number, then so many pairs of alarm bit and level
    text     `bytes` bytes that are no number                   opaque  a length, then so many bytes

A physical value is raw * scale + offset. `when` ("State&1=0", "BrakePedal<101") tells with which other field it is valid,
`negative` ("State&4") when its sign is minus.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.vss import catalogue

FIELDS = Path(__file__).with_name("fields.csv")
STATISTICS = ("Min", "Max", "Mean", "IdMin", "IdMax", "Count")
"""What is told of a list of numbers; an Id is the number of the cell or probe."""
_NUMBER_WIDTHS = (1, 2, 4)
WHEN = re.compile(r"(\w+)(?:&(\d+)=(\d+)|<(\d+))")
_MAP = re.compile(r"\d+:-?\d+(?:\|\d+:-?\d+)*")
NEGATIVE = re.compile(r"(\w+)&(\d+)")

Hex = Annotated[int, pydantic.BeforeValidator(lambda text: int(text, 16))]
Rational = Annotated[Fraction, pydantic.BeforeValidator(Fraction)]
Kind = Literal["value", "derived", "items", "list", "codes", "levels", "text", "opaque"]


class Row(pydantic.BaseModel):
    """One field, as the table has it."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    dialect: Literal["2016", "2025", "hj1239"]
    unit: Hex
    message: str
    kind: Kind
    field: str
    bytes: int = 0
    count_bytes: int = 0
    scale: Rational = Fraction(1)
    offset: Rational = Fraction(0)
    measure: str = ""
    sentinel: bool = True
    of: str = ""
    mask: Hex | None = None
    map: str = ""
    when: str = ""
    negative: str = ""
    path: str = ""
    emqx: str = ""
    en: str
    zh: str
    source: str


def load_rows(file: Path) -> list[tuple[int, Row]]:
    """(line, row) of every row.

    Raises:
        DataFileError: the table is not valid; names line and mend.
    """
    rows = read_csv(file, Row)
    for line, row in rows:
        _check(file, line, row)
    return rows


def _check(file: Path, line: int, row: Row) -> None:
    def refuse(reason: str, mend: str) -> DataFileError:
        return DataFileError(reason, file=file, line=line, mend=mend)

    for path in [path for path in paths_of(row) if path[1]]:
        if path[1] not in catalogue():
            raise refuse(f"unknown VSS path {path[1]!r}", "add it to domain/vss_catalogue.csv")
        if row.kind == "list" and path[0] not in STATISTICS:
            raise refuse(f"unknown statistic {path[0]!r}", f"use one of {', '.join(STATISTICS)}")
        known = catalogue()[path[1]].unit
        if known != row.measure and not path[0].startswith("Id"):
            raise refuse(f"{row.field} is in {row.measure!r}, its VSS path in {known!r}", "derive a field with the right unit")
    if row.kind in ("value", "list") and row.bytes not in _NUMBER_WIDTHS:
        raise refuse(f"a number of {row.bytes} bytes", "numbers have 1, 2 or 4 bytes")
    if row.kind in ("list", "codes", "levels", "opaque") and row.count_bytes not in (1, 2):
        raise refuse(f"a count of {row.count_bytes} bytes", "counts have 1 or 2 bytes")
    if row.when and not WHEN.fullmatch(row.when):
        raise refuse(f"{row.when!r} is no condition", "write Field&1=0 or Field<101")
    if row.map and not _MAP.fullmatch(row.map):
        raise refuse(f"{row.map!r} is no map", "write raw:value pairs, such as 1:1|2:0")
    if row.negative and not NEGATIVE.fullmatch(row.negative):
        raise refuse(f"{row.negative!r} is no bit", "write Field&4")


def paths_of(row: Row) -> list[tuple[str, str]]:
    """(statistic, VSS path) pairs of a list, else the path as ("", path)."""
    if row.kind != "list" or not row.path:
        return [("", row.path)]
    return [(statistic, path) for statistic, _, path in (word.partition("=") for word in row.path.split("|"))]
