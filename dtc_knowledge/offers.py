"""What a maker or a market adds in tables: approved plans, part numbers, prices, operation codes, outcomes of repairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.findings import Part
from dtc_knowledge.pattern import Operation, Pattern
from dtc_knowledge.schema import Entry, SourceRow

R = TypeVar("R", bound=Entry)

PRIOR_WEIGHT = 20.0
"""The shares written in a pattern count as much as this many repairs with a known outcome."""


class PlanRow(Entry):
    """A repair plan for a cause: `operations` separated by spaces; `remote` means that no visit is needed.

    An empty `model` or `region` stands for any. Only plans `in_force` are used, the highest version of the closest fit.
    """

    plan: str = pydantic.Field(min_length=1)
    version: int = pydantic.Field(ge=1)
    status: Literal["draft", "in_force", "retired"]
    cause: str
    model: str = ""
    region: str = ""
    operations: str
    pay_type: Literal["customer", "warranty", "recall", "goodwill"] = "customer"
    remote: Literal["", "yes"] = ""
    approved_by: str = ""
    source: str

    @pydantic.model_validator(mode="after")
    def _approved(self) -> PlanRow:
        if self.status == "in_force" and not self.approved_by:
            raise ValueError("a plan in force names who approved it")
        return self


class PriceRow(Entry):
    """Price of a part in a region, a decimal string per piece."""

    region: str = pydantic.Field(min_length=1)
    currency: str = pydantic.Field(pattern=r"^[A-Z]{3}$")
    part: str
    price: str = pydantic.Field(pattern=r"^\d+\.\d{2}$")
    source: str


class PartNumberRow(Entry):
    """A maker's number of a part for a model ("" for any)."""

    part: str
    model: str = ""
    number: str = pydantic.Field(min_length=1)
    source: str


class OperationCodeRow(Entry):
    """What an operation is called elsewhere: STAR, VMRS or a maker's own labour code."""

    operation: str
    scheme: str = pydantic.Field(min_length=1)
    code: str = pydantic.Field(min_length=1)
    source: str


class OutcomeRow(Entry):
    """How often repairs found this cause where the pattern led."""

    pattern: str
    cause: str
    repairs: int = pydantic.Field(ge=0)
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The tables of a maker or market, and the region whose plans and prices count."""

    plans: tuple[PlanRow, ...] = ()
    prices: tuple[PriceRow, ...] = ()
    part_numbers: tuple[PartNumberRow, ...] = ()
    operation_codes: tuple[OperationCodeRow, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()
    region: str = ""
    currency: str = field(default="CNY")

    def plan_for(self, cause: str, model: str) -> PlanRow | None:
        """The plan in force that fits closest: model and region named, then the highest version."""
        fitting = [
            row
            for row in self.plans
            if row.status == "in_force" and row.cause == cause and row.model in ("", model) and row.region in ("", self.region)
        ]
        return max(fitting, key=lambda row: (bool(row.model), bool(row.region), row.version), default=None)

    def part(self, part: Part, model: str) -> Part:
        """The part with the maker's number for the model and the region's price, where the tables give them."""
        numbers = [row for row in self.part_numbers if row.part == part.number and row.model in ("", model)]
        number = max(numbers, key=lambda row: bool(row.model)).number if numbers else part.number
        price = next((row.price for row in self.prices if row.part == part.number and row.region == self.region), part.price)
        return replace(part, number=number, price=price)

    def codes_of(self, operation: str) -> dict[str, str]:
        """Scheme -> code of an operation."""
        return {row.scheme: row.code for row in self.operation_codes if row.operation == operation}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the tables may refer to."""

    causes: frozenset[str]
    operations: Iterable[str]
    parts: Iterable[str]
    patterns: dict[str, Pattern]
    sources: dict[str, SourceRow]


def read_offers(
    folder: Path,
    region: str,
    *,
    patterns: dict[str, Pattern],
    operations: dict[str, Operation],
    parts: dict[str, Part],
    sources: dict[str, SourceRow],
) -> Offers:
    """The tables of `folder`, each of which may be missing.

    Raises:
        DataFileError: a row is not valid or refers to something unknown; it names file, line and mend.
    """
    causes = frozenset(cause.id for pattern in patterns.values() for cause in pattern.causes)
    known = _Known(causes, operations, parts, patterns, sources)
    prices = tuple(_rows(folder / "prices.csv", PriceRow, known))
    return Offers(
        plans=tuple(_rows(folder / "plans.csv", PlanRow, known)),
        prices=prices,
        part_numbers=tuple(_rows(folder / "part_numbers.csv", PartNumberRow, known)),
        operation_codes=tuple(_rows(folder / "operation_codes.csv", OperationCodeRow, known)),
        outcomes=tuple(_rows(folder / "outcomes.csv", OutcomeRow, known)),
        region=region,
        currency=next((row.currency for row in prices if row.region == region), "CNY"),
    )


def _rows(file: Path, model: type[R], known: _Known) -> Iterator[R]:
    if not file.exists():
        return
    for line, row in read_csv(file, model):
        for kind, value, allowed in _references(row, known):
            if value not in allowed:
                raise DataFileError(f"unknown {kind} {value!r}", file=file, line=line, mend=f"correct it, or add the {kind}")
        yield row


def _references(row: Entry, known: _Known) -> Iterator[tuple[str, str, Iterable[str]]]:
    match row:
        case PlanRow():
            yield "cause", row.cause, known.causes
            yield from (("operation", operation, known.operations) for operation in row.operations.split())
        case PriceRow() | PartNumberRow():
            yield "part", row.part, known.parts
        case OperationCodeRow():
            yield "operation", row.operation, known.operations
        case OutcomeRow():
            yield "pattern", row.pattern, known.patterns
            yield "cause", row.cause, [cause.id for cause in known.patterns[row.pattern].causes]
    yield "source", getattr(row, "source", ""), known.sources


def with_outcomes(pattern: Pattern, outcomes: Iterable[OutcomeRow]) -> Pattern:
    """The pattern with its shares moved by a maker's table of repairs."""
    found: dict[tuple[str, str], int] = {}
    for row in outcomes:
        found[row.pattern, row.cause] = found.get((row.pattern, row.cause), 0) + row.repairs
    return with_repairs(pattern, found)


def with_repairs(pattern: Pattern, repairs: Mapping[tuple[str, str], int]) -> Pattern:
    """The pattern with its shares moved by repairs, (pattern, cause) -> how many found it.

    (share x weight + repairs of the cause) / (weight + repairs of all its causes), where the weight is that of the prior and of the
    repairs that have moved it before.
    """
    found = [repairs.get((pattern.id, cause.id), 0) for cause in pattern.causes]
    if not any(found):
        return pattern
    before = pattern.causes[0].repairs
    weight = PRIOR_WEIGHT + before
    causes = tuple(
        replace(cause, share=(cause.share * weight + here) / (weight + sum(found)), repairs=before + sum(found))
        for cause, here in zip(pattern.causes, found, strict=True)
    )
    return replace(pattern, causes=causes)
