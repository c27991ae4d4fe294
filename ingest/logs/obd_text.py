"""What ELM327 adapters and scan tools print with headers on: an identifier and its bytes, no time.

7E8 10 0E 43 06 01 00 02 00         11 bits
18 DA F1 10 03 7F 22 31             29 bits (also 18DAF110 03 …)
7E8100E43060100020                spaces off
48 6B 10 43 03 06 03 56 00 00 DC    SAE J1850 or ISO 9141: three header bytes, data, checksum; kept as a packet "obd_serial"
"""

from __future__ import annotations

import re

from domain.frames import FrameFlag
from ingest.logs import line_steps as step
from ingest.logs.line_format import LineFormat, Session
from ingest.logs.line_steps import Pattern

SERIAL_BUS = "obd_serial"
"""The bus of packets that are no CAN frames: header (priority, target, source), data and checksum as printed."""
_BUS = step.fixed_bus(b"obd")
_TIGHT = step.all_data(0, lead=False)
_PATTERNS: tuple[Pattern, ...] = (
    (_BUS, step.identifier(digits=3), step.all_data(), step.end()),
    (_BUS, step.identifier_bytes(), step.all_data(), step.end()),
    (_BUS, step.identifier(digits=8), step.all_data(), step.end()),
    (step.fixed_bus(SERIAL_BUS.encode()), step.flag(FrameFlag.PACKET), step.all_data(lead=False), step.end()),
    (_BUS, step.identifier(digits=-3), _TIGHT, step.end()),
    (_BUS, step.identifier(digits=-8), _TIGHT, step.end()),
)
_TALK = re.compile(
    rb">|AT\b|AT[A-Z]|ELM327|SEARCHING|NO DATA|OK$|STOPPED|CAN ERROR|BUS |BUFFER FULL|UNABLE TO|\?$", re.IGNORECASE
)


class _ObdText(Session):
    __slots__ = ()

    def explain(self, line: bytes) -> str | None:
        """What the adapter says and what was asked of it."""
        return "log_event" if _TALK.match(line) else None


def _begin(_head: bytes) -> Session:
    return _ObdText(_PATTERNS)


OBD_TEXT = LineFormat("OBD text", _begin, least_share=0.5)
