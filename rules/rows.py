"""What the kernels read, and the kernel that puts derived rows in. Self-contained over arrays, so that it can be compiled or run as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.kernel import FloatArray, IntArray

TICK, END_TICK, NOT_READ = -1, -2, -3
"""Columns that are no signals: ticks, and what no program reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Samples and ticks in the order of each vehicle's time: columns are those of the engine, negative ones are no signals."""

    time_ns: NDArray[np.int64]
    slot: NDArray[np.int32]
    column: NDArray[np.int32]
    value: NDArray[np.float64]

    @staticmethod
    def empty(count: int) -> Rows:
        """Rows to be written to."""
        return Rows(
            time_ns=np.empty(count, np.int64),
            slot=np.empty(count, np.int32),
            column=np.empty(count, np.int32),
            value=np.empty(count, np.float64),
        )


def weave_rows(
    time_ns: IntArray,
    slot: IntArray,
    column: IntArray,
    value: FloatArray,
    place: IntArray,
    new_column: IntArray,
    new_value: FloatArray,
    to_time_ns: IntArray,
    to_slot: IntArray,
    to_column: IntArray,
    to_value: FloatArray,
) -> None:
    """Copy n rows, and behind row `place` of each of k new ones (ascending) that one, with the time and slot of the row at its place."""
    k = 0
    to = 0
    for i in range(len(time_ns)):
        to_time_ns[to] = time_ns[i]
        to_slot[to] = slot[i]
        to_column[to] = column[i]
        to_value[to] = value[i]
        to += 1
        while k < len(place) and place[k] == i:
            to_time_ns[to] = time_ns[i]
            to_slot[to] = slot[i]
            to_column[to] = new_column[k]
            to_value[to] = new_value[k]
            to += 1
            k += 1
