"""Reads the tables of the simulated year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Annotated

import pydantic

from datafiles import read_csv

Share = Annotated[float, pydantic.Field(ge=0, le=1)]


class _FaultRow(pydantic.BaseModel, extra="forbid"):
    fault: str
    powertrains: str
    rule: str = ""
    code: str = ""
    cause: str
    per_1000_car_years: Annotated[float, pydantic.Field(gt=0)]
    false_share: Share
    other_share: Share
    comeback_share: Share
    source: str


class _HabitRow(pydantic.BaseModel, extra="forbid"):
    name: str
    median: float
    spread: Annotated[float, pydantic.Field(ge=0)]
    unit: str
    meaning: str
    source: str


class _CityRow(pydantic.BaseModel, extra="forbid"):
    city: str
    region: str
    latitude: float
    longitude: float
    share: Share
    source: str


class _DriverRow(pydantic.BaseModel, extra="forbid"):
    driver: str
    share: Share
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRate:
    """How often something goes wrong, what tells of it, and what the workshop finds then.

    Attributes:
        rule, code: id of the rule or trouble code that tells; one of both is "". cause: what is truly wrong, as the knowledge names it.
        false_share: alerts behind which nothing is wrong. other_share: those behind which something else is.
        comeback_share: repairs after which it comes again within weeks.
    """

    fault: str
    powertrains: frozenset[str]
    rule: str
    code: str
    cause: str
    per_1000_car_years: float
    false_share: float
    other_share: float
    comeback_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How long people take, or how often they do something; `spread` is the log-normal sigma, or the deviation of points."""

    median: float
    spread: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Where cars and workshops are; `share` of both."""

    region: str
    latitude: float
    longitude: float
    share: float


@cache
def fault_rates() -> tuple[FaultRate, ...]:
    """Every fault.

    Raises:
        DataFileError: the table is not valid.
    """
    with as_file(files("simulator").joinpath("operation", "faults.csv")) as file:
        return tuple(
            FaultRate(
                fault=row.fault,
                powertrains=frozenset(row.powertrains.split(";")),
                rule=row.rule,
                code=row.code,
                cause=row.cause,
                per_1000_car_years=row.per_1000_car_years,
                false_share=row.false_share,
                other_share=row.other_share,
                comeback_share=row.comeback_share,
            )
            for _, row in read_csv(file, _FaultRow)
        )


@cache
def habits() -> Mapping[str, Habit]:
    """By name.

    Raises:
        DataFileError: the table is not valid.
    """
    with as_file(files("simulator").joinpath("operation", "people.csv")) as file:
        return {row.name: Habit(median=row.median, spread=row.spread, unit=row.unit) for _, row in read_csv(file, _HabitRow)}


@cache
def cities() -> tuple[City, ...]:
    """All of them.

    Raises:
        DataFileError: the table is not valid.
    """
    with as_file(files("simulator").joinpath("operation", "cities.csv")) as file:
        return tuple(
            City(region=row.region, latitude=row.latitude, longitude=row.longitude, share=row.share)
            for _, row in read_csv(file, _CityRow)
        )


@cache
def driver_shares() -> Mapping[str, float]:
    """Name of a way of using a car (`simulator.usage`) -> its share among those of the same powertrain, or any multiple of it.

    Raises:
        DataFileError: the table is not valid.
    """
    with as_file(files("simulator").joinpath("operation", "drivers.csv")) as file:
        return {row.driver: row.share for _, row in read_csv(file, _DriverRow)}
