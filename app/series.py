"""Keeps the samples that a report may draw, thinned out so that a long drive stays small and spikes stay visible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.signals import TICK_SIGNAL
from pipeline.line import Advance

Series = tuple[NDArray[np.int64], NDArray[np.float64]]
BUCKET_NS = 500_000_000


class SeriesRecorder:
    """An observer of the line: per (vehicle, path) the smallest and the greatest sample of every half second."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], list[Series]] = {}

    def observe(self, advance: Advance) -> None:
        """Take the samples of one push."""
        samples = advance.samples
        key = samples.vehicle.astype(np.int64) * (len(samples.paths) + 1) + samples.signal
        order = np.argsort(key, kind="stable")
        order = order[samples.signal[order] != TICK_SIGNAL]
        for rows in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
            if len(rows):
                name = samples.vehicles[int(samples.vehicle[rows[0]])], samples.paths[int(samples.signal[rows[0]])]
                self._parts.setdefault(name, []).append(_thinned(samples.time_ns[rows], samples.value[rows]))

    def series(self) -> dict[tuple[str, str], Series]:
        """(vehicle, path) -> event times and values."""
        return {
            name: (np.concatenate([t for t, _ in parts]), np.concatenate([v for _, v in parts]))
            for name, parts in self._parts.items()
        }


def _thinned(time_ns: NDArray[np.int64], value: NDArray[np.float64]) -> Series:
    bucket = time_ns // BUCKET_NS
    starts = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    if len(starts) * 2 >= len(time_ns):
        return time_ns, value
    number = np.repeat(np.arange(len(starts)), np.diff(np.concatenate((starts, [len(bucket)]))))
    by_value = np.lexsort((value, number))
    ends = np.concatenate((starts[1:], [len(bucket)])) - 1
    kept = np.unique(np.concatenate((by_value[starts], by_value[ends])))
    return time_ns[kept], value[kept]
