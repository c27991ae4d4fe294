"""CRTD, the recordings of OVMS modules.

    1320745424.000 CXX OVMS Tesla Roadster cando2crtd converted log
    1320745424.002 R11 402 FA 01 C3 A0 96 00 07 01
    123.431 2R29 18DAF110 00 00

A digit before the type is the bus (1 where there is none). Records that begin with C, and error records, are events.
Source: https://docs.openvehicles.com/en/latest/crtd/
"""

from __future__ import annotations

import re

from domain.frames import FrameFlag
from ingest.logs import line_steps as step
from ingest.logs.line_format import LineFormat, Session
from ingest.logs.line_steps import Pattern, Step


def _pattern(kind: bytes, *more: Step) -> Pattern:
    return (
        step.stamp(1_000_000_000), step.gap(), step.fixed_bus(b"1"), step.optional(1), step.bus_digit(), step.literal(kind), step.gap(), step.identifier(), *more, step.all_data(), step.end(),
    )  # fmt: skip


_PATTERNS = (
    _pattern(b"R11"),
    _pattern(b"R29", step.extended()),
    _pattern(b"T11", step.flag(FrameFlag.TRANSMITTED)),
    _pattern(b"T29", step.flag(FrameFlag.TRANSMITTED), step.extended()),
)
_EVENT = re.compile(rb"\d+(?:\.\d+)?\s+\d?(?:C[A-Z]{2}|[RT](?:ER|CM|ST))\b")


class _Crtd(Session):
    __slots__ = ()

    def explain(self, line: bytes) -> str | None:
        """Comments, events, statistics, commands."""
        return "log_event" if _EVENT.match(line) else None


def _begin(_head: bytes) -> Session:
    return _Crtd(_PATTERNS)


CRTD = LineFormat("CRTD", _begin)
