"""A row that could not be evaluated as a dead letter that can be replayed: as a candump line, or as JSON where that would lose some."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace

import numpy as np

from domain.frames import EXTENDED_ID, IN_ARENA, NO_ARENA, FrameBatch, FrameFlag, MessageTable, empty_frames
from domain.records import DeadLetter

_RECORD_HEAD = b"pitcall row "
_PLAIN_BUS = re.compile(r"[A-Za-z0-9_.-]{1,15}")


def candump_line(frames: FrameBatch, row: int) -> str:
    """A plain data frame in candump's log form, with all nine digits of its time."""
    can_id = int(frames.can_id[row])
    name = f"{can_id & 0x1FFF_FFFF:08X}" if can_id & EXTENDED_ID else f"{can_id:03X}"
    seconds, rest_ns = divmod(int(frames.time_ns[row]), 1_000_000_000)
    data = frames.payload_bytes(row).hex().upper()
    return f"({seconds}.{rest_ns:09d}) {frames.buses[int(frames.bus[row])]} {name}#{data}"


def record_line(frames: FrameBatch, row: int) -> bytes:
    """A row that candump cannot write without loss: what makes it up."""
    flags = int(frames.flags[row])
    document = {
        "time_ns": int(frames.time_ns[row]),
        "bus": frames.buses[int(frames.bus[row])],
        "flags": flags,
        "id": int(frames.can_id[row]),
        "length": int(frames.length[row]),
        "data": "" if flags & FrameFlag.REMOTE else frames.payload_bytes(row).hex(),
    }
    return _RECORD_HEAD + json.dumps(document).encode()


def record_of(letter: DeadLetter) -> FrameBatch | None:
    """The row of a letter that `record_line` wrote, as a batch of one; None where it holds none."""
    if not letter.content.startswith(_RECORD_HEAD):
        return None
    try:
        document = json.loads(letter.content.removeprefix(_RECORD_HEAD))
        data, flags = bytes.fromhex(document["data"]), int(document["flags"])
        empty = empty_frames((letter.vehicle,), (str(document["bus"]),))
        in_arena = bool(flags & IN_ARENA) or len(data) > 8
        return replace(
            empty,
            messages=replace(MessageTable.single(), sequence=np.array([-1], np.int64)),
            time_ns=np.array([document["time_ns"]], np.int64),
            vehicle=np.zeros(1, np.int32),
            bus=np.zeros(1, np.uint8),
            can_id=np.array([document["id"]], np.uint32),
            message=np.zeros(1, np.int32),
            index=np.zeros(1, np.int64),
            length=np.array([document["length"]], np.uint8),
            flags=np.array([flags], np.uint8),
            payload=np.array([len(data) if flags & IN_ARENA else int.from_bytes(data[:8], "little")], np.uint64),
            arena_offset=np.array([0 if in_arena else NO_ARENA], np.int64),
            arena=np.frombuffer(data if in_arena else b"", np.uint8),
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def frame_letter(frames: FrameBatch, row: int, reason: str, detail: str) -> DeadLetter:
    """The dead letter of one frame; its id depends on vehicle, place in the records and content alone."""
    message = int(frames.message[row])
    vehicle = frames.vehicles[int(frames.vehicle[row])]
    session, sequence = int(frames.messages.boot_session[message]), int(frames.messages.sequence[message])
    index = int(frames.index[row])
    plain = not frames.flags[row] and _PLAIN_BUS.fullmatch(frames.buses[int(frames.bus[row])])
    content = candump_line(frames, row).encode() if plain else record_line(frames, row)
    key = f"{vehicle}|{session}|{sequence}|{index}|{reason}|".encode() + content
    return DeadLetter(
        id=hashlib.sha256(key).hexdigest()[:32],
        origin="frames",
        position=index,
        reason=reason,
        detail=detail,
        content=content,
        vehicle=vehicle,
        time_ns=int(frames.time_ns[row]),
    )
