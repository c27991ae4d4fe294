"""A frame that could not be evaluated as a dead letter: its content is the frame as a candump line, so it can be replayed."""

from __future__ import annotations

import hashlib

from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag
from domain.records import DeadLetter


def candump_line(frames: FrameBatch, row: int) -> str:
    """One frame in candump's log form, nanoseconds cut to microseconds."""
    can_id, flags = int(frames.can_id[row]), int(frames.flags[row])
    name = f"{can_id & 0x1FFF_FFFF:08X}" if can_id & EXTENDED_ID else f"{can_id:03X}"
    seconds, rest_ns = divmod(int(frames.time_ns[row]), 1_000_000_000)
    mark = "##0" if flags & FrameFlag.FD else "#"
    data = "R" if flags & FrameFlag.REMOTE else frames.payload_bytes(row).hex().upper()
    return f"({seconds}.{rest_ns // 1000:06d}) {frames.buses[int(frames.bus[row])]} {name}{mark}{data}"


def frame_letter(frames: FrameBatch, row: int, reason: str, detail: str) -> DeadLetter:
    """The dead letter of one frame; its id depends on vehicle, place in the records and content alone."""
    message = int(frames.message[row])
    vehicle = frames.vehicles[int(frames.vehicle[row])]
    session, sequence = int(frames.messages.boot_session[message]), int(frames.messages.sequence[message])
    index = int(frames.index[row])
    content = candump_line(frames, row).encode()
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
