"""Kernels of `ingest.fusion`, compiled through an injected jit; self-contained loops over arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def order_by_frame(frame: NDArray[np.int64], frames: int, order: NDArray[np.int64]) -> None:
    """The stable order of samples by their row of `frames` rows: a counting sort, since rows are small numbers."""
    place = np.zeros(frames + 1, np.uint64)
    for i in range(len(frame)):
        place[np.uint64(frame[i]) + np.uint64(1)] += np.uint64(1)
    for row in range(frames):
        place[row + 1] += place[row]
    for i in range(len(frame)):
        number = np.uint64(frame[i])
        k = place[number]
        place[number] = k + np.uint64(1)
        order[k] = i


def settle_samples(
    frame: NDArray[np.int64],
    signal: NDArray[np.int32],
    origin: NDArray[np.int32],
    time_ns: NDArray[np.int64],
    vehicle: NDArray[np.int32],
    slots: NDArray[np.int64],
    paths: int,
    origin_source: NDArray[np.uint64],
    origin_priority: NDArray[np.uint8],
    origin_stale_ns: NDArray[np.int64],
    best_source: NDArray[np.uint64],
    best_priority: NDArray[np.uint8],
    best_last_ns: NDArray[np.int64],
    best_stale_ns: NDArray[np.int64],
    keep: NDArray[np.bool_],
) -> None:
    """Which samples, sorted by frame, count (`keep`), given and updating the best source of each (vehicle slot, path); 0 = none yet.

    A sample counts when its source is the best one, has a lower priority number, or the best one has gone stale. Ticks always do.
    """
    for i in range(len(frame)):
        keep[i] = True
        if signal[i] >= 0:
            f, o = frame[i], origin[i]
            p = slots[vehicle[f]] * paths + signal[i]
            current, source = best_source[p], origin_source[o]
            if (
                current != 0
                and current != source
                and time_ns[f] - best_last_ns[p] <= best_stale_ns[p]
                and origin_priority[o] >= best_priority[p]
            ):
                keep[i] = False
                continue
            best_source[p] = source
            best_priority[p] = origin_priority[o]
            best_last_ns[p] = time_ns[f]
            best_stale_ns[p] = origin_stale_ns[o]


def choose_sources(
    pair: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    source: NDArray[np.uint64],
    priority: NDArray[np.uint8],
    stale_ns: NDArray[np.int64],
    best_source: NDArray[np.uint64],
    best_priority: NDArray[np.uint8],
    best_last_ns: NDArray[np.int64],
    best_stale_ns: NDArray[np.int64],
    keep: NDArray[np.bool_],
) -> None:
    """Which samples count (`keep`), given and updating the best source of each (vehicle, path) `pair`; 0 = none yet.

    A sample counts when its source is the best one, has a lower priority number, or the best one has gone stale.
    """
    for i in range(len(pair)):
        p = pair[i]
        current = best_source[p]
        if current != source[i] and current != 0:
            stale = time_ns[i] - best_last_ns[p] > best_stale_ns[p]
            if not stale and priority[i] >= best_priority[p]:
                keep[i] = False
                continue
        keep[i] = True
        best_source[p] = source[i]
        best_priority[p] = priority[i]
        best_last_ns[p] = time_ns[i]
        best_stale_ns[p] = stale_ns[i]
