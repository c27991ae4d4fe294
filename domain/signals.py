"""Decoded signals: grouped per CAN message as logged, then as one ordered stream of samples under VSS names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TICK_SIGNAL = -1
"""`SampleBatch.signal` of a tick record; its `value` is the `domain.frames.TickKind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalGroup:
    """All frames of one message kind in a batch, decoded: n frames × s signals.

    Attributes:
        message: DBC message name. bus: bus name, "*" for any. profile: vehicle profile id.
        names: s DBC signal names. paths: s VSS paths, None where unmapped. units: s units (VSS unit where mapped, else the DBC's).
        frame: int64[n], row in the FrameBatch decoded. time_ns: int64[n]. vehicle: int32[n].
        source: int16[n], J1939 source address, -1 where the message has none.
        values: float64[s, n], physical values in `units`. valid: bool[s, n]; False where absent, muxed out or not available.
        priority: uint8[s], lower wins where one VSS path has several sources.
        stale_after_ns: int64[s], how long a value may be used.
    """

    message: str
    bus: str
    profile: str
    names: tuple[str, ...]
    paths: tuple[str | None, ...]
    units: tuple[str, ...]
    frame: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    source: NDArray[np.int16]
    values: NDArray[np.float64]
    valid: NDArray[np.bool_]
    priority: NDArray[np.uint8]
    stale_after_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalBatch:
    """The decoded groups of one FrameBatch, sharing its vehicle table, and what was odd, counted.

    Attributes:
        anomalies: (message name or "", kind) -> count, e.g. ("EMS5", "short_frame").
        known_frames / unknown_frames: data frames that a message definition matched, or not.
    """

    vehicles: tuple[str, ...]
    groups: tuple[SignalGroup, ...]
    anomalies: dict[tuple[str, str], int]
    known_frames: int
    unknown_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBatch:
    """Valid values of VSS signals and ticks as one stream, sorted by vehicle, then by the vehicle's total order of records.

    Samples of one (vehicle, time) are contiguous, and no later batch holds more of that (vehicle, time).
    Where one path has several sources, only the one that counts is here.

    Attributes:
        vehicles: vehicle ids that `vehicle` points into.
        paths: VSS paths that `signal` points into.
        time_ns: int64[n]. vehicle: int32[n]. signal: int32[n], TICK_SIGNAL for a tick. value: float64[n].
    """

    vehicles: tuple[str, ...]
    paths: tuple[str, ...]
    time_ns: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    signal: NDArray[np.int32]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time_ns)


def empty_samples(vehicles: tuple[str, ...] = (), paths: tuple[str, ...] = ()) -> SampleBatch:
    """A stream of no samples."""
    return SampleBatch(
        vehicles=vehicles,
        paths=paths,
        time_ns=np.empty(0, np.int64),
        vehicle=np.empty(0, np.int32),
        signal=np.empty(0, np.int32),
        value=np.empty(0, np.float64),
    )
