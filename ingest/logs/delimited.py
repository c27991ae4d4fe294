"""Tables of frames with a header line: commas, semicolons or tabs between named columns.

`delimited_columns.csv` says what the columns of each dialect mean; a further dialect is some lines there. The dialect
"delimited text" takes any table whose columns have common names, with at least an identifier and data. Lines of SavvyCAN's CSV
are recognised without their header too.

A time column without a unit is read by its values: seconds where they have a fraction; whole numbers by their size where they
are absolute (ns, µs, ms, s since 1970); else µs, or ms where µs would mean more frames than a bus can carry. The same holds
for SavvyCAN's µs, since some loggers write ms there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal as Among

import numpy as np
import pydantic

from datafiles.csv_file import read_csv
from domain.frames import FrameFlag
from ingest.logs import line_steps as step
from ingest.logs.line_cutter import split_lines
from ingest.logs.line_format import QUIET, LineFormat, Session
from ingest.logs.line_steps import IdRule, LengthKind, Pattern, Step

_TABLE = Path(__file__).with_name("delimited_columns.csv")
_COMMON = "delimited text"
_HEADER_LINES = 60
"""A header stands among the first lines; some tools write a preamble."""
_SEPARATORS = b"\t;,"
_UNIT_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_MOST_FRAMES_PER_S = 20_000
"""More than a bus of 1 Mbit/s carries."""
_BYTE_COLUMN = re.compile(r"(?:d|b|byte|data|db) ?\[?(\d{1,2})\]?")
_UNIT = re.compile(r"[(\[ ](s|sec|seconds|ms|msec|us|µs|usec|ns)[)\]]?$")
_UNIT_NAMES = {"sec": "s", "seconds": "s", "msec": "ms", "µs": "us", "usec": "us"}


class Column(pydantic.BaseModel):
    """A line of the table: what the column `header` means in a dialect. `detail`: a unit, or "optional"."""

    dialect: str
    header: str
    role: Among["time", "id", "extended", "remote", "error", "way", "tx", "bus", "length", "byte", "data", "base64", "skip"]
    detail: Among["", "s", "ms", "us", "ns", "optional"] = ""
    source: str


def dialects(file: Path = _TABLE) -> dict[str, dict[str, Column]]:
    """Dialect -> header -> meaning.

    Raises:
        DataFileError: the table is not valid.
    """
    found: dict[str, dict[str, Column]] = {}
    for _, column in read_csv(file, Column):
        found.setdefault(column.dialect, {})[column.header] = column
    return found


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of one table, in order, and what stands between them."""

    separator: int
    columns: tuple[Column | None, ...]
    header: bytes = b""

    def place(self, role: str) -> int | None:
        """The first column of that role."""
        return next((n for n, column in enumerate(self.columns) if column is not None and column.role == role), None)


def _names(line: bytes, separator: int) -> list[str]:
    cells = line.decode("utf-8", "replace").strip("\r\n ").split(chr(separator))
    return [re.sub(r"[\s_]+", " ", cell.strip().strip('"').strip()).lower() for cell in cells]


def _layout(line: bytes, dialect: Mapping[str, Column], *, common: bool) -> _Layout | None:
    """The layout that a header line describes, None where it is none of this dialect."""
    separator = max(_SEPARATORS, key=line.count)
    names = _names(line, separator)
    missing = [name for name, column in dialect.items() if column.detail != "optional" and name not in names]
    if len(names) < 2 or (missing and not common):
        return None
    columns = tuple(_meaning(name, dialect, common=common) for name in names)
    layout = _Layout(separator, columns, line)
    data = layout.place("byte") is not None or layout.place("data") is not None or layout.place("base64") is not None
    return layout if data and layout.place("id") is not None else None


def _meaning(name: str, dialect: Mapping[str, Column], *, common: bool) -> Column | None:
    """What a column means; in a common table the unit may stand behind the name, and any first byte column will do."""
    if name in dialect:
        return dialect[name]
    unit = _UNIT.search(name)
    bare = dialect.get(name[: unit.start()].strip()) if common and unit else None
    if unit and bare is not None and bare.role == "time":
        return bare.model_copy(update={"detail": _UNIT_NAMES.get(unit[1], unit[1])})
    return None


def _pattern(layout: _Layout, unit_ns: int, *, spaced: bool) -> Pattern:
    """The steps of one line; `spaced`: the bytes of a data column have blanks between them."""
    separator, columns = layout.separator, layout.columns
    length, remote = layout.place("length"), layout.place("remote")
    steps: list[Step] = [step.fixed_bus(b"0"), step.optional(1), step.literal(b'"')]
    if remote is not None:
        steps += []
    for place, column in enumerate(columns):
        role = "skip" if column is None else column.role
        known = length is not None and length < place
        if role == "byte":
            lead = place > 0
            return (
                *steps,
                step.data(separator, lead=lead) if known else step.all_data(separator, lead=lead),
                step.rest(separator),
            )
        if place:
            steps.append(step.separator(separator))
        steps.append(_step(role, separator, unit_ns, known=known, spaced=spaced))
    return (*steps, step.rest(separator))


