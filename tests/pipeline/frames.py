"""Frames made by hand for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain.frames import NO_ARENA, FrameBatch, MessageTable


def frames_of(
    records: Sequence[tuple[int, int]], *, vehicle: str = "car", boots: Sequence[int] | None = None, bus: str = "can0"
) -> FrameBatch:
    """A batch of (time_ns, index) records in arrival order; payload = index, one message row per boot session."""
    n = len(records)
    sessions = sorted(set(boots)) if boots else [0]
    row_of = {session: row for row, session in enumerate(sessions)}
    m = len(sessions)
    return FrameBatch(
        vehicles=(vehicle,),
        buses=(bus,),
        messages=MessageTable(
            vehicle=np.zeros(m, np.int32),
            boot_session=np.array(sessions, np.int64),
            sequence=np.zeros(m, np.int64),
            received_ns=np.zeros(m, np.int64),
            position=np.zeros(m, np.int64),
        ),
        time_ns=np.array([t for t, _ in records], np.int64),
        vehicle=np.zeros(n, np.int32),
        bus=np.zeros(n, np.uint8),
        can_id=np.full(n, 0x123, np.uint32),
        message=np.array([row_of[b] for b in boots] if boots else [0] * n, np.int32),
        index=np.array([i for _, i in records], np.int64),
        length=np.full(n, 8, np.uint8),
        flags=np.zeros(n, np.uint8),
        payload=np.array([i for _, i in records], np.uint64),
        arena_offset=np.full(n, NO_ARENA, np.int64),
        arena=np.empty(0, np.uint8),
    )
