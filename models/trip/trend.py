"""How a figure wears towards a limit: slope by Theil and Sen, and the days that are left, with an interval.

A vehicle's points are means over one day at least; when there are too many, neighbours are merged and the spacing doubles, so that
what is carried is bounded and reaches back over the whole life.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.trip.slots import Floats

MOST_POINTS = 40
LEAST_POINTS = 8
LEAST_DAYS = 10.0
Z95 = 1.96

# a vehicle's row of state, then the days and the values of its points
COUNT, SPACING, DAY, SUM, NUMBER, WATCH, ALERT = 0, 1, 2, 3, 4, 5, 6
_HEADER = 7
TREND_WIDTH = _HEADER + 2 * MOST_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """A line through the points: `level` on the last day, `per_day` with a 95 % interval."""

    level: float
    per_day: float
    low: float
    high: float
    days: float

    def days_left(self, limit: float) -> tuple[float, float, float]:
        """Days until the limit, soonest, latest; infinite where it moves away."""
        ahead = limit - self.level
        sooner, later = (self.high, self.low) if ahead > 0 else (self.low, self.high)
        return _until(ahead, self.per_day), _until(ahead, sooner), _until(ahead, later)


def _until(ahead: float, per_day: float) -> float:
    return ahead / per_day if ahead * per_day > 0 else (0.0 if ahead == 0 else math.inf)


def add_point(row: Floats, day: float, value: float) -> bool:
    """Take in a value; whether a new point stands in the row now."""
    if row[NUMBER] and day - row[DAY] >= max(1.0, row[SPACING]):
        _append(row, row[DAY], row[SUM] / row[NUMBER])
        row[NUMBER] = 0.0
        row[SUM] = 0.0
        added = True
    else:
        added = False
    if not row[NUMBER]:
        row[DAY] = day
    row[SUM] += value
    row[NUMBER] += 1.0
    return added


def _append(row: Floats, day: float, value: float) -> None:
    days, values = _points(row)
    count = int(row[COUNT])
    if count == MOST_POINTS:
        half = MOST_POINTS // 2
        days[:half], values[:half] = (days[::2] + days[1::2]) / 2.0, (values[::2] + values[1::2]) / 2.0
        count, row[SPACING] = half, 2.0 * max(1.0, row[SPACING])
    days[count], values[count] = day, value
    row[COUNT] = count + 1


def _points(row: Floats) -> tuple[Floats, Floats]:
    return row[_HEADER : _HEADER + MOST_POINTS], row[_HEADER + MOST_POINTS : TREND_WIDTH]


def keep_recent(row: Floats, window_days: float, reset: float) -> None:
    """Forget points before the window, and all before the last one where it jumped by more than `reset` (of that sign)."""
    days, values = _points(row)
    count = int(row[COUNT])
    jumped = count > 1 and (values[count - 1] - values[count - 2]) * math.copysign(1.0, reset) > abs(reset)
    first = count - 1 if jumped else int(np.searchsorted(days[:count], days[count - 1] - window_days))
    kept = count - first
    days[:kept], values[:kept] = days[first:count].copy(), values[first:count].copy()
    row[COUNT] = kept


def restart(row: Floats) -> None:
    """Forget the points: the part was replaced."""
    row[:] = 0.0


def slope(row: Floats, least_points: int = LEAST_POINTS, least_days: float = LEAST_DAYS) -> Slope | None:
    """The line through the row's points, None while they are too few (Sen, J. Am. Stat. Assoc. 63:1379, 1968)."""
    count = int(row[COUNT])
    days, values = (each[:count] for each in _points(row))
    if count < least_points or days[-1] - days[0] < least_days:
        return None
    first, second = np.triu_indices(count, 1)
    slopes = np.sort((values[second] - values[first]) / (days[second] - days[first]))
    spread = Z95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18.0)
    pairs = len(slopes)
    low, high = max(0, int((pairs - spread) / 2.0)), min(pairs - 1, math.ceil((pairs + spread) / 2.0))
    middle = float(np.median(slopes))
    recent = slice(-min(count, 5), None)
    level = float(np.median(values[recent] + middle * (days[-1] - days[recent])))
    return Slope(level=level, per_day=middle, low=float(slopes[low]), high=float(slopes[high]), days=float(days[-1] - days[0]))
