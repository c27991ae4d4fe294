"""Turbofan engines of NASA's C-MAPSS (Saxena et al., PHM 2008): their histories, and features of a history up to each cycle.

A feature of a cycle is made from that cycle and earlier ones of the same engine only: cutting the future off changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SETTINGS = ("op_setting_1", "op_setting_2")
# the usual choice: the other seven sensors are constant, or follow the operating condition only
SENSORS = tuple(f"sensor_{number}" for number in (2, 3, 4, 7, 8, 9, 11, 12, 13, 14, 15, 17, 20, 21))

CONDITION_GAP = 1.0
"""Flight conditions lie 5 kft (`op_setting_1`) and more apart, and scatter within by hundredths."""
WINDOWS = (5, 10, 30)
OWN_CYCLES = 10
EMA_WEIGHT = 2.0 / 21.0
SAME_CYCLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """Rows of many engines, each engine's together and in order of cycles.

    Attributes:
        engine: id [rows]. cycle: flight number from 1 [rows].
        settings: [rows, 2] in order of `SETTINGS`. sensors: [rows, 14] in order of `SENSORS`.
    """

    engine: Ints
    cycle: Ints
    settings: Floats
    sensors: Floats

    def __len__(self) -> int:
        return len(self.engine)

    def spans(self) -> list[slice]:
        """Rows of each engine."""
        starts = np.flatnonzero(np.diff(self.engine, prepend=np.nan) != 0).tolist()
        return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(self)], strict=True)]

    def last_rows(self) -> Ints:
        """Row of the last cycle of each engine."""
        return np.array([span.stop - 1 for span in self.spans()], np.int64)

    def rows(self, chosen: NDArray[np.bool_]) -> Histories:
        """The histories without the other rows."""
        return Histories(
            engine=self.engine[chosen], cycle=self.cycle[chosen], settings=self.settings[chosen], sensors=self.sensors[chosen]
        )


def remaining_cycles(histories: Histories, cap: float) -> Floats:
    """Cycles left until the engine's last one [rows], at most `cap`: of engines that ran to failure."""
    left = np.empty(len(histories))
    for span in histories.spans():
        left[span] = histories.cycle[span.stop - 1] - histories.cycle[span]
    return np.minimum(left, cap)


def same_engine(histories: Histories, others: Histories | None = None) -> tuple[int, int] | None:
    """Two engine ids whose first cycles are the same values: one engine under two names, within a set or (id, id in `others`)."""
    seen: dict[bytes, int] = {}
    for source in (histories,) if others is None else (histories, others):
        found: dict[bytes, int] = {}
        for span in source.spans():
            first = slice(span.start, min(span.start + SAME_CYCLES, span.stop))
            key = source.sensors[first].tobytes() + source.settings[first].tobytes()
            name = int(source.engine[span.start])
            if others is None and key in found:
                return found[key], name
            if key in seen:
                return seen[key], name
            found[key] = name
        seen = found
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What each sensor reads in each operating condition, over the engines learnt from.

    Attributes:
        centres: of `op_setting_1` [conditions]. mean, scatter: [conditions, 14].
    """

    centres: Floats
    mean: Floats
    scatter: Floats

    def standard(self, histories: Histories) -> Floats:
        """Sensors [rows, 14] in standard deviations from the mean of the nearest condition."""
        nearest = np.abs(histories.settings[:, :1] - self.centres).argmin(axis=1)
        return np.asarray((histories.sensors - self.mean[nearest]) / self.scatter[nearest], np.float64)


def learn_conditions(histories: Histories) -> Conditions:
    """Operating conditions as groups of `op_setting_1` with gaps between."""
    setting = histories.settings[:, 0]
    ordered = np.sort(setting)
    edges = np.flatnonzero(np.diff(ordered) > CONDITION_GAP)
    cuts = (ordered[edges] + ordered[edges + 1]) / 2
    group = np.searchsorted(cuts, setting)
    members = [group == number for number in range(len(cuts) + 1)]
    scatter = np.array([histories.sensors[each].std(axis=0) for each in members])
    return Conditions(
        centres=np.array([setting[each].mean() for each in members]),
        mean=np.array([histories.sensors[each].mean(axis=0) for each in members]),
        # a sensor that is constant in a condition says nothing there
        scatter=np.where(scatter > 1e-9, scatter, np.inf),
    )


def history_features(histories: Histories, conditions: Conditions) -> Floats:
    """Features [rows, 127] of each engine's history up to each row; see `_engine_features`, and the cycle number."""
    standard = conditions.standard(histories)
    features = np.empty((len(histories), 9 * len(SENSORS) + 1))
    for span in histories.spans():
        features[span, :-1] = _engine_features(standard[span])
    features[:, -1] = histories.cycle
    return features


def _engine_features(x: Floats) -> Floats:
    """Of one engine [cycles, 14]: last, mean of 5, 10 and 30, slope and scatter of 30, average that forgets, the same against the
    engine's own first cycles, mean so far.
    """
    rows = np.arange(1, len(x) + 1)[:, None]
    sums = np.concatenate([np.zeros((1, x.shape[1])), x.cumsum(axis=0)])
    squares = np.concatenate([np.zeros((1, x.shape[1])), (x * x).cumsum(axis=0)])
    means = {window: _windowed(sums, window) / np.minimum(rows, window) for window in WINDOWS}
    long = WINDOWS[-1]
    variance = _windowed(squares, long) / np.minimum(rows, long) - means[long] ** 2
    so_far = sums[1:] / rows
    own = so_far[np.minimum(rows[:, 0], OWN_CYCLES) - 1]
    ema = _forgetting_mean(x)
    parts = (
        x, *means.values(), _slope(x, sums, long), ema, ema - own, so_far, np.sqrt(np.maximum(variance, 0.0))
    )  # fmt: skip
    return np.concatenate(parts, axis=1)


def _windowed(sums: Floats, window: int) -> Floats:
    """Sums over the last `window` rows or as many as there are, from cumulative sums [rows + 1, columns]."""
    late = np.arange(1, len(sums))
    return sums[late] - sums[np.maximum(late - window, 0)]


def _slope(x: Floats, sums: Floats, window: int) -> Floats:
    """Least-squares slope per cycle over the last `window` rows; 0 at the first."""
    time = np.arange(len(x), dtype=np.float64)[:, None]
    moments = np.concatenate([np.zeros((1, x.shape[1])), (time * x).cumsum(axis=0)])
    count = np.minimum(time + 1.0, window)
    middle = time - (count - 1.0) / 2.0
    spread = count * (count * count - 1.0) / 12.0
    return (_windowed(moments, window) - middle * _windowed(sums, window)) / np.where(spread > 0, spread, np.inf)


def _forgetting_mean(x: Floats) -> Floats:
    """Exponentially weighted mean that counts what has been seen only (no start value)."""
    weights = lfilter([1.0], [1.0, EMA_WEIGHT - 1.0], np.ones(len(x)))
    return np.asarray(lfilter([1.0], [1.0, EMA_WEIGHT - 1.0], x, axis=0) / weights[:, None], np.float64)
