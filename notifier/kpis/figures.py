"""Observations summed up as figures with counts and intervals, by any grouping."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from notifier.kpis.intervals import mean_interval, median_interval, wilson
from notifier.kpis.observations import DAY_NS, Kpi, Observation

Group = TypeVar("Group", bound=Hashable)
DURATIONS = frozenset({Kpi.ACCEPTANCE_TIME, Kpi.APPOINTMENT_LEAD, Kpi.ORDER_AGE})
"""Shown as medians, in seconds; all others but the promoter score are shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A key figure: median seconds, a share, or a promoter score (-100 to 100), with its 95 % interval and how many cases it is of."""

    count: int
    value: float
    low: float
    high: float


def figure(kpi: Kpi, values: Sequence[float]) -> Figure:
    """Of at least one value."""
    count = len(values)
    if kpi in DURATIONS:
        ordered = sorted(values)
        low, high = median_interval(ordered)
        return Figure(count=count, value=statistics.median(ordered), low=low, high=high)
    if kpi is Kpi.NPS:
        low, high = mean_interval(values, least=-1, most=1)
        return Figure(count=count, value=100 * sum(values) / count, low=100 * low, high=100 * high)
    low, high = wilson(round(sum(values)), count)
    return Figure(count=count, value=sum(values) / count, low=low, high=high)


def summarise(observations: Iterable[Observation], group_of: Callable[[Observation], Group]) -> dict[Group, Mapping[Kpi, Figure]]:
    """The figures of every group that has any; a figure without cases is not there."""
    values: dict[Group, dict[Kpi, list[float]]] = {}
    for each in observations:
        values.setdefault(group_of(each), {}).setdefault(each.kpi, []).append(each.value)
    return {group: {kpi: figure(kpi, of[kpi]) for kpi in Kpi if kpi in of} for group, of in values.items()}


def week_of(time_ns: int, utc_offset_hours: float) -> str:
    """The ISO week of a wall time in a zone so many hours ahead of UTC: `2026-W47`."""
    year, week, _ = _day(time_ns, utc_offset_hours).isocalendar()
    return f"{year}-W{week:02d}"


def week_start(time_ns: int, utc_offset_hours: float) -> int:
    """The first nanosecond of the ISO week of a wall time."""
    offset_ns = round(utc_offset_hours * 3_600_000_000_000)
    monday = -3 * DAY_NS  # the epoch was a Thursday
    return (time_ns + offset_ns - monday) // (7 * DAY_NS) * 7 * DAY_NS + monday - offset_ns


def _day(time_ns: int, utc_offset_hours: float) -> date:
    return date.fromordinal(719_163 + (time_ns + round(utc_offset_hours * 3_600_000_000_000)) // DAY_NS)
