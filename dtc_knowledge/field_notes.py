"""What drivers notice and what makers publish: symptoms of patterns, and bulletins, recalls and software that mend a cause."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.fleet import Vehicle
from dtc_knowledge.pattern import matches
from dtc_knowledge.schema import Named, SourceRow

R = TypeVar("R", bound=pydantic.BaseModel)


class SymptomRow(Named):
    """What a driver notices; `patterns`: ids of the patterns that show so, by blanks ("misfire_cylinder_*" for all copies)."""

    id: str = pydantic.Field(pattern=r"^[a-z0-9_]+$")
    patterns: str = pydantic.Field(min_length=1)
    source: str


class BulletinRow(Named):
    """A maker's bulletin, recall or software that mends a cause.

    `maker`, `model`: "" for any. `years`: "2024" or "2024-2026". `software`: the versions concerned, in the maker's words.
    `operation`: what is done.
    """

    bulletin: str = pydantic.Field(min_length=1)
    kind: Literal["bulletin", "recall", "software"]
    cause: str
    maker: str = ""
    model: str = ""
    years: str = pydantic.Field(default="", pattern=r"^(\d{4}(-\d{4})?)?$")
    software: str = ""
    operation: str = ""
    source: str

    @property
    def applies_to(self) -> str:
        """The vehicles in words, "" for all."""
        return " ".join(filter(None, (self.maker, self.model, self.years, self.software and f"software {self.software}")))

    def fits(self, vehicle: Vehicle) -> bool:
        """Whether it may concern the vehicle; what is not known of the vehicle, its software above all, excludes nothing."""
        first, _, last = self.years.partition("-")
        return (
            self.maker.lower() in ("", vehicle.brand.lower())
            and self.model in ("", vehicle.model)
            and (not first or not vehicle.year or int(first) <= vehicle.year <= int(last or first))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNotes:
    """Symptoms with the patterns that show so, and bulletins."""

    symptoms: tuple[tuple[SymptomRow, tuple[str, ...]], ...] = ()
    bulletins: tuple[BulletinRow, ...] = ()

    def symptoms_of(self, pattern: str) -> tuple[SymptomRow, ...]:
        """What a driver notices of a pattern."""
        return tuple(row for row, patterns in self.symptoms if pattern in patterns)

    def bulletins_for(self, causes: Collection[str], vehicle: Vehicle) -> tuple[BulletinRow, ...]:
        """What makers publish about these causes for such a vehicle."""
        return tuple(row for row in self.bulletins if row.cause in causes and row.fits(vehicle))


def read_notes(
    folders: Iterable[Path],
    *,
    patterns: Collection[str],
    causes: Collection[str],
    operations: Collection[str],
    sources: Mapping[str, SourceRow],
) -> FieldNotes:
    """`symptoms.csv` and `bulletins.csv` of these folders, each of which may be missing.

    Raises:
        DataFileError: a row is not valid, an id stands twice, or a reference leads nowhere; it names file, line and mend.
    """
    known = _Known(patterns, causes, operations, sources)
    symptoms: dict[str, tuple[SymptomRow, tuple[str, ...]]] = {}
    bulletins: dict[str, BulletinRow] = {}
    for folder in folders:
        for line, symptom in _rows(folder / "symptoms.csv", SymptomRow):
            known.new(symptom.id, symptoms, folder / "symptoms.csv", line)
            symptoms[symptom.id] = symptom, tuple(known.patterns_of(symptom, folder / "symptoms.csv", line))
        for line, bulletin in _rows(folder / "bulletins.csv", BulletinRow):
            known.new(bulletin.bulletin, bulletins, folder / "bulletins.csv", line)
            known.check_bulletin(bulletin, folder / "bulletins.csv", line)
            bulletins[bulletin.bulletin] = bulletin
    return FieldNotes(symptoms=tuple(symptoms.values()), bulletins=tuple(bulletins.values()))


def _rows(file: Path, model: type[R]) -> list[tuple[int, R]]:
    return read_csv(file, model) if file.exists() else []


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows may refer to."""

    patterns: Collection[str]
    causes: Collection[str]
    operations: Collection[str]
    sources: Mapping[str, SourceRow]

    def new(self, id_: str, seen: Collection[str], file: Path, line: int) -> None:
        if id_ in seen:
            raise DataFileError(f"{id_} stands twice", file=file, line=line, mend="keep one of them")

    def patterns_of(self, row: SymptomRow, file: Path, line: int) -> Iterator[str]:
        """The ids that the row names, copies written out."""
        self._named("source", row.source, self.sources, file, line)
        for word in row.patterns.split():
            found = [id_ for id_ in self.patterns if matches(word, id_)]
            if not found:
                raise DataFileError(f"unknown pattern {word!r}", file=file, line=line, mend="see patterns/*.yaml for the ids")
            yield from found

    def check_bulletin(self, row: BulletinRow, file: Path, line: int) -> None:
        self._named("cause", row.cause, self.causes, file, line)
        self._named("source", row.source, self.sources, file, line)
        if row.operation:
            self._named("operation", row.operation, self.operations, file, line)

    def _named(self, kind: str, word: str, known: Collection[str], file: Path, line: int) -> None:
        if word not in known:
            raise DataFileError(f"unknown {kind} {word!r}", file=file, line=line, mend=f"correct it, or add the {kind}")
