"""What may fail, and what it costs when it does: the table `components.csv`, or one's own of the same form.

Costs stand for what a visit costs that finds nothing, what the planned repair costs, and what the breakdown costs. A visit pays where
`p (breakdown - planned) > (1 - p) visit`: the Bayes threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

import numpy as np
import pydantic
from numpy.typing import NDArray

from datafiles import read_csv
from domain.errors import DataFileError
from domain.findings import Text

Floats = NDArray[np.float64]
SHIPPED = Path(str(files("models").joinpath("risk", "components.csv")))


class _Row(pydantic.BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    component: str
    group_key: str
    en: str
    zh: str
    visit_cost: float = pydantic.Field(gt=0, allow_inf_nan=False)
    planned_cost: float = pydantic.Field(ge=0, allow_inf_nan=False)
    breakdown_cost: float = pydantic.Field(gt=0, allow_inf_nan=False)
    causes: str = ""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What may fail, how alerts of it group, and what it costs, in one currency.

    Attributes:
        causes: patterns (with * and [0-9]) of the root causes of the fault knowledge that are a failure of it.
        visit: a visit that finds nothing. planned: the repair in good time. breakdown: the failure, with all that follows.
    """

    id: str
    group_key: str
    name: Text
    visit: float
    planned: float
    breakdown: float
    causes: tuple[str, ...] = ()

    @property
    def threshold(self) -> float:
        """Probability from which a visit pays."""
        return self.visit / (self.visit + self.breakdown - self.planned)

    def fails_by(self, cause: str) -> bool:
        """Whether this root cause is a failure of it."""
        return any(fnmatchcase(cause, pattern) for pattern in self.causes)

    def avoided(self, probability: Floats) -> Floats:
        """Expected cost that a visit avoids; negative where it does not pay."""
        return probability * (self.breakdown - self.planned) - (1.0 - probability) * self.visit


def load_components(file: Path = SHIPPED) -> dict[str, Component]:
    """Components by id.

    Raises:
        DataFileError: the table is not valid, names a component twice, or one whose breakdown costs no more than its repair.
    """
    found: dict[str, Component] = {}
    for line, row in read_csv(file, _Row):
        if row.component in found:
            raise DataFileError(f"component {row.component} stands there twice", file=file, line=line, mend="leave one row out")
        if row.breakdown_cost <= row.planned_cost:
            raise DataFileError("the breakdown costs no more than the repair", file=file, line=line, mend="correct the costs")
        found[row.component] = Component(
            id=row.component,
            group_key=row.group_key,
            name=Text(en=row.en, zh=row.zh),
            visit=row.visit_cost,
            planned=row.planned_cost,
            breakdown=row.breakdown_cost,
            causes=tuple(pattern for pattern in row.causes.split(";") if pattern),
        )
    return found
