"""What the maintenance files may say."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from domain.findings import Urgency
from dtc_knowledge.schema import Entry, Named, UrgencyName

Positive = Annotated[float, pydantic.Field(gt=0)]
Powertrain = Literal["petrol", "diesel", "hybrid", "ev", "truck"]
Price = Annotated[str, pydantic.Field(pattern=r"^\d+\.\d\d$")]
YearDay = Annotated[str, pydantic.Field(pattern=r"^(\d{4}-)?\d\d-\d\d$")]


class SourceRow(Entry):
    """Where figures are known from."""

    id: str
    title: str
    url: str = ""


class Words(Named):
    """The same words twice."""


class CarePart(Named):
    """A part of an operation."""

    number: str = pydantic.Field(min_length=1)
    quantity: int = pydantic.Field(default=1, ge=1)
    price: Price


class ItemEntry(Named):
    """One thing to be done."""

    id: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    system: str
    operation: str = pydantic.Field(pattern=r"^OP-[A-Z0-9-]+$")
    hours: str = pydantic.Field(pattern=r"^\d+\.\d$")
    parts: tuple[CarePart, ...] = ()
    needs: tuple[Literal["engine", "electric", "hv", "truck", "chassis", "body"], ...] = ()
    completed_by: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    late: UrgencyName = Urgency.SOON
    advice: Words

    @pydantic.field_validator("late")
    @classmethod
    def _mild(cls, urgency: Urgency) -> Urgency:
        if urgency not in (Urgency.NEXT, Urgency.SOON):
            raise ValueError("care is never more urgent than SOON")
        return urgency


class ItemsFile(Entry):
    """`items.yaml`."""

    items: list[ItemEntry]


class IntervalEntry(Entry):
    """Whichever comes first."""

    distance_km: Positive | None = None
    months: Positive | None = None
    engine_h: Positive | None = None
    energy_kwh: Positive | None = None
    oil_wear_rev: Positive | None = None
    brake_mj: Positive | None = None

    @pydantic.model_validator(mode="after")
    def _has_a_limit(self) -> IntervalEntry:
        if not self.model_fields_set:
            raise ValueError("an interval needs a limit (distance_km, months, engine_h, energy_kwh, oil_wear_rev, brake_mj)")
        return self


class ScheduledEntry(Entry):
    """An item of a schedule."""

    item: str
    normal: IntervalEntry
    severe: IntervalEntry
    measured: IntervalEntry | None = None
    sensed: IntervalEntry | None = None
    first: IntervalEntry | None = None
    sources: list[str] = pydantic.Field(min_length=1)


class Applies(Named):
    """Which vehicles something is for; an empty list is any."""

    powertrains: tuple[Powertrain, ...] = ()
    brands: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


class ScheduleEntry(Applies):
    """A schedule."""

    id: str
    daily_km: Positive = 40.0
    items: list[ScheduledEntry] = pydantic.Field(min_length=1)


class CampaignEntry(Entry):
    """Seasonal (`from` and `until` as MM-DD, every year) or once (YYYY-MM-DD, a recall)."""

    item: str
    powertrains: tuple[Powertrain, ...] = ()
    brands: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    start: YearDay = pydantic.Field(alias="from")
    until: YearDay
    recall: bool = False
    sources: list[str] = pydantic.Field(min_length=1)


class SchedulesFile(Entry):
    """`schedules.yaml`, or a file of an OEM's own folder."""

    schedules: tuple[ScheduleEntry, ...] = ()
    campaigns: tuple[CampaignEntry, ...] = ()
