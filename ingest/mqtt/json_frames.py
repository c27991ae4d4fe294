"""The JSON form of a frame message, read into the binary one: one way for both from there on."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np

from domain.frames import EXTENDED_ID, NO_ARENA, FrameBatch, FrameFlag, MessageTable
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.mqtt.payloads import LONGEST_CLASSIC, LONGEST_FD, MAX_FRAMES, MAX_TIME_NS, encode_frames

_FLAGS = {"remote": FrameFlag.REMOTE, "error": FrameFlag.ERROR, "fd": FrameFlag.FD, "transmitted": FrameFlag.TRANSMITTED}
_LAST_11_BITS, _LAST_29_BITS = 0x7FF, 0x1FFF_FFFF


def read_json(payload: bytes) -> Any:
    """The document; numbers with a point as `Decimal`, so that no time loses digits.

    Raises:
        RefusedMessageError: not JSON.
    """
    try:
        return json.loads(payload, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise RefusedMessageError(Reason.MALFORMED_JSON, "not a JSON document") from error


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def binary_of_json(payload: bytes) -> bytes:
    """The binary frame batch that says what this JSON document says.

    Raises:
        RefusedMessageError: not a frame message.
    """
    document = read_json(payload)
    if not isinstance(document, dict) or not isinstance(document.get("frames"), list):
        raise RefusedMessageError(Reason.MALFORMED_JSON, 'no list "frames"')
    if len(document["frames"]) > MAX_FRAMES:
        raise RefusedMessageError(Reason.OVERSIZED, f"{len(document['frames'])} frames")
    sequence = document.get("sequence")
    try:
        return encode_frames(
            _batch([_frame(row, number) for number, row in enumerate(document["frames"])]),
            boot_session=_whole(document.get("boot_session", 0), "boot_session"),
            sequence=None if sequence is None else _whole(sequence, "sequence"),
        )
    except ValueError as error:
        if isinstance(error, RefusedMessageError):
            raise
        raise RefusedMessageError(Reason.BAD_FRAME, str(error)) from error


_Frame = tuple[int, str, int, int, int, bytes]


def _frame(row: Any, number: int) -> _Frame:
    """(time in ns, bus, identifier, flags, length, data) of one entry."""
    if not isinstance(row, dict):
        raise _refused(number, "not an object")
    try:
        return _fields(row)
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        words = f"no {error}" if isinstance(error, KeyError) else str(error) or "a value out of range"
        raise _refused(number, words) from error


def _fields(row: dict[str, Any]) -> _Frame:
    time_ns = _whole(row["time_ns"], "time_ns") if "time_ns" in row else _seconds(row["t"])
    if not 0 <= time_ns <= MAX_TIME_NS:
        raise ValueError("time out of range")
    flags = sum(flag for name, flag in _FLAGS.items() if _switch(row, name))
    extended = _switch(row, "extended")
    can_id = _whole(row["id"], "id")
    if can_id > (_LAST_29_BITS if extended or flags & FrameFlag.ERROR else _LAST_11_BITS):
        raise ValueError("identifier out of range")
    bus = row.get("bus", "0")
    if not isinstance(bus, str | int) or isinstance(bus, bool):
        raise TypeError("bus is not a name")
    remote = bool(flags & FrameFlag.REMOTE)
    data = b"" if remote else bytes.fromhex(row["data"])
    length = _whole(row.get("length", 0), "length") if remote else len(data)
    if length > (LONGEST_FD if flags & FrameFlag.FD else LONGEST_CLASSIC):
        raise ValueError("length out of range")
    return time_ns, str(bus), can_id | (EXTENDED_ID if extended else 0), flags, length, data


def _batch(rows: list[_Frame]) -> FrameBatch:
    """The entries as columns."""
    buses = {bus: number for number, bus in enumerate(dict.fromkeys(row[1] for row in rows))}
    if len(buses) > 256:
        raise ValueError("more than 256 bus names")
    n = len(rows)
    sizes = np.array([len(row[5]) if len(row[5]) > LONGEST_CLASSIC else 0 for row in rows], np.int64)
    return FrameBatch(
        vehicles=("",),
        buses=tuple(buses),
        messages=MessageTable.single(),
        time_ns=np.array([row[0] for row in rows], np.int64),
        vehicle=np.zeros(n, np.int32),
        bus=np.array([buses[row[1]] for row in rows], np.uint8),
        can_id=np.array([row[2] for row in rows], np.uint32),
        message=np.zeros(n, np.int32),
        index=np.arange(n, dtype=np.int64),
        length=np.array([row[4] for row in rows], np.uint8),
        flags=np.array([row[3] for row in rows], np.uint8),
        payload=np.array([int.from_bytes(row[5][:8], "little") for row in rows], np.uint64),
        arena_offset=np.where(sizes > 0, np.cumsum(sizes) - sizes, NO_ARENA),
        arena=np.frombuffer(b"".join(row[5] for row in rows if len(row[5]) > LONGEST_CLASSIC), np.uint8),
    )


def _whole(value: Any, name: str) -> int:
    """A number from 0 up, without a fraction."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is not a whole number from 0 up")
    return value


def _seconds(value: Any) -> int:
    """Seconds since epoch in ns."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError("t is not a number")
    if not 0 <= value <= MAX_TIME_NS // 10**9:
        raise ValueError("time out of range")
    return round(value * 10**9)


def _switch(row: dict[str, Any], name: str) -> bool:
    value = row.get(name, False)
    if not isinstance(value, bool):
        raise TypeError(f"{name} is neither true nor false")
    return value


def _refused(number: int, words: str) -> RefusedMessageError:
    return RefusedMessageError(Reason.BAD_FRAME, f"frame {number}: {words}")
