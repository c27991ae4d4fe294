"""The tables of facts and parameters behind the fleet: kinds of faults, their parameters, cities, sensors."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from datafiles import load_yaml, read_csv, validate
from domain.errors import DataFileError

Powertrain = Literal["petrol", "diesel", "ev"]
_FOLDER = Path(str(files("simulator").joinpath("life")))
PARAMETER_SETS = ("development", "evaluation")


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("the first must not be above the second")
    return pair


Range = Annotated[tuple[float, float], pydantic.AfterValidator(_rising)]


class _Row(pydantic.BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    """A row or entry of one of the tables."""


class Worse(_Row):
    """What raises a hazard: the share by which it grows with each."""

    age: float = 0.0
    distance: float = 0.0
    cold: float = 0.0
    hot: float = 0.0
    short: float = 0.0
    towing: float = 0.0


class FaultKind(_Row):
    """What can go wrong; see fault_kinds.yaml."""

    kind: str
    family: str
    component: str
    group_key: str
    powertrains: tuple[Powertrain, ...]
    strands: bool
    worse: Worse
    source: str


class FaultParameters(_Row):
    """How often, how fast and how badly a kind comes; see development.yaml."""

    kind: str
    per_1000_years: float = pydantic.Field(ge=0)
    sudden: float = pydantic.Field(ge=0, le=1)
    develops_days: Range
    shape: Range
    size: Range
    shows_at: float = pydantic.Field(gt=0, lt=1)


class ParameterSet(_Row):
    """A file of parameters; `seeds` (first, last) are those it may be used with."""

    name: str
    seeds: tuple[int, int]
    found_at_service: float
    wrong_part: float
    days_to_repair: Range
    faults: tuple[FaultParameters, ...]


class City(_Row):
    """Where cars live; temperatures in °C: mean of the year, half swing of the seasons and of the day."""

    city: str
    region: str
    latitude: float
    longitude: float
    altitude_m: float
    mean_c: float
    season_c: float
    day_c: float
    wet_share: float
    cold: float
    hot: float
    source: str


class Sensor(_Row):
    """What a unit sends of a signal, by powertrain ("" = nothing), and how well it is measured, in the unit of the VSS path."""

    path: str
    petrol: Literal["", "fast", "slow"] = ""
    diesel: Literal["", "fast", "slow"] = ""
    ev: Literal["", "fast", "slow"] = ""
    noise: float = pydantic.Field(default=0.0, ge=0)
    bias: float = pydantic.Field(default=0.0, ge=0)
    resolution: float = pydantic.Field(gt=0)
    low: float
    high: float
    source: str


class _Kinds(_Row):
    kinds: tuple[FaultKind, ...]


@cache
def fault_kinds() -> dict[str, FaultKind]:
    """Kind -> what it is (an immutable resource, read once)."""
    document = load_yaml(_FOLDER / "fault_kinds.yaml")
    return {each.kind: each for each in validate(_Kinds, document, data={"kinds": document.data}).kinds}


@cache
def parameter_set(name: str) -> ParameterSet:
    """A shipped set of parameters by its name.

    Raises:
        DataFileError: there is no such set, or it does not have each kind of fault once.
    """
    if name not in PARAMETER_SETS:
        raise DataFileError(f"there are no parameters {name!r}", mend=f"use {' or '.join(PARAMETER_SETS)}")
    document = load_yaml(_FOLDER / f"{name}.yaml")
    found = validate(ParameterSet, document)
    if [each.kind for each in found.faults] != list(fault_kinds()):
        what = "must have the kinds of fault_kinds.yaml, in its order"
        raise DataFileError(what, file=document.file, mend="add, remove or move entries")
    return found


@cache
def cities() -> tuple[City, ...]:
    """Where cars live (an immutable resource, read once)."""
    return tuple(row for _, row in read_csv(_FOLDER / "cities.csv", City))


@cache
def sensors() -> dict[str, Sensor]:
    """VSS path -> what is sent of it, in the file's order (an immutable resource, read once)."""
    return {row.path: row for _, row in read_csv(_FOLDER / "sensors.csv", Sensor)}