def _step(role: str, separator: int, unit_ns: int, *, known: bool, spaced: bool) -> Step:
    between = 32 if spaced else 0
    meaning: dict[str, Step] = {
        "time": step.stamp(unit_ns, comma=separator != ord(",")),
        "id": step.identifier(16, IdRule.MENDED),
        "extended": step.truth(),
        "remote": step.truth(FrameFlag.REMOTE),
        "error": step.truth(FrameFlag.ERROR),
        "tx": step.truth(FrameFlag.TRANSMITTED),
        "way": step.way(),
        "bus": step.bus(separator),
        "length": step.length(10, LengthKind.BYTES),
        "data": step.data(between, lead=False) if known else step.all_data(between, lead=False),
        "base64": step.base64_data(),
    }
    return meaning.get(role, step.word(separator))


def _patterns(layout: _Layout, unit_ns: int) -> tuple[Pattern, ...]:
    spaced = _pattern(layout, unit_ns, spaced=True)
    return (spaced, _pattern(layout, unit_ns, spaced=False)) if layout.place("data") is not None else (spaced,)


def _unit_ns(layout: _Layout, rows: list[bytes]) -> int:
    """What a stamp counts, by its column's unit and the first rows."""
    place = layout.place("time")
    column = layout.columns[place] if place is not None else None
    if column is None or place is None:
        return _UNIT_NS["s"]
    buses: set[bytes] = set()
    stamps: list[bytes] = []
    bus_place = layout.place("bus")
    for row in rows:
        cells = row.split(bytes([layout.separator]))
        if len(cells) > place and re.fullmatch(rb'[ "]*-?\d{1,18}(?:[.,]\d*)?[ "]*', cells[place]):
            stamps.append(cells[place].strip(b' "'))
            buses.add(cells[bus_place] if bus_place is not None and bus_place < len(cells) else b"")
    if any(b"." in stamp or b"," in stamp for stamp in stamps):
        return _UNIT_NS[column.detail] if column.detail in {"s", "ms"} else _UNIT_NS["s"]
    if column.detail not in {"", "us"}:
        return _UNIT_NS[column.detail]
    return _guess_ns([int(stamp) for stamp in stamps], max(1, len(buses)), absolute=not column.detail)


def _guess_ns(stamps: list[int], buses: int, *, absolute: bool) -> int:
    """The unit of whole numbers: by size where they may count from 1970, else µs, or ms where µs are not possible."""
    size = abs(stamps[0]) if stamps else 0
    if absolute and size >= 10**9:
        return 1 if size >= 10**17 else 1_000 if size >= 10**14 else 1_000_000 if size >= 10**11 else 1_000_000_000
    steps = np.diff(np.array(stamps, np.int64))
    forward_us = int(steps[steps > 0].sum())
    too_fast = len(stamps) >= 10 and 0 < forward_us * _MOST_FRAMES_PER_S * buses < len(stamps) * 1_000_000
    return 1_000_000 if too_fast else 1_000


@dataclass(slots=True)
class _Table(Session):
    header: bytes = field(default=b"")

    def explain(self, line: bytes) -> str | None:
        """The header, and what stands before it."""
        return QUIET if line == self.header else None


@dataclass(frozen=True, slots=True)
class _Begin:
    """Makes the session of a dialect from a file's beginning."""

    columns: Mapping[str, Column]
    common: bool
    usual: _Layout | None

    def __call__(self, head: bytes) -> Session:
        lines = [line.strip(b" \t\r") for line in split_lines(head)] if head else []
        for number, line in enumerate(lines[:_HEADER_LINES]):
            layout = _layout(line, self.columns, common=self.common)
            if layout is not None:
                patterns = _patterns(layout, _unit_ns(layout, lines[number + 1 :]))
                return _Table(patterns, header=line, certain=not self.common)
        if self.usual is None:
            return _Table(())
        return _Table(_patterns(self.usual, _unit_ns(self.usual, lines)))


def _formats() -> tuple[LineFormat, ...]:
    known = dialects()
    usual = _layout(b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8", known["SavvyCAN CSV"], common=False)
    return tuple(
        LineFormat(name, _Begin(columns, name == _COMMON, usual if name == "SavvyCAN CSV" else None))
        for name, columns in known.items()
    )


def delimited_formats() -> tuple[LineFormat, ...]:
    """A format for each dialect of the table, the one of common names last.

    Raises:
        DataFileError: the table is not valid.
    """
    return _formats()
