"""What is usual for vehicles like this one: quantiles of signals by model and band of the outside temperature, as a table.

Columns of the CSV: `model`, `signal` (VSS path), `from_celsius` and `until_celsius` (the band, its end excluded), `quantile`
(percent), `value` (in the unit of the path), `vehicles` (how many it was made from) and `source`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from rules.binding import resolve_path
from rules.expression import ExpressionError

LEAST_VEHICLES = 5
"""A quantile over fewer vehicles says more of them than of their model."""
Finite = Annotated[float, pydantic.Field(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """(from, until, value) of each band, coldest first; they do not overlap."""

    rows: tuple[tuple[float, float, float], ...]

    def at(self, temperature: float) -> float | None:
        """The value at this outside temperature, None where no band holds it."""
        number = bisect_right(self.rows, temperature, key=lambda row: row[0]) - 1
        return self.rows[number][2] if number >= 0 and temperature < self.rows[number][1] else None


Cohort = Mapping[tuple[str, float], Bands]
"""(path, quantile) -> bands: what is usual for one model."""
NO_COHORT: Cohort = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohorts:
    """Model -> what is usual for it."""

    models: Mapping[str, Cohort] = field(default_factory=dict)

    def of(self, model: str) -> Cohort:
        """Of this model, empty where the table lacks it."""
        return self.models.get(model, NO_COHORT)


NO_COHORTS = Cohorts()


class _Row(pydantic.BaseModel, extra="forbid", frozen=True):
    model: str
    signal: str
    from_celsius: Annotated[float, pydantic.Field(ge=-60, le=60)]
    until_celsius: Annotated[float, pydantic.Field(ge=-60, le=60)]
    quantile: Annotated[float, pydantic.Field(gt=0, lt=100)]
    value: Finite
    vehicles: Annotated[int, pydantic.Field(ge=LEAST_VEHICLES)]
    source: str


def load_cohorts(file: Path) -> Cohorts:
    """Read a table.

    Raises:
        DataFileError: a cell is not valid, a signal unknown, a band empty or overlapping, or quantiles cross; names file and line.
    """
    models: dict[str, dict[tuple[str, float], list[tuple[float, float, float]]]] = {}
    for line, row in read_csv(file, _Row):
        try:
            path = resolve_path(row.signal)
        except ExpressionError as problem:
            raise DataFileError(f"column signal: {problem.what}", file=file, line=line, mend=problem.mend) from problem
        rows = models.setdefault(row.model, {}).setdefault((path, row.quantile), [])
        band = (row.from_celsius, row.until_celsius, row.value)
        if band[0] >= band[1]:
            raise DataFileError("the band is empty", file=file, line=line, mend="put the lower temperature into from_celsius")
        if any(band[0] < other[1] and other[0] < band[1] for other in rows):
            raise DataFileError(
                "the band overlaps another one of this quantile", file=file, line=line, mend="let bands end where others begin"
            )
        crossed = _crossed(models[row.model], path, row.quantile, band)
        if crossed is not None:
            what = f"the {row.quantile:g} % quantile lies on the wrong side of the {crossed:g} % quantile"
            raise DataFileError(what, file=file, line=line, mend="quantiles grow with their percentage")
        rows.append(band)
    return Cohorts(
        models={
            model: {key: Bands(rows=tuple(sorted(rows))) for key, rows in signals.items()} for model, signals in models.items()
        }
    )


def _crossed(
    known: Mapping[tuple[str, float], list[tuple[float, float, float]]],
    path: str,
    quantile: float,
    band: tuple[float, float, float],
) -> float | None:
    """Another quantile of the same band that this one contradicts."""
    for (other_path, other), rows in known.items():
        for row in rows if other_path == path else ():
            if row[:2] == band[:2] and other != quantile and (other < quantile) != (row[2] <= band[2]) and row[2] != band[2]:
                return other
    return None
