"""What signal groups of packets have in common: how numbers lie in the arena, and what their columns are called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.signals import ReadyColumns, SignalGroup, SignalLabels
from ingest.gbt32960.rows import BUS, TRUCK_BUS

PRIORITY = 10
LIST_PRIORITY = 20
"""What the sender itself tells of its cells (the extremes unit of 2016) comes before what is found among the cells told."""
STALE_AFTER_NS = 60_000_000_000
"""The standards let a vehicle report every 30 s (GB/T 32960.3, 1 s with a severe alarm) or 10 s (GB 17691)."""
_WIDTHS = {1: ">u1", 2: ">u2", 4: ">u4"}

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def unsigned(content: NDArray[np.uint8], offset_bytes: int, width: int) -> NDArray[np.int64]:
    """Big-endian numbers of `width` bytes at a place of every row of `content`."""
    piece = np.ascontiguousarray(content[:, offset_bytes : offset_bytes + width])
    return piece.view(_WIDTHS[width])[:, 0].astype(np.int64)


def signal_group(frames: FrameBatch, labels: SignalLabels, rows: Rows, values: Floats, valid: NDArray[np.bool_]) -> SignalGroup:
    """A group of values that lie there already: `values` and `valid` are (signal, row), `rows` those of the batch."""
    columns = ReadyColumns(
        frame=rows,
        time_ns=frames.time_ns[rows],
        vehicle=frames.vehicle[rows],
        source=np.full(len(rows), -1, np.int16),
        values=values,
        valid=valid,
    )
    return SignalGroup(labels=labels, columns=columns)


def labels_of(
    dialect: str, message: str, *, names: tuple[str, ...], paths: tuple[str | None, ...], units: tuple[str, ...], priority: int
) -> SignalLabels:
    """Labels of one message; every signal has the same priority."""
    return SignalLabels(
        message=message,
        bus=TRUCK_BUS if dialect == "hj1239" else BUS,
        profile="device",
        names=names,
        paths=paths,
        units=units,
        priority=np.full(len(names), priority, np.uint8),
        stale_after_ns=np.full(len(names), STALE_AFTER_NS, np.int64),
    )
