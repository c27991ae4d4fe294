"""What a CAN message looks like, whoever says so: a DBC file, or a built-in profile (OBD-II, J1939).

The signal table (`ingest.signal_table`) compiles these into flat arrays for the kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Match(IntEnum):
    """How a message is recognised."""

    EXACT = 0
    """`(can_id & can_id_mask) == can_id`, bit 31 = extended."""
    PGN = 1
    """29-bit identifiers by J1939 PGN (PDU1: PS dropped; data page kept); the source address is kept with the values."""
    OBD_ANSWER = 2
    """Answers to OBD-II service 01, PID `can_id`, from any responder, of one or many frames; signals count from data byte A."""


class Transport(IntEnum):
    """What carries a message to us."""

    FRAME = 0
    """One CAN frame."""
    ISO_TP = 1
    """ISO 15765-2: the answer of a control unit, whole, with `MessageSpec.prefix_bytes` before its service identifier."""
    J1939 = 2
    """SAE J1939-21 transport protocol (BAM, RTS/CTS)."""


CONTAINER = "container"
"""`MessageSpec.undecodable` of AUTOSAR container frames."""


class NumberKind(IntEnum):
    """How raw bits become a number."""

    UNSIGNED = 0
    SIGNED = 1
    FLOAT16 = 2
    FLOAT32 = 3
    FLOAT64 = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSpec:
    """One signal of a message.

    Attributes:
        start: DBC start bit (little-endian: least significant bit; big-endian: most significant bit, DBC numbering).
        length: bits. physical = raw * scale + offset, in `unit`.
        mux_parent: name of the selector signal this one depends on, "" for none; present when the selector's
            physical (scaled) value is in one of `mux_ranges` (inclusive).
        raw_valid_max: greatest raw value that is a measurement (J1939: 0xFA, 0xFAFF …), None = all.
        path, path_unit_scale, path_unit_offset: VSS path ("" = unmapped) and conversion: VSS value = physical * scale + offset.
        priority: lower wins among sources of one path. stale_after_s: how long the value may be used.
        choices: raw value -> word (VAL_).
    """

    name: str
    start: int
    length: int
    big_endian: bool = False
    kind: NumberKind = NumberKind.UNSIGNED
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    mux_parent: str = ""
    mux_ranges: tuple[tuple[int, int], ...] = ()
    is_selector: bool = False
    raw_valid_max: int | None = None
    path: str = ""
    path_unit_scale: float = 1.0
    path_unit_offset: float = 0.0
    priority: int = 0
    stale_after_s: float = 5.0
    choices: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSpec:
    """One message. `bus` "*" = any bus. For PGN matches `can_id` holds the PGN. `length` is the declared payload length, bytes.

    `undecodable`: why cantools can decode no frame of it (overlapping or overlong signals, a container), "" where it can.
    `prefix_bytes`: with ISO-TP, how many bytes the description counts before the service identifier (0, or 1: the low byte of
    the length in the first frame, which some files count in).
    """

    name: str
    can_id: int
    signals: tuple[SignalSpec, ...]
    length: int = 8
    match: Match = Match.EXACT
    can_id_mask: int = 0xFFFF_FFFF
    bus: str = "*"
    undecodable: str = ""
    origin: str = ""
    transport: Transport = Transport.FRAME
    prefix_bytes: int = 0
