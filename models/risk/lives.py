"""From features and lives of components to rows that a hazard can be fitted on, with nothing that was not known in time.

A row asks at a decision time t, with the features known by then: given that the component lives at the start of a window, does it fail
in it? Windows (`Windows`) follow each other after a gap, in which no workshop could be booked. A life that ends otherwise than by
failure (acted-on alert, preventive exchange, end of observation) says nothing of the window in which it ends: that row does not exist.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRows:
    """Features of vehicles, one row for each time at which something new was known.

    Attributes:
        vehicles: names. features: columns of `values`.
        vehicle: number in `vehicles` [rows]. event_ns: what the row tells of. available_ns: when it was known here [rows].
        values: NaN where unknown [rows, features]. regions: of the vehicles, "" where unknown.
    """

    vehicles: tuple[str, ...]
    regions: tuple[str, ...]
    features: tuple[str, ...]
    vehicle: Ints
    event_ns: Ints
    available_ns: Ints
    values: Floats

    def latest_by(self, time_ns: int, fresh_ns: int) -> Ints:
        """Rows: the newest of each vehicle that was available by this time, and no older than `fresh_ns` then."""
        seen = np.flatnonzero((self.available_ns <= time_ns) & (self.event_ns > time_ns - fresh_ns))
        seen = seen[np.lexsort((self.event_ns[seen], self.vehicle[seen]))]
        return seen[np.append(np.diff(self.vehicle[seen]) != 0, True)] if len(seen) else seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """Spells in which a component was in place and watched [lives]; `failed`: it ended by failure, else it was cut short."""

    vehicle: Ints
    begins_ns: Ints
    ends_ns: Ints
    failed: Bools

    def known_by(self, time_ns: int) -> Lives:
        """As somebody knew them at this time: later ends have not happened, later lives have not begun."""
        seen = self.begins_ns < time_ns
        lives = self.of(seen)
        return replace(lives, ends_ns=np.minimum(lives.ends_ns, time_ns), failed=lives.failed & (lives.ends_ns <= time_ns))

    def of(self, chosen: Bools) -> Lives:
        """Those lives alone."""
        return Lives(
            vehicle=self.vehicle[chosen],
            begins_ns=self.begins_ns[chosen],
            ends_ns=self.ends_ns[chosen],
            failed=self.failed[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When is asked, and about what, in days.

    Attributes:
        step_days: between decisions. gap_days: the least time in which a visit can be booked.
        period_days, periods: length and number of the windows after the gap. horizon: periods that a decision is about.
        fresh_days: a vehicle with no newer features is not asked about.
    """

    step_days: int = 7
    gap_days: int = 3
    period_days: int = 14
    periods: int = 6
    horizon: int = 2
    fresh_days: int = 21

    @property
    def horizon_days(self) -> int:
        """What a decision is about, after the gap."""
        return self.period_days * self.horizon

    @property
    def reach_days(self) -> int:
        """End of the last window."""
        return self.gap_days + self.period_days * self.periods


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Times at which lives are asked about [decisions]: `life` is the number of the life, `row` that of the features known by then."""

    life: Ints
    time_ns: Ints
    row: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRows:
    """Rows to fit a hazard on: decision, window number, and whether the component failed in it."""

    decision: Ints
    window: Ints
    failed: Bools


def check(rows: FeatureRows, lives: Lives) -> None:
    """Refuse what would make a judgement worthless.

    Raises:
        InputError: a vehicle is there under two names, features are known before they happened, or a life ends before it begins.
    """
    if (rows.available_ns < rows.event_ns).any():
        raise InputError(
            "features are known before they happened", mend="give available times that are no earlier than event times"
        )
    if (lives.ends_ns < lives.begins_ns).any():
        raise InputError("a life ends before it begins", mend="sort the labels of each vehicle by time")
    seen: dict[bytes, int] = {}
    order = np.lexsort((rows.event_ns, rows.vehicle))
    bounds = np.searchsorted(rows.vehicle[order], np.arange(len(rows.vehicles) + 1))
    for number, (first, last) in enumerate(itertools.pairwise(bounds)):
        part = order[first:last]
        if not len(part):
            continue
        content = rows.values[part].tobytes() + rows.event_ns[part].tobytes()
        if seen.setdefault(content, number) != number:
            names = f"{rows.vehicles[seen[content]]} and {rows.vehicles[number]}"
            raise InputError(f"vehicles {names} have the same features", mend="give each vehicle once")


def decisions(rows: FeatureRows, lives: Lives, windows: Windows, *, since_ns: int = 0) -> Decisions:
    """Every decision time (multiples of the step since 1970) within each life at which fresh features were known."""
    step = windows.step_days * DAY_NS
    found: list[tuple[Ints, Ints, Ints]] = []
    known = _known_rows(rows)
    for life, (vehicle, begins, ends) in enumerate(zip(lives.vehicle, lives.begins_ns, lives.ends_ns, strict=True)):
        first = max(int(begins), since_ns)
        times = np.arange(-(-first // step) * step, int(ends), step, dtype=np.int64)
        available, newest = known.get(int(vehicle), (np.empty(0, np.int64), np.empty(0, np.int64)))
        place = np.searchsorted(available, times, side="right") - 1
        there = place >= 0
        row = newest[np.maximum(place, 0)] if len(newest) else np.zeros(len(times), np.int64)
        there &= (times - rows.event_ns[row] <= windows.fresh_days * DAY_NS) if len(newest) else False
        times = times[there]
        found.append((np.full(len(times), life), times, row[there]))
    parts = [np.concatenate(column) for column in zip(*found, strict=True)] if found else [np.empty(0, np.int64)] * 3
    return Decisions(life=parts[0], time_ns=parts[1], row=parts[2])


def _known_rows(rows: FeatureRows) -> dict[int, tuple[Ints, Ints]]:
    """Vehicle -> (rising times of availability, row that was the newest by event time from then on)."""
    order = np.lexsort((rows.event_ns, rows.available_ns, rows.vehicle))
    bounds = np.flatnonzero(np.diff(rows.vehicle[order], prepend=-1, append=-1))
    known = {}
    for first, last in itertools.pairwise(bounds):
        part = order[first:last]
        newest = np.maximum.accumulate(rows.event_ns[part])
        # the first row that reached each maximum
        leaders = np.flatnonzero(np.diff(newest, prepend=newest[0] - 1))
        known[int(rows.vehicle[part[0]])] = (
            rows.available_ns[part],
            part[leaders[np.searchsorted(leaders, np.arange(len(part)), side="right") - 1]],
        )
    return known


def period_rows(asked: Decisions, lives: Lives, windows: Windows) -> PeriodRows:
    """The windows of each decision whose outcome is known."""
    window = np.tile(np.arange(windows.periods), len(asked.life))
    decision = np.repeat(np.arange(len(asked.life)), windows.periods)
    starts = asked.time_ns[decision] + (windows.gap_days + window * windows.period_days) * DAY_NS
    stops = starts + windows.period_days * DAY_NS
    ends, failed = lives.ends_ns[asked.life[decision]], lives.failed[asked.life[decision]]
    fails = failed & (ends > starts) & (ends <= stops)
    known = fails | (ends >= stops)
    return PeriodRows(decision=decision[known], window=window[known], failed=fails[known])


def outcomes(asked: Decisions, lives: Lives, windows: Windows) -> tuple[Bools, Bools]:
    """(known, failed) of each decision: whether the component failed within the horizon after the gap, living at the gap's end."""
    starts = asked.time_ns + windows.gap_days * DAY_NS
    stops = starts + windows.horizon_days * DAY_NS
    ends, failed = lives.ends_ns[asked.life], lives.failed[asked.life]
    fails = failed & (ends > starts) & (ends <= stops)
    return fails | (ends >= stops), fails
