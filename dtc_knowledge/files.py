"""Reads patterns, operations and parts, checks every reference, and makes the records that the diagnosis uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datafiles import Document, load_yaml, validate
from domain.errors import DataFileError
from domain.findings import Check, Part, Text
from domain.vss import catalogue
from dtc_knowledge.code_table import CodeCatalogue, is_maker_code
from dtc_knowledge.field_notes import FieldNotes, read_notes
from dtc_knowledge.offers import Offers, read_offers, with_outcomes
from dtc_knowledge.pattern import FindingSign, Operation, Pattern, PatternCause, Predicate, Role, SeveralSigns, Shift, Sign, Worse
from dtc_knowledge.pattern_index import PatternIndex
from dtc_knowledge.repair_files import CAPABILITIES, read_operations, read_parts
from dtc_knowledge.schema import (
    CauseEntry,
    PatternEntry,
    PredicateEntry,
    SourceRow,
    Weight,
)

GREATEST_SPN = 524_287
_SPN_SIGN = re.compile(r"SPN(\d+|\*)/(?:FMI(\d+(?:,\d+)*)|\*)")
_LETTER_SIGN = re.compile(r"[PCBU][0-3][0-9A-F]{3}|[PCBU][0-3][0-9A-F]*\*|GB\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeFiles:
    """Everything that the files say, by id. `notes`: symptoms and bulletins. `index` finds the patterns that signs can concern."""

    patterns: dict[str, Pattern]
    operations: dict[str, Operation]
    parts: dict[str, Part]
    offers: Offers = field(default_factory=Offers)
    notes: FieldNotes = field(default_factory=FieldNotes)
    index: PatternIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", PatternIndex.of(self.patterns.values()))


def read_knowledge(root: Path, codes: CodeCatalogue, extra: Path | None = None, region: str = "") -> KnowledgeFiles:
    """Read `parts.yaml`, `operations.yaml` and `patterns/*.yaml` of a folder, then what a maker adds in the folder `extra`.

    Raises:
        DataFileError: a file is missing or not valid, an id stands twice, a reference leads nowhere, or shares do not add up.
    """
    folders = [root] + ([extra] if extra is not None else [])
    parts: dict[str, Part] = {}
    operations: dict[str, Operation] = {}
    for folder in folders:
        parts |= read_parts(folder / "parts.yaml", codes.sources, parts, required=folder is root)
        operations |= read_operations(folder / "operations.yaml", codes.sources, operations, parts, required=folder is root)
    patterns: dict[str, Pattern] = {}
    causes: dict[str, tuple[Text, tuple[str, ...]]] = {}
    checks: dict[str, Check] = {}
    for file in (file for folder in folders for file in sorted((folder / "patterns").glob("*.yaml"))):
        reader = _PatternReader(load_yaml(file), codes, operations, causes, checks, frozenset(patterns))
        patterns |= {pattern.id: pattern for pattern in reader.read()}
    if not patterns:
        raise DataFileError("holds no patterns", file=root / "patterns", mend="add a .yaml file with a list of patterns")
    notes = read_notes(folders, patterns=patterns, causes=causes, operations=operations, sources=codes.sources)
    if extra is None:
        return KnowledgeFiles(patterns=patterns, operations=operations, parts=parts, notes=notes)
    offers = read_offers(extra, region, patterns=patterns, operations=operations, parts=parts, sources=codes.sources)
    patterns = {id_: with_outcomes(pattern, offers.outcomes) for id_, pattern in patterns.items()}
    return KnowledgeFiles(patterns=patterns, operations=operations, parts=parts, offers=offers, notes=notes)


def _numbered(data: Any, number: int) -> Any:
    """The same data with `{n}` replaced in every text."""
    if isinstance(data, str):
        return data.replace("{n}", str(number))
    if isinstance(data, list):
        return [_numbered(item, number) for item in data]
    if isinstance(data, dict):
        return {key: _numbered(value, number) for key, value in data.items()}
    return data


@dataclass(frozen=True, slots=True)
class _PatternReader:
    """One file of patterns; `causes` and `checks` hold what earlier files said, since an id means the same everywhere.

    `taken`: ids of patterns in earlier files.
    """

    document: Document
    codes: CodeCatalogue
    operations: dict[str, Operation]
    causes: dict[str, tuple[Text, tuple[str, ...]]]
    checks: dict[str, Check]
    taken: frozenset[str]

    def read(self) -> Iterator[Pattern]:
        """The file's patterns, repeated ones once per number."""
        data = self.document.data
        entries = data.get("patterns") if isinstance(data, dict) else None
        if not isinstance(entries, list) or set(data) != {"patterns"}:
            raise DataFileError("is not a list of patterns", file=self.document.file, line=1, mend="write `patterns:` and a list")
        seen: set[str] = set()
        for place, raw in enumerate(entries):
            copies = raw.get("repeat") if isinstance(raw, dict) else None
            for number in range(1, copies + 1) if isinstance(copies, int) and copies else (0,):
                entry = validate(PatternEntry, self.document, "patterns", place, data=_numbered(raw, number))
                self._fail_if(entry.id in seen, f"pattern {entry.id!r} stands here twice", "rename one of them", place)
                self._fail_if(entry.id in self.taken, f"pattern {entry.id!r} stands in two files", "rename one of them", place)
                seen.add(entry.id)
                yield self._pattern(entry, place)

    def _fail_if(self, wrong: bool, what: str, mend: str, *at: str | int) -> None:
        if wrong:
            raise DataFileError(what, file=self.document.file, line=self.document.line("patterns", *at), mend=mend)

    def _pattern(self, entry: PatternEntry, place: int) -> Pattern:
        unknown = [s for s in entry.sources if s not in self.codes.sources]
        self._fail_if(bool(unknown), f"unknown source {', '.join(unknown)!r}", "add it to sources.csv", place, "sources")
        self._fail_if(
            len(entry.sources) < 2 and "estimate" not in entry.sources,
            "one source only",
            "name two, or say estimate",
            place,
            "sources",
        )
        self._fail_if(
            entry.system not in self.codes.systems, f"unknown system {entry.system!r}", "see systems.csv", place, "system"
        )
        foreign = sorted(set(entry.needs) - CAPABILITIES)
        self._fail_if(bool(foreign), f"unknown capability {foreign}", f"use {', '.join(sorted(CAPABILITIES))}", place, "needs")
        total = sum(cause.p for cause in entry.causes)
        self._fail_if(abs(total - 1) > 1e-6, f"causes add up to {total:.2f}", "make them add up to 1", place, "causes")
        return Pattern(
            id=entry.id,
            title=entry.text,
            system=entry.system,
            fallback=entry.fallback,
            powertrains=tuple(entry.powertrains),
            makers=tuple(maker.lower() for maker in entry.makers),
            models=tuple(entry.models),
            signs=tuple(self._signs(entry, place)),
            several=tuple(
                SeveralSigns(count=s.count, codes=self._codes(s.of, entry, place, "codes", "several"), role=Role(s.role))
                for s in entry.codes.several
            ),
            findings=tuple(_finding_signs(entry)),
            predicates=tuple(self._predicate(p, place, n) for n, p in enumerate(entry.signals)),
            explains=self._codes(entry.explains, entry, place, "explains"),
            causes=tuple(self._cause(cause, entry, place, n) for n, cause in enumerate(entry.causes)),
            checks=tuple(self._check(entry, place)),
            tells=tuple((check.id, tuple(check.tells)) for check in entry.checks),
            urgency=entry.urgency,
            decisive=self._codes(entry.decisive, entry, place, "decisive"),
            worse=tuple(
                Worse(
                    count=w.count,
                    codes=self._codes(w.of, entry, place, "worse", n),
                    urgency=w.urgency,
                    reason=w.text,
                )
                for n, w in enumerate(entry.worse)
            ),
            reason=entry.reason.text,
            drive=entry.drive,
            safety=entry.safety,
            action=entry.action,
            advice=entry.advice.text,
            needs=tuple(entry.needs),
            sources=tuple(entry.sources),
        )

    def _codes(self, signs: list[str], entry: PatternEntry, place: int, *at: str | int) -> tuple[str, ...]:
        """Signs with lists of FMI written out, each checked against the code tables."""
        out: list[str] = []
        own = {code for maker in entry.makers for code in self.codes.makers.get(maker.lower(), ())}
        for sign in signs:
            if match := _SPN_SIGN.fullmatch(sign):
                known = (match[1] == "*" and entry.fallback) or (match[1].isdigit() and int(match[1]) <= GREATEST_SPN)
                self._fail_if(not known, f"unknown SPN in {sign!r}", f"SPN go up to {GREATEST_SPN}", place, *at)
                out += [f"SPN{match[1]}/FMI{fmi}" for fmi in match[2].split(",")] if match[2] else [sign]
                continue
            known = bool(_LETTER_SIGN.fullmatch(sign)) and (not is_maker_code(sign) or sign in own)
            mend = "name the pattern's `makers`, and the code in their tables" if is_maker_code(sign) else "correct it"
            self._fail_if(not known, f"unknown code {sign!r}", mend, place, *at)
            out.append(sign)
        return tuple(out)

    def _signs(self, entry: PatternEntry, place: int) -> Iterator[Sign]:
        by_role = {
            Role.REQUIRED: ("all", entry.codes.all),
            Role.TRIGGER: ("any", entry.codes.any),
            Role.SUPPORT: ("support", entry.codes.support),
            Role.AGAINST: ("against", entry.codes.against),
        }
        for role, (key, signs) in by_role.items():
            for code in self._codes(signs, entry, place, "codes", key):
                yield Sign(code=code, role=role, source=entry.sources[0])

    def _predicate(self, entry: PredicateEntry, place: int, number: int) -> Predicate:
        for path in filter(None, (entry.signal, entry.plus, entry.minus)):
            self._fail_if(path not in catalogue(), f"unknown signal {path!r}", "see the VSS catalogue", place, "signals", number)
        return Predicate(
            signal=entry.signal,
            other=entry.plus or entry.minus,
            factor=-1.0 if entry.minus else 1.0,
            comparison=entry.op,
            value=entry.value,
            role=Role(entry.role),
        )

    def _cause(self, entry: CauseEntry, pattern: PatternEntry, place: int, number: int) -> PatternCause:
        at = (place, "causes", number)
        missing = [op for op in entry.repair if op not in self.operations]
        self._fail_if(bool(missing), f"unknown operation {', '.join(missing)!r}", "add it to operations.yaml", *at)
        self._fail_if(
            entry.p_source not in self.codes.sources, f"unknown source {entry.p_source!r}", "add it to sources.csv", *at
        )
        repair = tuple(entry.repair)
        said = self.causes.setdefault(entry.id, (entry.text, repair))
        self._fail_if(
            said != (entry.text, repair), f"cause {entry.id!r} means something else elsewhere", "rename one of them", *at
        )
        ways = [(True, weight) for weight in entry.given] + [(False, weight) for weight in entry.without]
        return PatternCause(
            id=entry.id,
            title=entry.text,
            share=entry.p,
            shifts=tuple(self._shift(weight, present, pattern, at) for present, weight in ways),
            repair=repair,
            source=entry.p_source,
        )

    def _shift(self, weight: Weight, present: bool, pattern: PatternEntry, at: tuple[str | int, ...]) -> Shift:
        predicate = None
        if weight.signal is not None:
            self._fail_if(weight.signal not in catalogue(), f"unknown signal {weight.signal!r}", "see the VSS catalogue", *at)
            predicate = Predicate(
                signal=weight.signal, other=None, factor=1.0, comparison=weight.op, value=weight.value, role=Role.SUPPORT
            )
        return Shift(signs=self._keys(weight.any, pattern, at), present=present, times=weight.times, predicate=predicate)

    def _keys(self, keys: list[str], pattern: PatternEntry, at: tuple[str | int, ...]) -> tuple[str, ...]:
        """Codes (checked) and rule ids (lower case) of a shift."""
        place = int(at[0])
        codes = [key for key in keys if not key[:1].islower()]
        return (*self._codes(codes, pattern, place, "causes"), *(key for key in keys if key[:1].islower()))

    def _check(self, entry: PatternEntry, place: int) -> Iterator[Check]:
        for number, check in enumerate(entry.checks):
            record = Check(id=check.id, title=check.text, minutes=check.minutes)
            foreign = [cause for cause in check.tells if cause not in {c.id for c in entry.causes}]
            self._fail_if(
                bool(foreign), f"check tells of {', '.join(foreign)!r}", "name causes of the pattern", place, "checks", number
            )
            same = self.checks.setdefault(check.id, record) == record
            self._fail_if(not same, f"check {check.id!r} means something else elsewhere", "rename one", place, "checks", number)
            yield record


def _finding_signs(entry: PatternEntry) -> Iterator[FindingSign]:
    for role, ids in (
        (Role.TRIGGER, entry.findings.any),
        (Role.SUPPORT, entry.findings.support),
        (Role.AGAINST, entry.findings.against),
    ):
        for id_ in ids:
            yield FindingSign(id=id_, role=role)


def source_titles(ids: Iterable[str], sources: dict[str, SourceRow]) -> tuple[str, ...]:
    """Readable names of sources, in order, without repetition."""
    return tuple(dict.fromkeys(sources[id_].title for id_ in ids))
