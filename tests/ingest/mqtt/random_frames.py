"""Random frame batches of one vehicle, with everything that a message can carry."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag, MessageTable

Row = tuple[int, str, int, int, bytes, int]
"""(time in ns, bus, identifier with bit 31, flags, data, length)"""


@st.composite
def rows(draw: st.DrawFn) -> Row:
    flags = draw(st.sampled_from([0, 0, FrameFlag.FD, FrameFlag.REMOTE, FrameFlag.ERROR, FrameFlag.TRANSMITTED | FrameFlag.FD]))
    extended = draw(st.booleans())
    can_id = draw(st.integers(0, 0x1FFF_FFFF)) | EXTENDED_ID if extended else draw(st.integers(0, 0x7FF))
    data = b"" if flags & FrameFlag.REMOTE else draw(st.binary(max_size=64 if flags & FrameFlag.FD else 8))
    length = draw(st.integers(0, 8)) if flags & FrameFlag.REMOTE else len(data)
    # around one moment, as a device's batch, or anywhere: wide times
    time_ns = draw(st.integers(1_700_000_000_000_000_000, 1_700_000_001_000_000_000) | st.integers(0, 2**62 - 1))
    return time_ns, draw(st.sampled_from(["can0", "can1", "底盘"])), can_id, int(flags), data, length


messages: st.SearchStrategy[list[Row]] = st.lists(rows(), max_size=12)


def batch_of(frames: list[Row], *, vehicle: str = "car") -> FrameBatch:
    """The rows as a batch; unused bus names stand in the table, as they do in batches cut from larger ones."""
    buses = ["unused", *sorted({row[1] for row in frames})]
    arena, offsets = b"", []
    for row in frames:
        offsets.append(len(arena) if len(row[4]) > 8 else -1)
        arena += row[4] if len(row[4]) > 8 else b""
    columns: dict[str, Any] = {
        "time_ns": np.array([row[0] for row in frames], np.int64),
        "vehicle": np.zeros(len(frames), np.int32),
        "bus": np.array([buses.index(row[1]) for row in frames], np.uint8),
        "can_id": np.array([row[2] for row in frames], np.uint32),
        "message": np.zeros(len(frames), np.int32),
        "index": np.arange(len(frames), dtype=np.int64),
        "length": np.array([row[5] for row in frames], np.uint8),
        "flags": np.array([row[3] for row in frames], np.uint8),
        "payload": np.array([int.from_bytes(row[4][:8], "little") for row in frames], np.uint64),
        "arena_offset": np.array(offsets, np.int64),
        "arena": np.frombuffer(arena, np.uint8),
    }
    return FrameBatch(vehicles=(vehicle,), buses=tuple(buses), messages=MessageTable.single(), **columns)


def rows_of(frames: FrameBatch) -> list[Row]:
    """The rows of a batch, read one by one."""
    found: list[Row] = []
    for row in range(len(frames)):
        flags = int(frames.flags[row])
        data = b"" if flags & FrameFlag.REMOTE else frames.payload_bytes(row)
        bus = frames.buses[frames.bus[row]]
        found.append((int(frames.time_ns[row]), bus, int(frames.can_id[row]), flags, data, int(frames.length[row])))
    return found
