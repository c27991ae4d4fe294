"""Frames of one vehicle by themselves, as compact bytes (for carried state), and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.frames import FRAME_COLUMNS, NO_ARENA, FrameBatch, MessageTable, empty_frames

_MESSAGE_COLUMNS = ("boot_session", "sequence", "received_ns", "position")


def by_vehicle(frames: FrameBatch) -> Iterator[FrameBatch]:
    """Each vehicle's frames, in the order they have, with tables of their own: what is done to one costs nothing for the others."""
    if not len(frames):
        return
    if len(frames.vehicles) == 1:
        yield frames
        return
    order = np.argsort(frames.vehicle, kind="stable")
    grouped = frames.take(order)
    starts = np.flatnonzero(np.diff(grouped.vehicle, prepend=-1)).tolist()
    for start, end in zip(starts, [*starts[1:], len(grouped)], strict=True):
        own = grouped.take(slice(start, end))
        yield _narrow(own, own.vehicles[int(own.vehicle[0])])


def compact_frames(frames: FrameBatch) -> FrameBatch:
    """The same frames with vehicle and message tables and arena cut down to what they use, in memory of their own."""
    present, vehicle = np.unique(frames.vehicle, return_inverse=True)
    used, message = _used_messages(frames.message)
    arena, offsets = _used_arena(frames)
    owned = {name: getattr(frames, name).copy() for name in FRAME_COLUMNS if name not in ("vehicle", "message", "arena_offset")}
    return replace(
        frames,
        vehicles=tuple(frames.vehicles[number] for number in present.tolist()),
        messages=_messages(frames, used, np.searchsorted(present, frames.messages.vehicle[used])),
        vehicle=vehicle.astype(np.int32),
        message=message,
        arena=np.frombuffer(arena, np.uint8),
        arena_offset=offsets,
        **owned,
    )


def _narrow(frames: FrameBatch, vehicle: str) -> FrameBatch:
    """Frames of one vehicle with a vehicle table of one, and the messages that they came in."""
    used, message = _used_messages(frames.message)
    return replace(
        frames,
        vehicles=(vehicle,),
        messages=_messages(frames, used, np.zeros(len(used), np.intp)),
        vehicle=np.zeros(len(frames), np.int32),
        message=message,
    )


def _messages(frames: FrameBatch, used: NDArray[np.int32], vehicle: NDArray[np.intp]) -> MessageTable:
    """These rows of the message table, with other numbers of the vehicles."""
    return MessageTable(
        vehicle=vehicle.astype(np.int32), **{name: getattr(frames.messages, name)[used] for name in _MESSAGE_COLUMNS}
    )


def _used_messages(message: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The rows that are referred to, ascending, and each reference as an index into them."""
    if len(message) and message[0] == message[-1] and bool((message == message[0]).all()):  # by far the commonest
        return message[:1], np.zeros(len(message), np.int32)
    used, index = np.unique(message, return_inverse=True)
    return used, index.astype(np.int32)


def _used_arena(frames: FrameBatch) -> tuple[bytes, NDArray[np.int64]]:
    """The bytes of the long payloads, joined, and where each frame's begin."""
    offsets = np.full(len(frames), NO_ARENA, np.int64)
    if not len(frames.arena):
        return b"", offsets
    arena = bytearray()
    for row in np.flatnonzero(frames.arena_offset != NO_ARENA).tolist():
        offsets[row] = len(arena)
        arena += frames.payload_bytes(row)
    return bytes(arena), offsets


def pack_frames(frames: FrameBatch) -> bytes:
    """Length-prefixed JSON head, then the columns as they lie; only used messages and arena bytes are kept."""
    used, message = _used_messages(frames.message)
    arena, offsets = _used_arena(frames)
    head = json.dumps({"n": len(frames), "m": len(used), "a": len(arena), "buses": frames.buses}).encode()
    replaced = {"message": message, "arena_offset": offsets, "vehicle": np.zeros(len(frames), np.int32)}
    columns = [replaced.get(name, getattr(frames, name)) for name in FRAME_COLUMNS]
    table = [getattr(frames.messages, name)[used] for name in _MESSAGE_COLUMNS]
    return b"".join(
        [len(head).to_bytes(4, "little"), head, *(np.ascontiguousarray(c).tobytes() for c in [*columns, *table]), arena]
    )


NO_FRAMES = pack_frames(empty_frames(("",)))
"""Packed nothing."""


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
