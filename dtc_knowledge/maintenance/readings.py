"""Reads which signals tell of the condition of parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.care import OwnKind, Reading, ReadingField, Statistic
from domain.errors import DataFileError
from domain.vss import catalogue
from dtc_knowledge.maintenance.schema import SourceRow
from dtc_knowledge.schema import Entry

FILE = "readings.csv"
Finite = Annotated[float, pydantic.Field(allow_inf_nan=False)]


class ReadingRow(Entry):
    """See `domain.care.Reading`."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    path: str
    kind: OwnKind
    field: ReadingField
    statistic: Statistic
    new: Finite
    worn: Finite
    low: Finite
    high: Finite
    source: str


def shipped_readings(extra: Sequence[Path] = ()) -> tuple[Reading, ...]:
    """Those of this package, and then those of further folders.

    Raises:
        DataFileError: a row is not valid.
    """
    found: list[Reading] = []
    sources: set[str] = set()
    for folder in (Path(str(files("dtc_knowledge"))) / "maintenance", *extra):
        sources |= read_sources(folder)
        found += read_readings(folder, sources, found)
    return tuple(found)


def read_sources(folder: Path) -> set[str]:
    """The ids of the folder's `sources.csv`; none where it has no such file."""
    file = folder / "sources.csv"
    return {row.id for _, row in read_csv(file, SourceRow)} if file.is_file() else set()


def read_readings(folder: Path, sources: Collection[str], known: Sequence[Reading] = ()) -> tuple[Reading, ...]:
    """The rows of `readings.csv` beside those that are `known`; none where the folder has no such file.

    Raises:
        DataFileError: a row is not valid, or names a signal or source that is not known.
    """
    file = folder / FILE
    if not file.is_file():
        return ()
    found: list[Reading] = []
    for line, row in read_csv(file, ReadingRow):
        kept = next((each.statistic for each in (*known, *found) if each.path == row.path), row.statistic)
        wrong = (
            (
                row.path not in catalogue(),
                f"unknown signal {row.path!r}",
                "take one of the VSS catalogue (domain/vss_catalogue.csv)",
            ),
            (row.source not in sources, f"unknown source {row.source!r}", "add it to sources.csv"),
            (row.new == row.worn, "a new part and a worn one read the same", "correct new or worn"),
            (row.low >= row.high, "nothing lies between low and high", "swap them"),
            (row.kind is OwnKind.CONDITION and row.field is not ReadingField.SHARE, "a condition is a share", "write share"),
            (kept != row.statistic, f"the signal's other row says {kept.value}", "a day keeps one value of a signal"),
        )
        for is_wrong, what, mend in wrong:
            if is_wrong:
                raise DataFileError(what, file=file, line=line, mend=mend)
        found.append(Reading(**row.model_dump()))
    return tuple(found)
