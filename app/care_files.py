"""Enrolments and daily use from CSV tables."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.care import DayUsage, Enrolment, OwnValue, Use
from domain.errors import DataFileError
from domain.fleet import pseudonym

Amount = Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, pydantic.Field(ge=0, le=86_400)]
Count = Annotated[int, pydantic.Field(ge=0)]
Day = date
_EPOCH = date(1970, 1, 1)


class EnrolmentRow(pydantic.BaseModel, extra="forbid"):
    """A vehicle from which day on it is looked after."""

    vin: str
    date: Day
    odometer_km: Amount | None = None
    first_used: Day | None = None
    use: Use | None = None


class UsageRow(pydantic.BaseModel, extra="forbid"):
    """One vehicle's use on one day; see `domain.care.DayUsage`. `service_km`, `service_days`: the vehicle's own service values."""

    vin: str
    date: Day
    distance_km: Amount = 0.0
    engine_h: Annotated[float, pydantic.Field(ge=0, le=24)] = 0.0
    energy_kwh: Amount = 0.0
    oil_wear_rev: Amount = 0.0
    brake_mj: Amount = 0.0
    odometer_km: Amount | None = None
    trips: Count = 0
    short_trips: Count = 0
    driving_s: Seconds = 0.0
    idle_s: Seconds = 0.0
    extreme_s: Seconds = 0.0
    towing_km: Amount = 0.0
    dusty_km: Amount = 0.0
    service_km: float | None = None
    service_days: float | None = None


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def date_of(day: int) -> date:
    """The date of a day number."""
    return date.fromordinal(_EPOCH.toordinal() + day)


def parse_day(text: str) -> int:
    """Day number of YYYY-MM-DD.

    Raises:
        ValueError: it is none.
    """
    return day_number(datetime.strptime(text, "%Y-%m-%d").date())  # noqa: DTZ007 - a date has no zone


def read_enrolments(file: Path, key: bytes) -> tuple[Enrolment, ...]:
    """Enrolments of a table `vin,date,odometer_km,first_used,use`.

    Raises:
        DataFileError: a row is not valid.
    """
    found = []
    for line, row in read_csv(file, EnrolmentRow):
        if row.first_used is not None and row.first_used > row.date:
            raise DataFileError("first used after it was enrolled", file=file, line=line, mend="correct one of the dates")
        found.append(
            Enrolment(
                vehicle=pseudonym(key, row.vin),
                day=day_number(row.date),
                odometer_km=row.odometer_km,
                first_used_day=None if row.first_used is None else day_number(row.first_used),
                use=row.use,
            )
        )
    return tuple(found)


def read_usage(file: Path, key: bytes) -> dict[str, tuple[DayUsage, ...]]:
    """Days of use by vehicle.

    Raises:
        DataFileError: a row is not valid, or a vehicle has a day twice.
    """
    days: dict[str, dict[int, DayUsage]] = defaultdict(dict)
    for line, row in read_csv(file, UsageRow):
        vehicle, day = pseudonym(key, row.vin), day_number(row.date)
        if day in days[vehicle]:
            raise DataFileError("the vehicle has this day twice", file=file, line=line, mend="add the rows up")
        own = OwnValue(name="service", remaining_km=row.service_km, remaining_days=row.service_days)
        told = row.service_km is not None or row.service_days is not None
        fields = row.model_dump(exclude={"vin", "date", "service_km", "service_days"})
        days[vehicle][day] = DayUsage(day=day, own_values=(own,) if told else (), **fields)
    return {vehicle: tuple(found.values()) for vehicle, found in days.items()}
