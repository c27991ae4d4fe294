"""Labels: which fault was there on which vehicle, from when to when, as a table (CSV) for evaluation.

    vin,kind,onset,end
    LTESTPTR9T0000005,overheating,2026-03-06T05:29:56Z,2026-03-06T05:41:00Z

A row names its fault by `kind`, by `group_key` (of the alerts that find it), or by both; a kind alone must be one that the simulator
knows. `onset` and `end` are RFC 3339 (UTC where no offset is given) or seconds since 1970; `onset_ns` may stand for `onset`.
`log` and `detail` are for people. The `labels.csv` of `pitcall simulate` is such a table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pydantic

from app.fleet import parse_start
from app.scoring import SYSTEM_OF, Fault
from datafiles import read_csv
from domain.errors import DataFileError
from domain.fleet import pseudonym


def _time(text: object) -> int:
    try:
        return parse_start(str(text))
    except (ValueError, OverflowError) as problem:
        raise ValueError(f"{text!r} is no time; write RFC 3339, such as 2026-05-01T08:00:00Z, or seconds since 1970") from problem


_Time = Annotated[int, pydantic.BeforeValidator(_time)]


class LabelRow(pydantic.BaseModel, extra="forbid", hide_input_in_errors=True):
    """One line of the table; times in ns."""

    vin: str
    kind: str = ""
    group_key: str = ""
    onset: _Time | None = None
    onset_ns: int | None = None
    end: _Time | None = None
    log: str = ""
    detail: str = ""


def read_labels(file: Path, key: bytes) -> tuple[Fault, ...]:
    """The faults of a table; `key` makes pseudonyms of VINs.

    Raises:
        DataFileError: not valid; names file, line and mend.
    """
    return tuple(_fault(row, key, file, line) for line, row in read_csv(file, LabelRow))


def _fault(row: LabelRow, key: bytes, file: Path, line: int) -> Fault:
    group = row.group_key or SYSTEM_OF.get(row.kind, "")
    onset_ns = row.onset if row.onset is not None else row.onset_ns
    if not group:
        what = f"nobody knows which alerts find {row.kind!r}" if row.kind else "the row names no fault"
        known = ", ".join(SYSTEM_OF)
        raise DataFileError(what, file=file, line=line, mend=f"fill group_key, such as engine.cooling, or take a kind of {known}")
    if onset_ns is None:
        raise DataFileError("the row names no onset", file=file, line=line, mend="fill onset with a time")
    if row.end is not None and row.end < onset_ns:
        raise DataFileError("the fault ends before it begins", file=file, line=line, mend="correct onset or end")
    return Fault(vehicle=pseudonym(key, row.vin), kind=row.kind or group, group_key=group, onset_ns=onset_ns, end_ns=row.end)
