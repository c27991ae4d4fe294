"""The VSS catalogue: path, unit, kind, zh/en name of every signal that rules, models and knowledge may speak of."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from domain.findings import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class VssSignal:
    """One signal. `origin` is "vss" (COVESA VSS 5) or "overlay" (our extension); `kind` is "sensor", "attribute" or "actuator"."""

    path: str
    kind: str
    datatype: str
    unit: str
    name: Text
    origin: str


@cache
def catalogue() -> dict[str, VssSignal]:
    """Path -> signal, in the file's order (an immutable resource of the package, read once)."""
    with files("domain").joinpath("vss_catalogue.csv").open("r", encoding="utf-8") as file:
        return {
            row["path"]: VssSignal(
                path=row["path"],
                kind=row["kind"],
                datatype=row["datatype"],
                unit=row["unit"],
                name=Text(en=row["name_en"], zh=row["name_zh"]),
                origin=row["origin"],
            )
            for row in csv.DictReader(file)
        }
