"""The diagnostic stage's tables of facts: data files beside this module (`data/`), read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.trouble_codes import FreezeValue, Monitors
from domain.vss import catalogue
from ingest.builtin import obd2_pids

_DATA = Path(__file__).with_name("data")

Hex = Annotated[int, pydantic.BeforeValidator(lambda text: int(text, 16))]
Number = Annotated[float, pydantic.BeforeValidator(lambda text: float(Fraction(text)))]


class Role(StrEnum):
    """What a J1939 diagnostic message is to us."""

    ACTIVE = "active"
    PREVIOUSLY_ACTIVE = "previously_active"
    PENDING = "pending"
    EMISSION = "emission"
    PERMANENT = "permanent"
    STATUS = "status"
    FREEZE_FRAME = "freeze_frame"
    CLEAR = "clear"
    COUNTED = "counted"


class DiagnosticMessage(pydantic.BaseModel):
    """A J1939 diagnostic message: parameter group, name ("DM1"), role."""

    model_config = pydantic.ConfigDict(frozen=True)
    pgn: int
    name: str
    role: Role
    source: str


class _MonitorRow(pydantic.BaseModel):
    layout: str
    byte: int
    bit: int
    status_byte: int
    status_bit: int
    name: str
    source: str


class Scaling(pydantic.BaseModel):
    """A unit and scaling identifier of OBD service 06; identifiers from 80 on are signed."""

    model_config = pydantic.ConfigDict(frozen=True)
    id: Hex
    scale: Number
    offset: Number
    unit: str
    source: str

    def value(self, raw: bytes) -> float:
        """The physical value of two bytes."""
        return int.from_bytes(raw, "big", signed=self.id >= 0x80) * self.scale + self.offset


class _IdentifierRow(pydantic.BaseModel):
    did: Hex
    length: int
    name: str
    scale: Number = 1.0
    offset: Number = 0.0
    unit: str = ""
    path: str = ""
    source: str


class _FreezeRow(pydantic.BaseModel):
    byte: int
    length: int
    name: str
    path: str = ""
    scale: Number
    offset: Number
    unit: str = ""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataIdentifier:
    """What is known of a UDS data identifier: its length in bytes, and the OBD PID that it mirrors (-1: none)."""

    length: int
    pid: int = -1


@cache
def diagnostic_messages() -> Mapping[int, DiagnosticMessage]:
    """The J1939 diagnostic messages by parameter group number."""
    file = _DATA / "j1939_messages.csv"
    messages: dict[int, DiagnosticMessage] = {}
    for line, row in read_csv(file, DiagnosticMessage):
        if row.pgn in messages or row.pgn >> 18:
            raise DataFileError(f"PGN {row.pgn} is listed twice or too great", file=file, line=line, mend="correct the PGN")
        messages[row.pgn] = row
    return messages


@cache
def _monitor_rows() -> tuple[_MonitorRow, ...]:
    file = _DATA / "readiness_monitors.csv"
    rows = read_csv(file, _MonitorRow)
    for line, row in rows:
        if max(row.bit, row.status_bit) > 7 or max(row.byte, row.status_byte) > 7:
            raise DataFileError("a bit or byte above 7", file=file, line=line, mend="count bytes and bits from 0")
    return tuple(row for _, row in rows)


def read_monitors(data: bytes, *layouts: str, code_count: int = -1) -> Monitors:
    """The supported monitors that have and have not finished, by the rows of these layouts."""
    told = [row for row in _monitor_rows() if row.layout in layouts and data[row.byte] >> row.bit & 1]
    waits = {row.name: bool(data[row.status_byte] >> row.status_bit & 1) for row in told}
    return Monitors(
        code_count=code_count,
        complete=tuple(name for name, waiting in waits.items() if not waiting),
        incomplete=tuple(name for name, waiting in waits.items() if waiting),
    )


@cache
def scalings() -> Mapping[int, Scaling]:
    """Units and scalings of OBD service 06 by identifier."""
    return {row.id: row for _, row in read_csv(_DATA / "obd_scaling.csv", Scaling)}


@cache
def data_identifiers() -> Mapping[int, DataIdentifier]:
    """The data identifiers whose length a standard tells; F400 to F4FF mirror OBD PIDs (ISO 27145-2)."""
    known = {0xF400 + pid.pid: DataIdentifier(length=pid.data_bytes, pid=pid.pid) for pid in obd2_pids()}
    known |= {row.did: DataIdentifier(length=row.length) for _, row in read_csv(_DATA / "uds_identifiers.csv", _IdentifierRow)}
    return known


@cache
def _freeze_rows() -> tuple[_FreezeRow, ...]:
    file = _DATA / "j1939_freeze_frame.csv"
    rows = read_csv(file, _FreezeRow)
    for line, row in rows:
        if row.path and row.path not in catalogue():
            raise DataFileError(f"unknown VSS path {row.path!r}", file=file, line=line, mend="add it to domain/vss_catalogue.csv")
    return tuple(row for _, row in rows)


def read_dm4_values(frame: bytes) -> tuple[FreezeValue, ...]:
    """The values of a J1939 freeze frame that are available; byte 0 of `frame` is the first of its trouble code."""
    values: list[FreezeValue] = []
    for row in _freeze_rows():
        raw = frame[row.byte : row.byte + row.length]
        if len(raw) == row.length and raw[-1] <= 0xFA:
            physical = int.from_bytes(raw, "little") * row.scale + row.offset
            values.append(FreezeValue(signal=row.path or f"DM4 {row.name}", value=physical, unit=row.unit))
    return tuple(values)
