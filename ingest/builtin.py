"""Built-in messages that need no DBC: OBD-II mode 01 polling answers and J1939 broadcasts, under VSS names.

The tables are data files beside this module (`builtin_data/`); what they hold follows SAE J1979 and the SAE J1939 digital annex.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import groupby

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec, Transport
from ingest.obd_pids import DATA, NO_CONDITION, Number, PidSignal, check_path, obd2_pids

__all__ = ["PidSignal", "j1939_messages", "obd2_messages", "obd2_pids"]

_OBD_PRIORITY = 10
"""Behind what is broadcast; classes of responders add to it."""
_FRAME_BYTES = 8
_J1939_STALE_S = 5.0
_J1939_PRIORITY = 5
_J1939_VALID_MAX = {2: 0x1, 3: 0x5, 4: 0xD, 5: 0x1D, 8: 0xFA, 16: 0xFAFF, 24: 0xFA_FFFF, 32: 0xFAFF_FFFF}
"""SAE J1939-71: greater raw values mean error indicator, reserved or not available."""


class _SpnRow(pydantic.BaseModel):
    pgn: int
    message: str
    length: int = 8
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
    path_offset: Number = 0.0
    priority: int = _J1939_PRIORITY
    stale_s: float = _J1939_STALE_S
    raw_max: int | None = None
    when_spn: int | None = None
    when_value: int = 0
    source: str


@cache
def obd2_messages() -> tuple[MessageSpec, ...]:
    """Mode 01 answers, one message per PID; its signals count from data byte A (`ingest.obd_answers` cuts answers up)."""
    return tuple(_obd2_message(pid, list(signals)) for pid, signals in groupby(obd2_pids(), key=lambda signal: signal.pid))


def _obd2_message(pid: int, signals: list[PidSignal]) -> MessageSpec:
    """Bits that tell what is there of a PID become selectors; a PID of which only the length is known has no signals."""
    conditions = sorted({signal.when_bit for signal in signals} - {NO_CONDITION})
    selectors = [_obd2_bit(bit) for bit in conditions]
    return MessageSpec(
        name=f"OBD2_PID{pid:02X}",
        can_id=pid,
        match=Match.OBD_ANSWER,
        length=max(signals[0].data_bytes, *signals[0].other_lengths, 0),
        signals=(*selectors, *(_obd2_signal(signal) for signal in signals if signal.bits)),
        origin="SAE J1979",
    )


def _obd2_bit(bit: int) -> SignalSpec:
    return SignalSpec(name=f"Bit{bit}", start=_start(bit), length=1, big_endian=True, is_selector=True)


def _obd2_signal(pid: PidSignal) -> SignalSpec:
    conditional = pid.when_bit != NO_CONDITION
    return SignalSpec(
        name=pid.name,
        start=_start(pid.first_bit),
        length=pid.bits,
        big_endian=True,
        kind=NumberKind.SIGNED if pid.signed else NumberKind.UNSIGNED,
        scale=pid.scale,
        offset=pid.offset,
        unit=pid.unit,
        raw_valid_max=pid.raw_max,
        mux_parent=f"Bit{pid.when_bit}" if conditional else "",
        mux_ranges=((pid.when_value, pid.when_value),) if conditional else (),
        path=pid.path,
        path_unit_scale=pid.path_scale,
        priority=_OBD_PRIORITY,
        stale_after_s=pid.stale_after_s,
    )


def _start(data_bit: int) -> int:
    """DBC start bit of a big-endian signal at this bit of the data."""
    return data_bit // 8 * 8 + 7 - data_bit % 8


@cache
def j1939_messages() -> tuple[MessageSpec, ...]:
    """Parameter groups of SAE J1939-71, matched by PGN from any source address; those longer than 8 bytes come by transport.

    Raises:
        DataFileError: the table is not valid; names file and line.
    """
    file = DATA / "j1939_spns.csv"
    rows = read_csv(file, _SpnRow)
    for line, row in rows:
        check_path(file, line, row.path)
        if (row.byte - 1) * 8 + row.bit - 1 + row.bits > row.length * 8 or row.bits not in _J1939_VALID_MAX:
            raise DataFileError("the parameter lies outside its group", file=file, line=line, mend="correct byte, bit or bits")
    names = {(row.pgn, row.spn): _spn_name(row) for _, row in rows}
    selectors = {(row.pgn, row.when_spn): names[row.pgn, row.when_spn] for _, row in rows if row.when_spn is not None}
    return tuple(
        MessageSpec(
            name=message,
            can_id=pgn,
            match=Match.PGN,
            length=length,
            signals=tuple(_j1939_signal(row, selectors) for _, row in group),
            origin="SAE J1939-71",
            transport=Transport.J1939 if length > _FRAME_BYTES else Transport.FRAME,
        )
        for (pgn, message, length), group in groupby(rows, key=lambda item: (item[1].pgn, item[1].message, item[1].length))
    )


def _spn_name(row: _SpnRow) -> str:
    return f"SPN{row.spn} {row.name}"


def _j1939_signal(row: _SpnRow, selectors: Mapping[tuple[int, int], str]) -> SignalSpec:
    return SignalSpec(
        name=_spn_name(row),
        start=(row.byte - 1) * 8 + row.bit - 1,
        length=row.bits,
        scale=row.scale,
        offset=row.offset,
        unit=row.unit,
        raw_valid_max=_J1939_VALID_MAX[row.bits] if row.raw_max is None else row.raw_max,
        mux_parent="" if row.when_spn is None else selectors[row.pgn, row.when_spn],
        mux_ranges=() if row.when_spn is None else ((row.when_value, row.when_value),),
        is_selector=(row.pgn, row.spn) in selectors,
        path=row.path,
        path_unit_scale=row.path_scale,
        path_unit_offset=row.path_offset,
        priority=row.priority,
        stale_after_s=row.stale_s,
    )
