"""Decoded signals: grouped per CAN message as logged, then as one ordered stream of samples under VSS names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

TICK_SIGNAL = -1
"""`SampleBatch.signal` of a tick record; its `value` is the `domain.frames.TickKind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLabels:
    """What the columns of a message kind are called: s signals, the same for every batch.

    Attributes:
        message: DBC message name. bus: bus name, "*" for any. profile: vehicle profile id.
        names: s DBC signal names. paths: s VSS paths, None where unmapped. units: s units (VSS unit where mapped, else the DBC's).
        priority: uint8[s], lower wins where one VSS path has several sources.
        stale_after_ns: int64[s], how long a value may be used.
    """

    message: str
    bus: str
    profile: str
    names: tuple[str, ...]
    paths: tuple[str | None, ...]
    units: tuple[str, ...]
    priority: NDArray[np.uint8]
    stale_after_ns: NDArray[np.int64]


class SignalColumns(Protocol):
    """The numbers of a group, n frames: given, or worked out when they are asked for. Arrays are not to be written to."""

    @property
    def count(self) -> int:
        """How many frames there are, n, without working anything out."""

    @property
    def frame(self) -> NDArray[np.int64]:
        """Rows in the FrameBatch decoded."""

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """Event time."""

    @property
    def vehicle(self) -> NDArray[np.int32]:
        """Index into the batch's vehicles."""

    @property
    def source(self) -> NDArray[np.int16]:
        """J1939 source address, -1 where the message has none."""

    @property
    def values(self) -> NDArray[np.float64]:
        """Physical values of (signal, frame), NaN where not valid."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which of (signal, frame) are there."""

    def raw(self, row: int) -> NDArray[Any]:
        """Raw values of one signal in the narrowest type that holds it; integers of more than 64 bits as Python's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyColumns:
    """Columns that lie there already. `raws`: of each signal its raw values, None where only physical ones are known."""

    frame: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    source: NDArray[np.int16]
    values: NDArray[np.float64]
    valid: NDArray[np.bool_]
    raws: tuple[NDArray[Any], ...] | None = None

    @property
    def count(self) -> int:
        """How many frames there are."""
        return len(self.frame)

    def raw(self, row: int) -> NDArray[Any]:
        """Raw values of one signal."""
        return self.values[row] if self.raws is None else self.raws[row]


class SignalGroup:
    """All frames of one message kind in a batch, decoded: n frames × s signals.

    Decoding groups and judges frames; `values` and `raw` are worked out when first asked for, those of all groups at once, and kept
    as long as the groups are.
    """

    # no frozen dataclass: there is a group per message and batch, and one of these takes five times as long to make
    __slots__ = ("columns", "labels")

    def __init__(self, labels: SignalLabels, columns: SignalColumns) -> None:
        self.labels: Final = labels
        self.columns: Final = columns

    @staticmethod
    def of(
        *,
        message: str,
        bus: str,
        profile: str,
        names: tuple[str, ...],
        paths: tuple[str | None, ...],
        units: tuple[str, ...],
        frame: NDArray[np.int64],
        time_ns: NDArray[np.int64],
        vehicle: NDArray[np.int32],
        source: NDArray[np.int16],
        values: NDArray[np.float64],
        valid: NDArray[np.bool_],
        priority: NDArray[np.uint8],
        stale_after_ns: NDArray[np.int64],
    ) -> SignalGroup:
        """A group of columns that lie there already."""
        return SignalGroup(
            labels=SignalLabels(
                message=message,
                bus=bus,
                profile=profile,
                names=names,
                paths=paths,
                units=units,
                priority=priority,
                stale_after_ns=stale_after_ns,
            ),
            columns=ReadyColumns(frame=frame, time_ns=time_ns, vehicle=vehicle, source=source, values=values, valid=valid),
        )

    def __len__(self) -> int:
        """How many frames, n."""
        return self.columns.count

    @property
    def cells(self) -> int:
        """How many values there are, n × s."""
        return self.columns.count * len(self.labels.names)

    @property
    def message(self) -> str:
        """DBC message name."""
        return self.labels.message

    @property
    def bus(self) -> str:
        """Bus name, "*" for any."""
        return self.labels.bus

    @property
    def profile(self) -> str:
        """Vehicle profile id."""
        return self.labels.profile

    @property
    def names(self) -> tuple[str, ...]:
        """DBC signal names."""
        return self.labels.names

    @property
    def paths(self) -> tuple[str | None, ...]:
        """VSS paths, None where unmapped."""
        return self.labels.paths

    @property
    def units(self) -> tuple[str, ...]:
        """VSS unit where mapped, else the DBC's."""
        return self.labels.units

    @property
    def priority(self) -> NDArray[np.uint8]:
        """uint8[s], lower wins where one VSS path has several sources."""
        return self.labels.priority

    @property
    def stale_after_ns(self) -> NDArray[np.int64]:
        """int64[s], how long a value may be used."""
        return self.labels.stale_after_ns

    @property
    def frame(self) -> NDArray[np.int64]:
        """int64[n], row in the FrameBatch decoded."""
        return self.columns.frame

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """int64[n]."""
        return self.columns.time_ns

    @property
    def vehicle(self) -> NDArray[np.int32]:
        """int32[n]."""
        return self.columns.vehicle

    @property
    def source(self) -> NDArray[np.int16]:
        """int16[n], J1939 source address, -1 where the message has none."""
        return self.columns.source

    @property
    def values(self) -> NDArray[np.float64]:
        """float64[s, n], physical values in `units`, NaN where not valid."""
        return self.columns.values

    @property
    def valid(self) -> NDArray[np.bool_]:
        """bool[s, n]; False where absent, muxed out or not available."""
        return self.columns.valid

    def raw(self, row: int) -> NDArray[Any]:
        """Raw values of one signal, n of them, in the narrowest type that holds it: nothing is rounded. Not meaningful where not valid."""
        return self.columns.raw(row)


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
