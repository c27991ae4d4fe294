"""Built-in messages that need no DBC: OBD-II mode 01 polling answers and J1939 broadcasts, under VSS names.

The tables are data files beside this module (`builtin_data/`); what they hold follows SAE J1979 and SAE J1939-71.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.vss import catalogue
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec

_DATA = Path(__file__).with_name("builtin_data")
_HEADER_BYTES = 3
"""Length, service and PID before the data of a single-frame OBD-II answer."""
_MODE_01_ANSWER = 0x41
_SINGLE_FRAME_MAX = 7
_ANSWER = "Answer"
"""The selector: length, service and PID of an answer."""
_OBD_STALE_S = 10.0
_J1939_STALE_S = 5.0
_J1939_PRIORITY = 5
_J1939_VALID_MAX = {2: 0x1, 4: 0xD, 8: 0xFA, 16: 0xFAFF, 32: 0xFAFF_FFFF}
"""SAE J1939-71: greater raw values mean error indicator, reserved or not available."""

Hex = Annotated[int, pydantic.BeforeValidator(lambda text: int(text, 16))]
Number = Annotated[float, pydantic.BeforeValidator(lambda text: float(Fraction(text)))]


class _PidRow(pydantic.BaseModel):
    pid: Hex
    name: str
    data_bytes: int
    first_bit: int
    bits: int
    signed: bool = False
    scale: Number
    offset: Number
    unit: str = ""
    path: str = ""
    path_scale: Number = 1.0
    stale_s: float = _OBD_STALE_S
    when_a: str = ""
    source: str


class _ResponderRow(pydantic.BaseModel):
    name: str
    can_id: Hex
    mask: Hex
    priority: int
    source: str


class _SpnRow(pydantic.BaseModel):
    pgn: int
    message: str
    spn: int
    name: str
    byte: int
    bit: int
    bits: int
    scale: Number
    offset: Number
    unit: str = ""
    path: str = ""
    path_scale: Number = 1.0
    priority: int = _J1939_PRIORITY
    stale_s: float = _J1939_STALE_S
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PidSignal:
    """One value inside the data bytes of an OBD-II PID (SAE J1979), in modes 01 and 02 alike.

    Attributes:
        data_bytes: length of the PID's whole data. first_bit: 0 = most significant bit of data byte A.
        physical = raw * scale + offset, in `unit`; VSS value = physical * path_scale, under `path` ("" = unmapped).
        when_a: values of data byte A (which sensors are fitted) with which the value is present; empty = always.
    """

    pid: int
    name: str
    data_bytes: int
    first_bit: int
    bits: int
    signed: bool
    scale: float
    offset: float
    unit: str
    path: str
    path_scale: float
    stale_after_s: float
    when_a: tuple[int, ...]

    def decode(self, data: bytes) -> float | None:
        """The physical value, None where `data` is too short or the sensor is not fitted."""
        end = self.first_bit + self.bits
        if len(data) * 8 < end or (self.when_a and data[0] not in self.when_a):
            return None
        raw = int.from_bytes(data, "big") >> (len(data) * 8 - end) & ((1 << self.bits) - 1)
        if self.signed and raw >> (self.bits - 1):
            raw -= 1 << self.bits
        return raw * self.scale + self.offset


@cache
def obd2_pids() -> tuple[PidSignal, ...]:
    """Every known value of every known PID, in order of the PID (read once)."""
    file = _DATA / "obd2_pids.csv"
    signals: list[PidSignal] = []
    for line, row in read_csv(file, _PidRow):
        _check_path(file, line, row.path)
        if row.first_bit + row.bits > row.data_bytes * 8:
            raise DataFileError("the value lies outside the PID's data", file=file, line=line, mend="correct first_bit or bits")
        signals.append(
            PidSignal(
                pid=row.pid,
                name=row.name,
                data_bytes=row.data_bytes,
                first_bit=row.first_bit,
                bits=row.bits,
                signed=row.signed,
                scale=row.scale,
                offset=row.offset,
                unit=row.unit,
                path=row.path,
                path_scale=row.path_scale,
                stale_after_s=row.stale_s,
                when_a=tuple(int(value) for value in row.when_a.split("|") if value),
            )
        )
    return tuple(signals)


@cache
def obd2_messages() -> tuple[MessageSpec, ...]:
    """Mode 01 answers that fit a single frame, one message per group of responders (ISO 15765-4).

    Responders are told apart so that an engine's value outranks the same PID of another ECU. Of an answer to a request
    for several PIDs only the first is read. A selector over length, service and PID keeps consecutive frames out.
    """
    return tuple(
        MessageSpec(
            name=row.name,
            can_id=row.can_id,
            can_id_mask=row.mask,
            length=8,
            signals=(*_obd2_selectors(), *(_obd2_signal(pid, row.priority) for pid in obd2_pids())),
            origin="SAE J1979",
        )
        for _, row in read_csv(_DATA / "obd2_responders.csv", _ResponderRow)
    )


def _obd2_selectors() -> list[SignalSpec]:
    """Length, service and PID as one big-endian number; and below it data byte A of the PIDs that tell what is fitted."""
    answer = SignalSpec(name=_ANSWER, start=7, length=24, big_endian=True, is_selector=True)
    telling = {pid.pid: pid for pid in obd2_pids() if pid.when_a}
    return [
        answer,
        *(
            SignalSpec(
                name=_fitted(pid),
                start=_HEADER_BYTES * 8 + 7,
                length=8,
                big_endian=True,
                mux_parent=_ANSWER,
                mux_ranges=_answers(pid),
                is_selector=True,
            )
            for pid in telling.values()
        ),
    ]


def _fitted(pid: PidSignal) -> str:
    return f"PID{pid.pid:02X} SensorsFitted"


def _answers(pid: PidSignal) -> tuple[tuple[int, int], ...]:
    """Values of the answer selector that announce this PID: any length that holds all its data."""
    values = [length << 16 | _MODE_01_ANSWER << 8 | pid.pid for length in range(2 + pid.data_bytes, _SINGLE_FRAME_MAX + 1)]
    return tuple((value, value) for value in values)


def _obd2_signal(pid: PidSignal, priority: int) -> SignalSpec:
    return SignalSpec(
        name=f"PID{pid.pid:02X} {pid.name}",
        start=(_HEADER_BYTES + pid.first_bit // 8) * 8 + 7 - pid.first_bit % 8,
        length=pid.bits,
        big_endian=True,
        kind=NumberKind.SIGNED if pid.signed else NumberKind.UNSIGNED,
        scale=pid.scale,
        offset=pid.offset,
        unit=pid.unit,
        mux_parent=_fitted(pid) if pid.when_a else _ANSWER,
        mux_ranges=tuple((a, a) for a in pid.when_a) if pid.when_a else _answers(pid),
        path=pid.path,
        path_unit_scale=pid.path_scale,
        priority=priority,
        stale_after_s=pid.stale_after_s,
    )


@cache
def j1939_messages() -> tuple[MessageSpec, ...]:
    """Broadcast parameter groups of SAE J1939-71 that fit a single frame, matched by PGN from any source address."""
    file = _DATA / "j1939_spns.csv"
    rows = read_csv(file, _SpnRow)
    for line, row in rows:
        _check_path(file, line, row.path)
    return tuple(
        MessageSpec(
            name=message,
            can_id=pgn,
            match=Match.PGN,
            length=8,
            signals=tuple(_j1939_signal(row) for _, row in group),
            origin="SAE J1939-71",
        )
        for (pgn, message), group in groupby(rows, key=lambda item: (item[1].pgn, item[1].message))
    )


def _j1939_signal(row: _SpnRow) -> SignalSpec:
    return SignalSpec(
        name=f"SPN{row.spn} {row.name}",
        start=(row.byte - 1) * 8 + row.bit - 1,
        length=row.bits,
        scale=row.scale,
        offset=row.offset,
        unit=row.unit,
        raw_valid_max=_J1939_VALID_MAX[row.bits],
        path=row.path,
        path_unit_scale=row.path_scale,
        priority=row.priority,
        stale_after_s=row.stale_s,
    )


def _check_path(file: Path, line: int, path: str) -> None:
    if path and path not in catalogue():
        raise DataFileError(f"unknown VSS path {path!r}", file=file, line=line, mend="add it to domain/vss_catalogue.csv")
