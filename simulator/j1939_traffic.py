"""Active trouble codes of the truck's engine: DM1 each second (SAE J1939-73), by BAM where it is long (SAE J1939-21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID
from simulator.can_encoding import FrameColumns, Sent, sent_columns
from simulator.drive_spec import STEP_S, Trace

ENGINE_ADDRESS = 0x00
DM1_PGN = 0xFECA
DM1_ID = EXTENDED_ID | 0x18FECA00 | ENGINE_ADDRESS
TRANSPORT_ANNOUNCE_ID = EXTENDED_ID | 0x1CECFF00 | ENGINE_ADDRESS
TRANSPORT_DATA_ID = EXTENDED_ID | 0x1CEBFF00 | ENGINE_ADDRESS
DM1_PERIOD_S, PACKET_GAP_S = 1.0, 0.06
AMBER, RED = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveCode:
    """A suspect parameter, how it fails, how often that has come."""

    spn: int
    fmi: int
    occurrence: int = 1


LOW_PRESSURE = (ActiveCode(spn=100, fmi=18),)
"""Engine oil pressure moderately low."""
NO_PRESSURE = (ActiveCode(spn=100, fmi=1), ActiveCode(spn=98, fmi=1))
"""Engine oil pressure and oil level below the range in which the engine may run."""


def dm1_payload(codes: Sequence[ActiveCode], *, red: bool, amber: bool) -> bytes:
    """Lamps (malfunction and protect lamp off, no flashing), then four bytes a code; six empty bytes where there is none."""
    lamps = bytes([(int(red) << 4) | (int(amber) << 2), 0xFF])
    if not codes:
        return lamps + bytes(4) + b"\xff\xff"
    listed = b"".join(
        bytes([code.spn & 0xFF, code.spn >> 8 & 0xFF, (code.spn >> 16 & 0x07) << 5 | code.fmi, code.occurrence & 0x7F])
        for code in codes
    )
    return (lamps + listed).ljust(8, b"\xff")


def broadcast(time_s: float, pgn: int, payload: bytes) -> Sent:
    """A long message by BAM: the announcement, then packets of seven bytes."""
    packets = -(-len(payload) // 7)
    announcement = bytes([0x20]) + len(payload).to_bytes(2, "little") + bytes([packets, 0xFF]) + pgn.to_bytes(3, "little")
    sent = [(time_s, TRANSPORT_ANNOUNCE_ID, announcement)]
    for number in range(packets):
        data = payload[number * 7 : number * 7 + 7].ljust(7, b"\xff")
        sent.append((time_s + PACKET_GAP_S * (number + 1), TRANSPORT_DATA_ID, bytes([number + 1]) + data))
    return sent


def dm1_traffic(trace: Trace) -> FrameColumns:
    """DM1 of the engine over a drive."""
    stage = _stages(trace)
    first_s = float(trace.time_s[np.argmax(trace.values["KeySwitchVoltage"] > 0)]) + 0.35
    sent: Sent = []
    for due in np.arange(first_s, trace.asleep_s - 0.5, DM1_PERIOD_S).tolist():
        now = int(stage[min(int(due / STEP_S), len(stage) - 1)])
        codes = (NO_PRESSURE if now == RED else LOW_PRESSURE) if now else ()
        payload = dm1_payload(codes, red=now == RED, amber=now == AMBER)
        sent += [(due, DM1_ID, payload)] if len(payload) == 8 else broadcast(due, DM1_PGN, payload)
    return sent_columns(sent)


def _stages(trace: Trace) -> NDArray[np.int64]:
    """0, then AMBER, then RED: limits that rise with engine speed, held for five seconds, latched until key off."""
    speed, pressure = trace.values["EngineSpeed"], trace.values["OilPressure"]
    steps = 50
    turning = np.convolve(speed > 500.0, np.ones(steps))[: len(speed)] >= steps
    stage = np.zeros(len(speed), np.int64)
    for level, limit in ((AMBER, 40.0 + 0.10 * speed), (RED, 20.0 + 0.045 * speed)):
        held = np.convolve(pressure < limit, np.ones(steps))[: len(speed)] >= steps - 0.5
        stage[np.logical_or.accumulate(held & turning)] = level
    return stage
