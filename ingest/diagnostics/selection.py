"""Which frames of a batch can belong to a diagnostic message: a few passes over the columns, so that others cost little."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from domain.frames import NOT_CAN, FrameBatch, FrameFlag
from ingest.diagnostics.j1939_dm import DM1_PGN
from ingest.diagnostics.obd import FREEZE_FRAME_ANSWER, LISTS, NEGATIVE_ANSWER

_OBD_SERVICES = np.array([*LISTS, FREEZE_FRAME_ANSWER, NEGATIVE_ANSWER], np.uint64)
_NOT_DATA = np.uint8(FrameFlag.REMOTE | FrameFlag.ERROR | NOT_CAN)


class FrameKind(IntEnum):
    """What a frame may be part of."""

    NONE = 0
    OBD_ANSWER = 1
    DM1 = 2
    TRANSPORT_MANAGEMENT = 3
    TRANSPORT_DATA = 4
    TICK = 5


def frame_kinds(frames: FrameBatch, *, transport_open: bool) -> NDArray[np.uint8]:
    """uint8[n] of `FrameKind`.

    Args:
        frames: any batch.
        transport_open: a J1939 transfer of a wanted message is under way. Where none is, and the batch announces none,
            all transport frames belong to other messages and are left out.
    """
    can_id = frames.can_id
    kinds = np.zeros(len(frames), np.uint8)
    kinds[(can_id & 0x83FF_FF00) == 0x8000_0000 | DM1_PGN << 8] = FrameKind.DM1
    management = (can_id & 0x83FF_0000) == 0x80EC_0000
    data = (can_id & 0x83FF_0000) == 0x80EB_0000
    announced = frames.payload[management] >> np.uint64(40) & np.uint64(0xFF_FFFF)
    if transport_open or np.any(announced == DM1_PGN):
        kinds[management] = FrameKind.TRANSPORT_MANAGEMENT
        kinds[data] = FrameKind.TRANSPORT_DATA
    kinds[_obd_rows(frames)] = FrameKind.OBD_ANSWER
    kinds[(frames.flags & _NOT_DATA) != 0] = FrameKind.NONE
    kinds[(frames.flags & FrameFlag.TICK) != 0] = FrameKind.TICK
    return kinds


def _obd_rows(frames: FrameBatch) -> NDArray[np.intp]:
    """Rows from the answering identifiers of ISO 15765-4, without flow control and single frames of other services."""
    can_id = frames.can_id
    rows = np.flatnonzero(((can_id & 0xFFFF_FFF8) == 0x7E8) | ((can_id & 0xFFFF_FF00) == 0x98DA_F100))
    head = frames.payload[rows]
    first, second = head & np.uint64(0xFF), head >> np.uint64(8) & np.uint64(0xFF)
    service = np.where(first == 0, head >> np.uint64(16) & np.uint64(0xFF), second)
    frame_type = first >> np.uint64(4)
    segmented = (frame_type == 1) | (frame_type == 2)
    selected: NDArray[np.intp] = rows[segmented | ((frame_type == 0) & np.isin(service, _OBD_SERVICES))]
    return selected
