"""When an interval will be used up, at the vehicle's own pace."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.care import DayUsage, DueForecast, Interval, Quantity

WINDOW_DAYS = 84
WEEK = 7
LEAST_WEEKS = 4
"""With fewer weeks the expected pace stands in for those that are missing."""
OUTLIER = 3.0
"""A week counts at most so many times the median week: one holiday trip is not a pace."""
Z80 = 1.2816
LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Pace:
    """Use in a week: robust mean and standard deviation, over so many weeks."""

    mean: float
    deviation: float
    weeks: int


def pace(window: Sequence[DayUsage], quantity: Quantity, today: int, since_day: int, expected_daily: float) -> Pace:
    """The pace of the latest weeks up to `today`, as far as they lie after `since_day`; weeks without use count as such.

    Args:
        window: days with use, any order.
        expected_daily: 0 where nothing is expected.
    """
    weeks = max(0, min(WINDOW_DAYS, today - since_day) // WEEK)
    sums = [0.0] * weeks
    for day in window:
        place = (today - day.day) // WEEK
        if 0 <= place < weeks:
            sums[place] += day.amount(quantity)
    missing = LEAST_WEEKS - weeks
    if missing > 0 and expected_daily > 0:
        sums += [expected_daily * WEEK] * missing
    if not sums:
        return Pace(0.0, 0.0, 0)
    middle = statistics.median(sums)
    clipped = [min(each, OUTLIER * middle) for each in sums] if middle > 0 else sums
    mean = sum(clipped) / len(sums)
    deviation = statistics.stdev(sums) if len(sums) > 1 else mean
    if missing > 0:
        deviation = max(deviation, 0.5 * mean)
    return Pace(mean, deviation, len(sums))


def days_until(remaining: float, at: Pace) -> tuple[float, float, float]:
    """(median, low, high) days until so much is used; low and high bound 80 %.

    Use in t weeks has the variance s²·t (weeks differ) + s²·t²/n (the pace itself is only an estimate).
    """
    if remaining <= 0:
        return 0.0, 0.0, 0.0
    if at.mean <= 0:
        return math.inf, math.inf, math.inf
    middle = remaining / at.mean
    low, high = _crossing(remaining, at, 1.0), _crossing(remaining, at, -1.0)
    return middle * WEEK, min(low, middle) * WEEK, max(high, middle) * WEEK


def _crossing(remaining: float, at: Pace, side: float) -> float:
    """Weeks t with mean·t + side·z·deviation(t) = remaining, by bisection; the left side grows with t or never gets there."""
    left, right = 0.0, LONGEST_DAYS / WEEK
    for _ in range(24):
        weeks = (left + right) / 2
        spread = Z80 * at.deviation * math.sqrt(weeks + weeks * weeks / at.weeks)
        if at.mean * weeks + side * spread < remaining:
            left = weeks
        else:
            right = weeks
    return right


def forecast(
    interval: Interval, used: Mapping[Quantity, float], paces: Mapping[Quantity, Pace], today: int, *, with_bounds: bool = True
) -> DueForecast:
    """When the first limit will be reached; at most ten years ahead. A limit that was passed is due today."""
    best = (math.inf, Quantity.TIME)
    lows, highs = [float(LONGEST_DAYS)], [float(LONGEST_DAYS)]
    for quantity, limit in interval.limits:
        remaining = (1.0 - used.get(quantity, 0.0)) * limit
        if quantity is Quantity.TIME or remaining <= 0:
            middle = low = high = max(0.0, remaining)
        elif with_bounds:
            middle, low, high = days_until(remaining, paces[quantity])
        else:
            mean = paces[quantity].mean
            middle = low = high = remaining / mean * WEEK if mean > 0 else math.inf
        best = min(best, (middle, quantity))
        lows.append(low)
        highs.append(high)
    middle, quantity = best
    near = min(middle, LONGEST_DAYS)
    return DueForecast(
        day=today + _days(near), low=today + math.floor(min(lows) + 1e-6), high=today + _days(min(highs)), quantity=quantity
    )


def _days(days: float) -> int:
    return math.ceil(days - 1e-6)
