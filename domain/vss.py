"""The VSS catalogue: path, unit, kind, zh/en name of every signal that rules, models and knowledge may speak of."""

from __future__ import annotations

import csv
import hashlib
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


@cache
def path_number(path: str) -> int:
    """A number below 2^32 that stands for the path in `FrameFlag.SAMPLE` records: the same in every version of the catalogue."""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "little")


@cache
def path_of_number() -> dict[int, str]:
    """Number -> path, of the whole catalogue (a test keeps the numbers distinct)."""
    return {path_number(path): path for path in catalogue()}
