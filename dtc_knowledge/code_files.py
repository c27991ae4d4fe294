"""Reads the code tables of a folder: the composed standard codes, those with words of their own, SPNs, alarm bits, makers' tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import pydantic

from datafiles import read_csv
from domain.codes import CodeInfo
from domain.errors import DataFileError
from domain.findings import Text
from dtc_knowledge.code_table import CodeCatalogue, is_maker_code
from dtc_knowledge.schema import (
    AlarmBitRow,
    CodeRow,
    ComponentRow,
    FailureModeRow,
    FailureTypeRow,
    FamilyRow,
    FaultRow,
    MakerCodeRow,
    MonitorRow,
    ParameterRow,
    ParameterRunRow,
    RunRow,
    SourceRow,
    SystemRow,
)
from dtc_knowledge.vocabulary import compose_all

M = TypeVar("M", bound=pydantic.BaseModel)
I = TypeVar("I", SourceRow, SystemRow, FaultRow)  # noqa: E741  # rows with an id


def by_id(file: Path, model: type[I]) -> dict[str, I]:
    """Rows by id.

    Raises:
        DataFileError: the file is not valid, or an id stands twice.
    """
    rows: dict[str, I] = {}
    for line, row in read_csv(file, model):
        if row.id in rows:
            raise DataFileError(f"{row.id} stands here twice", file=file, line=line, mend="keep one of them")
        rows[row.id] = row
    return rows


def family_codes(row: FamilyRow) -> Iterator[CodeInfo]:
    """The codes that a family row stands for, cylinder 1 first."""
    for index in range(row.count):
        words = {"n": str(index + 1), "letter": chr(ord("A") + index)}
        code = f"{row.first[:2]}{int(row.first[2:]) + index * row.step:03d}"
        yield CodeInfo(
            code=code,
            title=Text(en=row.en.format(**words), zh=row.zh.format(**words)),
            system=row.system,
            component=row.component.format(**words),
            group_key=row.system,
            severity=row.severity,
            urgency=row.urgency,
            source=row.source,
        )


@cache
def system_names() -> dict[str, Text]:
    """Systems (the part of a group key before "/") by id."""
    return {id_: row.text for id_, row in by_id(Path(__file__).parent / "systems.csv", SystemRow).items()}


def load_codes(folder: Path | None = None, makers: Path | None = None) -> CodeCatalogue:
    """The tables of `folder` (the shipped ones by default), with the makers' tables of its `codes/makers` and of `makers`.

    Raises:
        DataFileError: a table is missing or not valid, names a code twice, or an unknown system or source.
    """
    root = folder or Path(__file__).parent
    sources = by_id(root / "sources.csv", SourceRow)
    systems = {id_: row.text for id_, row in by_id(root / "systems.csv", SystemRow).items()}
    tables = _Tables(root / "codes", systems, sources)
    components = {row.id: row for row in tables.rows("components.csv", ComponentRow, "id")}
    return CodeCatalogue(
        codes=tables.letter_codes(components),
        parameters=tables.parameters(),
        failure_modes={row.fmi: row for row in tables.rows("failure_modes.csv", FailureModeRow, "fmi")},
        failure_types={row.type: row for row in tables.rows("failure_types.csv", FailureTypeRow, "type")},
        alarm_bits={row.bit: _alarm_info(row) for row in tables.rows("gb32960_alarm_bits.csv", AlarmBitRow, "bit")},
        systems=systems,
        sources=sources,
        components={row.id: row.text for row in components.values()},
        monitors={row.monitor: tuple(row.named) for row in tables.rows("monitors.csv", MonitorRow, "monitor")},
        makers=tables.maker_codes(root / "codes" / "makers", *([makers] if makers else [])),
    )


def _alarm_info(row: AlarmBitRow) -> CodeInfo:
    return CodeInfo(
        code=f"GB{row.bit}",
        title=row.text,
        system=row.system,
        component="",
        group_key=row.system,
        severity=row.severity,
        urgency=row.urgency,
        source=row.source,
        category="function",
        confidence="high",
    )


@dataclass(frozen=True, slots=True)
class _Tables:
    """Reads the tables of one folder and checks what a single row cannot know."""

    folder: Path
    systems: dict[str, Text]
    sources: dict[str, SourceRow]

    def rows(self, name: str, model: type[M], key: str) -> list[M]:
        """Rows of one table; `key` is the column that must not repeat."""
        seen: set[object] = set()
        rows = []
        for line, row in read_csv(self.folder / name, model):
            self._check(name, line, getattr(row, key), seen, row)
            rows.append(row)
        return rows

    def _check(self, name: str, line: int, key: object, seen: set[object], row: pydantic.BaseModel) -> None:
        file = self.folder / name
        if key in seen:
            raise DataFileError(f"{key} stands here twice", file=file, line=line, mend="keep one of them")
        seen.add(key)
        self._known(file, line, row)

    def _known(self, file: Path, line: int, row: pydantic.BaseModel) -> None:
        source, system = getattr(row, "source", None), getattr(row, "system", None)
        if source not in self.sources:
            raise DataFileError(f"unknown source {source!r}", file=file, line=line, mend="add it to sources.csv")
        if system is not None and system not in self.systems:
            raise DataFileError(f"unknown system {system!r}", file=file, line=line, mend="add it to systems.csv")

    def letter_codes(self, components: dict[str, ComponentRow]) -> dict[str, CodeInfo]:
        """Composed codes first; families and single rows have words of their own and take their place, each code once."""
        faults = by_id(self.folder / "faults.csv", FaultRow)
        runs = read_csv(self.folder / "runs.csv", RunRow)
        for line, run in runs:
            self._known(self.folder / "runs.csv", line, run)
        codes = compose_all(runs, components, faults, self.folder / "runs.csv")
        own: set[object] = set()
        for family in self.rows("families.csv", FamilyRow, "first"):
            for info in family_codes(family):
                own.add(info.code)
                codes[info.code] = _own_words(info, codes.get(info.code))
        for name in ("powertrain.csv", "electric_drive.csv", "network_and_chassis.csv"):
            for line, row in read_csv(self.folder / name, CodeRow):
                self._check(name, line, row.code, own, row)
                codes[row.code] = _own_words(_code_info(row), codes.get(row.code))
        return codes

    def parameters(self) -> dict[int, ParameterRow]:
        """SPNs of the numbered runs first; single rows have words of their own and take their place."""
        found = {row.spn: row for run in self.rows("parameter_runs.csv", ParameterRunRow, "first") for row in _run_of(run)}
        found.update((row.spn, row) for row in self.rows("parameters.csv", ParameterRow, "spn"))
        return dict(sorted(found.items()))

    def maker_codes(self, *folders: Path) -> dict[str, dict[str, CodeInfo]]:
        """Codes of makers' own ranges: one table per maker, named after it; one of a later folder takes the place of an earlier."""
        return {file.stem.lower(): self._one_maker(file) for folder in folders for file in sorted(folder.glob("*.csv"))}

    def _one_maker(self, file: Path) -> dict[str, CodeInfo]:
        codes: dict[str, CodeInfo] = {}
        for line, row in read_csv(file, MakerCodeRow):
            if not is_maker_code(row.code):
                mend = "a maker's table names P1, P30-P33, U1, U2, B1, B2, C1 and C2 only"
                raise DataFileError(f"{row.code} is a standard code", file=file, line=line, mend=mend)
            if row.code in codes:
                raise DataFileError(f"{row.code} stands here twice", file=file, line=line, mend="keep one of them")
            if row.system not in self.systems:
                mend = f"systems are {', '.join(self.systems)}"
                raise DataFileError(f"unknown system {row.system!r}", file=file, line=line, mend=mend)
            codes[row.code] = replace(_code_info(row), category=row.category, confidence=row.confidence)
        return codes


def _run_of(run: ParameterRunRow) -> Iterator[ParameterRow]:
    for index in range(run.count):
        number = str(run.start + index)
        yield ParameterRow(
            spn=run.first + index,
            en=run.en.format(n=number),
            zh=run.zh.format(n=number),
            system=run.system,
            component=run.component,
            category=run.category,
            confidence=run.confidence,
            source=run.source,
        )


def _code_info(row: CodeRow | MakerCodeRow) -> CodeInfo:
    return CodeInfo(
        code=row.code,
        title=row.text,
        system=row.system,
        component=row.component,
        group_key=row.system,
        severity=row.severity,
        urgency=row.urgency,
        source=row.source,
    )


def _own_words(info: CodeInfo, composed: CodeInfo | None) -> CodeInfo:
    """A code with words of its own; what the vocabulary knows of it besides is kept."""
    if composed is None:
        return replace(info, category="function", confidence="high")
    return replace(info, category=composed.category, confidence="high")
