"""Packets on the wire: one header of 24 bytes, a data unit, and a check byte; found in any bytes, with what is no packet located.

    offset  bytes  GB/T 32960.3                      GB 17691, HJ 1239.3 (trucks)
         0      2  23 23 (2016) or 24 24 (2025)      23 23
         2      1  command                           command
         3      1  answer, FE for a command          VIN, 17 bytes
         4     17  VIN                               (20) version of the terminal's software
        21      1  encryption, 1 none                encryption, 1 none
        22      2  n, bytes of data, big-endian      n
        24      n  data                              data
      24+n      1  XOR of everything from the command on

An answer byte is never a letter or digit and a VIN never begins with anything else, so the two headers cannot be mistaken.
"""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np

HEADER_BYTES = 24
MAX_PACKET_BYTES = HEADER_BYTES + 0xFFFF + 1
STARTS = (b"##", b"$$")
COMMAND = 0xFE
"""Answer byte of a packet that is no answer."""
PLAIN = 1
"""Encryption byte of a packet that is not encrypted."""
TIME_BYTES = 6
BEIJING_S = 8 * 3600
SECOND_NS = 1_000_000_000
_START = re.compile(rb"(?:##|\$\$)(?=.{19}[\x01-\x05\xFE\xFF]|.{0,19}\Z)", re.DOTALL)
"""A start whose encryption byte is one, or which is cut before it."""
ENCRYPTIONS = frozenset((1, 2, 3, 4, 5, 0xFE, 0xFF))
"""1 none; then algorithms, numbered differently by GB/T 32960 and HJ 1239; abnormal, invalid."""
_VIN_CHARACTERS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_ *")
_BLANK_VINS = (bytes(17), b"\xff" * 17)
_VIN = re.compile(rb"[A-HJ-NPR-Z0-9]{3}([A-HJ-NPR-Z0-9]{14})")
_TRUCK_COMMANDS_WITH_TIME = frozenset(range(1, 8))
_COMMANDS_WITH_TIME = frozenset((1, 2, 3, 4, 5, 6, 9, 0x80, 0x81, 0x82))


class Command(IntEnum):
    """The commands that carry a vehicle's data; others are kept, and told by number."""

    LOGIN = 1
    REALTIME = 2
    REISSUE = 3
    LOGOUT = 4
    PLATFORM_LOGIN = 5
    PLATFORM_LOGOUT = 6
    HEARTBEAT = 7
    TIME = 8


class Damage(StrEnum):
    """Why bytes are no packet."""

    NO_START = "no start of a packet"
    BAD_HEADER = "the header is not valid"
    BAD_CHECK = "the check byte is wrong"
    TRUNCATED = "the packet ends early"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """Bytes that are no packet: where they begin, how many, why, and the first of them (a VIN's serial number masked)."""

    offset: int
    size: int
    reason: Damage
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The (start, end) of every packet, what lies between, and where the bytes begin that more input may complete."""

    packets: tuple[tuple[int, int], ...]
    damaged: tuple[Damaged, ...]
    rest: int


def is_truck(packet: bytes | memoryview, at: int = 0) -> bool:
    """Whether the header is that of GB 17691 and HJ 1239: a VIN where GB/T 32960 has its answer byte."""
    return packet[at] == 0x23 and packet[at + 3] in _VIN_CHARACTERS


def vin_of(packet: bytes) -> bytes:
    """The 17 bytes of the VIN, blank ones stripped; a platform's own packets have none."""
    at = 3 if is_truck(packet) else 4
    return packet[at : at + 17].strip(b"\0\xff ")


def masked(content: bytes) -> bytes:
    """The same bytes with every VIN's serial number blotted out: the maker's three letters stay."""
    return _VIN.sub(lambda match: match[0][:3] + b"*" * 14, content)


def utc_ns(data: bytes | memoryview, at: int = 0) -> int | None:
    """Year (since 2000), month, day, hour, minute and second of China's time, as plain numbers -> ns since epoch; None if no time."""
    year, month, day, hour, minute, second = data[at : at + TIME_BYTES]
    if not (1 <= month <= 12 and 1 <= day <= _days(year, month) and hour < 24 and minute < 60 and second < 60 and year < 100):
        return None
    return (timegm((2000 + year, month, day, hour, minute, second, 0, 0, 0)) - BEIJING_S) * SECOND_NS


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


