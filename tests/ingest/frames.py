"""Frame batches for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.frames import EXTENDED_ID, FrameBatch, FrameFlag, MessageTable


@dataclass(frozen=True)
class F:
    """One frame, in the fewest words. `flags` may be TICK, then `can_id` is the tick's kind."""

    can_id: int
    data: bytes = b""
    time_s: float = 0.0
    vehicle: str = "car"
    bus: str = "can0"
    flags: int = 0


def frame_batch(rows: Sequence[F], *, vehicles: Sequence[str] = ()) -> FrameBatch:
    """The frames in this order; `vehicles` fixes the vehicle table."""
    cars = list(vehicles) or sorted({row.vehicle for row in rows}) or ["car"]
    buses = sorted({row.bus for row in rows}) or ["can0"]
    arena = bytearray()
    offsets = []
    for row in rows:
        offsets.append(len(arena) if len(row.data) > 8 else -1)
        arena += row.data if len(row.data) > 8 else b""
    n = len(rows)
    return FrameBatch(
        vehicles=tuple(cars),
        buses=tuple(buses),
        messages=MessageTable.single(),
        time_ns=np.array([round(row.time_s * 1e9) for row in rows], np.int64),
        vehicle=np.array([cars.index(row.vehicle) for row in rows], np.int32),
        bus=np.array([buses.index(row.bus) for row in rows], np.uint8),
        can_id=np.array([row.can_id for row in rows], np.uint32),
        message=np.zeros(n, np.int32),
        index=np.arange(n, dtype=np.int64),
        length=np.array([len(row.data) for row in rows], np.uint8),
        flags=np.array([row.flags for row in rows], np.uint8),
        payload=np.array([int.from_bytes(row.data[:8], "little") for row in rows], np.uint64),
        arena_offset=np.array(offsets, np.int64),
        arena=np.frombuffer(bytes(arena), np.uint8),
    )


__all__ = ["EXTENDED_ID", "F", "FrameFlag", "frame_batch"]
