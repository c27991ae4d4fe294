"""Records that are no CAN frames: values that a device has decoded itself, and packets of other protocols -> signal groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from domain.frames import FrameBatch, FrameFlag
from domain.signals import SignalGroup
from domain.vss import catalogue, path_of_number
from ingest.gbt32960.decode import packet_groups

SAMPLE_PRIORITY = 50
"""Behind what we decode ourselves from the bus (0 by default): the device may have rounded or delayed it."""
SAMPLE_STALE_AFTER_NS = 60_000_000_000
"""Devices that decode themselves report every few seconds, some of them only on change."""
UNKNOWN_PATH = "unknown_path"


def record_groups(
    frames: FrameBatch, anomalies: Counter[tuple[str, str]], *, wanted: frozenset[str] | None = None
) -> Iterator[SignalGroup]:
    """One group for each (wire format, path) among the records; oddities are counted in `anomalies`.

    `wanted`: VSS paths of which a packet's data must hold one to be decoded; None = all.
    """
    samples = np.flatnonzero(frames.flags & np.uint8(FrameFlag.SAMPLE))
    if len(samples):
        yield from _sample_groups(frames, samples.astype(np.int64), anomalies)
    if np.any(frames.flags & np.uint8(FrameFlag.PACKET)):
        yield from packet_groups(frames, anomalies, wanted=wanted)


def _sample_groups(
    frames: FrameBatch, samples: np.ndarray[tuple[int], np.dtype[np.int64]], anomalies: Counter[tuple[str, str]]
) -> Iterator[SignalGroup]:
    key = frames.can_id[samples].astype(np.uint64) << np.uint64(8) | frames.bus[samples]
    for one in np.unique(key).tolist():
        rows = samples[key == one]
        bus = frames.buses[one & 0xFF]
        path = path_of_number().get(one >> 8)
        if path is None:
            anomalies[bus, UNKNOWN_PATH] += len(rows)
            continue
        values = frames.payload[rows].view(np.float64)[np.newaxis, :]
        yield SignalGroup.of(
            message=bus,
            bus=bus,
            profile="device",
            names=(path,),
            paths=(path,),
            units=(catalogue()[path].unit,),
            frame=rows,
            time_ns=frames.time_ns[rows],
            vehicle=frames.vehicle[rows],
            source=np.full(len(rows), -1, np.int16),
            values=values,
            valid=np.isfinite(values),
            priority=np.array([SAMPLE_PRIORITY], np.uint8),
            stale_after_ns=np.array([SAMPLE_STALE_AFTER_NS], np.int64),
        )
