"""The values of OBD-II service 01 parameters (SAE J1979, ISO 15031-5), as a table: `builtin_data/obd2_pids.csv`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.vss import catalogue

DATA = Path(__file__).with_name("builtin_data")
"""Directory of the built-in tables."""
_STALE_S = 10.0
NO_CONDITION = -1

Hex = Annotated[int, pydantic.BeforeValidator(lambda text: int(text, 16))]
Number = Annotated[float, pydantic.BeforeValidator(lambda text: float(Fraction(text)))]
Lengths = Annotated[tuple[int, ...], pydantic.BeforeValidator(lambda text: tuple(int(part) for part in text.split("|")))]


class _PidRow(pydantic.BaseModel):
    pid: Hex
    name: str
    data_bytes: Lengths
    first_bit: int
    bits: int
    signed: bool = False
    scale: Number
    offset: Number
    unit: str = ""
    path: str = ""
    path_scale: Number = 1.0
    stale_s: float = _STALE_S
    raw_max: Hex | None = None
    when_bit: int = NO_CONDITION
    when_value: int = 1
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PidSignal:
    """One value inside the data bytes of an OBD-II PID (SAE J1979), in services 01 and 02 alike.

    Attributes:
        data_bytes: length of the PID's whole data. other_lengths: what older or smaller vehicles send instead.
        first_bit: 0 = most significant bit of data byte A. bits: 0 where only the length of the data is known.
        physical = raw * scale + offset, in `unit`; VSS value = physical * path_scale, under `path` ("" = unmapped).
        raw_max: greatest raw value that is a measurement, None = all.
        when_bit, when_value: the value is there where this bit of the data (as `first_bit` counts) is so: which sensors are
            fitted, or whether the monitors are those of spark or of compression ignition; -1 = always.
    """

    pid: int
    name: str
    data_bytes: int
    other_lengths: tuple[int, ...] = ()
    first_bit: int
    bits: int
    signed: bool
    scale: float
    offset: float
    unit: str
    path: str
    path_scale: float
    stale_after_s: float
    raw_max: int | None = None
    when_bit: int = NO_CONDITION
    when_value: int = 1

    def decode(self, data: bytes) -> float | None:
        """The physical value; None where `data` is too short, the sensor is not fitted, or nothing is decoded."""
        end = self.first_bit + self.bits
        size = len(data) * 8
        if not self.bits or size < end or size <= self.when_bit:
            return None
        number = int.from_bytes(data, "big")
        if self.when_bit != NO_CONDITION and number >> (size - 1 - self.when_bit) & 1 != self.when_value:
            return None
        raw = number >> (size - end) & ((1 << self.bits) - 1)
        if self.raw_max is not None and raw > self.raw_max:
            return None
        if self.signed and raw >> (self.bits - 1):
            raw -= 1 << self.bits
        return raw * self.scale + self.offset


@cache
def obd2_pids() -> tuple[PidSignal, ...]:
    """Every known value of every known PID, in order of the PID (read once).

    Raises:
        DataFileError: the table is not valid; names file and line.
    """
    file = DATA / "obd2_pids.csv"
    signals: list[PidSignal] = []
    for line, row in read_csv(file, _PidRow):
        check_path(file, line, row.path)
        usual, *others = row.data_bytes
        if row.first_bit + row.bits > max(row.data_bytes) * 8 or row.when_bit >= usual * 8:
            raise DataFileError("the value lies outside the PID's data", file=file, line=line, mend="correct first_bit or bits")
        signals.append(
            PidSignal(
                pid=row.pid,
                name=row.name,
                data_bytes=usual,
                other_lengths=tuple(others),
                first_bit=row.first_bit,
                bits=row.bits,
                signed=row.signed,
                scale=row.scale,
                offset=row.offset,
                unit=row.unit,
                path=row.path,
                path_scale=row.path_scale,
                stale_after_s=row.stale_s,
                raw_max=row.raw_max,
                when_bit=row.when_bit,
                when_value=row.when_value,
            )
        )
    return tuple(signals)


@cache
def pid_lengths() -> Mapping[int, tuple[int, ...]]:
    """PID -> lengths of its data in bytes, the usual one first; of every PID of which at least the length is known."""
    return {pid.pid: (pid.data_bytes, *pid.other_lengths) for pid in obd2_pids()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """A class of answering identifiers: `(can_id & mask) == base`. `rank`: 0 = engine; added to the priority of its values."""

    name: str
    base: int
    mask: int
    rank: int

    def can_ids(self) -> range:
        """All its identifiers, bit 31 set for 29-bit ones."""
        return range(self.base, self.base + (~self.mask & 0xFFFF_FFFF) + 1)


class _ResponderRow(pydantic.BaseModel):
    name: str
    can_id: Hex
    mask: Hex
    rank: int = pydantic.Field(ge=0, le=100)
    source: str


@cache
def responders() -> tuple[Responder, ...]:
    """Who answers polling (ISO 15765-4); every answering identifier belongs to exactly one class."""
    rows = read_csv(DATA / "obd2_responders.csv", _ResponderRow)
    return tuple(Responder(name=row.name, base=row.can_id, mask=row.mask, rank=row.rank) for _, row in rows)


def check_path(file: Path, line: int, path: str) -> None:
    """Raises DataFileError where a path is not in the VSS catalogue."""
    if path and path not in catalogue():
        raise DataFileError(f"unknown VSS path {path!r}", file=file, line=line, mend="add it to domain/vss_catalogue.csv")
