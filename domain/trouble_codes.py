"""Diagnostic trouble codes as reported, in columns: one row per report, and one row per code in a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray


class Protocol(IntEnum):
    """Diagnostic protocol of a report; the lower-case name is the contract's `protocol`."""

    OBD = 0
    UDS = 1
    J1939 = 2
    GBT32960 = 3


class CodeList(IntEnum):
    """Which list a report is."""

    STORED = 0x03
    """OBD service 03: confirmed codes."""
    PENDING = 0x07
    PERMANENT = 0x0A
    FREEZE_FRAME = 0x02
    UDS_BY_STATUS = 0x19
    ACTIVE = 0x100
    """J1939 DM1, GB/T 32960 alarm bits."""


class StatusBit(IntFlag):
    """ISO 14229 status byte; other protocols are mapped onto it."""

    TEST_FAILED = 1
    TEST_FAILED_THIS_CYCLE = 2
    PENDING = 4
    CONFIRMED = 8
    NOT_COMPLETED_SINCE_CLEAR = 16
    FAILED_SINCE_CLEAR = 32
    NOT_COMPLETED_THIS_CYCLE = 64
    WARNING_INDICATOR = 128


NOT_AVAILABLE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamps:
    """J1939 lamps, two bits each (0 off, 1 on, 2 error, 3 not available) and their flash bits (0 slow, 1 fast, 3 no flash)."""

    malfunction: int
    red_stop: int
    amber_warning: int
    protect: int
    malfunction_flash: int = 3
    red_stop_flash: int = 3
    amber_warning_flash: int = 3
    protect_flash: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeValue:
    """One value of a freeze frame: VSS path (or "PID 0x.." where VSS has none), value, unit."""

    signal: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleCode:
    """One code of a report.

    Attributes:
        code: "P0301" (OBD, UDS), "SPN102/FMI3" (J1939), "GB11" (GB/T 32960 alarm bit 11).
        spn, fmi: J1939 numbers. occurrence: J1939 count, 127 = not available. conversion: J1939 CM bit.
        failure_type: third byte of a 3-byte code. status: `StatusBit` bits. All NOT_AVAILABLE (-1) where absent.
        raw: the code's bytes as sent.
    """

    code: str
    spn: int = NOT_AVAILABLE
    fmi: int = NOT_AVAILABLE
    occurrence: int = NOT_AVAILABLE
    conversion: int = NOT_AVAILABLE
    failure_type: int = NOT_AVAILABLE
    status: int = 0
    raw: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DtcReport:
    """One diagnostic message: who reported which codes when.

    Attributes:
        vehicle: index into the batch's `vehicles`. time_ns: event time of the message's last frame.
        source: responding CAN id (OBD, UDS; bit 31 set for 29-bit) or source address (J1939).
        complete: the report lists every code of its list, so absence means something.
        lamps: J1939 only. freeze: values of the freeze frame (FREEZE_FRAME only).
        frame: row of the message's last frame in the FrameBatch.
    """

    time_ns: int
    vehicle: int
    bus: str
    source: int
    protocol: Protocol
    kind: CodeList
    complete: bool
    codes: tuple[TroubleCode, ...]
    lamps: Lamps | None = None
    freeze: tuple[FreezeValue, ...] = ()
    frame: int = 0
    raw: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DtcBatch:
    """Reports of many vehicles, sorted by vehicle, then by the vehicle's total order of records.

    The columns serve selection in bulk; `reports` holds the whole records.

    Attributes:
        vehicles: vehicle ids that `vehicle` points into.
        time_ns: int64[r]. vehicle: int32[r].
        anomalies: kind -> count (sequence gap, aborted transfer, …).
    """

    vehicles: tuple[str, ...]
    time_ns: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    reports: tuple[DtcReport, ...]
    anomalies: dict[str, int]

    def __len__(self) -> int:
        return len(self.reports)

    def __iter__(self) -> Iterator[DtcReport]:
        return iter(self.reports)


def dtc_batch(vehicles: tuple[str, ...], reports: Sequence[DtcReport], anomalies: dict[str, int] | None = None) -> DtcBatch:
    """A batch of these reports, put in order of vehicle, then time (stable)."""
    ordered = tuple(sorted(reports, key=lambda r: (r.vehicle, r.time_ns, r.frame)))
    return DtcBatch(
        vehicles=vehicles,
        time_ns=np.array([r.time_ns for r in ordered], np.int64),
        vehicle=np.array([r.vehicle for r in ordered], np.int32),
        reports=ordered,
        anomalies=anomalies or {},
    )
