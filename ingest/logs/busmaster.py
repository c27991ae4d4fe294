"""BUSMASTER logs.

    ***BUSMASTER Ver 2.4.0***
    ***START DATE AND TIME 23:9:2015 22:17:28:928***
    ***HEX***
    ***SYSTEM MODE***
    22:20:14:992 Rx 0 0000021A s 8 FE 36 12 FE 69 05 07 AD

`s` and `x` are 11 and 29 bits, `sr` and `xr` remote frames. In system mode a stamp is the time of day, in absolute mode the
time since the start, in relative mode the time since the line before. `***DEC***` writes identifiers and data in decimal.
"""

from __future__ import annotations

import re

from domain.frames import FrameFlag
from ingest.logs import line_steps as step
from ingest.logs.dates import DAY_NS, day_and_time_ns, midnight_ns
from ingest.logs.line_format import QUIET, LineFormat, Session
from ingest.logs.line_steps import LengthKind, Pattern, Step
from ingest.logs.timeline import StampKind, Timeline

_SLACK_NS = 3_600_000_000_000
"""A clock that goes back by less than an hour was set or is out of order; by more, it is past midnight."""


def _pattern(base: int, kind: bytes, *more: Step) -> Pattern:
    length = step.length(10, LengthKind.BYTES)
    return (
        step.clock(), step.gap(), step.way(), step.gap(), step.bus(), step.gap(), step.identifier(base), step.gap(), *more, step.literal(kind), step.gap(), length, step.data(base=base), step.rest(),
    )  # fmt: skip


def _patterns(base: int) -> tuple[Pattern, ...]:
    remote = step.flag(FrameFlag.REMOTE)
    return (
        _pattern(base, b"s"),
        _pattern(base, b"x", step.extended()),
        _pattern(base, b"sr", remote),
        _pattern(base, b"xr", remote, step.extended()),
    )


_HEX, _DECIMAL = _patterns(16), _patterns(10)
_START = re.compile(rb"\*+START DATE AND TIME\s+([^*]+)", re.IGNORECASE)
_MODE = re.compile(rb"\*+(SYSTEM|ABSOLUTE|RELATIVE) MODE", re.IGNORECASE)


class _BusMaster(Session):
    __slots__ = ("_date_ns",)

    def __init__(self) -> None:
        super().__init__(_HEX, Timeline(wrap_ns=DAY_NS, wrap_slack_ns=_SLACK_NS), control=b"*")
        self._date_ns: int | None = None

    def heed(self, line: bytes, frames_before: int) -> bool:
        """Take base, mode and date from the header."""
        self.certain |= line.upper().startswith(b"***BUSMASTER")
        if line.upper().startswith((b"***HEX", b"***DEC")):
            self.patterns = _HEX if line.upper().startswith(b"***HEX") else _DECIMAL
        elif date := _START.match(line):
            self._date_ns = day_and_time_ns(date[1])
        elif mode := _MODE.match(line):
            self._set_mode(mode[1].upper(), frames_before)
        return line.startswith(b"***")

    def _set_mode(self, mode: bytes, frames_before: int) -> None:
        of_day = mode == b"SYSTEM"
        self.timeline.kind = StampKind.SINCE_LAST if mode == b"RELATIVE" else StampKind.SINCE_START
        self.timeline.wrap_ns = DAY_NS if of_day else 0
        if self._date_ns is not None:
            self.timeline.begin(midnight_ns(self._date_ns) if of_day else self._date_ns, frames_before)

    def explain(self, line: bytes) -> str | None:
        """Headers of further sessions are no damage."""
        return QUIET if line.startswith(b"***") else None


def _begin(_head: bytes) -> Session:
    return _BusMaster()


BUSMASTER = LineFormat("BUSMASTER", _begin)
