"""One dealer as people write it: a line of the dealer table, or the body of a request. Lists stand in one cell between semicolons."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic

from domain.findings import Text
from domain.fleet import NO_WORKSHOP_TIERS, TIERS, Dealer

Id = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$")]
Latitude = Annotated[float, pydantic.Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, pydantic.Field(ge=-180, le=180, allow_inf_nan=False)]
Region = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)*$", max_length=200)]
_EPOCH = date(1970, 1, 1)
_MOST_HOLIDAYS = 400
_WEEKDAY_HOURS = re.compile(r"([1-7])=(\d{1,2})-(\d{1,2})")


def items(cell: Any) -> Any:
    """A list in one cell: values between semicolons. What is no text is left to the type's own validation."""
    return tuple(part.strip() for part in cell.split(";") if part.strip()) if isinstance(cell, str) else cell


def _texts(cell: Any) -> tuple[str, ...]:
    """The items of a cell, or a list of texts."""
    found = items(cell)
    if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
        raise ValueError("is neither a text nor a list of texts")
    return tuple(found)


Words = Annotated[tuple[str, ...], pydantic.BeforeValidator(items)]


def _pairs(cell: Any, shape: str, words: str) -> tuple[tuple[str, str], ...]:
    """`NAME=VALUE;…` or a mapping, values of this shape, each name once."""
    entries = [f"{name}={value}" for name, value in cell.items()] if isinstance(cell, dict) else _texts(cell)
    pairs = []
    for item in entries:
        match = re.fullmatch(rf"([^=]+?)\s*=\s*({shape})", item)
        if not match:
            raise ValueError(f"{item!r} is not {words}")
        pairs.append((match[1], match[2]))
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("names a part twice" if "PIECES" in words else "names one twice")
    return tuple(pairs)


def _counts(cell: Any, words: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, int(count)) for name, count in _pairs(cell, r"[0-9]{1,9}", words))


def _as_text(example: str) -> pydantic.WithJsonSchema:
    """How it is told in the API's description: as the text that stands in a cell."""
    return pydantic.WithJsonSchema({"type": "string", "examples": [example]})


def day_number(text: str) -> int:
    """Days since 1970-01-01 of an ISO date.

    Raises:
        ValueError: it is none.
    """
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        raise ValueError(f"{text!r} is no date such as 2026-10-01") from None


