"""Names that devices use -> VSS paths with unit conversion: CSV tables, ours in `names/`, the user's beside or over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.vss import catalogue

_Finite = Annotated[float, pydantic.Field(allow_inf_nan=False)]


class _NameRow(pydantic.BaseModel, extra="forbid", frozen=True):
    """One line: the VSS value is `value * scale + offset`; `unit` is the device's, for the reader."""

    name: Annotated[str, pydantic.Field(min_length=1, max_length=200)]
    path: str
    scale: _Finite = 1.0
    offset: _Finite = 0.0
    unit: str = ""
    source: Annotated[str, pydantic.Field(min_length=1)]

    @pydantic.field_validator("path")
    @classmethod
    def _known(cls, path: str) -> str:
        if path not in catalogue():
            raise ValueError("not in the VSS catalogue (domain/vss_catalogue.csv)")
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a name stands for: `value * scale + offset` in the unit of `path`."""

    path: str
    scale: float = 1.0
    offset: float = 0.0

    def convert(self, value: float) -> float:
        """The value in the path's unit."""
        return value * self.scale + self.offset


@dataclass(frozen=True, slots=True)
class NameTable:
    """Name -> meanings (one name may feed several paths). A full VSS path always stands for itself."""

    meanings: Mapping[str, tuple[Meaning, ...]]

    def find(self, name: str) -> tuple[Meaning, ...]:
        """What the name stands for, () where nobody says."""
        found = self.meanings.get(name)
        if found is not None:
            return found
        path = name.replace("/", ".")
        return (Meaning(path=path),) if path in catalogue() else ()

    def extended(self, file: Path) -> NameTable:
        """With the user's table over it: its names replace ours.

        Raises:
            DataFileError: the file is not valid.
        """
        return NameTable({**self.meanings, **_read(file)})


NO_NAMES = NameTable({})


@cache
def shipped_names(format_name: str) -> NameTable:
    """The table that is shipped for a format, empty where there is none."""
    resource = files("ingest.wire").joinpath("names", f"{format_name}.csv")
    if not resource.is_file():
        return NO_NAMES
    with as_file(resource) as file:
        return NameTable(_read(file))


def _read(file: Path) -> dict[str, tuple[Meaning, ...]]:
    table: dict[str, tuple[Meaning, ...]] = {}
    for line, row in read_csv(file, _NameRow):
        meaning = Meaning(path=row.path, scale=row.scale, offset=row.offset)
        earlier = table.get(row.name, ())
        if any(each.path == meaning.path for each in earlier):
            raise DataFileError(f"column name: {row.name!r} gives {row.path} already", file=file, line=line, mend="remove one")
        table[row.name] = (*earlier, meaning)
    return table
