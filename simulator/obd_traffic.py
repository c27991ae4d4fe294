"""A scan tool and the engine's control unit talking OBD-II (SAE J1979) over ISO-TP (ISO 15765-2, 11-bit, normal addressing)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from simulator.can_encoding import FrameColumns, Sent, sent_columns
from simulator.drive_spec import Trace
from simulator.engine_diagnosis import StoredCode

FUNCTIONAL_ID, REQUEST_ID, ANSWER_ID = 0x7DF, 0x7E0, 0x7E8
PADDING = 0xAA
POLL_S, CODES_POLL_S = 2.0, 30.0
SEPARATION_S = 0.005


def byte(value: float) -> bytes:
    """A byte, kept within 0..255."""
    return bytes([int(np.clip(round(value), 0, 255))])


def word(value: float) -> bytes:
    """Two bytes, most significant first."""
    return int(np.clip(round(value), 0, 65535)).to_bytes(2, "big")


PIDS: Mapping[int, tuple[str, Callable[[float], bytes]]] = {
    0x04: ("EngineLoad", lambda v: byte(v * 2.55)),
    0x05: ("CoolantTemperature", lambda v: byte(v + 40)),
    0x06: ("ShortTermFuelTrim", lambda v: byte(v * 1.28 + 128)),
    0x07: ("LongTermFuelTrim", lambda v: byte(v * 1.28 + 128)),
    0x0B: ("ManifoldPressure", byte),
    0x0C: ("EngineSpeed", lambda v: word(v * 4)),
    0x0D: ("VehicleSpeed", byte),
    0x0E: ("IgnitionTiming", lambda v: byte((v + 64) * 2)),
    0x0F: ("IntakeAirTemperature", lambda v: byte(v + 40)),
    0x10: ("MassAirFlow", lambda v: word(v * 100)),
    0x11: ("ThrottlePosition", lambda v: byte(v * 2.55)),
    0x2F: ("FuelLevel", lambda v: byte(v * 2.55)),
    0x33: ("BarometricPressure", byte),
    0x42: ("BatteryVoltage", lambda v: word(v * 1000)),
    0x46: ("AmbientTemperature", lambda v: byte(v + 40)),
}
"""Service 01 PID -> signal of the trace, and how its value is sent."""

POLLED = (0x01, 0x05, 0x0C, 0x0D, 0x04, 0x42, 0x0B, 0x06, 0x07, 0x0F, 0x11, 0x10, 0x2F, 0x46, 0x33, 0x0E)
FROZEN = (0x04, 0x05, 0x06, 0x07, 0x0C, 0x0D)


def code_bytes(code: str) -> bytes:
    """A five-character code as SAE J2012 packs it into two bytes."""
    return bytes([("PCBU".index(code[0]) << 6) | (int(code[1]) << 4) | int(code[2], 16), int(code[3:], 16)])


def segment(payload: bytes) -> list[bytes]:
    """An ISO-TP message as frames of 8 bytes: one single frame, or a first frame and its consecutive frames.

    Raises:
        ValueError: more than 4095 bytes.
    """
    if len(payload) > 4095:
        raise ValueError("an ISO-TP message with a 12-bit length holds 4095 bytes")
    if len(payload) <= 7:
        return [bytes([len(payload), *payload]).ljust(8, bytes([PADDING]))]
    frames = [bytes([0x10 | len(payload) >> 8, len(payload) & 0xFF, *payload[:6]])]
    for number, at in enumerate(range(6, len(payload), 7), start=1):
        frames.append(bytes([0x20 | number % 16, *payload[at : at + 7]]).ljust(8, bytes([PADDING])))
    return frames


def obd_traffic(trace: Trace, codes: Sequence[StoredCode], rng: np.random.Generator) -> FrameColumns:
    """Everything that passes between tool and engine in a drive: live values all the time, codes twice a minute, and
    the freeze frame once the first code is confirmed.
    """
    running = np.flatnonzero(trace.values["EngineRunning"] > 0)
    first_s, last_s = float(trace.time_s[running[0]]) + 5.0, float(trace.time_s[running[-1]]) - 3.0
    sent: Sent = []
    for number, due in enumerate(np.arange(first_s, last_s, POLL_S).tolist()):
        pid = POLLED[number % len(POLLED)]
        _exchange(sent, due, FUNCTIONAL_ID, bytes([1, pid]), bytes([0x41, pid]) + _current(trace, codes, pid, due), rng)
    frozen = False
    # between two live values, so that no answer is cut in two by another
    for due in np.arange(first_s + 8.4, last_s - 5.0, CODES_POLL_S).tolist():
        confirmed = [c.code for c in codes if c.confirmed_s <= due]
        pending = [c.code for c in codes if c.pending_s <= due]
        _exchange(sent, due, FUNCTIONAL_ID, b"\x03", _code_list(0x43, confirmed), rng)
        _exchange(sent, due + 0.3, FUNCTIONAL_ID, b"\x07", _code_list(0x47, pending), rng)
        if confirmed and not frozen:
            frozen = True
            _freeze_frame(sent, due + 0.6, trace, codes, rng)
    return sent_columns(sent)


def _code_list(service: int, codes: Sequence[str]) -> bytes:
    return bytes([service, len(codes)]) + b"".join(code_bytes(code) for code in codes)


def _current(trace: Trace, codes: Sequence[StoredCode], pid: int, time_s: float) -> bytes:
    if pid == 0x01:  # lamp and number of codes; every spark-ignition monitor supported and complete
        count = sum(code.confirmed_s <= time_s for code in codes)
        lamp = trace.at("MilOn", time_s) > 0 or count > 0
        return bytes([(0x80 if lamp else 0) | count, 0x07, 0xE5, 0x00])
    signal, pack = PIDS[pid]
    return pack(trace.at(signal, time_s))


def _freeze_frame(sent: Sent, time_s: float, trace: Trace, codes: Sequence[StoredCode], rng: np.random.Generator) -> None:
    """Frame 0: the code that caused it (PID 02) and the values of the moment when that code was set."""
    first = min((code for code in codes if np.isfinite(code.confirmed_s)), key=lambda code: code.pending_s)
    _exchange(sent, time_s, REQUEST_ID, bytes([2, 2, 0]), bytes([0x42, 2, 0]) + code_bytes(first.code), rng)
    for number, pid in enumerate(FROZEN, start=1):
        signal, pack = PIDS[pid]
        answer = bytes([0x42, pid, 0]) + pack(trace.at(signal, first.pending_s))
        _exchange(sent, time_s + 0.1 * number, REQUEST_ID, bytes([2, pid, 0]), answer, rng)


def _exchange(sent: Sent, time_s: float, request_id: int, request: bytes, answer: bytes, rng: np.random.Generator) -> None:
    """A request and its answer; a long answer waits for the tool's flow control after its first frame."""
    sent.append((time_s, request_id, segment(request)[0]))
    at = time_s + float(rng.uniform(0.008, 0.025))
    first, *rest = segment(answer)
    sent.append((at, ANSWER_ID, first))
    if rest:
        at += 0.002
        sent.append((at, REQUEST_ID, bytes([0x30, 0, int(SEPARATION_S * 1000)]).ljust(8, bytes([PADDING]))))
    for frame in rest:
        at += SEPARATION_S
        sent.append((at, ANSWER_ID, frame))
