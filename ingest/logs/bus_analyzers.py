"""Two small formats of bus analysers.

Microchip CAN BUS Analyzer (stamps in ms):

    166064;RX;0x0000021A;8;0xFE;0x36;0x12;0xFE;0x69;0x05;0x07;0xAD;

CAR BUS Analyzer (lines end with CR; stamps in seconds, anew every minute; https://canhacker.ru/can-trace-format/):

    @ TEXT @ 2 @ 64 @ 0 @ 55 @ 10078 @ 00:00:10.078 @
    46,016  1  0004  45A  8  5A 04 00 00 00 00 00 00  00000000  Z
"""

from __future__ import annotations

from ingest.logs import line_steps as step
from ingest.logs.line_format import QUIET, LineFormat, Session
from ingest.logs.line_steps import IdRule, LengthKind, Pattern
from ingest.logs.timeline import Timeline

_SEMICOLON = ord(";")
_MICROCHIP: Pattern = (
    step.fixed_bus(b"0"), step.stamp(1_000_000), step.separator(_SEMICOLON), step.way(), step.separator(_SEMICOLON), step.identifier(), step.separator(_SEMICOLON),
    step.length(10, LengthKind.BYTES), step.data(_SEMICOLON), step.rest(_SEMICOLON),
)  # fmt: skip
_HEADERS = (b"//", b"Microchip Technology", b"CAN BUS Analyzer", b"SavvyCAN Exporter", b"Logging Started")


class _Microchip(Session):
    __slots__ = ()

    def explain(self, line: bytes) -> str | None:
        """The header is no damage. Its date is not used: tools write day and month in either order."""
        return QUIET if line.startswith(_HEADERS) else None


def _begin_microchip(_head: bytes) -> Session:
    return _Microchip((_MICROCHIP,))


_CAR_BUS: Pattern = (
    step.stamp(1_000_000_000, comma=True), step.gap(), step.bus(digits=True), step.gap(), step.word(), step.gap(), step.identifier(16, IdRule.MORE_THAN_FOUR_DIGITS), step.gap(),
    step.length(16, LengthKind.CLASSIC), step.data(), step.rest(),
)  # fmt: skip


class _CarBus(Session):
    __slots__ = ()

    def heed(self, line: bytes, frames_before: int) -> bool:  # noqa: ARG002 -- the header is the same anywhere
        """The header."""
        self.certain |= line.startswith(b"@ TEXT @")
        return line.startswith(b"@ TEXT @")


def _begin_car_bus(_head: bytes) -> Session:
    return _CarBus((_CAR_BUS,), Timeline(wrap_ns=60_000_000_000, wrap_slack_ns=10_000_000), control=b"@")


MICROCHIP = LineFormat("Microchip CAN BUS Analyzer", _begin_microchip)
CAR_BUS = LineFormat("CAR BUS Analyzer", _begin_car_bus, least_share=0.9)
