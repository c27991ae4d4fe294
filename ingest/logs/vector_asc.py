"""Vector ASC (CANalyzer, CANoe, and what others export so).

    date Sam Sep 30 15:06:13.191 2017
    base hex  timestamps absolute
    Begin Triggerblock Sam Sep 30 15:06:13.191 2017
       2.5010 2   C8             Tx   d 8 09 08 07 06 05 04 03 02
       2.520002 3 200 Tx r
       2.501000 1 ErrorFrame
      30.005071 CANFD   2 Rx  300  Generic_Name_12   1 0 8  8 01 02 03 04 05 06 07 08   102203  133   303000

`x` after an identifier means 29 bits. `base dec` writes identifiers and data in decimal. `timestamps relative` counts from the
line before, events included. Everything else that carries a stamp (statistics, chip status, J1939TP, LIN, system variables) is
an event: counted, not read. The source of the grammar is python-can's reader and the examples of Vector's own tools.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.frames import FrameFlag
from ingest.logs import line_steps as step
from ingest.logs.dates import day_and_time_ns
from ingest.logs.line_format import QUIET, LineFormat, Session
from ingest.logs.line_steps import IdRule, LengthKind, Pattern
from ingest.logs.timeline import StampKind, Timeline

_STAMP = step.stamp(1_000_000_000, comma=True)
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/"


def _patterns(base: int) -> tuple[Pattern, ...]:
    identifier = step.identifier(base, IdRule.SUFFIX_X)
    classic: Pattern = (_STAMP, step.gap(), step.bus(digits=True), step.gap())
    addressed: Pattern = (*classic, identifier, step.gap(), step.way(), step.gap())
    fd: Pattern = (
        _STAMP,
        step.gap(),
        step.literal(b"CANFD"),
        step.gap(),
        step.bus(digits=True),
        step.gap(),
        step.way(),
        step.gap(),
        step.flag(FrameFlag.FD),
    )
    fd_data: Pattern = (
        step.number(most=1), step.gap(), step.number(most=1), step.gap(), step.number(16, 99), step.gap(), step.length(10, LengthKind.BYTES), step.remote_if_empty(),
        step.data(base=base), step.rest(),
    )  # fmt: skip
    return (
        (
            *addressed,
            step.literal(b"d"),
            step.gap(),
            step.length(base, LengthKind.CODE_OR_BYTES),
            step.data(base=base),
            step.rest(),
        ),
        (*fd, identifier, step.gap(), *fd_data),
        (*fd, identifier, step.gap(), step.word(), step.gap(), *fd_data),
        (
            *addressed,
            step.literal(b"r"),
            step.flag(FrameFlag.REMOTE),
            step.optional(2),
            step.gap(),
            step.length(base),
            step.rest(),
        ),
        (*classic, step.literal(b"ErrorFrame"), step.flag(FrameFlag.ERROR), step.rest()),
        (*fd, step.literal(b"ErrorFrame"), step.flag(FrameFlag.ERROR), step.rest()),
    )


_HEX, _DECIMAL = _patterns(16), _patterns(10)
_BASE = re.compile(rb"base\s+(hex|dec)(?:\s+timestamps\s+(absolute|relative))?", re.IGNORECASE)
_DATE = re.compile(rb"(?:date|begin\s+triggerblock)\b\s*(.*)", re.IGNORECASE | re.DOTALL)
_QUIET = re.compile(
    rb"(?://|(?:no\s+)?internal\s+event|begin\s+triggerblock|end\s+triggerblock|-?\d+[.,]\d+\s+start\s+of\s+measurement)",
    re.IGNORECASE,
)
_STAMPED = re.compile(rb"(-?\d+[.,]\d+)\s+\S")
_BROKEN_FRAME = re.compile(
    rb"-?\d+[.,]\d+\s+(?:CANFD\b|\d+(?:\s+[0-9A-Fa-f]+[xX]?(?:\s.*)?)?$|\d+\s+\S+\s+(?:Rx|Tx|TxRq)\b)", re.IGNORECASE | re.DOTALL
)


@dataclass(slots=True)
class _Asc(Session):
    def heed(self, line: bytes, frames_before: int) -> bool:
        """Take base, kind of stamps and date from header lines."""
        if base := _BASE.match(line):
            self.certain = True
            self.patterns = _HEX if base[1].lower() == b"hex" else _DECIMAL
            relative = base[2] is not None and base[2].lower() == b"relative"
            self.timeline.kind = StampKind.SINCE_LAST if relative else StampKind.SINCE_START
            return True
        if date := _DATE.match(line):
            self.certain = True
            moment = day_and_time_ns(date[1])
            if moment is not None:
                self.timeline.begin(moment, frames_before)
            return moment is not None
        return _QUIET.match(line) is not None

    def explain(self, line: bytes) -> str | None:
        """Tell events from broken frames."""
        if date := _DATE.match(line):
            return "unknown_date" if date[1].strip() else QUIET
        if _QUIET.match(line):
            return QUIET
        if _STAMPED.match(line) is None or _BROKEN_FRAME.match(line) or not line.isascii():
            return None
        return "log_event"

    def skipped_ns(self, line: bytes) -> int | None:
        """The stamp of an event."""
        stamp = _STAMPED.match(line)
        return None if stamp is None else round(float(stamp[1].replace(b",", b".")) * 1e9)


def _begin(_head: bytes) -> Session:
    return _Asc(_HEX, Timeline(), control=_LETTERS)


VECTOR_ASC = LineFormat("Vector ASC", _begin)
