"""Small schedules and even use, so that due days can be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable

from domain.care import CareItem, DayUsage, Enrolment, Interval, Quantity, Schedule, ScheduledItem
from domain.findings import PlanLine, Text

DAY0 = 20_000


def words(text: str) -> Text:
    return Text(en=text, zh=text)


def item(name: str, own: tuple[str, ...] = ()) -> CareItem:
    line = PlanLine(line=1, operation=f"OP-{name.upper()}", description=words(name), labour_hours="0.5")
    return CareItem(id=name, title=words(name), system="engine", work=line, advice=words(f"see to {name}"), own=own)


def interval(**limits: float) -> Interval:
    return Interval(limits=tuple(sorted((Quantity(name), limit) for name, limit in limits.items())))


def scheduled(name: str, severe: Interval | None = None, own: tuple[str, ...] = (), **normal: float) -> ScheduledItem:
    return ScheduledItem(item=item(name, own), normal=interval(**normal), severe=severe or interval(**normal))


def schedule(*items: ScheduledItem) -> Schedule:
    return Schedule(id="test", title=words("test"), items=items)


def enrolment(odometer_km: float = 0.0, **more: object) -> Enrolment:
    return Enrolment(vehicle="car", day=DAY0, odometer_km=odometer_km, **more)  # type: ignore[arg-type]  # passed on by name


def even_use(days: int, km: float, odometer_km: float = 0.0, first: int = DAY0 + 1, **more: object) -> dict[int, DayUsage]:
    """So many days in a row with the same distance."""
    return {
        first + n: DayUsage(day=first + n, distance_km=km, odometer_km=odometer_km + km * (n + 1), trips=2, **more)  # type: ignore[arg-type]  # passed on by name
        for n in range(days)
    }


def by_day(days: Iterable[DayUsage]) -> dict[int, DayUsage]:
    return {day.day: day for day in days}
