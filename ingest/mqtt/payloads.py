"""What a vehicle sends on its `can` topic: a binary frame batch, or the same as JSON.

The binary form, version 1, is little-endian and columnar, so that many messages become one batch in a few joins:

    offset  bytes  field
         0      4  magic "PCFB"
         4      1  version, 1
         5      1  options: bit 0 a sequence number is given, bit 1 wide times
         6      2  b, number of bus names (up to 16)
         8      8  boot session, unsigned, below 2^63
        16      8  sequence number, unsigned, below 2^63; 0 where none is given
        24      8  base time, ns since epoch, unsigned, below 2^62
        32      4  n, number of frames (up to 65,536)
        36      4  a, bytes of long payloads
        40    8*n  first 8 bytes of each payload, padded with zeros
              4*n  time after the base time in ns (8*n with wide times)
              4*n  identifier, bit 31 set for 29-bit ones
                n  length of the payload in bytes
                n  flags: 1 remote, 2 error, 4 CAN FD, 8 transmitted
                n  bus, an index into the names
                   b times: 1 byte length (1 to 32), then the name in UTF-8
                a  the whole payload of each frame longer than 8 bytes, in order of the frames

The JSON form is an object: `{"boot_session": 7, "sequence": 42, "frames": [{"time_ns": 1700000000000000000, "bus": "can0", "id": 291,
"data": "00ff"}]}`. A frame may give its time as `"t"`, seconds, instead; `"extended"`, `"fd"`, `"remote"`, `"error"` and `"transmitted"`
are false where absent, and a remote frame gives `"length"` instead of data.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NO_ARENA, FrameBatch, FrameFlag

MAGIC = b"PCFB"
VERSION = 1
HEADER = struct.Struct("<4sBBHQQQII")
HAS_SEQUENCE = 1
WIDE_TIMES = 2
MAX_FRAMES = 65_536
MAX_BUSES = 16
MAX_BUS_BYTES = 32
LONGEST_CLASSIC, LONGEST_FD = 8, 64
MAX_NUMBER = 2**63 - 1
MAX_TIME_NS = 2**62 - 1
MAX_NARROW_NS = 2**32 - 1
KNOWN_FLAGS = int(FrameFlag.REMOTE | FrameFlag.ERROR | FrameFlag.FD | FrameFlag.TRANSMITTED)


def encode_frames(frames: FrameBatch, *, boot_session: int = 0, sequence: int | None = None) -> bytes:
    """One message with these frames of one vehicle, in this order.

    Raises:
        ValueError: frames of several vehicles, ticks, more than 65,536 frames, times before 1970, or numbers out of range.
    """
    _check(frames, boot_session, sequence)
    base = int(frames.time_ns.min()) if len(frames) else 0
    after = frames.time_ns - base
    wide = bool(len(frames)) and int(after.max()) > MAX_NARROW_NS
    used, bus = np.unique(frames.bus, return_inverse=True)
    names = [frames.buses[row].encode() for row in used]
    if len(names) > MAX_BUSES or any(not 0 < len(name) <= MAX_BUS_BYTES for name in names):
        raise ValueError(f"a message may have {MAX_BUSES} buses with names of 1 to {MAX_BUS_BYTES} bytes")
    arena = _long_payloads(frames)
    options = (HAS_SEQUENCE if sequence is not None else 0) | (WIDE_TIMES if wide else 0)
    numbers = (boot_session, sequence or 0, base, len(frames), len(arena))
    return b"".join(
        (
            HEADER.pack(MAGIC, VERSION, options, len(names), *numbers),
            frames.payload.astype("<u8").tobytes(),
            after.astype("<i8" if wide else "<u4").tobytes(),
            frames.can_id.astype("<u4").tobytes(),
            frames.length.tobytes(),
            frames.flags.tobytes(),
            bus.astype(np.uint8).tobytes(),
            *(bytes([len(name)]) + name for name in names),
            arena,
        )
    )


def _check(frames: FrameBatch, boot_session: int, sequence: int | None) -> None:
    if not 0 <= boot_session <= MAX_NUMBER or not 0 <= (sequence or 0) <= MAX_NUMBER:
        raise ValueError("boot session and sequence must be from 0 to 2^63 - 1")
    if len(frames) > MAX_FRAMES:
        raise ValueError(f"more than {MAX_FRAMES} frames in one message")
    if not len(frames):
        return
    if (frames.vehicle != frames.vehicle[0]).any():
        raise ValueError("frames of several vehicles in one message")
    if (frames.flags & ~np.uint8(KNOWN_FLAGS)).any():
        raise ValueError("only frames can be sent, no ticks")
    if (is_long(frames.length, frames.flags) & (frames.arena_offset == NO_ARENA)).any():
        raise ValueError("a payload of more than 8 bytes is not in the arena")
    if int(frames.time_ns.min()) < 0 or int(frames.time_ns.max()) > MAX_TIME_NS:
        raise ValueError("a frame's time is before 1970 or after 2116")


def _long_payloads(frames: FrameBatch) -> bytes:
    """Payloads longer than 8 bytes, one after another."""
    return b"".join(frames.payload_bytes(int(row)) for row in np.flatnonzero(is_long(frames.length, frames.flags)))


def is_long(length: NDArray[np.uint8], flags: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Frames whose payload stands in the arena: remote frames have a length but no payload."""
    return np.asarray((length > LONGEST_CLASSIC) & (flags & FrameFlag.REMOTE == 0))


_JSON_FLAGS = (
    ("remote", FrameFlag.REMOTE),
    ("error", FrameFlag.ERROR),
    ("fd", FrameFlag.FD),
    ("transmitted", FrameFlag.TRANSMITTED),
)


def encode_json(frames: FrameBatch, *, boot_session: int = 0, sequence: int | None = None) -> bytes:
    """The same message as `encode_frames`, as JSON: for devices and eyes that prefer it; eighty times as much work to read.

    Raises:
        ValueError: as `encode_frames`.
    """
    _check(frames, boot_session, sequence)
    document: dict[str, Any] = {"boot_session": boot_session}
    if sequence is not None:
        document["sequence"] = sequence
    document["frames"] = [_json_frame(frames, row) for row in range(len(frames))]
    return json.dumps(document, separators=(",", ":")).encode()


def _json_frame(frames: FrameBatch, row: int) -> dict[str, Any]:
    """One frame; what is false is left out."""
    can_id, flags = int(frames.can_id[row]), int(frames.flags[row])
    frame: dict[str, Any] = {
        "time_ns": int(frames.time_ns[row]),
        "bus": frames.buses[frames.bus[row]],
        "id": can_id & ~EXTENDED_ID,
    }
    if can_id & EXTENDED_ID:
        frame["extended"] = True
    frame |= {name: True for name, flag in _JSON_FLAGS if flags & flag}
    if flags & FrameFlag.REMOTE:
        return {**frame, "length": int(frames.length[row])}
    return {**frame, "data": frames.payload_bytes(row).hex()}
