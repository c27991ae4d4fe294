"""Diagnostic trouble codes as reported, in columns: one row per report, and one row per code in a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
    """Which list, or which other diagnostic message, a report is."""

    STATUS = 0x01
    """No codes but `DtcReport.monitors`: OBD service 01 (PIDs 01, 21, 30, 31, 4D, 4E), UDS 19 01 (count), J1939 DM5."""
    FREEZE_FRAME = 0x02
    """OBD service 02, J1939 DM4: the conditions when a code was stored."""
    STORED = 0x03
    """OBD service 03: confirmed codes."""
    CLEARED = 0x04
    """A tool cleared the ECU's codes and the ECU agreed: OBD 04, UDS 14, J1939 DM3 and DM11.

    It names no codes, but where only one was cleared (and then is not complete)."""
    TEST_RESULTS = 0x06
    """OBD service 06: `DtcReport.tests`."""
    PENDING = 0x07
    """OBD service 07, J1939 DM6."""
    IDENTIFICATION = 0x09
    """OBD service 09 02: `DtcReport.identity`, the masked VIN."""
    PERMANENT = 0x0A
    """OBD service 0A, J1939 DM28."""
    UDS_BY_STATUS = 0x19
    """UDS 19 02, 42 and 55: the codes that match a status mask."""
    ACTIVE = 0x100
    """J1939 DM1, GB/T 32960 alarm bits."""
    PREVIOUSLY_ACTIVE = 0x101
    """J1939 DM2 and DM23."""
    EMISSION = 0x102
    """J1939 DM12: emission-related codes that are active and light the malfunction lamp."""
    UDS_SUPPORTED = 0x190A
    """UDS 19 0A: every code that the ECU knows, with its status."""
    SNAPSHOT = 0x1904
    """UDS 19 03 and 04: the conditions when a code was stored, in `DtcReport.records` (19 03 only names which are kept)."""
    EXTENDED_DATA = 0x1906
    """UDS 19 06: the maker's counters of one code, in `DtcReport.records`."""


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
        is_spn_assumed: the ECU counts SPNs in an older layout (conversion 1) and no setting tells which, so `spn` may be wrong.
        severity: UDS severity byte (bits 7-5 check at once, at next halt, maintenance only; bits 4-0 WWH-OBD class).
        functional_unit: UDS, the maker's number of a function. level: the sender's own grade (GB/T 32960: 0-4).
    """

    code: str
    spn: int = NOT_AVAILABLE
    fmi: int = NOT_AVAILABLE
    occurrence: int = NOT_AVAILABLE
    conversion: int = NOT_AVAILABLE
    failure_type: int = NOT_AVAILABLE
    status: int = 0
    raw: bytes = b""
    is_spn_assumed: bool = False
    severity: int = NOT_AVAILABLE
    functional_unit: int = NOT_AVAILABLE
    level: int = NOT_AVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitors:
    """What an ECU tells of its self-tests and of the time since codes were cleared; NOT_AVAILABLE (-1) where not told.

    Attributes:
        lamp_on: 1 or 0, the malfunction lamp is commanded on. code_count: confirmed (or matching) codes.
        complete, incomplete: names of the supported monitors that have and have not finished since the last clear.
        distance_with_lamp_km, minutes_with_lamp: since the lamp came on.
        warm_ups_since_clear, distance_since_clear_km, minutes_since_clear: since codes were cleared.
    """

    lamp_on: int = NOT_AVAILABLE
    code_count: int = NOT_AVAILABLE
    complete: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    distance_with_lamp_km: int = NOT_AVAILABLE
    minutes_with_lamp: int = NOT_AVAILABLE
    warm_ups_since_clear: int = NOT_AVAILABLE
    distance_since_clear_km: int = NOT_AVAILABLE
    minutes_since_clear: int = NOT_AVAILABLE

    @property
    def all_complete(self) -> bool:
        """Every supported monitor has finished since the last clear."""
        return bool(self.complete) and not self.incomplete


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorTest:
    """One on-board test (OBD service 06): monitor and test number, value and limits in `unit` ("" with raw numbers)."""

    monitor: int
    test: int
    value: float
    minimum: float
    maximum: float
    unit: str

    @property
    def passed(self) -> bool:
        """The value lies within the limits."""
        return self.minimum <= self.value <= self.maximum


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRecord:
    """Bytes that an ECU keeps with a code.

    Attributes:
        number: record number. identifier: UDS data identifier, -1 where the record has none or its length is not known.
        data: as sent; with an unknown identifier length the whole rest of the answer from that identifier on.
    """

    number: int
    identifier: int = NOT_AVAILABLE
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DtcReport:
    """One diagnostic message: who reported which codes when.

    Attributes:
        vehicle: index into the batch's `vehicles`. time_ns: event time of the message's last frame.
        source: responding CAN id (OBD, UDS; bit 31 set for 29-bit) or source address (J1939).
        name: J1939 NAME (64 bits) that the source address was claimed with, -1 where no claim was heard.
        complete: the report lists every code of its list, so absence means something.
        lamps: J1939 only. freeze: values of the freeze frame (FREEZE_FRAME and SNAPSHOT only).
        frame: row of the message's last frame in the FrameBatch. raw: the whole message as sent (never a VIN).
        message: what was sent, in the protocol's words ("03", "19 02", "DM1").
        availability: UDS mask of the status bits that the ECU supports, already applied to every `status`; -1 where absent.
        code_format: UDS format identifier of the codes (0 and 4 SAE J2012-DA, 1 ISO 14229-1, 2 SAE J1939-73, 3 ISO 11992-4).
        monitors: STATUS only. tests: TEST_RESULTS only. records: SNAPSHOT and EXTENDED_DATA only.
        identity: IDENTIFICATION only, the VIN with all but the maker's three letters masked.
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
    name: int = NOT_AVAILABLE
    message: str = ""
    availability: int = NOT_AVAILABLE
    code_format: int = NOT_AVAILABLE
    monitors: Monitors | None = None
    tests: tuple[MonitorTest, ...] = ()
    records: tuple[DataRecord, ...] = ()
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DtcBatch:
    """Reports of many vehicles, sorted by vehicle, then by the vehicle's total order of records.

    The columns serve selection in bulk; `reports` holds the whole records.

    Attributes:
        vehicles: vehicle ids that `vehicle` points into.
        time_ns: int64[r]. vehicle: int32[r].
        anomalies: kind -> count (sequence gap, aborted transfer, …).
        counted: kind -> count of diagnostic messages that were heard and give no report ("DM24", "09 04", "7F 19 11" …).
    """

    vehicles: tuple[str, ...]
    time_ns: NDArray[np.int64]
    vehicle: NDArray[np.int32]
    reports: tuple[DtcReport, ...]
    anomalies: dict[str, int]
    counted: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.reports)

    def __iter__(self) -> Iterator[DtcReport]:
        return iter(self.reports)


def dtc_batch(
    vehicles: tuple[str, ...],
    reports: Sequence[DtcReport],
    anomalies: dict[str, int] | None = None,
    counted: dict[str, int] | None = None,
) -> DtcBatch:
    """A batch of these reports, put in order of vehicle, then time (stable)."""
    ordered = tuple(sorted(reports, key=lambda r: (r.vehicle, r.time_ns, r.frame)))
    return DtcBatch(
        vehicles=vehicles,
        time_ns=np.array([r.time_ns for r in ordered], np.int64),
        vehicle=np.array([r.vehicle for r in ordered], np.int32),
        reports=ordered,
        anomalies=anomalies or {},
        counted=counted or {},
    )