def iso_date(day: int) -> str:
    """The date of a day number."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def _holidays(cell: Any) -> tuple[int, ...]:
    """`2026-10-01;2027-02-05..2027-02-11`: dates, and spans that name their first and last day."""
    days: set[int] = set()
    for item in _texts(cell):
        first, dots, last = item.partition("..")
        start = day_number(first)
        end = day_number(last) if dots else start
        if end < start or end - start > _MOST_HOLIDAYS:
            raise ValueError(f"{item!r} is no span of days")
        days.update(range(start, end + 1))
    return tuple(sorted(days))


def _capacity_on(cell: Any) -> tuple[tuple[int, int], ...]:
    return tuple((day_number(day), int(count)) for day, count in _pairs(cell, r"[0-9]{1,5}", "DATE=ORDERS"))


def _hours(cell: Any) -> tuple[tuple[int, int, int], ...]:
    """`6=9-13;7=10-12`: ISO weekday, opening and closing hour."""
    found = []
    for item in _texts(cell):
        match = _WEEKDAY_HOURS.fullmatch(item)
        if not match or not int(match[2]) < int(match[3]) <= 24:
            raise ValueError(f"{item!r} is not WEEKDAY=OPENS-CLOSES, such as 6=9-13")
        found.append((int(match[1]), int(match[2]), int(match[3])))
    if len({day for day, _, _ in found}) < len(found):
        raise ValueError("names a weekday twice")
    return tuple(found)


_Weekdays = Annotated[tuple[Annotated[int, pydantic.Field(ge=1, le=7)], ...], pydantic.BeforeValidator(items)]
_Hour = Annotated[int, pydantic.Field(ge=0, le=24)]


class DealerRow(pydantic.BaseModel):
    """One dealer; only id, name_en, latitude and longitude are needed."""

    model_config = pydantic.ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "SH-014",
                    "name_en": "Bund Motors",
                    "name_zh": "外滩汽车",
                    "latitude": 31.2360,
                    "longitude": 121.4910,
                    "region": "cn/shanghai",
                    "labour_rate": "320.00",
                }
            ]
        },
    )

    id: Id
    name_en: Annotated[str, pydantic.Field(min_length=1, max_length=200)]
    name_zh: Annotated[str, pydantic.Field(max_length=200)] = ""
    latitude: Latitude
    longitude: Longitude
    region: Region | Literal[""] = ""
    brands: Words = ()
    capabilities: Words = ()
    tier: Literal[TIERS] = "community"  # type: ignore[valid-type]  # the table of tiers names them
    bays: Annotated[int, pydantic.Field(ge=0, le=1_000)] = 0
    technicians: Annotated[
        tuple[tuple[str, int], ...],
        pydantic.BeforeValidator(lambda cell: _counts(cell, "SKILL=PEOPLE")),
        _as_text("hv=2;engine=3"),
    ] = ()
    capacity_per_day: Annotated[int, pydantic.Field(ge=0, le=10_000)] = 8
    capacity_on: Annotated[tuple[tuple[int, int], ...], pydantic.BeforeValidator(_capacity_on), _as_text("2026-11-02=3")] = ()
    labour_rate: Annotated[Decimal, pydantic.Field(ge=0, le=1_000_000, decimal_places=2)] = Decimal("0.00")
    labour_rates: Annotated[
        tuple[tuple[str, str], ...],
        pydantic.BeforeValidator(lambda cell: _pairs(cell, r"[0-9]{1,6}\.[0-9]{2}", "CAPABILITY=RATE, such as hv=420.00")),
        _as_text("hv=420.00"),
    ] = ()
    currency: Annotated[str, pydantic.Field(pattern="^[A-Z]{3}$")] = "CNY"
    stock: Annotated[
        tuple[tuple[str, int], ...], pydantic.BeforeValidator(lambda cell: _counts(cell, "NUMBER=PIECES")), _as_text("PC-PUMP=1")
    ] = ()
    endpoint: Annotated[str, pydantic.Field(pattern=r"^https?://[^\s@]+$")] | None = None
    secret_name: str = ""
    dms: Literal["", "star"] = ""
    email: Annotated[str, pydantic.Field(pattern=r"^([^\s@,;<>]+@[^\s@,;<>]+)?$", max_length=200)] = ""
    opens_hour: _Hour = 8
    closes_hour: _Hour = 18
    hours: Annotated[tuple[tuple[int, int, int], ...], pydantic.BeforeValidator(_hours), _as_text("6=9-13")] = ()
    utc_offset_hours: Annotated[float, pydantic.Field(ge=-12, le=14, allow_inf_nan=False)] = 8.0
    days_open: _Weekdays = (1, 2, 3, 4, 5, 6)
    holidays: Annotated[tuple[int, ...], pydantic.BeforeValidator(_holidays), _as_text("2026-10-01..2026-10-07")] = ()
    loaners: Annotated[int, pydantic.Field(ge=0, le=1_000)] = 0
    pick_up_km: Annotated[float, pydantic.Field(ge=0, le=1_000, allow_inf_nan=False)] = 0.0
    acceptance: Annotated[float, pydantic.Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    nps: Annotated[float, pydantic.Field(ge=-100, le=100, allow_inf_nan=False)] | None = None

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> DealerRow:
        if self.closes_hour <= self.opens_hour:
            raise ValueError("closes_hour must be later than opens_hour")
        if self.endpoint is not None and not self.secret_name:
            raise ValueError("an endpoint needs a secret_name to sign with")
        idle = [day for day, _, _ in self.hours if day not in self.days_open]
        if idle:
            raise ValueError(f"hours name weekday {idle[0]}, which is not in days_open")
        unequipped = [name for name, _ in (*self.technicians, *self.labour_rates) if name not in self.capabilities]
        if unequipped:
            raise ValueError(f"{unequipped[0]!r} has technicians or a rate but is not in capabilities")
        if self.tier in NO_WORKSHOP_TIERS and self.bays:
            raise ValueError(f"a dealer of tier {self.tier} has no bays")
        longest = max((closes - opens for _, opens, closes in self.hours), default=0)
        if self.bays and self.capacity_per_day > self.bays * max(longest, self.closes_hour - self.opens_hour):
            raise ValueError("capacity_per_day is more than one order an hour in every bay")
        return self

    def dealer(self) -> Dealer:
        """The record."""
        plain = self.model_dump(exclude={"name_en", "name_zh", "labour_rate", "endpoint"})
        return Dealer(
            **plain,
            name=Text(en=self.name_en, zh=self.name_zh or self.name_en),
            labour_rate=str(self.labour_rate.quantize(Decimal("0.01"))),
            endpoint=self.endpoint or "",
        )
