"""Frames of one vehicle as compact bytes (for carried state), and back."""

from __future__ import annotations

import json

import numpy as np

from domain.frames import FRAME_COLUMNS, NO_ARENA, FrameBatch, MessageTable, empty_frames

_MESSAGE_COLUMNS = ("boot_session", "sequence", "received_ns", "position")


def pack_frames(frames: FrameBatch) -> bytes:
    """Length-prefixed JSON head, then the columns as they lie; only used messages, buses and arena bytes are kept."""
    used, message = np.unique(frames.message, return_inverse=True)
    arena = bytearray()
    offsets = np.full(len(frames), NO_ARENA, np.int64)
    for row in np.flatnonzero(frames.arena_offset != NO_ARENA).tolist():
        offsets[row] = len(arena)
        arena += frames.payload_bytes(row)
    head = json.dumps({"n": len(frames), "m": len(used), "a": len(arena), "buses": frames.buses}).encode()
    replaced = {"message": message.astype(np.int32), "arena_offset": offsets, "vehicle": np.zeros(len(frames), np.int32)}
    columns = [replaced.get(name, getattr(frames, name)) for name in FRAME_COLUMNS]
    table = [getattr(frames.messages, name)[used] for name in _MESSAGE_COLUMNS]
    return b"".join(
        [len(head).to_bytes(4, "little"), head, *(np.ascontiguousarray(c).tobytes() for c in [*columns, *table]), arena]
    )


def unpack_frames(state: bytes, vehicle: str) -> FrameBatch:
    """The frames that `pack_frames` packed, as vehicle `vehicle`."""
    size = 4 + int.from_bytes(state[:4], "little")
    head = json.loads(state[4:size])
    empty = empty_frames((vehicle,))
    at = size
    columns = {}
    for name in FRAME_COLUMNS:
        kind = getattr(empty, name).dtype
        columns[name] = np.frombuffer(state, kind, head["n"], at).copy()
        at += kind.itemsize * head["n"]
    table = {}
    for name in _MESSAGE_COLUMNS:
        table[name] = np.frombuffer(state, np.int64, head["m"], at).copy()
        at += 8 * head["m"]
    return FrameBatch(
        vehicles=(vehicle,),
        buses=tuple(head["buses"]),
        messages=MessageTable(vehicle=np.zeros(head["m"], np.int32), **table),
        arena=np.frombuffer(state, np.uint8, head["a"], at).copy(),
        **columns,
    )