def time_of(packet: bytes) -> int | None:
    """Event time in ns since epoch, None where the packet has none (heartbeats) or no valid one, or is encrypted."""
    if packet[21] != PLAIN or len(packet) < HEADER_BYTES + TIME_BYTES + 1:
        return None
    known = _TRUCK_COMMANDS_WITH_TIME if is_truck(packet) else _COMMANDS_WITH_TIME
    return utc_ns(packet, HEADER_BYTES) if packet[2] in known else None


def with_check(packet: bytes) -> bytes:
    """A packet without its check byte, completed."""
    return packet + bytes([int(np.bitwise_xor.reduce(np.frombuffer(packet, np.uint8)[2:], initial=0))])


def build_packet(
    *, start: bytes, command: int, vin: bytes, data: bytes, answer: int = COMMAND, encryption: int = PLAIN, is_truck: bool = False
) -> bytes:
    """A whole packet; the VIN is padded with blanks to 17 bytes. `answer` is the software version in a truck's packet.

    Raises:
        ValueError: more than 65,535 bytes of data, or a VIN of more than 17 bytes.
    """
    if len(data) > 0xFFFF or len(vin) > 17:
        raise ValueError("a packet has at most 65,535 bytes of data and 17 of a VIN")
    vin = vin.ljust(17, b"\0")
    head = bytes([command]) + (vin + bytes([answer]) if is_truck else bytes([answer]) + vin)
    return with_check(start + head + bytes([encryption]) + len(data).to_bytes(2, "big") + data)


def split_packets(data: bytes, *, is_final: bool = True) -> Split:
    """Find the packets in bytes that may begin anywhere, lack bytes or hold others; a good packet is never lost to a damaged one.

    Args:
        data: such as a TCP stream, a file, or one MQTT payload with several packets.
        is_final: nothing follows, so that a packet whose end is missing is damaged; else it is left to `Split.rest`.
    """
    if not data:
        return Split(packets=(), damaged=(), rest=0)
    running = np.bitwise_xor.accumulate(np.frombuffer(data, np.uint8))
    packets: list[tuple[int, int]] = []
    damaged: list[Damaged] = []
    good = at = 0
    reason: Damage | None = None
    rest = len(data)
    while (match := _START.search(data, at)) is not None:
        at = match.start()
        problem, end = _packet_at(data, at, running)
        if problem is None:
            _note(data, good, at, reason, damaged)
            packets.append((at, end))
            good, at, reason = end, end, None
            continue
        if problem is Damage.TRUNCATED and not is_final and len(data) - at < MAX_PACKET_BYTES:
            rest = at
            break
        if at == good:
            reason = problem
        at += 1
    if rest == len(data) and not is_final and data[-1:] in (b"#", b"$"):
        rest = max(good, len(data) - 1)
    _note(data, good, rest, reason, damaged)
    return Split(packets=tuple(packets), damaged=tuple(damaged), rest=rest)


def _packet_at(data: bytes, at: int, running: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[Damage | None, int]:
    """(None, end) of a packet that begins here, or why there is none."""
    if len(data) - at < HEADER_BYTES:
        return Damage.TRUNCATED, at
    if not _is_header(data, at):
        return Damage.BAD_HEADER, at
    end = at + HEADER_BYTES + (data[at + 22] << 8 | data[at + 23]) + 1
    if end > len(data):
        return Damage.TRUNCATED, at
    if int(running[end - 2]) ^ int(running[at + 1]) != data[end - 1]:
        return Damage.BAD_CHECK, at
    return None, end


def _is_header(data: bytes, at: int) -> bool:
    begin = at + 3 if is_truck(data, at) else at + 4
    vin = data[begin : begin + 17]
    return vin in _BLANK_VINS or not set(vin.rstrip(b"\0")) - _VIN_CHARACTERS


def _note(data: bytes, start: int, end: int, reason: Damage | None, damaged: list[Damaged]) -> None:
    if end > start:
        content = masked(data[start : min(end, start + 4096)])
        damaged.append(Damaged(offset=start, size=end - start, reason=reason or Damage.NO_START, content=content))


_VIN_BYTES, _MAKER_BYTES = 17, 3


def without_vin(packet: bytes) -> bytes:
    """The packet with the VIN's last 14 characters as `*` and its check byte made anew: for rows that are carried in state or letters."""
    if not vin_of(packet):
        return packet
    at = 3 if is_truck(packet) else 4
    return with_check(packet[: at + _MAKER_BYTES] + b"*" * (_VIN_BYTES - _MAKER_BYTES) + packet[at + _VIN_BYTES : -1])
