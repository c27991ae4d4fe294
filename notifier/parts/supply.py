"""What replaces which part, and how long a part takes to come: tables that a maker or importer adds to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError

FOLDER = Path(__file__).parent
ANY_PART = "*"
DAY_NS = 86_400 * 1_000_000_000
PartNumber = Annotated[str, pydantic.Field(pattern=r"^\S(.{0,62}\S)?$")]
_Source = Annotated[str, pydantic.Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Part -> its direct successor (no circles), and part -> days from the supplier (`ANY_PART` for all others)."""

    successors: Mapping[str, str]
    lead_days: Mapping[str, float]

    def acceptable(self, part: str) -> tuple[str, ...]:
        """The part itself and, in the order of their succession, what may be fitted in its place."""
        chain = [part]
        while (successor := self.successors.get(chain[-1])) is not None:
            chain.append(successor)
        return tuple(chain)

    def lead_ns(self, part: str) -> int:
        """From the supplier to a dealer."""
        return round(self.lead_days.get(part, self.lead_days[ANY_PART]) * DAY_NS)


class _Supersession(pydantic.BaseModel):
    """`part` is made no more, or was improved: `successor` fits wherever it did (not the other way round)."""

    part: PartNumber
    successor: PartNumber
    source: _Source


class _LeadTime(pydantic.BaseModel):
    part: PartNumber
    days: Annotated[float, pydantic.Field(ge=0, le=730, allow_inf_nan=False)]
    source: _Source


def load_supply(supersessions: Path | None = None, lead_times: Path | None = None) -> Supply:
    """The shipped tables, with one's own laid over them.

    Raises:
        DataFileError: a row is not valid, names a part twice, or closes a circle; names file and line.
    """
    successors: dict[str, str] = {}
    days: dict[str, float] = {}
    for file in filter(None, (FOLDER / "supersessions.csv", supersessions)):
        lines = dict[str, int]()
        for line, row in read_csv(file, _Supersession):
            if row.part in lines:
                raise _twice(row.part, file, line, lines[row.part])
            lines[row.part], successors[row.part] = line, row.successor
            _refuse_circle(successors, row.part, file, line)
    for file in filter(None, (FOLDER / "lead_times.csv", lead_times)):
        lines = dict[str, int]()
        for line, lead in read_csv(file, _LeadTime):
            if lead.part in lines:
                raise _twice(lead.part, file, line, lines[lead.part])
            lines[lead.part], days[lead.part] = line, lead.days
    return Supply(successors=successors, lead_days=days)


def _twice(part: str, file: Path, line: int, before: int) -> DataFileError:
    return DataFileError(f"part {part} stands on line {before} already", file=file, line=line, mend="keep one of the two rows")


def _refuse_circle(successors: Mapping[str, str], part: str, file: Path, line: int) -> None:
    chain = [part]
    while (successor := successors.get(chain[-1])) is not None:
        chain.append(successor)
        if successor == part:
            raise DataFileError(
                f"a part would replace itself: {' -> '.join(chain)}", file=file, line=line, mend="remove one link of the circle"
            )
