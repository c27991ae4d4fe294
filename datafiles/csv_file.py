"""CSV tables validated row by row with pydantic; errors name file and line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypeVar

import pydantic

from domain.errors import DataFileError, InputError

M = TypeVar("M", bound=pydantic.BaseModel)


def read_csv(file: Path, model: type[M], *, error: type[InputError] = DataFileError) -> list[tuple[int, M]]:
    """(1-based line, row) of every row. Empty cells are left out, so that a model's defaults apply.

    Raises:
        error: the file cannot be read, has no header, has an unknown or missing column, or a cell is not valid.
    """
    rows: list[tuple[int, M]] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            header = reader.fieldnames or []
            unknown = [name for name in header if name not in model.model_fields]
            if unknown:
                known = ", ".join(model.model_fields)
                raise error(f"unknown column {unknown[0]!r}", file=file, line=1, mend=f"columns are {known}")
            for row in reader:
                if None in row:
                    raise error("more cells than columns", file=file, line=reader.line_num, mend="quote cells that hold commas")
                cells = {name: value.strip() for name, value in row.items() if value and value.strip()}
                try:
                    rows.append((reader.line_num, model.model_validate(cells)))
                except pydantic.ValidationError as problem:
                    first = problem.errors()[0]
                    name = ".".join(str(part) for part in first["loc"])
                    mend = "fill the cell" if first["type"] == "missing" else "correct the cell"
                    raise error(f"column {name}: {first['msg']}", file=file, line=reader.line_num, mend=mend) from problem
    except OSError as problem:
        raise error(f"cannot be read ({problem.strerror})", file=file, mend="check the path and its permissions") from problem
    except UnicodeDecodeError as problem:
        raise error("is not UTF-8 text", file=file, mend="save it as UTF-8") from problem
    except csv.Error as problem:
        raise error(f"is not valid CSV: {problem}", file=file, mend="save it as comma-separated text") from problem
    return rows
