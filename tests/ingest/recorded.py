"""Recordings as rows that can be compared, and messages of python-can in the same form."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import can

from app.kernels import lazy_jit
from domain.frames import EXTENDED_ID, FrameFlag
from domain.ports import Jit
from ingest.logs import LogFile, open_log

Row = tuple[int, str, int, int, int, bytes]
"""(time in µs, bus, identifier, length, flags, data)"""


def read(
    path: Path, *, jit: Jit = lazy_jit, batch_frames: int = 262_144, start_ns: int | None = None
) -> tuple[list[Row], LogFile]:
    """Every frame of a recording, and the log it came from."""
    log = open_log(path, vehicle="v", jit=jit, batch_frames=batch_frames, start_ns=start_ns)
    rows = [
        (
            (int(batch.time_ns[row]) + 500) // 1000,
            batch.buses[batch.bus[row]],
            int(batch.can_id[row]),
            int(batch.length[row]),
            int(batch.flags[row]),
            batch.payload_bytes(row),
        )
        for batch in log
        for row in range(len(batch))
    ]
    return rows, log


def as_row(message: can.Message, *, first_channel: int = 0) -> Row:
    """What we should read of a message; python-can counts the channels of some formats from 0 where the file does from 1."""
    flags = FrameFlag(0)
    for flag, on in (
        (FrameFlag.REMOTE, message.is_remote_frame),
        (FrameFlag.ERROR, message.is_error_frame),
        (FrameFlag.FD, message.is_fd),
        (FrameFlag.TRANSMITTED, not message.is_rx),
    ):
        flags |= flag if on else FrameFlag(0)
    data = bytes(message.dlc) if message.is_remote_frame else bytes(message.data)
    identifier = message.arbitration_id | (EXTENDED_ID if message.is_extended_id else 0)
    bus = str(int(message.channel or 0) + first_channel)
    return round(message.timestamp * 1e6), bus, identifier, len(data), int(flags), data


def random_messages(
    count: int, *, seed: int = 3, fd: bool = True, errors: bool = True, channels: Iterable[int] = (0, 1, 4)
) -> list[can.Message]:
    """Frames of every kind that python-can's writers write."""
    dice = random.Random(seed)
    messages = []
    for number in range(count):
        kind = dice.random()
        extended = dice.random() < 0.3
        common = {
            "timestamp": 1_600_000_000 + number * 0.0001,
            "channel": dice.choice(list(channels)),
            "arbitration_id": dice.randrange(1 << (29 if extended else 11)),
            "is_extended_id": extended,
        }
        if fd and kind < 0.05:
            size = dice.choice([0, 1, 5, 8, 12, 20, 64])
            messages.append(can.Message(**common, is_fd=True, data=dice.randbytes(size), is_rx=dice.random() < 0.5))
        elif kind < 0.07:
            messages.append(can.Message(**common, is_remote_frame=True, dlc=dice.randrange(9)))
        elif errors and kind < 0.08:
            messages.append(can.Message(**(common | {"is_extended_id": True, "arbitration_id": 0}), is_error_frame=True))
        else:
            data = dice.randbytes(dice.choice([8, 8, 8, 3, 0]))
            messages.append(can.Message(**common, data=data, is_rx=dice.random() < 0.9))
    return messages
