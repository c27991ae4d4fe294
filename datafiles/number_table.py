"""Big CSV tables of numbers as one array, plain or gzip-compressed; errors name file and line."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.errors import DataFileError

Floats = NDArray[np.float64]


def read_header(file: Path, first: str) -> tuple[int, list[str]]:
    """(lines before the header, names of the columns) of a CSV file whose header begins with this column; a licence may stand before it.

    Raises:
        DataFileError: the file cannot be read, or has no such line.
    """
    with _lines(file) as lines:
        for number, row in enumerate(csv.reader(lines)):
            if row and row[0].strip() == first:
                return number, [name.strip() for name in row]
    raise DataFileError(f"has no header that begins with {first!r}", file=file, line=1, mend="fetch it again")


def read_numbers(
    file: Path,
    columns: Sequence[str],
    words: Mapping[str, Mapping[str, float]] | None = None,
    *,
    missing: str | None = None,
    before_header: int = 0,
) -> Floats:
    """The named columns of a CSV file with a header, as [rows, columns]; other columns are passed over.

    Args:
        words: column -> what its words stand for as numbers, for columns that hold words.
        missing: cells that say so are NaN. before_header: lines to pass over.

    Raises:
        DataFileError: the file cannot be read, lacks a column, has no rows, or a cell is not a finite number (or known word).
    """
    words = words or {}
    with _lines(file) as lines:
        reader = csv.reader(lines)
        for _ in range(before_header):
            next(reader, None)
        header = [name.strip() for name in next(reader, [])]
        absent = [name for name in columns if name not in header]
        if absent:
            raise DataFileError(f"has no column {absent[0]!r}", file=file, line=1, mend=f"columns are {', '.join(columns)}")
        places = [(header.index(name), name, words.get(name)) for name in columns]
        rows = [
            [_number(row, place, name, meanings, file, reader.line_num, missing) for place, name, meanings in places]
            for row in reader
            if row
        ]
    if not rows:
        raise DataFileError("has no rows", file=file, line=1, mend="give a table with rows")
    return np.array(rows, np.float64)


def read_number_lines(file: Path) -> Floats:
    """A text file with one number per line; empty lines at the end are passed over.

    Raises:
        DataFileError: the file cannot be read, has no lines, or a line is not one finite number.
    """
    with _lines(file) as lines:
        text = [line.strip() for line in lines]
    while text and not text[-1]:
        text.pop()
    if not text:
        raise DataFileError("is empty", file=file, mend="write one number per line")
    return np.array([_number([line], 0, "1", None, file, number) for number, line in enumerate(text, 1)], np.float64)


def _number(
    row: list[str], place: int, name: str, words: Mapping[str, float] | None, file: Path, line: int, missing: str | None = None
) -> float:
    cell = row[place].strip() if place < len(row) else ""
    if missing is not None and cell == missing:
        return np.nan
    if words is not None and cell in words:
        return words[cell]
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if words is not None or not np.isfinite(value):
        known = f"one of {', '.join(words)}" if words is not None else "a finite number"
        raise DataFileError(f"column {name}: {cell!r} cannot be used", file=file, line=line, mend=f"write {known}")
    return value


@contextmanager
def _lines(file: Path) -> Iterator[Iterable[str]]:
    """The lines of a file; what goes wrong on the way becomes a `DataFileError`."""
    try:
        opener = gzip.open if file.suffix == ".gz" else open
        with opener(file, "rt", encoding="utf-8-sig", newline="") as stream:
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise DataFileError("is not whole gzip data", file=file, mend="fetch it again") from problem
    except OSError as problem:
        raise DataFileError(
            f"cannot be read ({problem.strerror})", file=file, mend="check the path and its permissions"
        ) from problem
    except UnicodeDecodeError as problem:
        raise DataFileError("is not UTF-8 text", file=file, mend="save it as UTF-8") from problem
    except csv.Error as problem:
        raise DataFileError(f"is not valid CSV: {problem}", file=file, mend="save it as comma-separated text") from problem
